#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/schema.h>

/* "ok", or the token of the status and the problem. */
static void
verdict(const char *schema, const char *value, char *out, size_t outsize)
{
	struct ln_buf problem = LN_BUF_INIT(LN_SCHEMA_PROBLEM_MAX);
	struct ln_schema *s = NULL;
	struct ln_json *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status st;

	if (ln_schema_parse(schema, strlen(schema), &problem, &s, &err) !=
	    LN_OK)
		fail_msg("%s: %s", schema, ln_buf_str(&problem));
	assert_int_equal(ln_json_parse(value, strlen(value), NULL, &v, NULL),
	    LN_OK);
	st = ln_schema_check(s, v, &problem, &err);
	if (st == LN_OK)
		snprintf(out, outsize, "ok");
	else if (st == LN_INVALID)
		snprintf(out, outsize, "%s", ln_buf_str(&problem));
	else
		snprintf(out, outsize, "%s", ln_status_token(st));
	/* Nobody has to want to know. */
	assert_int_equal(ln_schema_check(s, v, NULL, NULL), st);
	ln_json_free(v);
	ln_schema_free(s);
	ln_buf_free(&problem);
}

static void
what_fits(void **state)
{
	static const struct {
		const char *schema, *value, *want;
	} rows[] = {
		{ "true", "1", "ok" },
		{ "{}", "[null]", "ok" },
		{ "false", "1", "/: is not allowed" },
		{ "{\"type\":\"string\"}", "\"a\"", "ok" },
		{ "{\"type\":\"string\"}", "1", "/: must be a string" },
		{ "{\"type\":\"boolean\"}", "1",
		    "/: must be true or false" },
		{ "{\"type\":[\"string\",\"null\"]}", "null", "ok" },
		{ "{\"type\":[\"string\",\"null\"]}", "[]",
		    "/: must be a string or null" },
		{ "{\"type\":\"integer\"}", "2.0", "ok" },
		{ "{\"type\":\"integer\"}", "2.5",
		    "/: must be a whole number" },
		{ "{\"type\":\"number\"}", "2.5", "ok" },
		{ "{\"type\":\"array\"}", "{}", "/: must be a list" },
		{ "{\"type\":\"object\"}", "[]", "/: must be an object" },
		{ "{\"const\":{\"a\":[1,2]}}", "{\"a\":[1,2.0]}", "ok" },
		{ "{\"const\":{\"a\":[1,2]}}", "{\"a\":[1,3]}",
		    "/: must be {\"a\":[1,2]}" },
		{ "{\"const\":null}", "false", "/: must be null" },
		{ "{\"enum\":[\"a\",1]}", "1", "ok" },
		{ "{\"enum\":[\"a\",1]}", "true",
		    "/: must be one of [\"a\",1]" },
		{ "{\"minimum\":3}", "3", "ok" },
		{ "{\"minimum\":3}", "2", "/: must be at least 3" },
		{ "{\"minimum\":3}", "\"2\"", "ok" },
		{ "{\"maximum\":0.5}", "1", "/: must be at most 0.5" },
		{ "{\"exclusiveMinimum\":3}", "3",
		    "/: must be more than 3" },
		{ "{\"exclusiveMaximum\":3}", "3",
		    "/: must be less than 3" },
		{ "{\"minLength\":2}", "\"\xc3\xa9\"",
		    "/: must have at least 2 characters" },
		{ "{\"maxLength\":1}", "\"\xc3\xa9\"", "ok" },
		{ "{\"maxLength\":1}", "\"ab\"",
		    "/: must have at most 1 character" },
		{ "{\"minItems\":1}", "[]",
		    "/: must have at least 1 value" },
		{ "{\"maxItems\":2}", "[1,2,3]",
		    "/: must have at most 2 values" },
		{ "{\"uniqueItems\":true}", "[1,\"1\",[1]]", "ok" },
		{ "{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},"
		    "{\"b\":2,\"a\":1}]", "/: must not hold a value twice" },
		{ "{\"uniqueItems\":false}", "[1,1]", "ok" },
		{ "{\"items\":{\"type\":\"string\"}}", "[\"a\",\"b\",3]",
		    "/2: must be a string" },
		{ "{\"items\":false}", "[]", "ok" },
		{ "{\"properties\":{\"zone\":{\"type\":\"string\"}}}",
		    "{\"zone\":1}", "/zone: must be a string" },
		{ "{\"properties\":{\"a/b~c\":{\"type\":\"string\"}}}",
		    "{\"a/b~c\":1}", "/a~1b~0c: must be a string" },
		{ "{\"properties\":{\"a\":{\"items\":{\"properties\":"
		    "{\"b\":{\"minimum\":1}}}}}}",
		    "{\"a\":[{\"b\":1},{\"b\":0}]}",
		    "/a/1/b: must be at least 1" },
		{ "{\"required\":[\"city\"]}", "{}", "/city: is missing" },
		{ "{\"required\":[\"city\"]}", "{\"city\":null}", "ok" },
		{ "{\"additionalProperties\":false,"
		    "\"properties\":{\"a\":true}}", "{\"a\":1,\"b\":2}",
		    "/b: is not allowed" },
		{ "{\"additionalProperties\":{\"type\":\"number\"},"
		    "\"properties\":{\"a\":true}}", "{\"a\":\"x\",\"b\":2}",
		    "ok" },
		{ "{\"additionalProperties\":{\"type\":\"number\"}}",
		    "{\"b\":\"x\"}", "/b: must be a number" },
		{ "{\"minProperties\":1}", "{}",
		    "/: must have at least 1 member" },
		{ "{\"maxProperties\":1}", "{\"a\":1,\"b\":1}",
		    "/: must have at most 1 member" },
		{ "{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3",
		    "/: must be at most 2" },
		{ "{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":2}]}", "2",
		    "ok" },
		{ "{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":2}]}", "1",
		    "/: fits none of the alternatives" },
		{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "1",
		    "ok" },
		{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "2",
		    "/: fits more than one of the alternatives" },
		{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "0",
		    "/: fits none of the alternatives" },
		{ "{\"not\":{\"type\":\"string\"}}", "\"a\"",
		    "/: has a form that is excluded" },
		{ "{\"not\":{\"type\":\"string\"}}", "1", "ok" },
		{ "{\"$defs\":{\"n\":{\"type\":\"number\"}},"
		    "\"items\":{\"$ref\":\"#/$defs/n\"}}", "[1,\"2\"]",
		    "/1: must be a number" },
		{ "{\"$defs\":{\"n\":{\"type\":\"number\"}},"
		    "\"$ref\":\"#/$defs/n\",\"minimum\":2}", "1",
		    "/: must be at least 2" },
		{ "{\"properties\":{\"next\":{\"$ref\":\"#\"},"
		    "\"n\":{\"type\":\"integer\"}}}",
		    "{\"next\":{\"next\":{\"n\":\"x\"}}}",
		    "/next/next/n: must be a whole number" },
		{ "{\"title\":\"t\",\"description\":\"d\",\"default\":1,"
		    "\"examples\":[1],\"format\":\"date\",\"x-order\":1,"
		    "\"$schema\":\"s\",\"$id\":\"i\",\"$comment\":\"c\"}",
		    "1", "ok" },
	};
	char got[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		verdict(rows[i].schema, rows[i].value, got, sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s with %s: %s, not %s", rows[i].schema,
			    rows[i].value, got, rows[i].want);
	}
}

