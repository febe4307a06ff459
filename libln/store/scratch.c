#define _GNU_SOURCE	/* renameat2 */

#include "store/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#include "base/banned.h"

#define SUFFIX_LEN 6		/* mkdtemp's XXXXXX */
/* A sweeper may take a folder just made before its maker has locked it. */
#define MAKE_TRIES 100

static const char *const names[] = { LNI_SCRATCH_COPY, LNI_SCRATCH_FRESH };
static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

static void
empty_files(int fd)
{
	char name[32];
	size_t i, j;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (j = 0; j < sizeof(suffixes) / sizeof(suffixes[0]); j++) {
			snprintf(name, sizeof(name), "%s%s", names[i],
			    suffixes[j]);
			unlinkat(fd, name, 0);
		}
	}
}

/* A file that was being made in it had a folder of its own there. */
static void
empty(int fd)
{
	static const char prefix[] = LNI_SCRATCH_COPY ".";
	struct dirent *e;
	DIR *d = NULL;
	int copy, inner;

	empty_files(fd);
	if ((copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    (d = fdopendir(copy)) == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		inner = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (inner < 0)
			continue;
		empty_files(inner);
		close(inner);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static void
sweep_one(int folder, const char *name)
{
	struct stat sb;
	int fd;

	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd < 0)
		return;
	/* Whoever still works in it holds the lock. */
	if (fstat(fd, &sb) == 0 && sb.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0) {
		empty(fd);
		unlinkat(folder, name, AT_REMOVEDIR);
	}
	close(fd);
}

/*
 * Remove what killed runs of the same ${purpose} left in the folder, beside
 * whichever file.  Failing to is no reason not to work.
 */
static void
sweep(const char *folder, const char *purpose)
{
	size_t len = strlen(purpose), n;
	struct dirent *e;
	DIR *d;

	if ((d = opendir(folder)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n > len + SUFFIX_LEN && strncmp(e->d_name + n -
		    SUFFIX_LEN - len, purpose, len) == 0)
			sweep_one(dirfd(d), e->d_name);
	}
	closedir(d);
}

static enum ln_status
locate(const char *beside, const char *purpose, char folder[LNI_PATH_MAX],
    char prefix[LNI_PATH_MAX], struct ln_error *err)
{
	char a[LNI_PATH_MAX], b[LNI_PATH_MAX];
	const char *tmp;

	if (beside == NULL) {
		tmp = getenv("TMPDIR");
		snprintf(prefix, LNI_PATH_MAX, "localneural-%s-", purpose);
		if (snprintf(folder, LNI_PATH_MAX, "%s", tmp != NULL &&
		    tmp[0] != '\0' ? tmp : "/tmp") >= LNI_PATH_MAX)
			goto too_long;
		return LN_OK;
	}
	if (strlen(beside) >= sizeof(a))
		goto too_long;
	memcpy(a, beside, strlen(beside) + 1);
	memcpy(b, beside, strlen(beside) + 1);
	if (snprintf(folder, LNI_PATH_MAX, "%s", dirname(a)) < LNI_PATH_MAX &&
	    snprintf(prefix, LNI_PATH_MAX, "%s.%s-", basename(b), purpose) <
	    LNI_PATH_MAX)
		return LN_OK;
too_long:
	return ln_fail(err, LN_INVALID, "The path is too long", "%s",
	    beside != NULL ? beside : "TMPDIR");
}

/* Lock the folder just made; false when somebody has swept it meanwhile. */
static bool
claim(struct lni_scratch *sc)
{
	struct stat sb;

	sc->fd = open(sc->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (sc->fd >= 0 && flock(sc->fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(sc->fd, &sb) == 0 && sb.st_nlink > 0)
		return true;
	if (sc->fd >= 0)
		close(sc->fd);
	sc->fd = -1;
	rmdir(sc->path);
	return false;
}

enum ln_status
lni_scratch_make(const char *beside, const char *purpose,
    struct lni_scratch *sc, struct ln_error *err)
{
	char folder[LNI_PATH_MAX], prefix[LNI_PATH_MAX], mark[64];
	enum ln_status s;
	int tries;

	sc->fd = -1;
	if ((s = locate(beside, purpose, folder, prefix, err)) != LN_OK)
		return s;
	snprintf(mark, sizeof(mark), "%s%s-", beside != NULL ? "." :
	    "localneural-", purpose);
	sweep(folder, mark);
	for (tries = 0; tries < MAKE_TRIES; tries++) {
		if (snprintf(sc->path, sizeof(sc->path), "%s/%sXXXXXX",
		    folder, prefix) >= (int)sizeof(sc->path))
			return ln_fail(err, LN_INVALID, "The path is too long",
			    "%s", folder);
		if (mkdtemp(sc->path) == NULL)
			return ln_fail(err, LN_IO,
			    "No working folder can be made. Check permissions "
			    "and free space", "mkdtemp %s: %s", sc->path,
			    strerror(errno));
		if (claim(sc))
			return LN_OK;
	}
	return ln_fail(err, LN_IO, "", "cannot claim %s: %s", sc->path,
	    strerror(errno));
}

void
lni_scratch_sweep(const char *beside)
{
	char folder[LNI_PATH_MAX], prefix[LNI_PATH_MAX];
	struct dirent *e;
	size_t len, n;
	DIR *d;

	if (locate(beside, "", folder, prefix, NULL) != LN_OK ||
	    (d = opendir(folder)) == NULL)
		return;
	/* Without the hyphen that ends a purpose. */
	len = strlen(prefix) - 1;
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n > len + 1 + SUFFIX_LEN &&
		    strncmp(e->d_name, prefix, len) == 0 &&
		    e->d_name[n - SUFFIX_LEN - 1] == '-')
			sweep_one(dirfd(d), e->d_name);
	}
	closedir(d);
}

enum ln_status
lni_scratch_file(struct lni_scratch *sc, const char *name,
    char out[LNI_PATH_MAX], int *out_fd, struct ln_error *err)
{
	int fd;

	if (snprintf(out, LNI_PATH_MAX, "%s/%s", sc->path, name) >=
	    LNI_PATH_MAX)
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    sc->path);
	fd = openat(sc->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", out,
		    strerror(errno));
	if (out_fd != NULL)
		*out_fd = fd;
	else
		close(fd);
	return LN_OK;
}

void
lni_scratch_remove(struct lni_scratch *sc)
{
	if (sc->fd < 0)
		return;
	empty(sc->fd);
	rmdir(sc->path);
	close(sc->fd);
	sc->fd = -1;
}

enum ln_status
lni_sync_folder(const char *path, struct ln_error *err)
{
	char copy[LNI_PATH_MAX];
	int fd, rc;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	if ((fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return ln_fail(err, LN_IO, "", "open folder of %s: %s", path,
		    strerror(errno));
	rc = fsync(fd);
	if (rc != 0)
		ln_fail(err, LN_IO, "", "fsync folder of %s: %s", path,
		    strerror(errno));
	close(fd);
	return rc == 0 ? LN_OK : LN_IO;
}

static enum ln_status
exists(const char *path, struct ln_error *err)
{
	return ln_fail(err, LN_CONFLICT, "The file exists already", "%s",
	    path);
}

static enum ln_status
settle(const char *path, struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s = lni_sync_folder(path, &why);

	if (s != LN_OK)
		return ln_fail(err, s, "The file is written, but the disk "
		    "could not confirm its name. Check the disk", "%s",
		    lni_error_detail(&why));
	return LN_OK;
}

enum ln_status
lni_publish(const char *from, const char *path, struct ln_error *err)
{
	struct stat sb;

	/* One step: a file never has two names, whenever it is killed. */
	if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return settle(path, err);
	if (errno == EEXIST)
		return exists(path, err);
	/* A file system that cannot (some network ones): look, then rename. */
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return ln_fail(err, LN_IO, "", "rename %s: %s", path,
		    strerror(errno));
	if (lstat(path, &sb) == 0)
		return exists(path, err);
	if (rename(from, path) != 0)
		return ln_fail(err, LN_IO, "", "rename %s: %s", path,
		    strerror(errno));
	return settle(path, err);
}
