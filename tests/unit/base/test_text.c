#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include <ln/buf.h>
#include <ln/text.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static void
names_that_look_alike_have_one_key(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want;
	} rows[] = {
		{ "case", "AdMin", "admin" },
		{ "composed", "Andr\xC3\xA9", "andr\xC3\xA9" },
		{ "decomposed", "Andre\xCC\x81", "andr\xC3\xA9" },
		{ "fullwidth", "\xEF\xBC\xA1\xEF\xBC\xA2", "ab" },
		{ "a ligature", "\xEF\xAC\x81sh", "fish" },
		{ "sharp s folds", "Stra\xC3\x9F" "e", "strasse" },
		{ "Greek final sigma", "\xCE\xA3\xCF\x82",
		    "\xCF\x83\xCF\x83" },
		{ "a soft hyphen is nothing", "ad\xC2\xADmin", "admin" },
		{ "a zero-width joiner is nothing", "ad\xE2\x80\x8Dmin",
		    "admin" },
		{ "nothing stays nothing", "", "" },
		{ "Cyrillic a is another letter", "\xD0\xB0", "\xD0\xB0" },
	};
	char *key;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(ln_text_key(rows[i].in, &key, NULL), LN_OK);
		if (strcmp(key, rows[i].want) != 0)
			fail_msg("%s: got \"%s\"", rows[i].name, key);
		ln_free(key);
	}
	assert_int_equal(ln_text_key("a\xFF", &key, NULL), LN_INVALID);
	assert_null(key);
}

/* Every letter alone, and before and after marks that reorder and compose. */
static void
the_key_of_a_key_is_itself(void **state)
{
	static const char *const around[][2] = {
		{ "", "" }, { "", "\xCC\x81" }, { "", "\xCD\x85\xCC\x81" },
		{ "\xCE\xB1\xCD\x85", "" },
	};
	utf8proc_int32_t point;
	char in[32], *once, *twice;
	size_t n, k;

	(void)state;
	for (point = 1; point <= 0x2FA1F; point++) {
		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		for (k = 0; k < NITEMS(around); k++) {
			n = strlen(around[k][0]);
			memcpy(in, around[k][0], n);
			n += (size_t)utf8proc_encode_char(point,
			    (utf8proc_uint8_t *)in + n);
			memcpy(in + n, around[k][1],
			    strlen(around[k][1]) + 1);
			assert_int_equal(ln_text_key(in, &once, NULL), LN_OK);
			assert_int_equal(ln_text_key(once, &twice, NULL),
			    LN_OK);
			if (strcmp(once, twice) != 0)
				fail_msg("U+%04X, %zu", (unsigned)point, k);
			ln_free(once);
			ln_free(twice);
		}
	}
}

static void
sees_control_characters(void **state)
{
	static const struct {
		const char *in;
		bool want;
	} rows[] = {
		{ "", false },
		{ "plain", false },
		{ "caf\xC3\xA9 \xF0\x9F\x90\xBF", false },
		{ "\xC2\xA0", false },
		{ "a\tb", true },
		{ "a\n", true },
		{ "\x1b[31m", true },
		{ "\x7F", true },
		{ "\xC2\x80", true },
		{ "\xC2\x9B" "31m", true },
		{ "a bare C1 byte: \x9B" "31m", true },
		{ "another broken byte: \xFF", false },
		/* The bytes 80..9F inside a character are none. */
		{ "\xE2\x80\x9C", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++)
		if (ln_text_has_control(rows[i].in) != rows[i].want)
			fail_msg("row %zu", i);
}

static void
trims_ascii_white_space_only_at_the_ends(void **state)
{
	static const struct {
		const char *in;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ " \t\r\n\v\f", "" },
		{ " a b ", "a b" },
		{ "\r\na", "a" },
		{ "\xC2\xA0" "a", "\xC2\xA0" "a" },
	};
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(ln_text_trim(rows[i].in, &out, NULL), LN_OK);
		assert_string_equal(out, rows[i].want);
		ln_free(out);
	}
}

#define A16 "aaaaaaaaaaaaaaaa"
#define E8 "\xC3\x89\xC3\x89\xC3\x89\xC3\x89\xC3\x89\xC3\x89\xC3\x89\xC3\x89"
#define e8 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"

