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

#endif
