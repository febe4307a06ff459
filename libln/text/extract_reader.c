/* pipe2(2) and posix_spawn's closing of descriptors are in no standard. */
#define _GNU_SOURCE

#include "text/extract_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ln/extract.h>

#include "base/banned.h"

#ifndef LN_LIBEXECDIR
#define LN_LIBEXECDIR "/usr/local/libexec/localneural"
#endif
#define PROGRAM "ln-extract"
#define READER_FD 3		/* where the program finds its socket */
#define FDS 3

/*
 * One reader process for this process and what it forks.  A process that was
 * started without one never makes one by itself: it may be sandboxed.
 */
static struct {
	pthread_mutex_t lock;
	bool is_asked;		/* ln_extract_start() was called */
	int fd;
} reader = { PTHREAD_MUTEX_INITIALIZER, false, -1 };

/* Where this program lives, without a slash at the end. */
static bool
own_folder(char *out, size_t size)
{
	ssize_t n;
	char *slash;

	n = readlink("/proc/self/exe", out, size - 1);
	if (n <= 0 || (size_t)n >= size - 1)
		return false;
	out[n] = '\0';
	if ((slash = strrchr(out, '/')) == NULL)
		return false;
	*slash = '\0';
	return true;
}

static bool
find_program(char *out, size_t size)
{
	static const char *const places[] = { "",
		"/../libexec/localneural" };
	char folder[PATH_MAX];
	size_t i;
	int n;

	if (own_folder(folder, sizeof(folder))) {
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			n = snprintf(out, size, "%s%s/" PROGRAM, folder,
			    places[i]);
			if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
				return true;
		}
	}
	n = snprintf(out, size, LN_LIBEXECDIR "/" PROGRAM);
	return n > 0 && (size_t)n < size && access(out, X_OK) == 0;
}

/* Everything as a fresh program expects it, whatever we have changed. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int e;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	if ((e = posix_spawnattr_setsigdefault(attr, &all)) == 0 &&
	    (e = posix_spawnattr_setsigmask(attr, &none)) == 0)
		e = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF |
		    POSIX_SPAWN_SETSIGMASK);
	return e;
}

static int
set_files(posix_spawn_file_actions_t *fa, int fd)
{
	int e;

	if ((e = posix_spawn_file_actions_adddup2(fa, fd, READER_FD)) == 0 &&
	    (e = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDWR,
	    0)) == 0 &&
	    (e = posix_spawn_file_actions_adddup2(fa, 0, 1)) == 0 &&
	    (e = posix_spawn_file_actions_adddup2(fa, 0, 2)) == 0)
		e = posix_spawn_file_actions_addclosefrom_np(fa,
		    READER_FD + 1);
	return e;
}

/* The program leaves us at once: what stays is no child of ours. */
static int
spawn(const char *program, int fd)
{
	static char name[] = PROGRAM, locale[] = "LC_ALL=C.UTF-8";
	char *const argv[] = { name, NULL };
	char *const envp[] = { locale, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int e, state;
	pid_t pid;

	if ((e = posix_spawn_file_actions_init(&fa)) != 0)
		return e;
	if ((e = posix_spawnattr_init(&attr)) != 0) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return e;
	}
	if ((e = set_signals(&attr)) == 0 && (e = set_files(&fa, fd)) == 0)
		e = posix_spawn(&pid, program, &fa, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&fa);
	if (e != 0)
		return e;
	while (waitpid(pid, &state, 0) == -1)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(state) && WEXITSTATUS(state) == 0 ? 0 : ENOEXEC;
}

