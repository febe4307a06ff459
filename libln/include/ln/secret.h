#ifndef LN_SECRET_H
#define LN_SECRET_H

#include <ln/base.h>
#include <ln/error.h>

/* Randomness, identifiers, keys, and secrets in files. */

#define LN_UUID_SIZE 37		/* 36 characters and a NUL */
#define LN_KEY_BYTES 32		/* every derived key (BLAKE2b, XChaCha20) */
#define LN_SECRET_KEY_MIN 32	/* security contract: characters at least */

/**
 * struct ln_keys:
 * One sub-key a purpose, all derived from SECRET_KEY.  Wiped by ln_keys_free.
 */
struct ln_keys {
	unsigned char cookie[LN_KEY_BYTES];	/* MAC of the cookie */
	unsigned char session[LN_KEY_BYTES];	/* hash of the session id */
	unsigned char seal[LN_KEY_BYTES];	/* API keys at rest */
	unsigned char reset[LN_KEY_BYTES];	/* hash of reset tokens */
	unsigned char limiter[LN_KEY_BYTES];	/* hash of limiter keys */
	unsigned char audit[LN_KEY_BYTES];	/* audit chain */
};

/**
 * ln_keys_derive(secret, out, err):
 * Derive all keys from the text ${secret}: BLAKE2b-256, then crypto_kdf with
 * a sub-key a purpose.  LN_INVALID (field "SECRET_KEY", the text says how to
 * make one) when it is missing, shorter than LN_SECRET_KEY_MIN characters, has
 * fewer than five different bytes, or holds, whatever its case and
 * punctuation, a phrase of examples such as "change-me" or "your-secret";
 * LN_NOMEM.
 */
LN_API enum ln_status ln_keys_derive(const char *secret, struct ln_keys **out,
    struct ln_error *err) LN_USE;
LN_API void ln_keys_free(struct ln_keys *k);

/**
 * ln_uuid(out):
 * A random (version 4) UUID.
 */
LN_API void ln_uuid(char out[LN_UUID_SIZE]);

/**
 * ln_random(p, n):
 * Fill with random bytes.
 */
LN_API void ln_random(void *p, size_t n);

/**
 * ln_wipe(p, n):
 * Overwrite in a way the compiler keeps.  NULL with 0 does nothing.
 */
LN_API void ln_wipe(void *p, size_t n);

/**
 * ln_wipe_free(s):
 * Wipe the string ${s} and ln_free it.  NULL does nothing.
 */
LN_API void ln_wipe_free(char *s);

/**
 * ln_secret_equal(a, b, n):
 * Compare ${n} bytes in constant time.
 */
LN_API bool ln_secret_equal(const void *a, const void *b, size_t n);

/**
 * ln_b64url_encode(p, n, out, outsize) / ln_b64url_decode(s, n, out, outsize,
 * outlen):
 * base64url without padding.  Encoding wants at least (n * 4 + 2) / 3 + 1
 * bytes and returns ${out}, or NULL when it is too small.  Decoding returns
 * false for anything that is not canonical.
 */
LN_API char *ln_b64url_encode(const void *p, size_t n, char *out,
    size_t outsize);
LN_API bool ln_b64url_decode(const char *s, size_t n, void *out,
    size_t outsize, size_t *outlen);

/**
 * ln_random_password(out, outsize):
 * A random password of outsize - 1 characters from 56 that are not easily
 * confused (5.8 bits each: 20 characters are 116 bits).
 */
LN_API void ln_random_password(char *out, size_t outsize);

/**
 * ln_secret_read_file(path, max, out, err):
 * The content of a secret file without its last newline (LF or CRLF).  Yours,
 * release with ln_wipe_free.  LN_FORBIDDEN when it is not a regular file, is a
 * symbolic link, or group or others have any right on it; LN_NOT_FOUND;
 * LN_TOO_LARGE past ${max} bytes; LN_INVALID with a NUL in it; LN_IO; LN_NOMEM.
 */
LN_API enum ln_status ln_secret_read_file(const char *path, size_t max,
    char **out, struct ln_error *err) LN_USE;

/**
 * ln_seal(keys, context, plain, out, err) / ln_unseal(...):
 * Seal ${plain} for rest with XChaCha20-Poly1305, bound to ${context} (for
 * example "user:<id>:api_key"), as printable text "s1.<base64url>" / open it
 * again.  Both results are yours; release the opened one with ln_wipe_free.
 * LN_BAD_KEY when the key or the context is another one; LN_INVALID; LN_NOMEM.
 */
LN_API enum ln_status ln_seal(const struct ln_keys *keys, const char *context,
    const char *plain, char **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_unseal(const struct ln_keys *keys,
    const char *context, const char *sealed, char **out,
    struct ln_error *err) LN_USE;

#endif