static void
tags_have_one_spelling(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		enum ln_status status;
		const char *want;
	} rows[] = {
		{ "as it is", "work", LN_OK, "work" },
		{ "lower case", "WORK", LN_OK, "work" },
		{ "also beyond ASCII", "\xC3\x84rger", LN_OK,
		    "\xC3\xA4rger" },
		{ "composed", "cafe\xCC\x81", LN_OK, "caf\xC3\xA9" },
		{ "trimmed", "  work\n", LN_OK, "work" },
		{ "spaces become one dash", "to   do", LN_OK, "to-do" },
		{ "no-break space too", "to\xC2\xA0" "do", LN_OK, "to-do" },
		{ "but not at the end", "do\xC2\xA0", LN_OK, "do" },
		{ "nor at the start", "\xE3\x80\x80" "do", LN_OK, "do" },
		{ "64 characters", A16 A16 A16 A16, LN_OK,
		    A16 A16 A16 A16 },
		{ "64 characters of two bytes", E8 E8 E8 E8 E8 E8 E8 E8,
		    LN_OK, e8 e8 e8 e8 e8 e8 e8 e8 },
		{ "65 characters", A16 A16 A16 A16 "a", LN_INVALID, NULL },
		{ "very long", A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16
		    A16 A16 A16 A16 A16 A16 A16 A16, LN_INVALID, NULL },
		{ "empty", "", LN_INVALID, NULL },
		{ "only spaces", " \xC2\xA0 ", LN_INVALID, NULL },
		{ "an inner tab", "a\tb", LN_INVALID, NULL },
		{ "an escape", "a\x1b", LN_INVALID, NULL },
		{ "not UTF-8", "a\xFF", LN_INVALID, NULL },
	};
	struct ln_error err;
	char *out, *again;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		if (ln_text_tag(rows[i].in, &out, &err) != rows[i].status)
			fail_msg("%s: status", rows[i].name);
		if (rows[i].want == NULL) {
			assert_null(out);
			assert_string_equal(err.field, "tag");
			continue;
		}
		if (strcmp(out, rows[i].want) != 0)
			fail_msg("%s: got \"%s\"", rows[i].name, out);
		assert_int_equal(ln_text_tag(out, &again, NULL), LN_OK);
		assert_string_equal(again, out);
		ln_free(out);
		ln_free(again);
	}
}

static void
nothing_reaches_a_terminal_that_drives_it(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "text", "plain", 5, "plain" },
		{ "newline and tab", "a\tb\n", 4, "a\tb\n" },
		{ "carriage return", "good\rbad", 8, "goodbad" },
		{ "colour", "\x1b[31mred", 8, "[31mred" },
		{ "title", "\x1b]0;x\x07", 6, "]0;x" },
		{ "NUL and backspace", "a\0\bb", 4, "ab" },
		{ "DEL", "a\x7F", 2, "a" },
		{ "CSI in UTF-8", "\xC2\x9B" "31m", 5, "31m" },
		{ "bare CSI", "\x9B" "31m", 4, "\xEF\xBF\xBD" "31m" },
		{ "right-to-left override", "a\xE2\x80\xAE" "b", 5, "ab" },
		{ "isolate", "\xE2\x81\xA6" "b\xE2\x81\xA9", 7, "b" },
		{ "mark", "a\xE2\x80\x8F" "b", 5, "a\xE2\x80\x8F" "b" },
		{ "cut character", "a\xE2\x82", 3, "a\xEF\xBF\xBD" },
		{ "nothing", "", 0, "" },
	};
	struct ln_buf b = LN_BUF_INIT(100);
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		ln_text_terminal(rows[i].in, rows[i].n, &b);
		assert_int_equal(ln_buf_status(&b), LN_OK);
		if (strcmp(ln_buf_str(&b), rows[i].want) != 0)
			fail_msg("%s: \"%s\"", rows[i].name, ln_buf_str(&b));
		ln_buf_clear(&b);
	}
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_look_alike_have_one_key),
		cmocka_unit_test(the_key_of_a_key_is_itself),
		cmocka_unit_test(sees_control_characters),
		cmocka_unit_test(trims_ascii_white_space_only_at_the_ends),
		cmocka_unit_test(tags_have_one_spelling),
		cmocka_unit_test(nothing_reaches_a_terminal_that_drives_it),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
