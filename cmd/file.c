#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of ours come into being whole, private, and never over another. */

int
file_write(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Make the new name itself survive a power cut. */
static void
sync_folder(const char *path)
{
	char folder[4096];
	int fd;

	file_dir(path, folder, sizeof(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

struct bytes {
	const void *p;
	size_t n;
};

static int
write_bytes(void *arg, int fd)
{
	const struct bytes *b = arg;

	return file_write(fd, b->p, b->n);
}

int
file_create(const char *path, const void *p, size_t n)
{
	struct bytes b = { p, n };

	return file_create_by(path, write_bytes, &b);
}

int
file_create_by(const char *path, int (*fn)(void *arg, int fd), void *arg)
{
	char partial[4096];
	unsigned char tag[6];
	int fd, rc, len;

	ln_random(tag, sizeof(tag));
	len = snprintf(partial, sizeof(partial),
	    "%s.%02x%02x%02x%02x%02x%02x.part", path, tag[0], tag[1], tag[2],
	    tag[3], tag[4], tag[5]);
	if (len < 0 || (size_t)len >= sizeof(partial))
		return ENAMETOOLONG;
	fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	rc = fn(arg, fd);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	if (close(fd) != 0 && rc == 0)
		rc = errno;
	/* link, not rename: it fails when the name is taken meanwhile. */
	if (rc == 0 && link(partial, path) != 0)
		rc = errno;
	(void)unlink(partial);
	if (rc == 0)
		sync_folder(path);
	return rc;
}

int
file_read(const char *path, size_t max, struct ln_buf *out)
{
	char piece[16384];
	struct stat sb;
	ssize_t n;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno;
	if (fstat(fd, &sb) != 0)
		rc = errno;
	else if (!S_ISREG(sb.st_mode))
		rc = S_ISDIR(sb.st_mode) ? EISDIR : EINVAL;
	while (rc == 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = errno;
		else if ((size_t)n > max - out->len)
			rc = EFBIG;
		else
			ln_buf_put(out, piece, (size_t)n);
		if (rc == 0 && ln_buf_status(out) != LN_OK)
			rc = ln_buf_status(out) == LN_NOMEM ? ENOMEM : EFBIG;
	}
	(void)close(fd);
	return rc;
}

void
file_dir(const char *path, char *dst, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(dst, size, ".");
	else if (slash == path)
		(void)snprintf(dst, size, "/");
	else
		(void)snprintf(dst, size, "%.*s", (int)(slash - path), path);
}
