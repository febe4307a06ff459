#ifndef LN_PASSWORD_H
#define LN_PASSWORD_H

#include <ln/base.h>
#include <ln/error.h>

/* Hashing passwords.  Costs 20 to 200 ms and 19 to 64 MiB a call: never on an
 * event loop.  Pure functions, thread-safe. */

#define LN_PASSWORD_MIN 8	/* security contract: Unicode characters */
#define LN_PASSWORD_MAX 1024	/* security contract: bytes */
#define LN_PASSWORD_HASH_SIZE 256 /* text of any hash we keep, with its NUL */

/**
 * ln_password_small(is_small):
 * Use the cost for hosts under 512 MiB (opslimit 2, 19 MiB) for new hashes.
 * Set once at start from LOCALNEURAL_PWHASH.
 */
LN_API void ln_password_small(bool is_small);

/**
 * ln_password_check(pw, err):
 * Whether ${pw} may be set as a password: length, UTF-8, not one of the 3,000
 * commonest.  LN_INVALID with field "password" and a sentence.
 */
LN_API enum ln_status ln_password_check(const char *pw, struct ln_error *err)
    LN_USE;

/**
 * ln_password_hash(pw, out, err):
 * argon2id by libsodium.  LN_NOMEM.
 */
LN_API enum ln_status ln_password_hash(const char *pw,
    char out[LN_PASSWORD_HASH_SIZE], struct ln_error *err) LN_USE;

/**
 * ln_password_verify(hash, pw, out_needs_rehash, err):
 * Check ${pw} against an argon2id, "scrypt:N:r:p$salt$hex" or
 * "pbkdf2:DIGEST:ITER$salt$hex" hash; a legacy hash whose exact password fails
 * is tried once with ASCII white space trimmed, as the legacy program did.
 * ${hash} NULL or "" fails after the work of one verification.
 * ${out_needs_rehash} tells that the hash is of an older kind or of another
 * cost than new ones.  It is false when only the trimmed password fitted: a
 * new hash knows one form only, and whichever is taken locks out somebody who
 * types the other.
 * LN_UNAUTHENTICATED when wrong; LN_UNSUPPORTED when the kind is unknown or
 * the cost parameters are beyond the bounds; LN_NOMEM.
 */
LN_API enum ln_status ln_password_verify(const char *hash, const char *pw,
    bool *out_needs_rehash, struct ln_error *err) LN_USE;

/**
 * ln_password_hash_sane(hash):
 * Whether ${hash} is of a kind and cost that ln_password_verify will do.
 */
LN_API bool ln_password_hash_sane(const char *hash);

#endif
