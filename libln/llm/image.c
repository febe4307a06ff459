#include "llm/image.h"

#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

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
