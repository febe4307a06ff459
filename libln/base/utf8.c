#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

#define REPLACEMENT "\xEF\xBF\xBD"

int
lni_utf8_decode(const char *s, size_t n, uint32_t *out)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xBF;
	uint32_t point;
	int length, i;

	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		length = 2;
		point = p[0] & 0x1FU;
	} else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
		length = 3;
		point = p[0] & 0x0FU;
		/* Neither overlong forms nor surrogates. */
		if (p[0] == 0xE0)
			low = 0xA0;
		else if (p[0] == 0xED)
			high = 0x9F;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		length = 4;
		point = p[0] & 0x07U;
		/* Neither overlong forms nor points past U+10FFFF. */
		if (p[0] == 0xF0)
			low = 0x90;
		else if (p[0] == 0xF4)
			high = 0x8F;
	} else
		return -1;
	for (i = 1; i < length; i++) {
		if ((size_t)i >= n || p[i] < low || p[i] > high)
			return -i;
		point = point << 6 | (p[i] & 0x3FU);
		low = 0x80;
		high = 0xBF;
	}
	*out = point;
	return length;
}

bool
ln_utf8_valid(const char *s, size_t n)
{
	uint32_t point;
	size_t i = 0;
	int length;

	while (i < n) {
		if ((length = lni_utf8_decode(s + i, n - i, &point)) < 0)
			return false;
		i += (size_t)length;
	}
	return true;
}

size_t
ln_utf8_count(const char *s)
{
	size_t count = 0;

	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xC0) != 0x80)
			count++;
	return count;
}

size_t
ln_utf8_prefix(const char *s, size_t n, size_t max)
{
	uint32_t point;
	size_t start;
	int length;

	if (max >= n)
		return n;
	start = max;
	while (start > 0 && max - start < 3 &&
	    ((unsigned char)s[start] & 0xC0) == 0x80)
		start--;
	length = lni_utf8_decode(s + start, n - start, &point);
	if (length > 0 && start + (size_t)length > max)
		return start;
	/* Not inside a code point: what is here is not UTF-8. */
	return max;
}

/* The length of ${s} after repair; SIZE_MAX when it does not fit. */
static size_t
repaired_length(const char *s, size_t n)
{
	uint32_t point;
	size_t i = 0, total = 0, piece;
	int length;

	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		if (length < 0 || s[i] == '\0')
			piece = sizeof(REPLACEMENT) - 1;
		else
			piece = (size_t)length;
		if (total > SIZE_MAX - 1 - piece)
			return SIZE_MAX;
		total += piece;
		i += (size_t)(length < 0 ? -length : length);
	}
	return total;
}

enum ln_status
ln_utf8_repair(const char *s, size_t n, char **out, struct ln_error *err)
{
	uint32_t point;
	size_t i = 0, total;
	char *copy, *to;
	int length;

	*out = NULL;
	if ((total = repaired_length(s, n)) == SIZE_MAX ||
	    (copy = malloc(total + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "utf8 repair: %zu bytes", n);
	to = copy;
	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		if (length < 0 || s[i] == '\0') {
			memcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
			to += sizeof(REPLACEMENT) - 1;
			i += (size_t)(length < 0 ? -length : length);
		} else {
			memcpy(to, s + i, (size_t)length);
			to += length;
			i += (size_t)length;
		}
	}
	*to = '\0';
	*out = copy;
	return LN_OK;
}
