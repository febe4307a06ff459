/* close_range(2) is in no standard. */
#define _GNU_SOURCE

#include "extract.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS 3
/* Documents at a time: bounds the memory of all of them together. */
#define KEEPERS_MAX 4

static void
close_all(const int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* The descriptors that came along, at most FDS; returns their number. */
static size_t
take_fds(struct msghdr *m, int fds[FDS])
{
	struct cmsghdr *c;
	size_t n = 0;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > FDS)
			n = FDS;
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

/* 1: a request; 0: everybody who could ask is gone; -1: no request. */
static int
receive(struct ln_extract_wire_request *req, int fds[FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS * sizeof(int))];
	} control;
	struct iovec iov = { req, sizeof(*req) };
	struct msghdr m;
	size_t count;
	ssize_t n;

	memset(&m, 0, sizeof(m));
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	m.msg_control = &control;
	m.msg_controllen = sizeof(control.bytes);
	do
		n = recvmsg(EXTRACT_SOCKET_FD, &m, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return 0;
	count = take_fds(&m, fds);
	if (n == (ssize_t)sizeof(*req) && count == FDS &&
	    req->magic == LN_EXTRACT_WIRE_MAGIC)
		return 1;
	close_all(fds, count);
	return -1;
}

/* Ours are the only children; wait while there are too many. */
static size_t
reap(size_t count)
{
	pid_t pid;

	while (count > 0) {
		pid = waitpid(-1, NULL, count >= KEEPERS_MAX ? 0 : WNOHANG);
		if (pid > 0)
			count--;
		else if (pid == 0)
			break;
		else if (errno != EINTR)
			return 0;
	}
	return count;
}

static int
serve(void)
{
	struct ln_extract_wire_request req;
	size_t count = 0;
	int fds[FDS], rc;
	pid_t pid;

	for (;;) {
		count = reap(count);
		if ((rc = receive(&req, fds)) == 0)
			return 0;
		if (rc == -1)
			continue;
		if ((pid = fork()) == 0)
			keeper_main(&req, fds[0], fds[1], fds[2]);
		if (pid > 0)
			count++;
		else
			keeper_status(fds[2], LN_EXTRACT_WIRE_FAILED, errno,
			    0);
		close_all(fds, FDS);
	}
}

/* Whoever started us waits for the start only, and is not our parent then. */
static int
reader_main(void)
{
	struct stat st;
	pid_t pid;

	if (fstat(EXTRACT_SOCKET_FD, &st) == -1 || !S_ISSOCK(st.st_mode)) {
		(void)fprintf(stderr, "ln-extract: started by lnctl and "
		    "localneural-server, not by hand\n");
		return 2;
	}
	if (close_range(EXTRACT_SOCKET_FD + 1, ~0U, 0) == -1 ||
	    (pid = fork()) == -1)
		return 1;
	if (pid > 0)
		return 0;
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (setsid() == -1 || chdir("/") == -1)
		return 1;
	return serve();
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], EXTRACT_CHILD_ARG) == 0)
		document_main();
	return reader_main();
}
