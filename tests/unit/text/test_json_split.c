/* Large JSON taken apart, however its bytes arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/json_split.h"

#define ELEMENT_MAX 12

static enum ln_status
note(void *arg, const struct lni_json_part *part)
{
	ln_buf_printf(arg, "%s%s%s|", part->member != NULL ? part->member : "",
	    part->is_listed ? "+" : "=",
	    part->text != NULL ? part->text : "(too large)");
	return part->text != NULL && strcmp(part->text, "\"stop\"") == 0 ?
	    LN_CANCELLED : LN_OK;
}

static const struct {
	const char *name;
	const char *text;
	enum ln_status status;
	const char *parts;
} cases[] = {
	{ "empty array", " [ ] ", LN_OK, "" },
	{ "empty object", "{}", LN_OK, "" },
	{ "array", "[1,{\"a\":[2]} , \"x,]\"]", LN_OK,
	    "+1|+{\"a\":[2]} |+\"x,]\"|" },
	{ "object", "{\"v\":1,\"l\":[1,[2]],\"o\":{\"a\":[]},\"e\":[]}", LN_OK,
	    "v=1|l+1|l+[2]|o={\"a\":[]}|" },
	{ "a string with quotes", "[\"a\\\"],b\\\\\",2]", LN_OK,
	    "+\"a\\\"],b\\\\\"|+2|" },
	{ "a name with a quote", "{\"a\\\"b\":1}", LN_OK, "a\\\"b=1|" },
	{ "a large element", "[\"1234567890123\",2]", LN_OK,
	    "+(too large)|+2|" },
	{ "an element of just the size", "[\"1234567890\"]", LN_OK,
	    "+\"1234567890\"|" },
	{ "stopped by its reader", "[\"stop\",2]", LN_CANCELLED,
	    "+\"stop\"|" },
	{ "nothing", "", LN_INVALID, "" },
	{ "only space", " \n", LN_INVALID, "" },
	{ "a value", "12", LN_INVALID, "" },
	{ "cut in an element", "[1,2", LN_INVALID, "+1|" },
	{ "cut in a string", "[\"a", LN_INVALID, "" },
	{ "cut behind a list", "{\"a\":[1]", LN_INVALID, "a+1|" },
	{ "more behind the end", "[] []", LN_INVALID, "" },
	{ "a comma too many", "[1,]", LN_INVALID, "+1|" },
	{ "a comma too early", "[,1]", LN_INVALID, "" },
	{ "no colon", "{\"a\" 1}", LN_INVALID, "" },
	{ "no value", "{\"a\":}", LN_INVALID, "" },
	{ "no name", "{1:2}", LN_INVALID, "" },
	{ "closed by the wrong bracket", "[1}", LN_INVALID, "+1|" },
	{ "a list closed by the wrong one", "{\"a\":[1}}", LN_INVALID,
	    "a+1|" },
};

static enum ln_status
split(const char *text, size_t step, struct ln_buf *log)
{
	size_t at, n = strlen(text), take;
	struct lni_json_split p;
	enum ln_status s = LN_OK;

	lni_json_split_init(&p, ELEMENT_MAX, note, log);
	for (at = 0; at < n && s == LN_OK; at += take) {
		take = n - at < step ? n - at : step;
		s = lni_json_split_feed(&p, text + at, take);
	}
	if (s == LN_OK)
		s = lni_json_split_end(&p);
	lni_json_split_free(&p);
	return s;
}

static void
parts_come_the_same_however_the_bytes_arrive(void **state)
{
	struct ln_buf log = LN_BUF_INIT(1000);
	size_t i, step;
	enum ln_status s;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (step = 1; step < 40; step++) {
			ln_buf_clear(&log);
			s = split(cases[i].text, step, &log);
			if (s != cases[i].status ||
			    strcmp(ln_buf_str(&log), cases[i].parts) != 0)
				fail_msg("%s, %zu at a time: %s: %s",
				    cases[i].name, step, ln_status_token(s),
				    ln_buf_str(&log));
		}
	}
	ln_buf_free(&log);
}

/* No depth is too much for what only counts it. */
static void
a_million_brackets_need_no_stack(void **state)
{
	struct ln_buf log = LN_BUF_INIT(1000);
	size_t n = 1000000;
	char *text;

	(void)state;
	assert_non_null(text = malloc(n + 1));
	memset(text, '[', n);
	text[n] = '\0';
	assert_int_equal(split(text, n, &log), LN_INVALID);
	memset(text + n / 2, ']', n / 2);
	assert_int_equal(split(text, n, &log), LN_OK);
	assert_string_equal(ln_buf_str(&log), "+(too large)|");
	free(text);
	ln_buf_free(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_come_the_same_however_the_bytes_arrive),
		cmocka_unit_test(a_million_brackets_need_no_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
