#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <ln/json.h>

#define FFFD "\xEF\xBF\xBD"

static void
assert_prints(struct ln_jw *w, const char *want)
{
	struct ln_buf b = LN_BUF_INIT(10000);
	struct ln_json *root;

	assert_int_equal(ln_jw_print(w, false, &b), LN_OK);
	assert_string_equal(ln_buf_str(&b), want);
	assert_int_equal(ln_json_parse(b.data, b.len, NULL, &root, NULL),
	    LN_OK);
	ln_json_free(root);
	ln_buf_free(&b);
	ln_jw_free(w);
}

static void
writes_in_the_order_of_the_calls(void **state)
{
	struct ln_jw *w = ln_jw_new();

	(void)state;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "s", "a \"quoted\" line\n\x01");
	ln_jw_string(w, "missing", NULL);
	ln_jw_stringn(w, "part", "abcdef", 3);
	ln_jw_stringn(w, "none", NULL, 0);
	ln_jw_bool(w, "yes", true);
	ln_jw_bool(w, "no", false);
	ln_jw_null(w, "null");
	ln_jw_array(w, "list");
	ln_jw_int(w, NULL, 1);
	ln_jw_object(w, NULL);
	ln_jw_end(w);
	ln_jw_array(w, NULL);
	ln_jw_end(w);
	ln_jw_end(w);
	ln_jw_time(w, "at", 1700000000084);
	ln_jw_time(w, "never", 0);
	ln_jw_end(w);
	assert_prints(w, "{\"s\":\"a \\\"quoted\\\" line\\n\\u0001\","
	    "\"missing\":null,\"part\":\"abc\",\"none\":null,\"yes\":true,"
	    "\"no\":false,\"null\":null,\"list\":[1,{},[]],"
	    "\"at\":\"2023-11-14T22:13:20.084Z\",\"never\":null}");
}

static void
numbers_keep_their_value(void **state)
{
	struct ln_jw *w = ln_jw_new();

	(void)state;
	ln_jw_array(w, NULL);
	ln_jw_int(w, NULL, 0);
	ln_jw_int(w, NULL, 1700000000084);
	ln_jw_int(w, NULL, INT64_MAX);
	ln_jw_int(w, NULL, INT64_MIN);
	ln_jw_number(w, NULL, 0.1);
	ln_jw_number(w, NULL, 2);
	ln_jw_number(w, NULL, 1.0 / 3);
	ln_jw_number(w, NULL, (double)NAN);
	ln_jw_number(w, NULL, (double)INFINITY);
	ln_jw_number(w, NULL, -(double)INFINITY);
	assert_prints(w, "[0,1700000000084,9223372036854775807,"
	    "-9223372036854775808,0.1,2,0.33333333333333331,null,null,null]");
}

static void
text_that_is_not_utf8_is_repaired(void **state)
{
	struct ln_jw *w = ln_jw_new();

	(void)state;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "a", "x\xFFy");
	ln_jw_stringn(w, "b", "x\0y", 3);
	ln_jw_stringn(w, "c", "\xE2\x82\xAC", 2);
	ln_jw_string(w, "k\xFF", "v");
	assert_prints(w, "{\"a\":\"x" FFFD "y\",\"b\":\"x" FFFD "y\","
	    "\"c\":\"" FFFD "\",\"k" FFFD "\":\"v\"}");
}

static void
a_parsed_node_is_copied_whole(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b\":\"\xC3\xA9\"}]}";
	struct ln_jw *w = ln_jw_new();
	struct ln_json *root;

	(void)state;
	assert_int_equal(ln_json_parse(text, sizeof(text) - 1, NULL, &root,
	    NULL), LN_OK);
	ln_jw_array(w, NULL);
	ln_jw_node(w, NULL, ln_json_get(root, "a"));
	ln_jw_node(w, NULL, NULL);
	ln_jw_object(w, NULL);
	ln_jw_node(w, "again", root);
	ln_json_free(root);
	assert_prints(w, "[[1,{\"b\":\"\xC3\xA9\"}],null,"
	    "{\"again\":{\"a\":[1,{\"b\":\"\xC3\xA9\"}]}}]");
}

