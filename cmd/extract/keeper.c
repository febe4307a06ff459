/* close_range(2) and ppoll(2) are in no standard. */
#define _GNU_SOURCE

#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 4096
#define NICENESS 10
#define OOM_SCORE "1000"

/* One child and how it is doing. */
struct keeper {
	pid_t pid;
	int error_fd;		/* the child's standard error; -1: closed */
	int status_fd;
	int64_t deadline_ms;
	uint32_t notes;
	char tail[LINE_BYTES];	/* of what it wrote there */
	size_t tail_count;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
keeper_status(int fd, enum ln_extract_wire_end end, int value, uint32_t notes)
{
	struct ln_extract_wire_status st;
	ssize_t n;

	memset(&st, 0, sizeof(st));
	st.magic = LN_EXTRACT_WIRE_MAGIC;
	st.end = (uint32_t)end;
	st.value = value;
	st.notes = notes;
	do
		n = write(fd, &st, sizeof(st));
	while (n == -1 && errno == EINTR);
}

/* It only makes the wait below come back. */
static void
on_child(int sig)
{
	(void)sig;
}

/* --- the child ----------------------------------------------------------- */

/* When memory is short, this process goes and not one that matters. */
static void
be_modest(void)
{
	int fd;

	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	/* Where it cannot be raised, the memory limit has to do. */
	(void)!write(fd, OOM_SCORE, sizeof(OOM_SCORE) - 1);
	(void)close(fd);
}

static _Noreturn void
become_child(int document_fd, int text_fd, int error_fd, int request_fd)
{
	static char name[] = "ln-extract", arg[] = EXTRACT_CHILD_ARG,
	    locale[] = "LC_ALL=C.UTF-8";
	char *const argv[] = { name, arg, NULL };
	char *const envp[] = { locale, NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	be_modest();
	/* All four are above the numbers that they get. */
	if (setpgid(0, 0) == 0 && dup2(document_fd, 0) == 0 &&
	    dup2(text_fd, 1) == 1 && dup2(error_fd, 2) == 2 &&
	    dup2(request_fd, EXTRACT_REQUEST_FD) == EXTRACT_REQUEST_FD &&
	    close_range(EXTRACT_REQUEST_FD + 1, ~0U, 0) == 0)
		(void)execve("/proc/self/exe", argv, envp);
	_exit(LN_EXTRACT_WIRE_UNCONFINED);
}

/* --- minding it ---------------------------------------------------------- */

/*
 * pdftotext says only in words that a file is locked or memory is short.  What
 * it prints is looked at and thrown away.
 */
static void
read_errors(struct keeper *k)
{
	static const struct {
		const char *words;
		uint32_t note;
	} known[] = {
		{ "Incorrect password", LN_EXTRACT_WIRE_LOCKED },
		{ "Out of memory", LN_EXTRACT_WIRE_HUNGRY },
		{ "bad_alloc", LN_EXTRACT_WIRE_HUNGRY },
	};
	const size_t keep = 32;
	size_t i;
	ssize_t n;

	n = read(k->error_fd, k->tail + k->tail_count,
	    sizeof(k->tail) - k->tail_count);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		(void)close(k->error_fd);
		k->error_fd = -1;
		return;
	}
	k->tail_count += (size_t)n;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (memmem(k->tail, k->tail_count, known[i].words,
		    strlen(known[i].words)) != NULL)
			k->notes |= known[i].note;
	if (k->tail_count > keep) {
		memmove(k->tail, k->tail + k->tail_count - keep, keep);
		k->tail_count = keep;
	}
}

static void
kill_child(const struct keeper *k, int *state)
{
	(void)kill(-k->pid, SIGKILL);
	(void)kill(k->pid, SIGKILL);
	while (waitpid(k->pid, state, 0) == -1 && errno == EINTR)
		;
}

/* Until it has ended or has to: too late, or nobody waits for it any more. */
static enum ln_extract_wire_end
watch(struct keeper *k, int *state)
{
	struct pollfd p[2];
	struct timespec wait;
	sigset_t none;
	int64_t left;

	(void)sigemptyset(&none);
	for (;;) {
		if (waitpid(k->pid, state, WNOHANG) == k->pid)
			return LN_EXTRACT_WIRE_EXITED;
		if ((left = k->deadline_ms - now_ms()) <= 0) {
			kill_child(k, state);
			return LN_EXTRACT_WIRE_TIMED_OUT;
		}
		wait.tv_sec = (time_t)(left / 1000);
		wait.tv_nsec = (long)(left % 1000) * 1000000;
		p[0] = (struct pollfd){ k->status_fd, 0, 0 };
		p[1] = (struct pollfd){ k->error_fd, POLLIN, 0 };
		/* SIGCHLD is let in here only, so that none is missed. */
		if (ppoll(p, 2, &wait, &none) <= 0)
			continue;
		if (p[0].revents != 0) {
			kill_child(k, state);
			_exit(0);
		}
		if (p[1].revents != 0)
			read_errors(k);
	}
}

static void
report(struct keeper *k, enum ln_extract_wire_end end, int state)
{
	/* What it wrote last is still in the pipe, which does not block. */
	while (k->error_fd != -1) {
		size_t before = k->tail_count;

		read_errors(k);
		if (errno == EAGAIN && k->tail_count == before)
			break;
	}
	if (end == LN_EXTRACT_WIRE_EXITED && WIFSIGNALED(state))
		keeper_status(k->status_fd, LN_EXTRACT_WIRE_KILLED,
		    WTERMSIG(state), k->notes);
	else
		keeper_status(k->status_fd, end, WEXITSTATUS(state),
		    k->notes);
}

void
keeper_main(const struct ln_extract_wire_request *req, int document_fd,
    int text_fd, int status_fd)
{
	struct keeper k;
	struct sigaction sa;
	sigset_t block;
	enum ln_extract_wire_end end;
	int errors[2], request[2], state = 0;

	memset(&k, 0, sizeof(k));
	k.status_fd = status_fd;
	k.deadline_ms = now_ms() + req->timeout_ms;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_child;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGCHLD);
	if (sigaction(SIGCHLD, &sa, NULL) == -1 ||
	    sigprocmask(SIG_BLOCK, &block, NULL) == -1 ||
	    pipe2(errors, O_CLOEXEC | O_NONBLOCK) == -1 ||
	    pipe2(request, O_CLOEXEC) == -1 ||
	    write(request[1], req, sizeof(*req)) != (ssize_t)sizeof(*req) ||
	    (k.pid = fork()) == -1) {
		keeper_status(status_fd, LN_EXTRACT_WIRE_FAILED, errno, 0);
		_exit(1);
	}
	if (k.pid == 0)
		become_child(document_fd, text_fd, errors[1], request[0]);
	/* Nothing of the others' stays: the reader of the text has to see its
	 * end, and who asks has to see the end of the reader. */
	k.error_fd = errors[0];
	(void)close(EXTRACT_SOCKET_FD);
	(void)close(document_fd);
	(void)close(text_fd);
	(void)close(errors[1]);
	(void)close(request[0]);
	(void)close(request[1]);
	end = watch(&k, &state);
	report(&k, end, state);
	_exit(0);
}
