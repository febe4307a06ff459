/* Landlock, credentials and limits are in no standard. */
#define _GNU_SOURCE

#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/landlock.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#define NOBODY 65534
#define MEMORY_MAX ((rlim_t)512 * 1024 * 1024)
#define STACK_MAX ((rlim_t)8 * 1024 * 1024)

/* Later than the oldest headers that we build with. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#define FIRST_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define READ_RIGHTS \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static _Noreturn void
give_up(void)
{
	_exit(LN_EXTRACT_WIRE_UNCONFINED);
}

void
confine_user(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	    setresuid(NOBODY, NOBODY, NOBODY) == -1))
		give_up();
	if (geteuid() == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		give_up();
	/* Whoever minds the clock must not be survived. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() == 1)
		give_up();
}

static void
limit(__rlimit_resource_t what, rlim_t n)
{
	struct rlimit r = { n, n };

	if (setrlimit(what, &r) == -1)
		give_up();
}

void
confine_limits(uint32_t timeout_ms, bool is_program)
{
	limit(RLIMIT_CPU, timeout_ms / 1000 + 1);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, is_program ? 64 : 8);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_MEMLOCK, 0);
	limit(RLIMIT_STACK, STACK_MAX);
#ifndef __SANITIZE_ADDRESS__
	/* The sanitizer reserves address space without end. */
	limit(RLIMIT_AS, MEMORY_MAX);
#endif
}

/* --- files --------------------------------------------------------------- */

/* What is not there need not be allowed. */
static void
allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr a;
	int fd;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return;
	memset(&a, 0, sizeof(a));
	a.allowed_access = rights;
	a.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &a, 0) == -1)
		give_up();
	(void)close(fd);
}

/* The program, what starts it, and what it reads. */
static void
allow_program(int ruleset, const char *program)
{
	static const char *const folders[] = { "/lib", "/lib64", "/usr/lib",
		"/usr/lib64", "/usr/share/poppler", NULL };
	glob_t loaders;
	size_t i;

	for (i = 0; folders[i] != NULL; i++)
		allow_path(ruleset, folders[i], READ_RIGHTS);
	allow_path(ruleset, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
	allow_path(ruleset, program, LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_EXECUTE);
	if (glob("/lib*/ld-linux*.so.*", 0, NULL, &loaders) != 0)
		return;
	for (i = 0; i < loaders.gl_pathc; i++)
		allow_path(ruleset, loaders.gl_pathv[i],
		    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
	globfree(&loaders);
}

/*
 * ${program} NULL: nothing may be opened.  A kernel without Landlock leaves
 * the system-call filter, which allows a parser of ours no opening either, and
 * the rights of the user.
 */
void
confine_files(const char *program)
{
	struct landlock_ruleset_attr attr;
	long abi;
	int ruleset;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return;
	memset(&attr, 0, sizeof(attr));
	attr.handled_access_fs = FIRST_RIGHTS;
	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    sizeof(attr), 0);
	if (ruleset == -1)
		give_up();
	if (program != NULL)
		allow_program(ruleset, program);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		give_up();
	(void)close(ruleset);
}

/* --- system calls -------------------------------------------------------- */

/* Memory, the open descriptors, the end: all that parsing takes. */
static const int parsing[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(lseek),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(gettid),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction),
	SCMP_SYS(getrusage),
#endif
};

/* Besides: being started, with its libraries, and reading its tables. */
static const int starting[] = {
	SCMP_SYS(execve), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(fstat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(getdents64),
	SCMP_SYS(close), SCMP_SYS(writev), SCMP_SYS(fcntl), SCMP_SYS(uname),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getcwd), SCMP_SYS(sched_getaffinity), SCMP_SYS(sysinfo),
};

static void
allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	size_t i;
	int e;

	for (i = 0; i < n; i++) {
		e = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
		/* Some machines do not have some of them. */
		if (e != 0 && e != -EDOM && e != -EFAULT)
			give_up();
	}
}

static void
allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp cmp)
{
	if (seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &cmp) != 0)
		give_up();
}

static void
deny(scmp_filter_ctx ctx, int call, int e)
{
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)e), call, 0) != 0)
		give_up();
}

/* clang and gcc see a missing member in the macros of seccomp.h. */
static struct scmp_arg_cmp
is_masked(unsigned arg, uint64_t mask, uint64_t value)
{
	struct scmp_arg_cmp c;

	memset(&c, 0, sizeof(c));
	c.arg = arg;
	c.op = SCMP_CMP_MASKED_EQ;
	c.datum_a = mask;
	c.datum_b = value;
	return c;
}

static void
allow_program_calls(scmp_filter_ctx ctx)
{
	allow(ctx, starting, sizeof(starting) / sizeof(starting[0]));
	/* Opening to read only, asking for limits but not setting them. */
	allow_if(ctx, SCMP_SYS(openat), is_masked(2, O_ACCMODE | O_CREAT |
	    O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), 0));
	allow_if(ctx, SCMP_SYS(prlimit64), is_masked(2, UINT64_MAX, 0));
	allow(ctx, (const int[]){ SCMP_SYS(mmap), SCMP_SYS(mprotect) }, 2);
	deny(ctx, SCMP_SYS(ioctl), ENOTTY);
}

void
confine_calls(bool is_program)
{
	scmp_filter_ctx ctx;

	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL)
		give_up();
	allow(ctx, parsing, sizeof(parsing) / sizeof(parsing[0]));
	/* abort() signals itself, and nobody else may be. */
	allow_if(ctx, SCMP_SYS(tgkill), is_masked(0, UINT32_MAX,
	    (uint64_t)getpid()));
	if (is_program)
		allow_program_calls(ctx);
	else {
		/* No new code. */
		allow_if(ctx, SCMP_SYS(mmap), is_masked(2, PROT_EXEC, 0));
		allow_if(ctx, SCMP_SYS(mprotect), is_masked(2, PROT_EXEC, 0));
	}
	if (seccomp_load(ctx) != 0)
		give_up();
	seccomp_release(ctx);
}
