#include "service/legacy_hash.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include <ln/secret.h>

#include "base/lazy.h"

#include "base/banned.h"

/* Bounds of the security contract. */
#define SCRYPT_N_MAX 131072
#define SCRYPT_R_MAX 16
#define SCRYPT_P_MAX 4
#define SCRYPT_MEMORY_MAX (UINT64_C(256) * 1024 * 1024)
#define ITERATIONS_MAX 2000000

/* Ours: the legacy program writes 16 characters of salt. */
#define SALT_MAX 128

#define SCRYPT_BYTES 64		/* what the legacy program derives */
#define DERIVED_MAX 64		/* SHA-512 and scrypt */

enum kind { KIND_SCRYPT, KIND_PBKDF2 };

struct digest {
	const char *name;
	size_t len;
	const EVP_MD *(**function)(void);
};

struct parsed {
	enum kind kind;
	uint64_t n;		/* scrypt */
	uint32_t r;
	uint32_t p;
	const struct digest *digest;	/* PBKDF2 */
	int iterations;
	const char *salt;
	size_t salt_len;
	unsigned char derived[DERIVED_MAX];
	size_t derived_len;
};

/* libcrypto, loaded for the first PBKDF2 hash somebody logs in with. */
static const EVP_MD *(*evp_sha1)(void);
static const EVP_MD *(*evp_sha256)(void);
static const EVP_MD *(*evp_sha512)(void);
static int (*pbkdf2_hmac)(const char *, int, const unsigned char *, int, int,
    const EVP_MD *, int, unsigned char *);

static const struct lni_lazy_symbol libcrypto[] = {
	{ "EVP_sha1", &evp_sha1 },
	{ "EVP_sha256", &evp_sha256 },
	{ "EVP_sha512", &evp_sha512 },
	{ "PKCS5_PBKDF2_HMAC", &pbkdf2_hmac },
};

static const struct digest digests[] = {
	{ "sha1", 20, &evp_sha1 },
	{ "sha256", 32, &evp_sha256 },
	{ "sha512", 64, &evp_sha512 },
};

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* A decimal number from 1 to ${max} at ${*s}, followed by ${end}. */
static bool
take_number(const char **s, char end, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *rest;

	if (**s < '1' || **s > '9')
		return false;
	errno = 0;
	v = strtoull(*s, &rest, 10);
	if (errno != 0 || v > max || *rest != end)
		return false;
	*s = rest + 1;
	*out = v;
	return true;
}

static bool
take_scrypt_cost(const char **s, struct parsed *out)
{
	uint64_t r, p;

	if (!take_number(s, ':', SCRYPT_N_MAX, &out->n) ||
	    !take_number(s, ':', SCRYPT_R_MAX, &r) ||
	    !take_number(s, '$', SCRYPT_P_MAX, &p))
		return false;
	out->r = (uint32_t)r;
	out->p = (uint32_t)p;
	return out->n >= 2 && (out->n & (out->n - 1)) == 0 &&
	    128 * out->n * r <= SCRYPT_MEMORY_MAX;
}

static bool
take_pbkdf2_cost(const char **s, struct parsed *out)
{
	const char *name = *s;
	uint64_t iterations;
	size_t i, n;

	n = strcspn(name, ":");
	if (name[n] != ':')
		return false;
	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (strlen(digests[i].name) == n &&
		    memcmp(digests[i].name, name, n) == 0)
			out->digest = &digests[i];
	}
	*s = name + n + 1;
	if (out->digest == NULL ||
	    !take_number(s, '$', ITERATIONS_MAX, &iterations))
		return false;
	out->iterations = (int)iterations;
	return true;
}

static bool
parse(const char *hash, struct parsed *out)
{
	const char *s, *end, *hex;
	size_t want;

	memset(out, 0, sizeof(*out));
	if (starts_with(hash, "scrypt:")) {
		out->kind = KIND_SCRYPT;
		s = hash + strlen("scrypt:");
		if (!take_scrypt_cost(&s, out))
			return false;
		want = SCRYPT_BYTES;
	} else if (starts_with(hash, "pbkdf2:")) {
		out->kind = KIND_PBKDF2;
		s = hash + strlen("pbkdf2:");
		if (!take_pbkdf2_cost(&s, out))
			return false;
		want = out->digest->len;
	} else {
		return false;
	}
	out->salt = s;
	out->salt_len = strcspn(s, "$");
	if (s[out->salt_len] != '$' || out->salt_len == 0 ||
	    out->salt_len > SALT_MAX)
		return false;
	hex = s + out->salt_len + 1;
	/* A short derived key would be quick to guess: the whole or nothing. */
	return strlen(hex) == 2 * want &&
	    sodium_hex2bin(out->derived, sizeof(out->derived), hex, 2 * want,
	    NULL, &out->derived_len, &end) == 0 &&
	    *end == '\0' && out->derived_len == want;
}

bool
lni_legacy_hash_is(const char *hash)
{
	return starts_with(hash, "scrypt:") || starts_with(hash, "pbkdf2:");
}

bool
lni_legacy_hash_sane(const char *hash)
{
	struct parsed p;

	return parse(hash, &p);
}

static enum ln_status
derive_scrypt(const struct parsed *p, const char *pw, size_t len,
    unsigned char *out, struct ln_error *err)
{
	if (crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)pw, len,
	    (const uint8_t *)p->salt, p->salt_len, p->n, p->r, p->p, out,
	    p->derived_len) != 0)
		return ln_fail(err, LN_NOMEM, "", "scrypt N=%llu",
		    (unsigned long long)p->n);
	return LN_OK;
}

static enum ln_status
derive_pbkdf2(const struct parsed *p, const char *pw, size_t len,
    unsigned char *out, struct ln_error *err)
{
	enum ln_status s;

	if (len > INT_MAX)
		return ln_fail(err, LN_UNAUTHENTICATED, "", "%zu bytes", len);
	s = lni_lazy_load("libcrypto.so.3", libcrypto,
	    sizeof(libcrypto) / sizeof(libcrypto[0]), err);
	if (s != LN_OK)
		return s;
	if (pbkdf2_hmac(pw, (int)len, (const unsigned char *)p->salt,
	    (int)p->salt_len, p->iterations, (*p->digest->function)(),
	    (int)p->derived_len, out) != 1)
		return ln_fail(err, LN_NOMEM, "", "PBKDF2 %s",
		    p->digest->name);
	return LN_OK;
}

enum ln_status
lni_legacy_hash_verify(const char *hash, const char *pw, size_t len,
    struct ln_error *err)
{
	unsigned char derived[DERIVED_MAX] = { 0 };
	struct parsed p;
	enum ln_status s = LN_INTERNAL;

	if (!parse(hash, &p))
		return ln_fail(err, LN_UNSUPPORTED, "",
		    "a legacy hash beyond the bounds");
	switch (p.kind) {
	case KIND_SCRYPT:
		s = derive_scrypt(&p, pw, len, derived, err);
		break;
	case KIND_PBKDF2:
		s = derive_pbkdf2(&p, pw, len, derived, err);
		break;
	}
	if (s == LN_OK && !ln_secret_equal(derived, p.derived, p.derived_len))
		s = ln_fail(err, LN_UNAUTHENTICATED, "", "another password");
	ln_wipe(derived, sizeof(derived));
	return s;
}
