#include <ln/secret.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/text.h>

#include "base/banned.h"

/* Part of every sub-key: changing it signs everybody out. */
#define KDF_CONTEXT "lnkeys01"
_Static_assert(sizeof(KDF_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES,
    "crypto_kdf wants a context of exactly that many bytes");
_Static_assert(LN_KEY_BYTES == crypto_kdf_KEYBYTES,
    "the BLAKE2b-256 hash of the secret is the crypto_kdf master key");

/* Fewer different bytes than this is a pattern, not a random key: a random
 * key of 32 decimal digits falls below it once in 10^10. */
#define DISTINCT_MIN 5

/* A literal, as every sentence of an error. */
#define HOW_TO "Run lnctl init, or make one with: openssl rand -base64 48"

/* One sub-key a purpose.  Never renumber: sealed values would be lost. */
static const struct {
	uint64_t id;
	size_t offset;
} subkeys[] = {
	{ 1, offsetof(struct ln_keys, cookie) },
	{ 2, offsetof(struct ln_keys, session) },
	{ 3, offsetof(struct ln_keys, seal) },
	{ 4, offsetof(struct ln_keys, reset) },
	{ 5, offsetof(struct ln_keys, limiter) },
	{ 6, offsetof(struct ln_keys, audit) },
};

/*
 * What stands in examples and tutorials.  Compared without case and without
 * anything but letters and digits, anywhere in the value.  Seven letters at
 * least, so that a random key does not contain one by chance.
 */
static const char *const examples[] = {
	"changeme",
	"changethis",
	"replaceme",
	"replacethis",
	"yoursecret",
	"secretkeyhere",
	"mysecretkey",
	"supersecret",
	"examplekey",
	"placeholder",
	"notasecret",
	"insecure",
};

static bool
is_repetitive(const char *s)
{
	bool seen[256] = { false };
	size_t distinct = 0;

	for (; *s != '\0'; s++) {
		if (!seen[(unsigned char)*s])
			distinct++;
		seen[(unsigned char)*s] = true;
	}
	return distinct < DISTINCT_MIN;
}

static enum ln_status
has_example(const char *s, bool *out, struct ln_error *err)
{
	size_t i, n = 0, size = strlen(s) + 1;
	char *plain;

	*out = false;
	if ((plain = malloc(size)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "SECRET_KEY");
	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			plain[n++] = (char)(*s - 'A' + 'a');
		else if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'))
			plain[n++] = *s;
	}
	plain[n] = '\0';
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (strstr(plain, examples[i]) != NULL)
			*out = true;
	sodium_memzero(plain, size);
	free(plain);
	return LN_OK;
}

static enum ln_status
check_secret(const char *secret, struct ln_error *err)
{
	enum ln_status s;
	bool is_example;
	size_t n;

	if (secret == NULL || secret[0] == '\0')
		return ln_fail_field(err, LN_INVALID, "SECRET_KEY",
		    "SECRET_KEY is missing. " HOW_TO, "missing");
	n = strlen(secret);
	if (ln_utf8_valid(secret, n))
		n = ln_utf8_count(secret);
	if (n < LN_SECRET_KEY_MIN)
		return ln_fail_field(err, LN_INVALID, "SECRET_KEY",
		    "SECRET_KEY is shorter than 32 characters. " HOW_TO,
		    "%zu characters", n);
	if ((s = has_example(secret, &is_example, err)) != LN_OK)
		return s;
	if (is_example || is_repetitive(secret))
		return ln_fail_field(err, LN_INVALID, "SECRET_KEY",
		    "SECRET_KEY is an example value. " HOW_TO, "weak");
	return LN_OK;
}

enum ln_status
ln_keys_derive(const char *secret, struct ln_keys **out, struct ln_error *err)
{
	unsigned char master[crypto_kdf_KEYBYTES];
	struct ln_keys *keys = NULL;
	enum ln_status s;
	size_t i;

	*out = NULL;
	if ((s = check_secret(secret, err)) != LN_OK)
		return s;
	if ((keys = calloc(1, sizeof(*keys))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "keys");
	if (crypto_generichash(master, sizeof(master),
	    (const unsigned char *)secret, strlen(secret), NULL, 0) != 0) {
		s = ln_fail(err, LN_INTERNAL, "", "crypto_generichash");
		goto out;
	}
	for (i = 0; i < sizeof(subkeys) / sizeof(subkeys[0]); i++)
		if (crypto_kdf_derive_from_key(
		    (unsigned char *)keys + subkeys[i].offset, LN_KEY_BYTES,
		    subkeys[i].id, KDF_CONTEXT, master) != 0) {
			s = ln_fail(err, LN_INTERNAL, "", "crypto_kdf");
			goto out;
		}
	*out = keys;
	keys = NULL;
out:
	sodium_memzero(master, sizeof(master));
	ln_keys_free(keys);
	return s;
}

void
ln_keys_free(struct ln_keys *k)
{
	if (k == NULL)
		return;
	sodium_memzero(k, sizeof(*k));
	free(k);
}