static void
pretty_is_the_same_document(void **state)
{
	struct ln_buf plain = LN_BUF_INIT(1000), pretty = LN_BUF_INIT(1000);
	struct ln_jw *w = ln_jw_new(), *copy = ln_jw_new();
	struct ln_json *root;

	(void)state;
	ln_jw_object(w, NULL);
	ln_jw_array(w, "a");
	ln_jw_int(w, NULL, 1);
	assert_int_equal(ln_jw_print(w, true, &pretty), LN_OK);
	assert_non_null(strchr(pretty.data, '\n'));
	assert_int_equal(ln_json_parse(pretty.data, pretty.len, NULL, &root,
	    NULL), LN_OK);
	ln_jw_node(copy, NULL, root);
	assert_int_equal(ln_jw_print(copy, false, &plain), LN_OK);
	assert_string_equal(ln_buf_str(&plain), "{\"a\":[1]}");
	ln_json_free(root);
	ln_jw_free(w);
	ln_jw_free(copy);
	ln_buf_free(&plain);
	ln_buf_free(&pretty);
}

/* Each misuse is told at the end and writes nothing. */
static void
calls_that_make_no_document_are_an_internal_error(void **state)
{
	struct ln_buf b = LN_BUF_INIT(100);
	struct ln_jw *w;
	int misuse, i;

	(void)state;
	for (misuse = 0; misuse < 6; misuse++) {
		w = ln_jw_new();
		switch (misuse) {
		case 0:	/* a second root */
			ln_jw_null(w, NULL);
			ln_jw_null(w, NULL);
			break;
		case 1:	/* a named root */
			ln_jw_null(w, "a");
			break;
		case 2:	/* a member without a name */
			ln_jw_object(w, NULL);
			ln_jw_null(w, NULL);
			break;
		case 3:	/* an element with one */
			ln_jw_array(w, NULL);
			ln_jw_object(w, "a");
			break;
		case 4:	/* an end too many */
			ln_jw_array(w, NULL);
			ln_jw_end(w);
			ln_jw_end(w);
			break;
		default: /* too deep */
			for (i = 0; i < 65; i++)
				ln_jw_array(w, NULL);
			break;
		}
		if (ln_jw_print(w, false, &b) != LN_INTERNAL)
			fail_msg("misuse %d", misuse);
		assert_int_equal(b.len, 0);
		ln_jw_free(w);
	}
	/* Nothing is no document either. */
	w = ln_jw_new();
	assert_int_equal(ln_jw_print(w, false, &b), LN_INTERNAL);
	ln_jw_free(w);
	ln_buf_free(&b);
}

static void
without_memory_for_the_builder_only_the_end_complains(void **state)
{
	struct ln_buf b = LN_BUF_INIT(100);

	(void)state;
	ln_jw_object(NULL, NULL);
	ln_jw_string(NULL, "a", "b");
	ln_jw_end(NULL);
	assert_int_equal(ln_jw_print(NULL, false, &b), LN_NOMEM);
	ln_jw_free(NULL);
	ln_buf_free(&b);
}

static void
a_full_buffer_is_reported(void **state)
{
	struct ln_buf b = LN_BUF_INIT(3);
	struct ln_jw *w = ln_jw_new();

	(void)state;
	ln_jw_string(w, NULL, "abc");
	assert_int_equal(ln_jw_print(w, false, &b), LN_TOO_LARGE);
	ln_jw_free(w);
	ln_buf_free(&b);
}

static void
a_long_list_costs_no_square(void **state)
{
	struct ln_buf b = LN_BUF_INIT((size_t)1 << 24);
	struct ln_jw *w = ln_jw_new();
	clock_t start = clock();
	int i;

	(void)state;
	ln_jw_array(w, NULL);
	for (i = 0; i < 200000; i++)
		ln_jw_int(w, NULL, i);
	assert_int_equal(ln_jw_print(w, false, &b), LN_OK);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	ln_jw_free(w);
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_in_the_order_of_the_calls),
		cmocka_unit_test(numbers_keep_their_value),
		cmocka_unit_test(text_that_is_not_utf8_is_repaired),
		cmocka_unit_test(a_parsed_node_is_copied_whole),
		cmocka_unit_test(pretty_is_the_same_document),
		cmocka_unit_test(
		    calls_that_make_no_document_are_an_internal_error),
		cmocka_unit_test(
		    without_memory_for_the_builder_only_the_end_complains),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(a_long_list_costs_no_square),
	};

	return cmocka_run_group_tests_name("json writing", tests, NULL, NULL);
}
