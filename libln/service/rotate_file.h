#ifndef LNI_ROTATE_FILE_H
#define LNI_ROTATE_FILE_H

#include <ln/buf.h>
#include <ln/config.h>

#include "base/file.h"

/* The file that SECRET_KEY is read from, and the staged key beside it. */
struct lni_key_file {
	char *path;		/* without symbolic links */
	bool is_env_file;	/* else the key is all there is in it */
	char staged[LNI_FILE_PATH_MAX];
};

/* Fails as ln_rotate_file.  Release with lni_key_file_clear. */
enum ln_status lni_key_file_find(const struct ln_config *cfg,
    struct lni_key_file *out, struct ln_error *err) LN_USE;
void lni_key_file_clear(struct lni_key_file *f);

/* The content of the file now, and with ${secret} instead (checked by reading
 * it back).  Both buffers are for secrets. */
enum ln_status lni_key_file_read(const struct lni_key_file *f,
    struct lni_file *out, struct ln_error *err) LN_USE;
enum ln_status lni_key_file_render(const struct lni_key_file *f,
    const char *secret, struct ln_buf *out, struct ln_error *err) LN_USE;

/**
 * lni_key_staged_write(f, secret, err) / _read(f, out, err) / _remove(f, err):
 * The key that waits.  Reading gives NULL with LN_OK for one that was not
 * written to its end, LN_NOT_FOUND without one; wipe it with ln_wipe_free.
 * Removing takes a half-written new file along.
 */
enum ln_status lni_key_staged_write(const struct lni_key_file *f,
    const char *secret, struct ln_error *err) LN_USE;
enum ln_status lni_key_staged_read(const struct lni_key_file *f, char **out,
    struct ln_error *err) LN_USE;
enum ln_status lni_key_staged_remove(const struct lni_key_file *f,
    struct ln_error *err) LN_USE;

#endif
