#ifndef LNI_LEGACY_HASH_H
#define LNI_LEGACY_HASH_H

#include <ln/error.h>

/*
 * The password hashes of the legacy program:
 *
 *	scrypt:N:r:p$salt$hex
 *	pbkdf2:DIGEST:ITERATIONS$salt$hex	DIGEST sha1, sha256 or sha512
 *
 * The salt is used as the ASCII text it is.  The cost comes from a file that
 * somebody else may have written, so it is bounded before it is obeyed.
 */

/* Whether the text claims to be one of them. */
bool lni_legacy_hash_is(const char *hash);

/* Whether it is well-formed and its cost within the bounds. */
bool lni_legacy_hash_sane(const char *hash);

/**
 * lni_legacy_hash_verify(hash, pw, len, err):
 * Slow.  LN_UNAUTHENTICATED when wrong; LN_UNSUPPORTED when it is not sane, or
 * libcrypto is missing; LN_NOMEM.
 */
enum ln_status lni_legacy_hash_verify(const char *hash, const char *pw,
    size_t len, struct ln_error *err) LN_USE;

#endif
