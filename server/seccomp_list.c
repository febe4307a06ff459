#include <errno.h>
#include <sys/syscall.h>

#include <kore/kore.h>
#include <kore/hooks.h>
#include <kore/seccomp.h>

/*
 * System calls of a worker beyond Kore's own list, which is older than the C
 * library.  It goes in front of Kore's, so a DENY here wins.  Whatever is in
 * neither list ends the worker.
 */
static struct sock_filter filter[] = {
	/* glibc falls back to clone(), which is filtered by argument. */
	KORE_SYSCALL_DENY(clone3, ENOSYS),
	/* Threads. */
	KORE_SYSCALL_ALLOW(clone),
	KORE_SYSCALL_ALLOW(rseq),
	KORE_SYSCALL_ALLOW(set_robust_list),
	KORE_SYSCALL_ALLOW(gettid),
	KORE_SYSCALL_ALLOW(sched_yield),
	KORE_SYSCALL_ALLOW(sched_getaffinity),
	KORE_SYSCALL_ALLOW(tgkill),
	KORE_SYSCALL_ALLOW(restart_syscall),
	KORE_SYSCALL_ALLOW(rt_sigpending),
	KORE_SYSCALL_ALLOW(rt_sigtimedwait),
	KORE_SYSCALL_ALLOW(prlimit64),
	KORE_SYSCALL_ALLOW(sysinfo),
	KORE_SYSCALL_ALLOW(uname),
	/* SQLite and files. */
	KORE_SYSCALL_ALLOW(newfstatat),
	KORE_SYSCALL_ALLOW(statx),
	KORE_SYSCALL_ALLOW(faccessat2),
	/* read_file: opening beneath a folder, and asking what was opened. */
	KORE_SYSCALL_ALLOW(openat2),
	KORE_SYSCALL_ALLOW(readlinkat),
	KORE_SYSCALL_ALLOW(pread64),
	KORE_SYSCALL_ALLOW(pwrite64),
	KORE_SYSCALL_ALLOW(ftruncate),
	KORE_SYSCALL_ALLOW(fallocate),
	KORE_SYSCALL_ALLOW(fdatasync),
	KORE_SYSCALL_ALLOW(fsync),
	KORE_SYSCALL_ALLOW(fchown),
	KORE_SYSCALL_ALLOW(fchmod),
	KORE_SYSCALL_ALLOW(flock),
	KORE_SYSCALL_ALLOW(fstatfs),
	KORE_SYSCALL_ALLOW(statfs),
	KORE_SYSCALL_ALLOW(mkdir),
	KORE_SYSCALL_ALLOW(rmdir),
	KORE_SYSCALL_ALLOW(rename),
	KORE_SYSCALL_ALLOW(renameat2),
	KORE_SYSCALL_ALLOW(link),
	KORE_SYSCALL_ALLOW(unlinkat),
	KORE_SYSCALL_ALLOW(utimensat),
	KORE_SYSCALL_ALLOW(getdents64),
	KORE_SYSCALL_ALLOW(umask),
	KORE_SYSCALL_ALLOW(mremap),
	KORE_SYSCALL_ALLOW(dup),
	KORE_SYSCALL_ALLOW(getppid),
	KORE_SYSCALL_ALLOW(gettimeofday),
	/* A document in memory, for the reader process that gets it. */
	KORE_SYSCALL_ALLOW(memfd_create),
	/* The loop and libcurl. */
	KORE_SYSCALL_ALLOW(epoll_create1),
	KORE_SYSCALL_ALLOW(eventfd2),
	KORE_SYSCALL_ALLOW(pipe2),
	KORE_SYSCALL_ALLOW(socketpair),
	KORE_SYSCALL_ALLOW(socket),
	KORE_SYSCALL_ALLOW(bind),
	KORE_SYSCALL_ALLOW(connect),
	KORE_SYSCALL_ALLOW(shutdown),
	KORE_SYSCALL_ALLOW(getsockname),
	KORE_SYSCALL_ALLOW(getpeername),
	KORE_SYSCALL_ALLOW(getsockopt),
	KORE_SYSCALL_ALLOW(sendmsg),
	KORE_SYSCALL_ALLOW(sendmmsg),
	KORE_SYSCALL_ALLOW(recvmsg),
	/* libln holds SIGPIPE back while libcurl works. */
	KORE_SYSCALL_ALLOW(rt_sigpending),
	KORE_SYSCALL_ALLOW(rt_sigtimedwait),
};

void
kore_seccomp_hook(void)
{
	if (!kore_seccomp_filter("localneural", filter,
	    sizeof(filter) / sizeof(filter[0])))
		fatalx("kore_seccomp_filter");
}
