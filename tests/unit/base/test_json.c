#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <ln/json.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* An input without NUL bytes and its length. */
#define TEXT(s) s, sizeof(s) - 1

/* The letter of RFC 8259, and of the security contract where it says less. */
static void
only_strict_json_passes_the_gate(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		enum ln_status status;
	} rows[] = {
		/* Whole texts. */
		{ TEXT("null"), LN_OK },
		{ TEXT("true"), LN_OK },
		{ TEXT("false"), LN_OK },
		{ TEXT("0"), LN_OK },
		{ TEXT("\"\""), LN_OK },
		{ TEXT("[]"), LN_OK },
		{ TEXT("{}"), LN_OK },
		{ TEXT(" \t\r\n[ 1 , 2 ] \n"), LN_OK },
		{ TEXT("{ \"a\" : { \"b\" : [ { } ] } , \"c\" : 1 }"), LN_OK },
		{ TEXT(""), LN_INVALID },
		{ TEXT(" "), LN_INVALID },
		{ TEXT("\xEF\xBB\xBF{}"), LN_INVALID },
		{ TEXT("{} {}"), LN_INVALID },
		{ TEXT("{}x"), LN_INVALID },
		{ TEXT("{}\0"), LN_INVALID },
		{ TEXT("\0{}"), LN_INVALID },
		{ TEXT("[1]]"), LN_INVALID },
		{ TEXT("1 2"), LN_INVALID },
		/* Space is four characters, not all below 0x21. */
		{ TEXT("\x01[]"), LN_INVALID },
		{ TEXT("[\x0B]"), LN_INVALID },
		{ TEXT("[1\x0C]"), LN_INVALID },
		{ TEXT("{\"a\":\x1F" "1}"), LN_INVALID },
		{ TEXT("[]\xC2\xA0"), LN_INVALID },
		/* Words. */
		{ TEXT("nul"), LN_INVALID },
		{ TEXT("nullx"), LN_INVALID },
		{ TEXT("True"), LN_INVALID },
		{ TEXT("NaN"), LN_INVALID },
		{ TEXT("Infinity"), LN_INVALID },
		{ TEXT("-Infinity"), LN_INVALID },
		{ TEXT("undefined"), LN_INVALID },
		{ TEXT("[truefalse]"), LN_INVALID },
		/* Containers. */
		{ TEXT("["), LN_INVALID },
		{ TEXT("]"), LN_INVALID },
		{ TEXT("[1"), LN_INVALID },
		{ TEXT("[1 "), LN_INVALID },
		{ TEXT("[1,]"), LN_INVALID },
		{ TEXT("[,1]"), LN_INVALID },
		{ TEXT("[1,,2]"), LN_INVALID },
		{ TEXT("[1 2]"), LN_INVALID },
		{ TEXT("[1}"), LN_INVALID },
		{ TEXT("{\"a\":1]"), LN_INVALID },
		{ TEXT("{"), LN_INVALID },
		{ TEXT("{\"a\""), LN_INVALID },
		{ TEXT("{\"a\":"), LN_INVALID },
		{ TEXT("{\"a\"}"), LN_INVALID },
		{ TEXT("{\"a\" 1}"), LN_INVALID },
		{ TEXT("{\"a\":1,}"), LN_INVALID },
		{ TEXT("{,\"a\":1}"), LN_INVALID },
		{ TEXT("{a:1}"), LN_INVALID },
		{ TEXT("{1:1}"), LN_INVALID },
		{ TEXT("{'a':1}"), LN_INVALID },
		{ TEXT("{\"a\"::1}"), LN_INVALID },
		{ TEXT("{\"a\":1 \"b\":2}"), LN_INVALID },
		{ TEXT("[1] // comment"), LN_INVALID },
		{ TEXT("/* comment */ [1]"), LN_INVALID },
		/* Numbers. */
		{ TEXT("-0"), LN_OK },
		{ TEXT("10.25"), LN_OK },
		{ TEXT("1e5"), LN_OK },
		{ TEXT("1E+5"), LN_OK },
		{ TEXT("1.5e-5"), LN_OK },
		{ TEXT("1e-999"), LN_OK },
		{ TEXT("1.7976931348623157e308"), LN_OK },
		{ TEXT("12345678901234567890123456789012345678901234567890"
		    "1234567890123"), LN_OK },
		{ TEXT("12345678901234567890123456789012345678901234567890"
		    "12345678901234"), LN_INVALID },
		{ TEXT("-"), LN_INVALID },
		{ TEXT("+1"), LN_INVALID },
		{ TEXT("--1"), LN_INVALID },
		{ TEXT("01"), LN_INVALID },
		{ TEXT("-01"), LN_INVALID },
		{ TEXT("00"), LN_INVALID },
		{ TEXT(".5"), LN_INVALID },
		{ TEXT("1."), LN_INVALID },
		{ TEXT("[1.]"), LN_INVALID },
		{ TEXT("1.e5"), LN_INVALID },
		{ TEXT("1e"), LN_INVALID },
		{ TEXT("1e+"), LN_INVALID },
		{ TEXT("1e5.5"), LN_INVALID },
		{ TEXT("1-2"), LN_INVALID },
		{ TEXT("1e5e5"), LN_INVALID },
		{ TEXT("0x10"), LN_INVALID },
		{ TEXT("1_000"), LN_INVALID },
		{ TEXT("1e999"), LN_INVALID },
		{ TEXT("[-1e999]"), LN_INVALID },
		{ TEXT("1.8e308"), LN_INVALID },
		{ TEXT("\xD9\xA1"), LN_INVALID },	/* Arabic digit one */
		/* Strings. */
		{ TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""), LN_OK },
		{ TEXT("\"\\ud83d\\udc3f \\uD83D\\uDC3F\""), LN_OK },
		{ TEXT("\"\\uFFFF\""), LN_OK },
		{ TEXT("\"\x7F\xC2\x80\""), LN_OK },
		{ TEXT("\"\xF0\x9F\x90\xBF\""), LN_OK },
		{ TEXT("\""), LN_INVALID },
		{ TEXT("\"a"), LN_INVALID },
		{ TEXT("\"a\\"), LN_INVALID },
		{ TEXT("\"a\\\""), LN_INVALID },
		{ TEXT("'a'"), LN_INVALID },
		{ TEXT("\"a\nb\""), LN_INVALID },
		{ TEXT("\"a\tb\""), LN_INVALID },
		{ TEXT("\"a\0b\""), LN_INVALID },
		{ TEXT("\"\x1F\""), LN_INVALID },
		{ TEXT("\"\\a\""), LN_INVALID },
		{ TEXT("\"\\v\""), LN_INVALID },
		{ TEXT("\"\\'\""), LN_INVALID },
		{ TEXT("\"\\x41\""), LN_INVALID },
		{ TEXT("\"\\U0041\""), LN_INVALID },
		{ TEXT("\"\\\0\""), LN_INVALID },
		{ TEXT("\"\\u\""), LN_INVALID },
		{ TEXT("\"\\u004\""), LN_INVALID },
		{ TEXT("\"\\u004"), LN_INVALID },
		{ TEXT("\"\\u00g1\""), LN_INVALID },
		{ TEXT("\"\\u-041\""), LN_INVALID },
		{ TEXT("\"\\u0000\""), LN_INVALID },
		{ TEXT("{\"\\u0000\":1}"), LN_INVALID },
		{ TEXT("\"\\ud83d\""), LN_INVALID },
		{ TEXT("\"\\udc3f\""), LN_INVALID },
		{ TEXT("\"\\udc3f\\ud83d\""), LN_INVALID },
		{ TEXT("\"\\ud83d\\ud83d\""), LN_INVALID },
		{ TEXT("\"\\ud83d\\u0041\""), LN_INVALID },
		{ TEXT("\"\\ud83dx\""), LN_INVALID },
		{ TEXT("\"\\ud83d\\n\""), LN_INVALID },
		/* Encoding. */
		{ TEXT("\"\xFF\""), LN_INVALID },
		{ TEXT("\"\xC0\xAF\""), LN_INVALID },
		{ TEXT("\"\xED\xA0\x80\""), LN_INVALID },
		{ TEXT("\"\xF4\x90\x80\x80\""), LN_INVALID },
		{ TEXT("\"\xE2\x82\""), LN_INVALID },
		{ TEXT("{\"\xFF\":1}"), LN_INVALID },
		{ TEXT("[\0\"\0a\0\"\0]"), LN_INVALID },	/* UTF-16 */
		/* Names. */
		{ TEXT("{\"\":1}"), LN_OK },
		{ TEXT("{\"a\":1,\"A\":2}"), LN_OK },
		{ TEXT("[{\"a\":1},{\"a\":2}]"), LN_OK },
		{ TEXT("{\"a\":1,\"a\":1}"), LN_INVALID },
		{ TEXT("{\"\":1,\"\":2}"), LN_INVALID },
		{ TEXT("{\"a\":1,\"b\":2,\"\\u0061\":3}"), LN_INVALID },
		{ TEXT("[[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]]"), LN_INVALID },
	};
	struct ln_error err;
	struct ln_json *root;
	char *exact;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		/* Without a NUL behind: a sanitizer sees a read too far. */
		exact = malloc(rows[i].n > 0 ? rows[i].n : 1);
		assert_non_null(exact);
		memcpy(exact, rows[i].in, rows[i].n);
		if (ln_json_parse(exact, rows[i].n, NULL, &root, &err) !=
		    rows[i].status)
			fail_msg("%zu: %s", i, rows[i].in);
		assert_true((root != NULL) == (rows[i].status == LN_OK));
		if (rows[i].status != LN_OK)
			assert_string_equal(err.text, "Invalid JSON");
		ln_json_free(root);
		free(exact);
	}
}

