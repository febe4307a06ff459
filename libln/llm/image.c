#include "llm/image.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/image.h>

#include "base/banned.h"

#define HEAD_BYTES 24	/* what a signature needs, and a bit */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* Signatures in base64, as many characters as whole sextets are known. */
static const struct {
	const char *prefix;
	const char *type;
} signatures[] = {
	{ "iVBORw0KGgo", "image/png" },
	{ "/9j/", "image/jpeg" },
	{ "R0lGODdh", "image/gif" },
	{ "R0lGODlh", "image/gif" },
};

/* "RIFF", four bytes of length, and "WEBP", whose W shares a group with the
 * length: only its end stands by itself. */
static bool
is_webp(const char *s)
{
	return strlen(s) >= 16 && strncmp(s, "UklGR", 5) == 0 &&
	    strncmp(s + 12, "RUJQ", 4) == 0;
}

const char *
lni_image_type(const char *base64)
{
	size_t i, n;

	for (i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		n = strlen(signatures[i].prefix);
		if (strncmp(base64, signatures[i].prefix, n) == 0)
			return signatures[i].type;
	}
	return is_webp(base64) ? "image/webp" : NULL;
}

bool
ln_image_is_known(const void *p, size_t n)
{
	char head[sodium_base64_ENCODED_LEN(HEAD_BYTES, BASE64)];

	if (n > HEAD_BYTES)
		n = HEAD_BYTES;
	return sodium_bin2base64(head, sizeof(head), p, n, BASE64) != NULL &&
	    lni_image_type(head) != NULL;
}

enum ln_status
ln_image_base64(const void *p, size_t n, char **out, struct ln_error *err)
{
	size_t size;

	*out = NULL;
	if (!ln_image_is_known(p, n))
		return ln_fail(err, LN_UNSUPPORTED,
		    "The file is not a picture (PNG, JPEG, GIF or WebP)",
		    "%zu bytes", n);
	size = sodium_base64_encoded_len(n, BASE64);
	if ((*out = malloc(size)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "picture of %zu bytes", n);
	(void)sodium_bin2base64(*out, size, p, n, BASE64);
	return LN_OK;
}
