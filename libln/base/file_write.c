#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static enum ln_status
fail_io(const char *call, const char *path, struct ln_error *err)
{
	int e = errno;

	if (e == EEXIST)
		return ln_fail(err, LN_CONFLICT, "", "%s %s: %s", call, path,
		    strerror(e));
	return ln_fail(err, LN_IO, "A file cannot be written. Check the "
	    "permissions of its folder and the free space", "%s %s: %s", call,
	    path, strerror(e));
}

static enum ln_status
sync_folder(const char *path, struct ln_error *err)
{
	char copy[LNI_FILE_PATH_MAX];
	enum ln_status s = LN_OK;
	int fd;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_io("open folder of", path, err);
	if (fsync(fd) != 0)
		s = fail_io("fsync folder of", path, err);
	(void)close(fd);
	return s;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* ${like}: whose it shall be, or NULL. */
static enum ln_status
create(const char *path, const struct stat *like, const void *p, size_t n,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return fail_io("open", path, err);
	if (like != NULL && like->st_uid != geteuid() &&
	    fchown(fd, like->st_uid, like->st_gid) != 0)
		s = fail_io("chown", path, err);
	else if (!write_all(fd, p, n))
		s = fail_io("write", path, err);
	else if (fsync(fd) != 0)
		s = fail_io("fsync", path, err);
	if (close(fd) != 0 && s == LN_OK)
		s = fail_io("close", path, err);
	if (s != LN_OK)
		(void)unlink(path);
	return s;
}

enum ln_status
lni_file_create(const char *path, const void *p, size_t n,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = create(path, NULL, p, n, err)) != LN_OK)
		return s;
	if ((s = sync_folder(path, err)) != LN_OK)
		(void)unlink(path);
	return s;
}

enum ln_status
lni_file_replace(const char *path, const void *p, size_t n,
    struct ln_error *err)
{
	char part[LNI_FILE_PATH_MAX];
	struct stat old;
	enum ln_status s;

	if (snprintf(part, sizeof(part), "%s" LNI_FILE_NEW, path) >=
	    (int)sizeof(part))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	if (stat(path, &old) != 0)
		return errno == ENOENT ? ln_fail(err, LN_NOT_FOUND,
		    "There is no such file", "stat %s", path) :
		    fail_io("stat", path, err);
	/* What an earlier kill left. */
	if (unlink(part) != 0 && errno != ENOENT)
		return fail_io("unlink", part, err);
	if ((s = create(part, &old, p, n, err)) != LN_OK)
		return s;
	if (rename(part, path) != 0) {
		s = fail_io("rename", path, err);
		(void)unlink(part);
		return s;
	}
	return sync_folder(path, err);
}

enum ln_status
lni_file_remove(const char *path, struct ln_error *err)
{
	if (unlink(path) != 0)
		return errno == ENOENT ? LN_OK : fail_io("unlink", path, err);
	return sync_folder(path, err);
}