/* ${count} times ${unit}, then ${middle}, then ${count} times ${end}. */
static char *
nest(size_t count, const char *unit, const char *middle, const char *end)
{
	struct ln_buf b = LN_BUF_INIT((size_t)1 << 24);
	char *text;
	size_t i;

	for (i = 0; i < count; i++)
		ln_buf_puts(&b, unit);
	ln_buf_puts(&b, middle);
	for (i = 0; i < count; i++)
		ln_buf_puts(&b, end);
	text = ln_buf_steal(&b);
	assert_non_null(text);
	return text;
}

static void
depth_and_count_are_bounded(void **state)
{
	static const struct {
		const char *name;
		size_t count;
		const char *unit, *middle, *end;
		struct ln_json_opts opts;
		enum ln_status status;
	} rows[] = {
		{ "32 arrays", 32, "[", "", "]", { .size = 0 }, LN_OK },
		{ "33 arrays", 33, "[", "", "]", { .size = 0 },
		    LN_TOO_LARGE },
		{ "32 objects", 32, "{\"a\":", "0", "}", { .size = 0 },
		    LN_OK },
		{ "33 objects", 33, "{\"a\":", "0", "}", { .size = 0 },
		    LN_TOO_LARGE },
		{ "a million brackets", 1000000, "[", "", "", { .size = 0 },
		    LN_TOO_LARGE },
		{ "three, bounded to two", 3, "[", "", "]",
		    { .depth_max = 2 }, LN_TOO_LARGE },
		{ "a thousand, if asked", 1000, "[", "", "]",
		    { .depth_max = 1000 }, LN_OK },
		{ "never more than a thousand", 1001, "[", "", "]",
		    { .depth_max = SIZE_MAX }, LN_TOO_LARGE },
		{ "9,999 elements and their array", 9998, "", "[0", ",0",
		    { .size = 0 }, LN_OK },
		{ "10,000 elements and their array", 9999, "", "[0", ",0",
		    { .size = 0 }, LN_TOO_LARGE },
		{ "more, if asked", 20000, "", "[0", ",0",
		    { .values_max = 20002 }, LN_OK },
		{ "but no more than that", 20000, "", "[0", ",0",
		    { .values_max = 20001 }, LN_TOO_LARGE },
	};
	struct ln_json *root;
	char *text, *whole;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		text = nest(rows[i].count, rows[i].unit, rows[i].middle,
		    rows[i].end);
		whole = nest(1, text, "", rows[i].middle[0] == '[' ? "]" : "");
		if (ln_json_parse(whole, strlen(whole), &rows[i].opts, &root,
		    NULL) != rows[i].status)
			fail_msg("%s", rows[i].name);
		assert_true((root != NULL) == (rows[i].status == LN_OK));
		ln_json_free(root);
		ln_free(text);
		ln_free(whole);
	}
}

