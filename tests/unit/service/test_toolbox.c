/* What a turn offers to the model, and what a call gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/json.h>
#include <ln/tool.h>

#include "service/talk.h"
#include "service/toolbox.h"

/* Call ${name} and give back the status; what came is in ${t}->text. */
static enum ln_status
call(struct talk *t, const char *name, const char *arguments,
    struct ln_error *err)
{
	struct lni_toolbox *box = NULL;
	enum ln_status s;

	ln_buf_clear(&t->text);
	*err = (struct ln_error)LN_ERROR_INIT;
	assert_int_equal(lni_toolbox_open(t->st, t->cfg, "ann", &box, err),
	    LN_OK);
	s = lni_toolbox_run(box, t->st, name, arguments, NULL, &t->text, err);
	lni_toolbox_free(box);
	return s;
}

static void
offers(struct talk *t, const char *name, bool is_offered)
{
	const struct ln_llm_tool *tools;
	struct lni_toolbox *box = NULL;
	bool is_there = false;
	size_t n, i;

	assert_int_equal(lni_toolbox_open(t->st, t->cfg, "ann", &box, NULL),
	    LN_OK);
	tools = lni_toolbox_tools(box, &n);
	for (i = 0; i < n; i++)
		is_there |= strcmp(tools[i].name, name) == 0;
	lni_toolbox_free(box);
	assert_true(is_there == is_offered);
}

static void
current_time_tells_date_time_and_zone(void **state)
{
	static const char *const names[] = { "zone", "utc_offset", "date",
		"time", "weekday", "rfc3339", "utc" };
	struct ln_json *root = NULL;
	struct ln_error err;
	size_t i;

	offers(*state, "current_time", true);
	assert_int_equal(call(*state, "current_time",
	    "{\"zone\":\"Asia/Kolkata\"}", &err), LN_OK);
	assert_int_equal(ln_json_parse(((struct talk *)*state)->text.data,
	    ((struct talk *)*state)->text.len, NULL, &root, NULL), LN_OK);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(ln_json_get_string(root, names[i]));
	assert_string_equal(ln_json_get_string(root, "zone"), "Asia/Kolkata");
	assert_string_equal(ln_json_get_string(root, "utc_offset"), "+05:30");
	assert_int_equal(strlen(ln_json_get_string(root, "rfc3339")), 25);
	ln_json_free(root);
	assert_int_equal(call(*state, "current_time", "", &err), LN_OK);
	assert_int_equal(call(*state, "current_time", "{\"zone\":\"\"}", &err),
	    LN_OK);
}

static void
current_time_does_not_guess_a_zone(void **state)
{
	struct ln_error err;

	assert_int_equal(call(*state, "current_time",
	    "{\"zone\":\"Atlantis\"}", &err), LN_INVALID);
	assert_string_equal(err.field, "zone");
}

static void
what_is_no_call(void **state)
{
	struct ln_error err;

	assert_int_equal(call(*state, "launch", "{}", &err), LN_NOT_FOUND);
	assert_int_equal(call(*state, "current_time", "[]", &err), LN_INVALID);
	assert_int_equal(call(*state, "current_time", "{", &err), LN_INVALID);
}

static void
arguments_that_do_not_fit_are_named(void **state)
{
	struct talk *t = *state;
	struct ln_error err;

	assert_int_equal(call(t, "current_time", "{\"zone\":5}", &err),
	    LN_INVALID);
	assert_string_equal(ln_buf_str(&t->text), "/zone: must be a string");
	assert_int_equal(call(t, "current_time", "{\"place\":\"x\"}", &err),
	    LN_INVALID);
	assert_string_equal(ln_buf_str(&t->text), "/place: is not allowed");
}

static void
configure(struct talk *t, const char *name, const char *value)
{
	assert_int_equal(ln_config_set(t->cfg, name, value, NULL), LN_OK);
}

/* Nothing leaves the machine and no file is read unless somebody says so. */
static void
search_and_files_are_off_by_default(void **state)
{
	struct talk *t = *state;
	struct ln_search_list list;
	struct ln_tool_file file;

	offers(t, "web_search", false);
	offers(t, "read_file", false);
	assert_int_equal(ln_tool_web_search(t->cfg, "x", NULL, &list, NULL),
	    LN_UNSUPPORTED);
	assert_int_equal(ln_tool_read_file(t->cfg, "x", &file, NULL),
	    LN_UNSUPPORTED);
	configure(t, "LOCALNEURAL_SEARCH", "searxng");
	offers(t, "web_search", false);		/* where? */
	configure(t, "LOCALNEURAL_SEARCH", "altavista");
	offers(t, "web_search", false);
	configure(t, "LOCALNEURAL_SEARCH", "duckduckgo");
	offers(t, "web_search", true);
	configure(t, "LOCALNEURAL_READ_FOLDERS", "relative/folder::");
	offers(t, "read_file", false);
}

static void
what_is_switched_off_is_not_offered(void **state)
{
	static const bool no = false;
	struct talk *t = *state;
	struct ln_tool_change c = { .size = sizeof(c), .is_enabled = &no };

	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", "current_time",
	    &c, NULL, NULL), LN_OK);
	offers(t, "current_time", false);
}

static void
a_tool_without_an_endpoint_says_so(void **state)
{
	struct talk *t = *state;
	struct ln_error err;

	place_exec(t->st, "INSERT INTO tool(id, user_id, name, description,"
	    " definition, created_ms) VALUES ('7', 'ann', 'My calculator',"
	    " 'adds', '{\"type\":\"function\",\"function\":{\"name\":\"calc\","
	    "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":"
	    "{\"type\":\"string\",\"pattern\":\"x\"}}}}}', 1)");
	offers(t, "calc", true);
	assert_int_equal(call(t, "calc", "{\"a\":\"1\"}", &err),
	    LN_UNSUPPORTED);
	assert_true(strncmp(err.text, "This tool has no endpoint:", 26) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, talk_setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(current_time_tells_date_time_and_zone),
		TEST(current_time_does_not_guess_a_zone),
		TEST(what_is_no_call),
		TEST(arguments_that_do_not_fit_are_named),
		TEST(search_and_files_are_off_by_default),
		TEST(what_is_switched_off_is_not_offered),
		TEST(a_tool_without_an_endpoint_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
