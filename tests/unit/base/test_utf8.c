#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include <ln/text.h>

#include "base/utf8.h"

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define FFFD "\xEF\xBF\xBD"

/* Any sequence of bytes comes out valid, and valid text unchanged. */
static void
repair_replaces_each_broken_part_once(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "nothing", "", 0, "" },
		{ "ASCII stays", "abc", 3, "abc" },
		{ "two bytes stay", "\xC3\xA9", 2, "\xC3\xA9" },
		{ "three bytes stay", "\xE2\x82\xAC", 3, "\xE2\x82\xAC" },
		{ "four bytes stay", "\xF0\x9F\x90\xBF", 4,
		    "\xF0\x9F\x90\xBF" },
		{ "the last code point stays", "\xF4\x8F\xBF\xBF", 4,
		    "\xF4\x8F\xBF\xBF" },
		{ "NUL", "a\0b", 3, "a" FFFD "b" },
		{ "a lone continuation byte", "a\x80" "b", 3, "a" FFFD "b" },
		{ "overlong slash: two bytes, two marks", "\xC0\xAF", 2,
		    FFFD FFFD },
		{ "overlong in three bytes", "\xE0\x80\xAF", 3,
		    FFFD FFFD FFFD },
		{ "a surrogate", "\xED\xA0\x80", 3, FFFD FFFD FFFD },
		{ "past U+10FFFF", "\xF4\x90\x80\x80", 4,
		    FFFD FFFD FFFD FFFD },
		{ "a byte that never occurs", "\xFF", 1, FFFD },
		{ "cut short: one mark", "\xF0\x9F\x90", 3, FFFD },
		{ "cut short by ASCII", "\xE2\x82" "a", 3, FFFD "a" },
		{ "cut short by a new start", "\xE2\x82\xC3\xA9", 4,
		    FFFD "\xC3\xA9" },
		{ "the Unicode Standard's table 3-8",
		    "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", 13,
		    "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d" },
	};
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(ln_utf8_repair(rows[i].in, rows[i].n, &out,
		    NULL), LN_OK);
		if (strcmp(out, rows[i].want) != 0)
			fail_msg("%s: got \"%s\"", rows[i].name, out);
		assert_true(ln_utf8_valid(out, strlen(out)));
		if (ln_utf8_valid(rows[i].in, rows[i].n) !=
		    (strcmp(rows[i].in, rows[i].want) == 0 ||
		    memchr(rows[i].in, '\0', rows[i].n) != NULL))
			fail_msg("%s: valid", rows[i].name);
		ln_free(out);
	}
}

/* Every sequence of the bytes at which the rules turn, up to four long. */
static void
repair_is_always_valid_and_idempotent(void **state)
{
	static const unsigned char edges[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F,
		0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
		0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF };
	size_t index[4], n, k;
	char in[4], *once, *twice;

	(void)state;
	for (n = 1; n <= 4; n++) {
		memset(index, 0, sizeof(index));
		for (;;) {
			for (k = 0; k < n; k++)
				in[k] = (char)edges[index[k]];
			assert_int_equal(ln_utf8_repair(in, n, &once, NULL),
			    LN_OK);
			assert_true(ln_utf8_valid(once, strlen(once)));
			assert_int_equal(ln_utf8_repair(once, strlen(once),
			    &twice, NULL), LN_OK);
			assert_string_equal(once, twice);
			ln_free(once);
			ln_free(twice);
			for (k = 0; k < n && ++index[k] == NITEMS(edges); k++)
				index[k] = 0;
			if (k == n)
				break;
		}
	}
}

/* Another decoder is the judge of ours. */
static void
decodes_like_utf8proc(void **state)
{
	utf8proc_uint8_t bytes[4];
	utf8proc_int32_t theirs;
	utf8proc_ssize_t n;
	uint32_t point, ours;
	unsigned a, b, c;

	(void)state;
	for (point = 0; point <= 0x10FFFF; point++) {
		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		n = utf8proc_encode_char((utf8proc_int32_t)point, bytes);
		if (lni_utf8_decode((const char *)bytes, (size_t)n, &ours) !=
		    n || ours != point)
			fail_msg("U+%04X", point);
	}
	for (a = 0x80; a <= 0xFF; a++)
		for (b = 0; b <= 0xFF; b += 3)
			for (c = 0x7D; c <= 0xC3; c++) {
				bytes[0] = (utf8proc_uint8_t)a;
				bytes[1] = (utf8proc_uint8_t)b;
				bytes[2] = (utf8proc_uint8_t)c;
				bytes[3] = 0x80;
				n = utf8proc_iterate(bytes, 4, &theirs);
				if ((n > 0) != (lni_utf8_decode(
				    (const char *)bytes, 4, &ours) > 0))
					fail_msg("%02X %02X %02X", a, b, c);
			}
}

static void
counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(ln_utf8_count(""), 0);
	assert_int_equal(ln_utf8_count("abc"), 3);
	assert_int_equal(ln_utf8_count("\xC3\xA9\xF0\x9F\x90\xBF"), 2);
}

static void
a_prefix_never_cuts_a_code_point(void **state)
{
	static const struct {
		const char *in;
		size_t max;
		size_t want;
	} rows[] = {
		{ "abc", 0, 0 },
		{ "abc", 2, 2 },
		{ "abc", 3, 3 },
		{ "abc", 99, 3 },
		{ "a\xC3\xA9", 2, 1 },
		{ "a\xC3\xA9", 3, 3 },
		{ "\xE2\x82\xAC" "b", 1, 0 },
		{ "\xE2\x82\xAC" "b", 2, 0 },
		{ "\xE2\x82\xAC" "b", 3, 3 },
		{ "\xF0\x9F\x90\xBF", 3, 0 },
		{ "\xF0\x9F\x90\xBF\xC3\xA9", 5, 4 },
		/* Not UTF-8: cut where asked, go on. */
		{ "\x80\x80\x80\x80\x80\x80", 5, 5 },
		{ "a\x80\x80", 2, 2 },
		{ "", 5, 0 },
	};
	size_t i, got;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		got = ln_utf8_prefix(rows[i].in, strlen(rows[i].in),
		    rows[i].max);
		if (got != rows[i].want)
			fail_msg("row %zu: %zu", i, got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repair_replaces_each_broken_part_once),
		cmocka_unit_test(repair_is_always_valid_and_idempotent),
		cmocka_unit_test(decodes_like_utf8proc),
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(a_prefix_never_cuts_a_code_point),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
