#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/secret.h>

#include "base/banned.h"

static enum ln_status
fail_errno(const char *call, const char *path, struct ln_error *err)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return ln_fail(err, LN_NOT_FOUND, "There is no such file",
		    "%s %s: %s", call, path, strerror(errno));
	case ELOOP:
		return ln_fail(err, LN_FORBIDDEN,
		    "The file is a symbolic link", "%s %s", call, path);
	default:
		return ln_fail(err, LN_IO, "", "%s %s: %s", call, path,
		    strerror(errno));
	}
}

/* Fill ${buf} from ${fd}; ${out} below ${size} means the end was reached. */
static bool
read_all(int fd, char *buf, size_t size, size_t *out)
{
	ssize_t got;

	*out = 0;
	while (*out < size) {
		got = read(fd, buf + *out, size - *out);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		*out += (size_t)got;
	}
	return true;
}

enum ln_status
lni_file_read(const char *path, int open_flags, size_t max,
    struct lni_file *out, struct ln_error *err)
{
	struct stat status;
	enum ln_status s = LN_OK;
	char *bytes = NULL;
	size_t length = 0;
	int fd;

	memset(out, 0, sizeof(*out));
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
	    open_flags);
	if (fd < 0)
		return fail_errno("open", path, err);
	if (fstat(fd, &status) != 0) {
		s = fail_errno("fstat", path, err);
		goto out;
	}
	if (!S_ISREG(status.st_mode)) {
		s = ln_fail(err, LN_FORBIDDEN, "This is not a regular file",
		    "%s: mode %o", path, (unsigned)status.st_mode);
		goto out;
	}
	/* One byte more than allowed tells a file that is too large. */
	if ((bytes = malloc(max + 1)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "%s: %zu bytes", path, max + 1);
		goto out;
	}
	if (!read_all(fd, bytes, max + 1, &length)) {
		s = fail_errno("read", path, err);
		goto out;
	}
	if (length > max) {
		s = ln_fail(err, LN_TOO_LARGE, "The file is too large",
		    "%s: more than %zu bytes", path, max);
		goto out;
	}
	bytes[length] = '\0';
	out->bytes = bytes;
	out->length = length;
	out->mode = status.st_mode & (mode_t)07777;
	bytes = NULL;
out:
	if (bytes != NULL)
		ln_wipe(bytes, length);
	free(bytes);
	(void)close(fd);
	return s;
}

void
lni_file_wipe(struct lni_file *f)
{
	if (f->bytes != NULL)
		ln_wipe(f->bytes, f->length);
	free(f->bytes);
	memset(f, 0, sizeof(*f));
}

enum ln_status
ln_secret_read_file(const char *path, size_t max, char **out,
    struct ln_error *err)
{
	struct lni_file file = { NULL, 0, 0 };
	enum ln_status s;
	size_t n;

	*out = NULL;
	if ((s = lni_file_read(path, O_NOFOLLOW, max, &file, err)) != LN_OK)
		goto out;
	if ((file.mode & LNI_MODE_OTHERS) != 0) {
		s = ln_fail(err, LN_FORBIDDEN, "The secret file can be read "
		    "by others. Run chmod 600 on it", "%s: mode %o", path,
		    (unsigned)file.mode);
		goto out;
	}
	n = file.length;
	if (memchr(file.bytes, '\0', n) != NULL) {
		s = ln_fail(err, LN_INVALID,
		    "The secret file has a NUL byte in it", "%s", path);
		goto out;
	}
	if (n > 0 && file.bytes[n - 1] == '\n')
		n--;
	if (n > 0 && n < file.length && file.bytes[n - 1] == '\r')
		n--;
	if ((*out = strndup(file.bytes, n)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "%s: %zu bytes", path, n);
out:
	lni_file_wipe(&file);
	return s;
}
