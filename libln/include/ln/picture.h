#ifndef LN_PICTURE_H
#define LN_PICTURE_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * The picture of an account.  It is kept byte for byte: its metadata goes to
 * nobody but the person who put it there.
 */

#define LN_PICTURE_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define LN_PICTURE_SIDE_MAX 8192	/* pixels, as its header says */
#define LN_PICTURE_VERSION_SIZE 17

/**
 * struct ln_picture:
 * ${type} is one of image/png, image/jpeg, image/gif and image/webp, static;
 * ${version} is another one for other bytes.
 */
struct ln_picture {
	const char *type;
	unsigned char *bytes;
	size_t length;
	char version[LN_PICTURE_VERSION_SIZE];
};

/**
 * ln_picture_get(st, user_id, out, err) / ln_picture_version(st, user_id,
 * version, err):
 * Free with ln_picture_free / its version alone, "" when there is none; reads
 * the whole picture (at most 2 MiB, some 2 ms).  LN_NOT_FOUND.
 */
LN_API enum ln_status ln_picture_get(struct ln_store *st,
    const char *user_id, struct ln_picture **out, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_picture_version(struct ln_store *st,
    const char *user_id, char version[LN_PICTURE_VERSION_SIZE],
    struct ln_error *err) LN_USE;
LN_API void ln_picture_free(struct ln_picture *p);

/**
 * ln_picture_set(st, user_id, p, n, err) / ln_picture_remove(st, user_id,
 * err):
 * Replace it / have none.  What it is its bytes say: PNG, JPEG, GIF or WebP,
 * with sides of 1 to LN_PICTURE_SIDE_MAX pixels.  LN_INVALID for anything
 * else; LN_TOO_LARGE past LN_PICTURE_BYTES_MAX; LN_NOT_FOUND: no such user.
 */
LN_API enum ln_status ln_picture_set(struct ln_store *st,
    const char *user_id, const void *p, size_t n, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_picture_remove(struct ln_store *st,
    const char *user_id, struct ln_error *err) LN_USE;

#endif
