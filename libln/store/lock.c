#include <ln/store.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/banned.h"

#define PATH_BYTES_MAX 4096	/* PATH_MAX on Linux */

enum ln_status
ln_store_lock(const char *path, int *out_fd, struct ln_error *err)
{
	char name[PATH_BYTES_MAX];
	enum ln_status s;
	int fd;

	*out_fd = -1;
	if (snprintf(name, sizeof(name), "%s.lock", path) >=
	    (int)sizeof(name))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ln_fail(err, LN_IO, "Cannot open the lock file",
		    "open %s: %s", name, strerror(errno));
	/* The file stays: removing it would let two hold one lock each. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		s = ln_fail(err, LN_CONFLICT,
		    "Another server is already serving this database",
		    "flock %s: %s", name, strerror(errno));
		close(fd);
		return s;
	}
	*out_fd = fd;
	return LN_OK;
}