/* Their square would be 10^10 comparisons. */
static void
many_members_cost_no_square(void **state)
{
	struct ln_buf b = LN_BUF_INIT((size_t)1 << 24);
	const struct ln_json_opts opts = { .values_max = 200000 };
	struct ln_json *root;
	clock_t start;
	int i;

	(void)state;
	ln_buf_puts(&b, "{\"0\":0");
	for (i = 1; i < 100000; i++)
		ln_buf_printf(&b, ",\"%d\":0", i);
	ln_buf_puts(&b, "}");
	assert_int_equal(ln_buf_status(&b), LN_OK);
	start = clock();
	assert_int_equal(ln_json_parse(b.data, b.len, &opts, &root, NULL),
	    LN_OK);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	assert_int_equal(ln_json_count(root), 100000);
	ln_json_free(root);
	b.data[b.len - 1] = ',';
	ln_buf_puts(&b, "\"0\":0}");
	assert_int_equal(ln_json_parse(b.data, b.len, &opts, &root, NULL),
	    LN_INVALID);
	ln_buf_free(&b);
}

static void
of_allowed_duplicates_the_first_wins(void **state)
{
	static const char text[] = "{\"a\":1,\"b\":2,\"a\":[3],\"c\":4,"
	    "\"a\":5,\"c\":6}";
	const struct ln_json_opts opts = { .allow_duplicates = true };
	static const char *const names[] = { "a", "b", "c" };
	static const int64_t values[] = { 1, 2, 4 };
	const struct ln_json *child;
	struct ln_json *root;
	int64_t value;
	size_t i = 0;

	(void)state;
	assert_int_equal(ln_json_parse(text, sizeof(text) - 1, &opts, &root,
	    NULL), LN_OK);
	for (child = ln_json_first(root); child != NULL;
	    child = ln_json_next(child), i++) {
		assert_true(i < NITEMS(names));
		assert_string_equal(ln_json_name(child), names[i]);
		assert_true(ln_json_int(child, &value));
		assert_int_equal(value, values[i]);
	}
	assert_int_equal(i, NITEMS(names));
	ln_json_free(root);
}

