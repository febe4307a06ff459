#include <ln/secret.h>

#include <string.h>

#include <sodium.h>

#include "base/banned.h"

#define UUID_BYTES 16

void
ln_random(void *p, size_t n)
{
	randombytes_buf(p, n);
}

void
ln_wipe(void *p, size_t n)
{
	if (p != NULL && n > 0)
		sodium_memzero(p, n);
}

void
ln_wipe_free(char *s)
{
	if (s == NULL)
		return;
	sodium_memzero(s, strlen(s));
	ln_free(s);
}

bool
ln_secret_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

void
ln_uuid(char out[LN_UUID_SIZE])
{
	static const size_t parts[] = { 4, 2, 2, 2, 6 };
	unsigned char bytes[UUID_BYTES];
	size_t i, from = 0;
	char *to = out;

	randombytes_buf(bytes, sizeof(bytes));
	/* RFC 9562: version 4 (random), variant 10. */
	bytes[6] = (unsigned char)((bytes[6] & 0x0FU) | 0x40U);
	bytes[8] = (unsigned char)((bytes[8] & 0x3FU) | 0x80U);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (i > 0)
			*to++ = '-';
		(void)sodium_bin2hex(to, parts[i] * 2 + 1, bytes + from,
		    parts[i]);
		to += parts[i] * 2;
		from += parts[i];
	}
}

char *
ln_b64url_encode(const void *p, size_t n, char *out, size_t outsize)
{
	/* Four characters for three bytes, without overflow. */
	if (n > SIZE_MAX / 4 - 4 || outsize < sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return NULL;
	return sodium_bin2base64(out, outsize, p, n,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
ln_b64url_decode(const char *s, size_t n, void *out, size_t outsize,
    size_t *outlen)
{
	*outlen = 0;
	return sodium_base642bin(out, outsize, s, n, NULL, outlen, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

void
ln_random_password(char *out, size_t outsize)
{
	/* Without 0 O o, 1 I l. */
	static const char alphabet[] =
	    "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	size_t i;

	if (outsize == 0)
		return;
	for (i = 0; i < outsize - 1; i++)
		out[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
	out[i] = '\0';
}