static void
what_is_not_checked_is_refused(void **state)
{
	static const struct {
		const char *schema, *want;
	} rows[] = {
		{ "1", "/: a schema is an object, true or false" },
		{ "[]", "/: a schema is an object, true or false" },
		{ "{\"properties\":{\"zone\":{\"pattern\":\"a\"}}}",
		    "/properties/zone: pattern is not checked here" },
		{ "{\"multipleOf\":2}", "/: multipleOf is not checked here" },
		{ "{\"if\":true}", "/: if is not checked here" },
		{ "{\"nullable\":true}", "/: nullable is not checked here" },
		{ "{\"minLenght\":1}", "/: minLenght is not checked here" },
		{ "{\"items\":{\"$defs\":{}}}",
		    "/items: $defs is not checked here" },
		{ "{\"items\":[{}]}",
		    "/items: a schema is an object, true or false" },
		{ "{\"type\":\"text\"}",
		    "/: type names a type that JSON does not have" },
		{ "{\"type\":[]}", "/: type must name a type" },
		{ "{\"type\":3}",
		    "/: type must be the name of a type or a list of them" },
		{ "{\"enum\":[]}",
		    "/: enum must be a list of at least one value" },
		{ "{\"required\":true}",
		    "/: required must be a list of names" },
		{ "{\"required\":[1]}",
		    "/: required must be a list of names" },
		{ "{\"minLength\":-1}", "/: minLength must be a whole number "
		    "that is not negative" },
		{ "{\"exclusiveMinimum\":true}",
		    "/: exclusiveMinimum must be a number" },
		{ "{\"uniqueItems\":1}",
		    "/: uniqueItems must be true or false" },
		{ "{\"properties\":[]}",
		    "/: properties must be an object of schemas" },
		{ "{\"anyOf\":[]}",
		    "/: anyOf must be a list of at least one schema" },
		{ "{\"anyOf\":[{},1]}",
		    "/anyOf/1: a schema is an object, true or false" },
		{ "{\"$ref\":\"#/$defs/gone\"}", "/: $ref must be # or name a "
		    "member of $defs, as in #/$defs/name" },
		{ "{\"$ref\":\"https://example.org/s\"}", "/: $ref must be # "
		    "or name a member of $defs, as in #/$defs/name" },
		{ "{\"properties\":{\"a\":{}},\"$ref\":\"#/properties/a\"}",
		    "/: $ref must be # or name a member of $defs, as in "
		    "#/$defs/name" },
		{ "{\"$defs\":{\"a\":{\"pattern\":\"x\"}}}",
		    "/$defs/a: pattern is not checked here" },
	};
	struct ln_buf problem = LN_BUF_INIT(LN_SCHEMA_PROBLEM_MAX);
	struct ln_schema *s;
	struct ln_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ln_buf_clear(&problem);
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(ln_schema_parse(rows[i].schema,
		    strlen(rows[i].schema), &problem, &s, &err), LN_INVALID);
		assert_null(s);
		assert_string_not_equal(err.text, "");
		if (strcmp(ln_buf_str(&problem), rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].schema,
			    ln_buf_str(&problem), rows[i].want);
		assert_int_equal(ln_schema_parse(rows[i].schema,
		    strlen(rows[i].schema), NULL, &s, NULL), LN_INVALID);
	}
	ln_buf_free(&problem);
}

