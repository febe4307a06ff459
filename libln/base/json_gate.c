#include "base/json_gate.h"

#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

/* cJSON reads a number through a buffer of 64 bytes and would stop inside a
 * longer one. */
#define NUMBER_LENGTH_MAX 63

struct gate {
	const char *s;
	size_t n;
	size_t at;
	size_t values;
	size_t values_max;
	size_t depth;
	size_t depth_max;
	bool is_object[LNI_JSON_NESTING_MAX];	/* of each open container */
	bool is_too_large;
};

/* The byte at the cursor, or -1 at the end. */
static int
peek(const struct gate *g)
{
	return g->at < g->n ? (unsigned char)g->s[g->at] : -1;
}

static bool
take(struct gate *g, char c)
{
	if (peek(g) != c)
		return false;
	g->at++;
	return true;
}

static void
skip_space(struct gate *g)
{
	while (take(g, ' ') || take(g, '\t') || take(g, '\n') || take(g, '\r'))
		continue;
}

static bool
take_word(struct gate *g, const char *word)
{
	size_t n = strlen(word);

	if (g->n - g->at < n || memcmp(g->s + g->at, word, n) != 0)
		return false;
	g->at += n;
	return true;
}

static bool
take_digits(struct gate *g)
{
	const size_t start = g->at;

	while (peek(g) >= '0' && peek(g) <= '9')
		g->at++;
	return g->at > start;
}

static bool
take_number(struct gate *g)
{
	const size_t start = g->at;

	(void)take(g, '-');
	if (!take(g, '0') && !take_digits(g))
		return false;
	if (take(g, '.') && !take_digits(g))
		return false;
	if (take(g, 'e') || take(g, 'E')) {
		if (!take(g, '+'))
			(void)take(g, '-');
		if (!take_digits(g))
			return false;
	}
	return g->at - start <= NUMBER_LENGTH_MAX;
}

static bool
take_hex4(struct gate *g, unsigned *out)
{
	int c, i;

	*out = 0;
	for (i = 0; i < 4; i++, g->at++) {
		c = peek(g);
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return false;
		*out = *out << 4 | (unsigned)c;
	}
	return true;
}

/* What follows a backslash. */
static bool
take_escape(struct gate *g)
{
	unsigned unit, low;
	int c = peek(g);

	if (c == -1 || strchr("\"\\/bfnrtu", c) == NULL || c == '\0')
		return false;
	g->at++;
	if (c != 'u')
		return true;
	if (!take_hex4(g, &unit) || unit == 0)
		return false;
	if (unit < 0xD800 || unit > 0xDFFF)
		return true;
	/* UTF-16: a high surrogate, then at once a low one. */
	return unit <= 0xDBFF && take(g, '\\') && take(g, 'u') &&
	    take_hex4(g, &low) && low >= 0xDC00 && low <= 0xDFFF;
}

static bool
take_string(struct gate *g)
{
	if (!take(g, '"'))
		return false;
	while (!take(g, '"')) {
		if (peek(g) < 0x20)	/* a control character or the end */
			return false;
		if (take(g, '\\')) {
			if (!take_escape(g))
				return false;
		} else
			g->at++;
	}
	return true;
}

static bool
open_container(struct gate *g, bool is_object)
{
	if (g->depth == g->depth_max) {
		g->is_too_large = true;
		return false;
	}
	g->is_object[g->depth++] = is_object;
	return true;
}

/* A member's name and the colon behind it. */
static bool
take_name(struct gate *g)
{
	skip_space(g);
	if (!take_string(g))
		return false;
	skip_space(g);
	return take(g, ':');
}

/*
 * One value; of a container only its opening.  ${is_open} tells that its first
 * element comes next.
 */
static bool
take_value(struct gate *g, bool *is_open)
{
	*is_open = false;
	skip_space(g);
	if (g->values == g->values_max) {
		g->is_too_large = true;
		return false;
	}
	g->values++;
	switch (peek(g)) {
	case '{':
		g->at++;
		if (!open_container(g, true))
			return false;
		skip_space(g);
		*is_open = peek(g) != '}';
		return !*is_open || take_name(g);
	case '[':
		g->at++;
		if (!open_container(g, false))
			return false;
		skip_space(g);
		*is_open = peek(g) != ']';
		return true;
	case '"':
		return take_string(g);
	case 't':
		return take_word(g, "true");
	case 'f':
		return take_word(g, "false");
	case 'n':
		return take_word(g, "null");
	default:
		return take_number(g);
	}
}

/*
 * What follows a complete value: closing brackets, then a comma, or the end of
 * the outermost value.  ${is_done} tells the two apart.
 */
static bool
take_separator(struct gate *g, bool *is_done)
{
	bool is_object;

	*is_done = false;
	while (g->depth > 0) {
		is_object = g->is_object[g->depth - 1];
		skip_space(g);
		if (take(g, ','))
			return !is_object || take_name(g);
		if (!take(g, is_object ? '}' : ']'))
			return false;
		g->depth--;
	}
	*is_done = true;
	return true;
}

static bool
take_text(struct gate *g)
{
	bool is_open, is_done = false;

	while (!is_done) {
		if (!take_value(g, &is_open))
			return false;
		if (!is_open && !take_separator(g, &is_done))
			return false;
	}
	skip_space(g);
	return g->at == g->n;
}

enum ln_status
lni_json_gate(const char *s, size_t n, size_t depth_max, size_t values_max,
    struct ln_error *err)
{
	struct gate g = { .s = s, .n = n, .values_max = values_max,
		.depth_max = depth_max };

	if (g.depth_max > LNI_JSON_NESTING_MAX)
		g.depth_max = LNI_JSON_NESTING_MAX;
	if (!ln_utf8_valid(s, n))
		return ln_fail(err, LN_INVALID, "Invalid JSON",
		    "not UTF-8, %zu bytes", n);
	if (take_text(&g))
		return LN_OK;
	if (g.is_too_large)
		return ln_fail(err, LN_TOO_LARGE,
		    "The JSON is nested too deep or has too many values",
		    "byte %zu, depth %zu, %zu values", g.at, g.depth,
		    g.values);
	return ln_fail(err, LN_INVALID, "Invalid JSON", "byte %zu of %zu",
	    g.at, n);
}
