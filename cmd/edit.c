#include "talk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EDITOR_DEFAULT "vi"
#define PATH_SIZE 4096
#define FILE_NAME "/question.md"
#define STATUS_NOT_FOUND 127	/* sh(1): no such command */

/* The person's editor, on a private file that is gone afterwards. */

static const char *
editor(void)
{
	const char *names[] = { "VISUAL", "EDITOR" }, *v;
	size_t i;

	for (i = 0; i < nitems(names); i++)
		if ((v = getenv(names[i])) != NULL && v[0] != '\0')
			return v;
	return EDITOR_DEFAULT;
}

/* An editor may come with words of its own, so a shell takes it apart. */
static _Noreturn void
become_editor(const char *path)
{
	char command[PATH_SIZE];
	int n;

	n = snprintf(command, sizeof(command), "exec %s \"$1\"", editor());
	if (n < 0 || (size_t)n >= sizeof(command))
		_exit(STATUS_NOT_FOUND);
	(void)execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
	_exit(STATUS_NOT_FOUND);
}

/* Ctrl-C belongs to the editor while it runs. */
static int
run_editor(struct ctx *c, const char *path)
{
	struct sigaction ignore, before;
	int status = 0;
	pid_t pid;

	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGINT, &ignore, &before);
	if ((pid = fork()) == 0) {
		ignore.sa_handler = SIG_DFL;
		(void)sigaction(SIGINT, &ignore, NULL);
		become_editor(path);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)sigaction(SIGINT, &before, NULL);
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return EX_OK;
	return ctx_refuse(c, EX_FAILED, "io", pid < 0 ? strerror(errno) :
	    "the editor failed", "Choose one with EDITOR", "%s", editor());
}

static int
write_text(int fd, const char *text)
{
	size_t len = strlen(text), done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, text + done, len - done);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Editors leave copies beside a file. */
static void
remove_folder(const char *folder)
{
	const struct dirent *e;
	DIR *d = opendir(folder);

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(folder);
}

static int
create(const char *path, const char *text)
{
	int e, fd;

	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	e = write_text(fd, text);
	if (close(fd) != 0 && e == 0)
		e = errno;
	return e;
}

int
edit_text(struct ctx *c, const char *text, struct ln_buf *out)
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH_SIZE], path[PATH_SIZE + sizeof(FILE_NAME)];
	int e, n, rc;

	ln_buf_clear(out);
	n = snprintf(folder, sizeof(folder), "%s/lnctl.XXXXXX",
	    tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(folder))
		return ctx_refuse(c, EX_FAILED, "io", strerror(ENAMETOOLONG),
		    "", "TMPDIR");
	if (mkdtemp(folder) == NULL)
		return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "",
		    "%s", folder);
	(void)snprintf(path, sizeof(path), "%s%s", folder, FILE_NAME);
	if ((e = create(path, text)) != 0)
		rc = ctx_refuse(c, EX_FAILED, "io", strerror(e), "", "%s",
		    path);
	else if ((rc = run_editor(c, path)) == EX_OK &&
	    (e = file_read(path, LN_CHAT_PROMPT_MAX, out)) != 0)
		rc = ctx_refuse(c, EX_FAILED, "io", strerror(e), "", "%s",
		    path);
	remove_folder(folder);
	while (out->len > 0 && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	return rc;
}
