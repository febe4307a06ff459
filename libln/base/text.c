#include <ln/text.h>

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include <ln/buf.h>

#include "base/utf8.h"
#include "base/banned.h"

#define ASCII_SPACE " \t\n\v\f\r"

static enum ln_status
map(const char *s, unsigned options, char **out, struct ln_error *err)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t rc;

	*out = NULL;
	rc = utf8proc_map((const utf8proc_uint8_t *)s, 0, &mapped,
	    (utf8proc_option_t)(options | (unsigned)UTF8PROC_NULLTERM));
	if (rc == UTF8PROC_ERROR_INVALIDUTF8)
		return ln_fail(err, LN_INVALID, "The text is not valid UTF-8",
		    "utf8proc_map");
	if (rc < 0)
		return ln_fail(err, LN_NOMEM, "", "utf8proc_map: %s",
		    utf8proc_errmsg(rc));
	*out = (char *)mapped;
	return LN_OK;
}

enum ln_status
ln_text_key(const char *s, char **out, struct ln_error *err)
{
	const unsigned options = (unsigned)UTF8PROC_STABLE |
	    (unsigned)UTF8PROC_COMPAT | (unsigned)UTF8PROC_COMPOSE |
	    (unsigned)UTF8PROC_CASEFOLD | (unsigned)UTF8PROC_IGNORE;

	return map(s, options, out, err);
}

static bool
is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

bool
ln_text_has_control(const char *s)
{
	size_t n = strlen(s), i = 0;
	uint32_t point;
	int length;

	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		/* A bare byte may be an eight-bit C1 control. */
		if (length < 0)
			point = (unsigned char)s[i];
		if (is_control(point))
			return true;
		i += (size_t)(length < 0 ? -length : length);
	}
	return false;
}

enum ln_status
ln_text_trim(const char *s, char **out, struct ln_error *err)
{
	size_t n;

	*out = NULL;
	s += strspn(s, ASCII_SPACE);
	n = strlen(s);
	while (n > 0 && strchr(ASCII_SPACE, s[n - 1]) != NULL)
		n--;
	if ((*out = strndup(s, n)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "trim: %zu bytes", n);
	return LN_OK;
}

static bool
is_space(uint32_t point)
{
	return utf8proc_category((utf8proc_int32_t)point) ==
	    UTF8PROC_CATEGORY_ZS;
}

/* Append ${s} in lower case to ${b}, each run of inner spaces as one "-". */
static void
tag_fold(const char *s, size_t n, struct ln_buf *b)
{
	utf8proc_uint8_t piece[4];
	utf8proc_ssize_t piece_length;
	bool is_gap = false;
	uint32_t point;
	size_t i = 0;
	int length;

	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		if (length < 0)
			return;
		i += (size_t)length;
		if (is_space(point)) {
			is_gap = b->len > 0;
			continue;
		}
		if (is_gap)
			ln_buf_putc(b, '-');
		is_gap = false;
		piece_length = utf8proc_encode_char(
		    utf8proc_tolower((utf8proc_int32_t)point), piece);
		ln_buf_put(b, piece, (size_t)piece_length);
	}
}

enum ln_status
ln_text_tag(const char *s, char **out, struct ln_error *err)
{
	/* A code point takes at most four bytes; one more tells "too long". */
	struct ln_buf b = LN_BUF_INIT((size_t)(LN_TAG_MAX + 1) * 4);
	char *trimmed = NULL, *tag = NULL;
	enum ln_status st;

	*out = NULL;
	if ((st = ln_text_trim(s, &trimmed, err)) != LN_OK)
		goto out;
	if (!ln_utf8_valid(trimmed, strlen(trimmed))) {
		st = ln_fail_field(err, LN_INVALID, "tag",
		    "The tag is not valid UTF-8", "%zu bytes", strlen(trimmed));
		goto out;
	}
	if (ln_text_has_control(trimmed)) {
		st = ln_fail_field(err, LN_INVALID, "tag",
		    "The tag has control characters in it", "%zu bytes",
		    strlen(trimmed));
		goto out;
	}
	tag_fold(trimmed, strlen(trimmed), &b);
	if (ln_buf_status(&b) == LN_NOMEM) {
		st = ln_fail(err, LN_NOMEM, "", "tag");
		goto out;
	}
	if (ln_buf_status(&b) == LN_OK) {
		st = map(ln_buf_str(&b), (unsigned)UTF8PROC_STABLE |
		    (unsigned)UTF8PROC_COMPOSE, &tag, err);
		if (st != LN_OK)
			goto out;
	}
	if (tag == NULL || ln_utf8_count(tag) > LN_TAG_MAX) {
		st = ln_fail_field(err, LN_INVALID, "tag",
		    "The tag is longer than 64 characters", "%zu bytes",
		    strlen(trimmed));
		goto out;
	}
	if (tag[0] == '\0') {
		st = ln_fail_field(err, LN_INVALID, "tag", "The tag is empty",
		    "%zu bytes", strlen(s));
		goto out;
	}
	*out = tag;
	tag = NULL;
out:
	ln_buf_free(&b);
	free(trimmed);
	free(tag);
	return st;
}

/* Whether a terminal would obey ${point} instead of showing it. */
static bool
drives_terminal(uint32_t point)
{
	if (point == '\n' || point == '\t')
		return false;
	return is_control(point) ||
	    (point >= 0x202A && point <= 0x202E) ||
	    (point >= 0x2066 && point <= 0x2069);
}

void
ln_text_terminal(const char *s, size_t n, struct ln_buf *out)
{
	size_t i = 0, kept = 0;
	uint32_t point;
	int length;

	/* Bytes from ${kept} up to ${i} are good and not yet appended. */
	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		if (length > 0 && !drives_terminal(point)) {
			i += (size_t)length;
			continue;
		}
		ln_buf_put(out, s + kept, i - kept);
		if (length < 0) {
			ln_buf_puts(out, "\xEF\xBF\xBD");
			length = -length;
		}
		i += (size_t)length;
		kept = i;
	}
	ln_buf_put(out, s + kept, i - kept);
}

size_t
ln_text_width(const char *s, size_t n)
{
	size_t i = 0, width = 0;
	uint32_t point;
	int length;

	while (i < n) {
		length = lni_utf8_decode(s + i, n - i, &point);
		if (length > 0)
			width += (size_t)utf8proc_charwidth((int32_t)point);
		i += (size_t)(length > 0 ? length : -length);
	}
	return width;
}