static enum ln_status
start(const char *program, struct ln_error *err)
{
	char found[PATH_MAX + 64];
	int e, fds[2];

	if (program == NULL) {
		if (!find_program(found, sizeof(found)))
			return ln_fail(err, LN_UNSUPPORTED, "The reader of "
			    "documents is not installed", "no " PROGRAM);
		program = found;
	} else if (access(program, X_OK) != 0)
		return ln_fail(err, LN_UNSUPPORTED, "The reader of documents "
		    "is not installed", "%s: errno %d", program, errno);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return ln_fail(err, LN_IO, "", "socketpair: errno %d", errno);
	e = spawn(program, fds[1]);
	(void)close(fds[1]);
	if (e != 0) {
		(void)close(fds[0]);
		return ln_fail(err, LN_IO, "The reader of documents could not "
		    "be started", "%s: errno %d", program, e);
	}
	reader.fd = fds[0];
	return LN_OK;
}

enum ln_status
ln_extract_start(const char *program, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	(void)pthread_mutex_lock(&reader.lock);
	reader.is_asked = true;
	if (reader.fd == -1)
		s = start(program, err);
	(void)pthread_mutex_unlock(&reader.lock);
	return s;
}

/* One that is gone is replaced, where that is allowed. */
static enum ln_status
reader_fd(bool is_gone, int *out, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	(void)pthread_mutex_lock(&reader.lock);
	if (is_gone && !reader.is_asked && reader.fd == *out) {
		(void)close(reader.fd);
		reader.fd = -1;
	}
	if (reader.fd == -1) {
		if (reader.is_asked)
			s = ln_fail(err, LN_UNSUPPORTED, "The reader of "
			    "documents is not installed", "not started");
		else
			s = start(NULL, err);
	} else if (is_gone && reader.fd == *out)
		s = ln_fail(err, LN_IO, "The reader of documents has ended. "
		    "Start the server again", "reader gone");
	*out = reader.fd;
	(void)pthread_mutex_unlock(&reader.lock);
	return s;
}

static int
pass(int to, const struct ln_extract_wire_request *req, const int fds[FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS * sizeof(int))];
	} control;
	struct ln_extract_wire_request copy = *req;
	struct iovec iov = { &copy, sizeof(copy) };
	struct msghdr m;
	struct cmsghdr *c;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	memset(&m, 0, sizeof(m));
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	m.msg_control = &control;
	m.msg_controllen = sizeof(control.bytes);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fds, FDS * sizeof(int));
	do
		n = sendmsg(to, &m, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)sizeof(copy) ? 0 : n == -1 ? errno : EIO;
}

static enum ln_status
send_to_reader(const struct ln_extract_wire_request *req, const int fds[FDS],
    struct ln_error *err)
{
	enum ln_status s;
	int e, to = -1;

	if ((s = reader_fd(false, &to, err)) != LN_OK)
		return s;
	e = pass(to, req, fds);
	if (e == EPIPE || e == ECONNRESET) {
		if ((s = reader_fd(true, &to, err)) != LN_OK)
			return s;
		e = pass(to, req, fds);
	}
	if (e != 0)
		return ln_fail(err, LN_IO, "", "reader: errno %d", e);
	return LN_OK;
}

enum ln_status
lni_extract_send(const struct ln_extract_wire_request *req, int fd,
    struct lni_extract_pipes *out, struct ln_error *err)
{
	int fds[FDS], status[2], text[2];
	enum ln_status s;

	out->text_fd = out->status_fd = -1;
	if (pipe2(text, O_CLOEXEC) == -1)
		return ln_fail(err, LN_IO, "", "pipe: errno %d", errno);
	if (pipe2(status, O_CLOEXEC) == -1) {
		s = ln_fail(err, LN_IO, "", "pipe: errno %d", errno);
		(void)close(text[0]);
		(void)close(text[1]);
		return s;
	}
	fds[0] = fd;
	fds[1] = text[1];
	fds[2] = status[1];
	s = send_to_reader(req, fds, err);
	(void)close(text[1]);
	(void)close(status[1]);
	if (s != LN_OK) {
		(void)close(text[0]);
		(void)close(status[0]);
		return s;
	}
	out->text_fd = text[0];
	out->status_fd = status[0];
	return LN_OK;
}