static void
whole_numbers_are_exact_or_refused(void **state)
{
	static const struct {
		const char *in;
		bool is_int;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "1.0", true, 1 },
		{ "1e3", true, 1000 },
		{ "-42", true, -42 },
		{ "9007199254740991", true, 9007199254740991 },
		{ "-9007199254740991", true, -9007199254740991 },
		{ "9007199254740992", false, 0 },
		{ "9007199254740993", false, 0 },
		{ "-9007199254740993", false, 0 },
		{ "9223372036854775808", false, 0 },
		{ "1e300", false, 0 },
		{ "0.5", false, 0 },
		{ "-1e-300", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
		{ "null", false, 0 },
		{ "[1]", false, 0 },
	};
	struct ln_json *root;
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(ln_json_parse(rows[i].in, strlen(rows[i].in),
		    NULL, &root, NULL), LN_OK);
		if (ln_json_int(root, &value) != rows[i].is_int ||
		    value != rows[i].want)
			fail_msg("%s: %lld", rows[i].in, (long long)value);
		ln_json_free(root);
	}
}

static void
values_are_read_by_their_type_only(void **state)
{
	static const char text[] = "{\"s\":\"\\u00e9\\ud83d\\udc3f\","
	    "\"t\":true,\"f\":false,\"n\":1.5,\"z\":null,\"a\":[1,2],"
	    "\"o\":{\"x\":\"y\"},\"S\":\"other\"}";
	static const struct {
		const char *name;
		enum ln_json_type type;
		size_t count;
	} rows[] = {
		{ "s", LN_JSON_STRING, 0 },
		{ "t", LN_JSON_BOOL, 0 },
		{ "f", LN_JSON_BOOL, 0 },
		{ "n", LN_JSON_NUMBER, 0 },
		{ "z", LN_JSON_NULL, 0 },
		{ "a", LN_JSON_ARRAY, 2 },
		{ "o", LN_JSON_OBJECT, 1 },
	};
	const struct ln_json *n;
	struct ln_json *root;
	double number;
	bool truth;
	size_t i;

	(void)state;
	assert_int_equal(ln_json_parse(text, sizeof(text) - 1, NULL, &root,
	    NULL), LN_OK);
	for (i = 0; i < NITEMS(rows); i++) {
		n = ln_json_get(root, rows[i].name);
		assert_non_null(n);
		assert_int_equal(ln_json_type(n), rows[i].type);
		assert_int_equal(ln_json_count(n), rows[i].count);
		assert_true((ln_json_string(n) != NULL) ==
		    (rows[i].type == LN_JSON_STRING));
		assert_true(ln_json_bool(n, &truth) ==
		    (rows[i].type == LN_JSON_BOOL));
		assert_true(truth == (strcmp(rows[i].name, "t") == 0));
		assert_true(ln_json_number(n, &number) ==
		    (rows[i].type == LN_JSON_NUMBER));
	}
	assert_string_equal(ln_json_get_string(root, "s"),
	    "\xC3\xA9\xF0\x9F\x90\xBF");
	assert_string_equal(ln_json_get_string(root, "S"), "other");
	assert_string_equal(ln_json_get_string(ln_json_get(root, "o"), "x"),
	    "y");
	assert_null(ln_json_get_string(root, "n"));
	assert_null(ln_json_get(root, "x"));
	assert_null(ln_json_get(root, "T"));
	assert_null(ln_json_get(ln_json_get(root, "a"), "x"));
	assert_null(ln_json_get(ln_json_get(root, "s"), "x"));
	assert_null(ln_json_name(root));
	assert_null(ln_json_next(root));
	ln_json_free(root);
}

