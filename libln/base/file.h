#ifndef LNI_FILE_H
#define LNI_FILE_H

#include <sys/stat.h>

#include <ln/error.h>

/* Permission bits that a file with a secret must not have. */
#define LNI_MODE_OTHERS ((mode_t)(S_IRWXG | S_IRWXO))

/* A small file, read whole. */
struct lni_file {
	char *bytes;		/* length bytes and a NUL */
	size_t length;
	mode_t mode;		/* permission bits when it was opened */
};

/**
 * lni_file_read(path, open_flags, max, out, err):
 * Read a regular file of at most ${max} bytes; ${open_flags} go to open(2)
 * besides O_RDONLY, O_CLOEXEC and O_NONBLOCK.  Never waits for a FIFO.
 * Release with lni_file_wipe.  LN_NOT_FOUND; LN_FORBIDDEN when it is not a
 * regular file; LN_TOO_LARGE; LN_IO; LN_NOMEM.
 */
enum ln_status lni_file_read(const char *path, int open_flags, size_t max,
    struct lni_file *out, struct ln_error *err) LN_USE;

/**
 * lni_file_wipe(f):
 * Wipe and release the content.  An empty ${f} does nothing.
 */
void lni_file_wipe(struct lni_file *f);

/**
 * lni_file_create(path, p, n, err):
 * A new file, 0600, on the disk when this returns.  LN_CONFLICT when the name
 * is taken; LN_IO.  A kill can leave it cut short.
 */
enum ln_status lni_file_create(const char *path, const void *p, size_t n,
    struct ln_error *err) LN_USE;

/**
 * lni_file_replace(path, p, n, err):
 * Let ${path} name a file with these bytes, 0600 and of the owner it had, by
 * way of ${path}.new: until it is whole and on the disk the old one stays.
 * LN_IO, LN_NOT_FOUND.
 */
enum ln_status lni_file_replace(const char *path, const void *p, size_t n,
    struct ln_error *err) LN_USE;

/**
 * lni_file_remove(path, err):
 * For good, also after a power cut.  LN_OK when it is not there; LN_IO.
 */
enum ln_status lni_file_remove(const char *path, struct ln_error *err) LN_USE;

/* What lni_file_replace writes first: path and suffix, for who cleans up. */
#define LNI_FILE_NEW ".new"
#define LNI_FILE_PATH_MAX 4096	/* PATH_MAX on Linux */

#endif