/* A name in a problem comes from the model: it is cut and made printable. */
static void
a_long_name_is_cut(void **state)
{
	struct ln_buf value = LN_BUF_INIT(10000), got = LN_BUF_INIT(10000);
	char text[200];
	int i;

	(void)state;
	ln_buf_puts(&value, "{\"\\u001b");
	for (i = 0; i < 1000; i++)
		ln_buf_puts(&value, "\xc3\xa9");
	ln_buf_puts(&value, "\":1}");
	verdict("{\"additionalProperties\":false}", ln_buf_str(&value), text,
	    sizeof(text));
	ln_buf_puts(&got, "/?");
	for (i = 0; i < 31; i++)
		ln_buf_puts(&got, "\xc3\xa9");
	ln_buf_puts(&got, "...: is not allowed");
	assert_string_equal(text, ln_buf_str(&got));
	ln_buf_free(&value);
	ln_buf_free(&got);
}

static void
hostile_schemas_end(void **state)
{
	struct ln_buf schema = LN_BUF_INIT(LN_SCHEMA_BYTES_MAX);
	struct ln_buf value = LN_BUF_INIT(100000);
	char got[200];
	int i;

	(void)state;
	/* Circles that consume nothing. */
	verdict("{\"$ref\":\"#\"}", "1", got, sizeof(got));
	assert_string_equal(got, "too_large");
	verdict("{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/a\"}}},"
	    "\"$ref\":\"#/$defs/a\"}", "1", got, sizeof(got));
	assert_string_equal(got, "too_large");
	/* Each level doubles the work. */
	ln_buf_puts(&schema, "{\"$defs\":{\"d0\":{\"minimum\":2}");
	for (i = 1; i <= 40; i++)
		ln_buf_printf(&schema, ",\"d%d\":{\"anyOf\":[{\"$ref\":"
		    "\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]}", i,
		    i - 1, i - 1);
	ln_buf_puts(&schema, "},\"$ref\":\"#/$defs/d20\"}");
	verdict(ln_buf_str(&schema), "1", got, sizeof(got));
	assert_string_equal(got, "too_large");
	/* The square of a long list. */
	ln_buf_puts(&value, "[0");
	for (i = 1; i < 9000; i++)
		ln_buf_printf(&value, ",%d", i);
	ln_buf_puts(&value, "]");
	verdict("{\"uniqueItems\":true}", ln_buf_str(&value), got,
	    sizeof(got));
	assert_string_equal(got, "too_large");
	ln_buf_free(&schema);
	ln_buf_free(&value);
}

static void
a_schema_is_bounded_in_size(void **state)
{
	struct ln_schema *s;
	char *text = malloc(LN_SCHEMA_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', LN_SCHEMA_BYTES_MAX + 1);
	text[0] = '{';
	text[LN_SCHEMA_BYTES_MAX - 1] = '}';
	assert_int_equal(ln_schema_parse(text, LN_SCHEMA_BYTES_MAX, NULL, &s,
	    NULL), LN_OK);
	ln_schema_free(s);
	assert_int_equal(ln_schema_parse(text, LN_SCHEMA_BYTES_MAX + 1, NULL,
	    &s, NULL), LN_TOO_LARGE);
	assert_int_equal(ln_schema_parse("{", 1, NULL, &s, NULL), LN_INVALID);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits),
		cmocka_unit_test(what_is_not_checked_is_refused),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(hostile_schemas_end),
		cmocka_unit_test(a_schema_is_bounded_in_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