static void
looking_into_nothing_finds_nothing(void **state)
{
	double number = 1;
	int64_t whole = 1;
	bool truth = true;

	(void)state;
	assert_int_equal(ln_json_type(NULL), LN_JSON_NULL);
	assert_null(ln_json_get(NULL, "a"));
	assert_null(ln_json_get_string(NULL, "a"));
	assert_null(ln_json_string(NULL));
	assert_false(ln_json_bool(NULL, &truth));
	assert_false(truth);
	assert_false(ln_json_number(NULL, &number));
	assert_true(number == 0);
	assert_false(ln_json_int(NULL, &whole));
	assert_int_equal(whole, 0);
	assert_int_equal(ln_json_count(NULL), 0);
	assert_null(ln_json_first(NULL));
	assert_null(ln_json_next(NULL));
	assert_null(ln_json_name(NULL));
	ln_json_free(NULL);
}

/* A fixed linear congruence: the same inputs in every run. */
static uint32_t
next_number(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* The text ${root} prints as, yours. */
static char *
print(const struct ln_json *root)
{
	struct ln_buf b = LN_BUF_INIT((size_t)1 << 20);
	struct ln_jw *w = ln_jw_new();

	ln_jw_node(w, NULL, root);
	assert_int_equal(ln_jw_print(w, false, &b), LN_OK);
	ln_jw_free(w);
	return ln_buf_steal(&b);
}

/*
 * Damaged documents: what passes the gate is JSON to a second reader too, and
 * comes back the same when it is printed and read again.
 */
static void
what_passes_means_the_same_to_others(void **state)
{
	static const char *const seeds[] = {
		"{\"a\":[1,-2.5e+3,true,null],\"b\":{\"c\":\"x\\n\"},\"d\":0}",
		"[\"\\ud83d\\udc3f\\u00e9\",\"\xC3\xA9\",{\"\":[]},[[[1]]]]",
		" { \"num\" : 1234567890.0625 , \"t\" : [ false , \"\" ] } ",
		"[0,-0,0.1,1e5,1E-5,123,\"0\",\"\\\\\",\"\\/\",\"\\\"\"]",
	};
	static const char bytes[] = "{}[]\",:\\/ \t\n0123456789+-.eEtfnu"
	    "\x01\x1F\x7F\x80\xC3\xED\xA0\xFF";
	struct ln_json *root, *again;
	char in[128], *once, *twice;
	sqlite3_stmt *judge;
	sqlite3 *db;
	uint32_t seed = 20261124;
	size_t n, i, at, changes, accepted = 0;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1,
	    &judge, NULL), SQLITE_OK);
	for (i = 0; i < 40000; i++) {
		n = strlen(seeds[i % NITEMS(seeds)]);
		memcpy(in, seeds[i % NITEMS(seeds)], n);
		for (changes = 1 + next_number(&seed) % 3; changes > 0;
		    changes--) {
			at = next_number(&seed) % n;
			if (next_number(&seed) % 4 == 0) {
				memmove(in + at, in + at + 1, n - at - 1);
				n--;
			} else
				in[at] = bytes[next_number(&seed) %
				    sizeof(bytes)];
		}
		if (ln_json_parse(in, n, NULL, &root, NULL) != LN_OK)
			continue;
		accepted++;
		assert_int_equal(sqlite3_bind_text(judge, 1, in, (int)n,
		    SQLITE_STATIC), SQLITE_OK);
		assert_int_equal(sqlite3_step(judge), SQLITE_ROW);
		if (sqlite3_column_int(judge, 0) != 1)
			fail_msg("not JSON: %.*s", (int)n, in);
		assert_int_equal(sqlite3_reset(judge), SQLITE_OK);
		once = print(root);
		assert_int_equal(ln_json_parse(once, strlen(once), NULL,
		    &again, NULL), LN_OK);
		twice = print(again);
		assert_string_equal(once, twice);
		ln_json_free(root);
		ln_json_free(again);
		ln_free(once);
		ln_free(twice);
	}
	/* Enough got through for this to mean something. */
	assert_true(accepted > 1000);
	assert_true(accepted < 39000);
	(void)sqlite3_finalize(judge);
	(void)sqlite3_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_strict_json_passes_the_gate),
		cmocka_unit_test(depth_and_count_are_bounded),
		cmocka_unit_test(many_members_cost_no_square),
		cmocka_unit_test(of_allowed_duplicates_the_first_wins),
		cmocka_unit_test(whole_numbers_are_exact_or_refused),
		cmocka_unit_test(values_are_read_by_their_type_only),
		cmocka_unit_test(looking_into_nothing_finds_nothing),
		cmocka_unit_test(what_passes_means_the_same_to_others),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
