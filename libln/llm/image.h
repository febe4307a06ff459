#ifndef LNI_LLM_IMAGE_H
#define LNI_LLM_IMAGE_H

/* The media type ("image/png", "image/jpeg", "image/gif", "image/webp") that
 * the first bytes of an image in base64 tell, or NULL for another one.  For
 * dialects that want it said; the person's file name is not asked. */
const char *lni_image_type(const char *base64);

#endif
