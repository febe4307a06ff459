#ifndef LN_IMAGE_H
#define LN_IMAGE_H

#include <ln/base.h>
#include <ln/error.h>

/* Pictures, as messages carry them. */

/**
 * ln_image_is_known(p, n):
 * Whether the ${n} bytes begin like a picture that models take: PNG, JPEG, GIF
 * or WebP.
 */
LN_API bool ln_image_is_known(const void *p, size_t n);

/**
 * ln_image_base64(p, n, out, err):
 * A picture's bytes as the text that struct ln_chat_opts wants.  Yours,
 * release with ln_free.  LN_UNSUPPORTED for another kind of file; LN_NOMEM.
 */
LN_API enum ln_status ln_image_base64(const void *p, size_t n, char **out,
    struct ln_error *err) LN_USE;

#endif
