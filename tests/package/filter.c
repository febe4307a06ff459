/*
 * filter COMMAND ARGUMENT...: runs it under the system call filter of a unit,
 * where no systemd is.  Standard input names the calls that are allowed, one a
 * line; the others fail with EPERM, as does memory that is to be both written
 * and executed.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What MemoryDenyWriteExecute=yes forbids. */
static int
allow(scmp_filter_ctx ctx, const char *name, int call)
{
	const scmp_datum_t x = PROT_EXEC, w = PROT_WRITE;

	if (strcmp(name, "mprotect") == 0 ||
	    strcmp(name, "pkey_mprotect") == 0)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, x, 0));
	if (strcmp(name, "mmap") == 0) {
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, x, 0)) != 0)
			return -1;
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, x | w, x));
	}
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx;
	char name[128];
	int call, allowed = 0;

	if (argc < 2 ||
	    (ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM))) == NULL)
		return 2;
	while (fgets(name, sizeof(name), stdin) != NULL) {
		name[strcspn(name, "\n")] = '\0';
		/* A name that this machine does not have is not called. */
		call = seccomp_syscall_resolve_name(name);
		if (call < 0)
			continue;
		if (allow(ctx, name, call) != 0) {
			(void)fprintf(stderr, "filter: %s\n", name);
			return 2;
		}
		allowed++;
	}
	if (allowed == 0 || seccomp_load(ctx) != 0) {
		(void)fprintf(stderr, "filter: nothing to load\n");
		return 2;
	}
	seccomp_release(ctx);
	(void)execv(argv[1], argv + 1);
	(void)fprintf(stderr, "filter: %s: %s\n", argv[1], strerror(errno));
	return 2;
}
