#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/json.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    current_time_tells_date_time_and_zone, talk_setup,
		    talk_teardown),
		cmocka_unit_test_setup_teardown(
		    current_time_does_not_guess_a_zone, talk_setup,
		    talk_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_call, talk_setup,
		    talk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
