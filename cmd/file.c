#define _GNU_SOURCE	/* O_TMPFILE */

#include "cmd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of ours come into being whole, private, and never over another. */

int
file_write(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Make the new name itself survive a power cut. */
static void
sync_folder(const char *path)
{
	char folder[4096];
	int fd;

	file_dir(path, folder, sizeof(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

struct bytes {
	const void *p;
	size_t n;
};

static int
write_bytes(void *arg, int fd)
{
	const struct bytes *b = arg;

	return file_write(fd, b->p, b->n);
}

int
file_create(const char *path, const void *p, size_t n)
{
	struct bytes b = { p, n };

	return file_create_by(path, write_bytes, &b);
}

/* --- a file on its way --------------------------------------------------- */

#define TAG_BYTES 6
#define PROC_FD_SIZE 32
static const char part_suffix[] = ".part";

/* What writes the file, and how it gets its name. */
struct draft {
	int fd;
	char partial[4096];	/* "": it has no name yet */
};

static void
proc_fd(int fd, char out[PROC_FD_SIZE])
{
	(void)snprintf(out, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
}

/* Without a name: whenever it is killed, nothing is left.  -1: this file
 * system cannot. */
static int
open_nameless(const char *folder)
{
	char proc[PROC_FD_SIZE];
	int fd;

	fd = open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	proc_fd(fd, proc);
	if (access(proc, F_OK) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Whether ${name} is ${base}, a tag and the suffix. */
static bool
is_part_of(const char *name, const char *base)
{
	size_t n = strlen(base);

	return strncmp(name, base, n) == 0 && name[n] == '.' &&
	    strspn(name + n + 1, "0123456789abcdef") == 2 * TAG_BYTES &&
	    strcmp(name + n + 1 + 2 * TAG_BYTES, part_suffix) == 0;
}

/* Remove what killed runs left: who still writes holds a lock.  Failing to is
 * no reason not to work. */
static void
sweep_parts(const char *path, const char *folder)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	struct dirent *e;
	struct stat sb;
	DIR *d;
	int fd;

	if ((d = opendir(folder)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!is_part_of(e->d_name, base))
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
		    sb.st_uid == geteuid() &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
		(void)close(fd);
	}
	(void)closedir(d);
}

static int
draft_named(struct draft *w, const char *path)
{
	unsigned char tag[TAG_BYTES];
	int len;

	ln_random(tag, sizeof(tag));
	len = snprintf(w->partial, sizeof(w->partial),
	    "%s.%02x%02x%02x%02x%02x%02x%s", path, tag[0], tag[1], tag[2],
	    tag[3], tag[4], tag[5], part_suffix);
	if (len < 0 || (size_t)len >= sizeof(w->partial))
		return ENAMETOOLONG;
	w->fd = open(w->partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (w->fd < 0)
		return errno;
	/* Nobody else sweeps it; a file system without locks has no sweep. */
	(void)flock(w->fd, LOCK_EX | LOCK_NB);
	return 0;
}

static int
draft_open(struct draft *w, const char *path)
{
	char folder[4096];

	w->partial[0] = '\0';
	file_dir(path, folder, sizeof(folder));
	sweep_parts(path, folder);
	if ((w->fd = open_nameless(folder)) >= 0)
		return 0;
	return draft_named(w, path);
}

/* link, not rename: it fails when the name is taken meanwhile. */
static int
draft_link(const struct draft *w, const char *path)
{
	char proc[PROC_FD_SIZE];

	if (w->partial[0] != '\0')
		return link(w->partial, path) == 0 ? 0 : errno;
	proc_fd(w->fd, proc);
	return linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ==
	    0 ? 0 : errno;
}

int
file_create_by(const char *path, int (*fn)(void *arg, int fd), void *arg)
{
	struct draft w;
	int rc;

	if ((rc = draft_open(&w, path)) != 0)
		return rc;
	rc = fn(arg, w.fd);
	if (rc == 0 && fsync(w.fd) != 0)
		rc = errno;
	if (rc == 0)
		rc = draft_link(&w, path);
	if (w.partial[0] != '\0')
		(void)unlink(w.partial);
	if (close(w.fd) != 0 && rc == 0)
		rc = errno;
	if (rc == 0)
		sync_folder(path);
	return rc;
}

int
file_read(const char *path, size_t max, struct ln_buf *out)
{
	char piece[16384];
	struct stat sb;
	ssize_t n;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno;
	if (fstat(fd, &sb) != 0)
		rc = errno;
	else if (!S_ISREG(sb.st_mode))
		rc = S_ISDIR(sb.st_mode) ? EISDIR : EINVAL;
	while (rc == 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = errno;
		else if ((size_t)n > max - out->len)
			rc = EFBIG;
		else
			ln_buf_put(out, piece, (size_t)n);
		if (rc == 0 && ln_buf_status(out) != LN_OK)
			rc = ln_buf_status(out) == LN_NOMEM ? ENOMEM : EFBIG;
	}
	(void)close(fd);
	return rc;
}

void
file_dir(const char *path, char *dst, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(dst, size, ".");
	else if (slash == path)
		(void)snprintf(dst, size, "/");
	else
		(void)snprintf(dst, size, "%.*s", (int)(slash - path), path);
}
