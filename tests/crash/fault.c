/*
 * Preloaded into a program, it makes the disk fail.
 *
 * LN_FAULT is KIND:N[:once]: from the Nth call on (or at that one only),
 *   space   writes to files end with ENOSPC
 *   write   writes to files end with EIO
 *   sync    fsync and fdatasync end with EIO
 *   names   a file system on which each file has a name from the beginning
 * "count:FILE" lets everything through and, at the end, writes how many writes
 * and how many syncs there were into FILE.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
	char kind[8];
	long at;
	bool is_once;
	const char *report;
} fault;

static atomic_long writes, syncs;

__attribute__((constructor)) static void
begin(void)
{
	const char *s = getenv("LN_FAULT"), *colon;
	char *end;

	if (s == NULL || (colon = strchr(s, ':')) == NULL ||
	    (size_t)(colon - s) >= sizeof(fault.kind))
		return;
	memcpy(fault.kind, s, (size_t)(colon - s));
	if (strcmp(fault.kind, "count") == 0) {
		fault.report = colon + 1;
		return;
	}
	fault.at = strtol(colon + 1, &end, 10);
	fault.is_once = strcmp(end, ":once") == 0;
}

__attribute__((destructor)) static void
finish(void)
{
	FILE *f;

	if (fault.report == NULL || (f = fopen(fault.report, "w")) == NULL)
		return;
	fprintf(f, "%ld %ld\n", writes, syncs);
	fclose(f);
}

static bool
is_due(long n)
{
	return fault.at > 0 && (fault.is_once ? n == fault.at : n >= fault.at);
}

/* The terminal and the pipes of the test go on working. */
static bool
is_file(int fd)
{
	struct stat sb;

	return fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode);
}

static bool
write_fails(int fd)
{
	if (!is_file(fd) || !is_due(++writes))
		return false;
	if (strcmp(fault.kind, "space") == 0)
		errno = ENOSPC;
	else if (strcmp(fault.kind, "write") == 0)
		errno = EIO;
	else
		return false;
	return true;
}

static bool
sync_fails(void)
{
	if (!is_due(++syncs) || strcmp(fault.kind, "sync") != 0)
		return false;
	errno = EIO;
	return true;
}

/* ISO C has no cast from dlsym's pointer to one of a function. */
#define NEXT(type, name, ...) \
	type (*next)(__VA_ARGS__); \
	void *symbol = dlsym(RTLD_NEXT, name); \
	memcpy(&next, &symbol, sizeof(next))

int
open(const char *path, int flags, ...)
{
	NEXT(int, "open", const char *, int, ...);
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_TMPFILE) == O_TMPFILE &&
	    strcmp(fault.kind, "names") == 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return next(path, flags, mode);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(ssize_t, "write", int, const void *, size_t);

	return write_fails(fd) ? -1 : next(fd, p, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);

	return write_fails(fd) ? -1 : next(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);

	return write_fails(fd) ? -1 : next(fd, p, n, at);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	NEXT(int, "fallocate", int, int, off_t, off_t);

	return write_fails(fd) ? -1 : next(fd, mode, at, n);
}

int
fsync(int fd)
{
	NEXT(int, "fsync", int);

	return sync_fails() ? -1 : next(fd);
}

int
fdatasync(int fd)
{
	NEXT(int, "fdatasync", int);

	return sync_fails() ? -1 : next(fd);
}
