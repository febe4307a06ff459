#ifndef LNI_PICTURE_H
#define LNI_PICTURE_H

#include <ln/base.h>

/**
 * lni_picture_look(p, n, out_type, out_width, out_height):
 * What the ${n} bytes say of themselves: the media type (static) and the size
 * in pixels of a PNG, JPEG, GIF or WebP.  False for anything else and for one
 * whose header ends early or contradicts itself.  Decodes nothing.
 */
bool lni_picture_look(const void *p, size_t n, const char **out_type,
    uint32_t *out_width, uint32_t *out_height);

#endif
