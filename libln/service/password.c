#include <ln/password.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/secret.h>
#include <ln/text.h>

#include "service/common_password.h"
#include "service/legacy_hash.h"

#include "base/banned.h"

/* Security contract. */
#define OPSLIMIT 3
#define MEMLIMIT ((size_t)64 * 1024 * 1024)
#define OPSLIMIT_SMALL 2
#define MEMLIMIT_SMALL ((size_t)19 * 1024 * 1024)

/* What a stored argon2id hash may ask for: a file that was imported sets it.
 * The same memory as for the legacy kinds; libsodium itself uses one lane. */
#define MEMORY_KIB_MAX (256 * 1024)
#define PASSES_MAX 16

#define ARGON2ID "$argon2id$v=19$m="

_Static_assert(LN_PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "hash size");

static atomic_bool is_small_host;

static unsigned long long
opslimit(void)
{
	return atomic_load(&is_small_host) ? OPSLIMIT_SMALL : OPSLIMIT;
}

static size_t
memlimit(void)
{
	return atomic_load(&is_small_host) ? MEMLIMIT_SMALL : MEMLIMIT;
}

void
ln_password_small(bool is_small)
{
	atomic_store(&is_small_host, is_small);
}

enum ln_status
ln_password_check(const char *pw, struct ln_error *err)
{
	size_t len = strlen(pw);

	if (len > LN_PASSWORD_MAX)
		return ln_fail_field(err, LN_INVALID, "password",
		    "A password has at most 1024 bytes", "%zu bytes", len);
	if (!ln_utf8_valid(pw, len))
		return ln_fail_field(err, LN_INVALID, "password",
		    "The password has characters that are not allowed",
		    "not UTF-8");
	if (ln_utf8_count(pw) < LN_PASSWORD_MIN)
		return ln_fail_field(err, LN_INVALID, "password",
		    "A password has at least 8 characters", "too short");
	if (lni_common_password_is(pw, len))
		return ln_fail_field(err, LN_INVALID, "password",
		    "This password is one of the first that anybody would "
		    "try. Choose another one", "on the block-list");
	return LN_OK;
}

enum ln_status
ln_password_hash(const char *pw, char out[LN_PASSWORD_HASH_SIZE],
    struct ln_error *err)
{
	memset(out, 0, LN_PASSWORD_HASH_SIZE);
	if (crypto_pwhash_argon2id_str(out, pw, strlen(pw), opslimit(),
	    memlimit()) != 0)
		return ln_fail(err, LN_NOMEM, "", "argon2id of %zu bytes",
		    memlimit());
	return LN_OK;
}

/* A decimal number from 1 to ${max} at ${*s} before the text ${end}. */
static bool
take_number(const char **s, const char *end, unsigned long max)
{
	unsigned long v;
	char *rest;

	if (**s < '1' || **s > '9')
		return false;
	errno = 0;
	v = strtoul(*s, &rest, 10);
	if (errno != 0 || v > max || strncmp(rest, end, strlen(end)) != 0)
		return false;
	*s = rest + strlen(end);
	return true;
}

/* "$argon2id$v=19$m=65536,t=3,p=1$salt$hash" with a cost we would pay. */
static bool
argon2id_sane(const char *hash)
{
	const char *s = hash;

	if (strnlen(hash, crypto_pwhash_STRBYTES) == crypto_pwhash_STRBYTES ||
	    strncmp(hash, ARGON2ID, strlen(ARGON2ID)) != 0)
		return false;
	s += strlen(ARGON2ID);
	return take_number(&s, ",t=", MEMORY_KIB_MAX) &&
	    take_number(&s, ",p=", PASSES_MAX) && take_number(&s, "$", 1);
}

bool
ln_password_hash_sane(const char *hash)
{
	return argon2id_sane(hash) || lni_legacy_hash_sane(hash);
}

static enum ln_status
wrong(struct ln_error *err)
{
	return ln_fail(err, LN_UNAUTHENTICATED, "", "another password");
}

/* The work of one verification, for nobody. */
static enum ln_status
verify_dummy(const char *pw, size_t len, struct ln_error *err)
{
	static const unsigned char salt[crypto_pwhash_SALTBYTES];
	unsigned char derived[32];
	int rc;

	rc = crypto_pwhash(derived, sizeof(derived), pw, len, salt, opslimit(),
	    memlimit(), crypto_pwhash_ALG_ARGON2ID13);
	ln_wipe(derived, sizeof(derived));
	if (rc != 0)
		return ln_fail(err, LN_NOMEM, "", "argon2id of %zu bytes",
		    memlimit());
	return wrong(err);
}

static enum ln_status
verify_argon2id(const char *hash, const char *pw, size_t len,
    bool *out_needs_rehash, struct ln_error *err)
{
	char copy[crypto_pwhash_STRBYTES] = { 0 };

	if (!argon2id_sane(hash))
		return ln_fail(err, LN_UNSUPPORTED, "",
		    "a hash of an unknown kind or beyond the bounds");
	memcpy(copy, hash, strlen(hash));
	errno = 0;
	if (crypto_pwhash_argon2id_str_verify(copy, pw, len) != 0) {
		if (errno == ENOMEM)
			return ln_fail(err, LN_NOMEM, "", "argon2id");
		return wrong(err);
	}
	*out_needs_rehash = crypto_pwhash_argon2id_str_needs_rehash(copy,
	    opslimit(), memlimit()) != 0;
	return LN_OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static enum ln_status
verify_legacy(const char *hash, const char *pw, size_t len,
    bool *out_needs_rehash, struct ln_error *err)
{
	enum ln_status s;
	size_t start = 0, end = len;

	s = lni_legacy_hash_verify(hash, pw, len, err);
	if (s == LN_OK)
		*out_needs_rehash = true;
	if (s != LN_UNAUTHENTICATED)
		return s;
	while (start < end && is_blank(pw[start]))
		start++;
	while (end > start && is_blank(pw[end - 1]))
		end--;
	if (end - start == len)
		return s;
	return lni_legacy_hash_verify(hash, pw + start, end - start, err);
}

enum ln_status
ln_password_verify(const char *hash, const char *pw, bool *out_needs_rehash,
    struct ln_error *err)
{
	size_t len = strlen(pw);

	*out_needs_rehash = false;
	if (hash == NULL || hash[0] == '\0')
		return verify_dummy(pw, len, err);
	if (lni_legacy_hash_is(hash))
		return verify_legacy(hash, pw, len, out_needs_rehash, err);
	return verify_argon2id(hash, pw, len, out_needs_rehash, err);
}
