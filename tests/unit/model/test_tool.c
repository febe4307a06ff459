/* Tools as they are defined, changed, switched and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/secret.h>
#include <ln/setting.h>
#include <ln/tool.h>

#include "model/tool.h"
#include "people.h"
#include "service/talk.h"
#include "store/tx.h"

#define WEATHER "{\"name\":\"weather\",\"description\":\"of a city\"," \
	"\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":"	\
	"{\"type\":\"string\"}},\"required\":[\"city\"]},"		\
	"\"endpoint\":{\"url\":\"https://example.com/w/{city}\","	\
	"\"headers\":{\"Authorization\":\"Bearer planted-secret\"}}}"
#define BARE "{\"type\":\"function\",\"function\":{\"name\":\"calc\"," \
	"\"parameters\":{\"type\":\"object\"}}}"

static struct ln_tool *
add(struct talk *t, const char *user, const char *definition)
{
	struct ln_tool_change c = { .size = sizeof(c),
		.definition = definition };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tool *tool;

	people_ok(ln_tool_create(t->st, t->cfg, user, &c, &tool, &err), &err);
	return tool;
}

/* The status of adding ${definition}, and what was said. */
static enum ln_status
refusal(struct talk *t, const char *user, const char *definition,
    struct ln_buf *problem, struct ln_error *err)
{
	struct ln_tool_change c = { .size = sizeof(c),
		.definition = definition, .problem = problem };
	struct ln_tool *tool;
	enum ln_status s;

	ln_buf_clear(problem);
	*err = (struct ln_error)LN_ERROR_INIT;
	s = ln_tool_create(t->st, t->cfg, user, &c, &tool, err);
	if (s == LN_OK)
		fail_msg("taken: %s", definition);
	assert_null(tool);
	return s;
}

static void
act_as(struct talk *t, const char *user)
{
	const struct ln_actor actor = { .kind = "user", .user_id = user };

	ln_store_actor_set(t->st, &actor);
}

static void
a_definition_is_kept_in_one_form_without_secrets(void **state)
{
	struct talk *t = *state;
	struct ln_tool *a = add(t, "ann", WEATHER), *b;
	char *headers;

	assert_string_equal(a->name, "weather");
	assert_string_equal(a->description, "of a city");
	assert_string_equal(a->definition, "{\"type\":\"function\","
	    "\"function\":{\"name\":\"weather\",\"description\":"
	    "\"of a city\",\"parameters\":{\"type\":\"object\","
	    "\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":"
	    "[\"city\"]}},\"endpoint\":{\"url\":"
	    "\"https://example.com/w/{city}\",\"method\":\"GET\","
	    "\"headers\":{\"Authorization\":null}}}");
	assert_int_equal(a->kind, LN_TOOL_HTTP);
	assert_true(a->is_enabled);
	assert_false(a->asks_first);
	assert_int_equal(ln_tool_get(t->st, t->cfg, "ann", a->id, &b, NULL),
	    LN_OK);
	assert_string_equal(a->definition, b->definition);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_OK);
	assert_string_equal(headers,
	    "{\"Authorization\":\"Bearer planted-secret\"}");
	ln_wipe_free(headers);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool WHERE"
	    " sealed_headers LIKE '%planted%' OR definition LIKE '%planted%'"),
	    0);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM audit WHERE"
	    " action = 'tool.add' AND target = 'ann' AND detail NOT LIKE"
	    " '%planted%'"), 1);
	ln_tool_free(a);
	ln_tool_free(b);
}

static void
a_header_named_without_a_value_keeps_it(void **state)
{
	struct talk *t = *state;
	struct ln_tool *a = add(t, "ann", WEATHER);
	struct ln_tool_change c = { .size = sizeof(c) };
	char *headers;

	c.definition = a->definition;
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", a->id, &c, NULL,
	    NULL), LN_OK);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_OK);
	assert_string_equal(headers,
	    "{\"Authorization\":\"Bearer planted-secret\"}");
	ln_wipe_free(headers);
	c.definition = "{\"name\":\"weather\",\"endpoint\":{\"url\":"
	    "\"https://example.com/\",\"headers\":{\"X-Key\":\"two\","
	    "\"authorization\":\"\"}}}";
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", a->id, &c, NULL,
	    NULL), LN_OK);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_OK);
	assert_string_equal(headers, "{\"X-Key\":\"two\","
	    "\"authorization\":\"Bearer planted-secret\"}");
	ln_wipe_free(headers);
	c.definition = "{\"name\":\"weather\"}";
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", a->id, &c, NULL,
	    NULL), LN_OK);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_OK);
	assert_null(headers);
	ln_tool_free(a);
}

static void
a_sealed_header_is_bound_to_its_tool(void **state)
{
	struct talk *t = *state;
	struct ln_tool *a = add(t, "ann", WEATHER);
	struct ln_tool *b = add(t, NULL, BARE);
	char *headers;

	place_exec(t->st, "UPDATE tool SET sealed_headers = (SELECT"
	    " sealed_headers FROM tool WHERE name = 'weather') WHERE"
	    " name = 'calc'");
	assert_int_equal(lni_tool_headers(t->st, b->id, &headers, NULL),
	    LN_BAD_KEY);
	assert_null(headers);
	ln_tool_free(a);
	ln_tool_free(b);
}

static void
resealing_keeps_what_was_sealed(void **state)
{
	struct talk *t = *state;
	struct ln_tool *a = add(t, "ann", WEATHER);
	const struct ln_keys *old = ln_store_keys(t->st);
	struct ln_keys *next;
	char *headers;
	int64_t n;

	assert_int_equal(ln_keys_derive(
	    "another-3fb1c0d8a94e7725-key-of-this-instance", &next, NULL),
	    LN_OK);
	assert_int_equal(lni_tool_reseal(t->st, next, &n, NULL), LN_OK);
	assert_int_equal(n, 1);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_BAD_KEY);
	assert_int_equal(lni_tool_reseal(t->st, next, &n, NULL), LN_BAD_KEY);
	lni_store_keys_set(t->st, next);
	assert_int_equal(lni_tool_headers(t->st, a->id, &headers, NULL),
	    LN_OK);
	assert_string_equal(headers,
	    "{\"Authorization\":\"Bearer planted-secret\"}");
	ln_wipe_free(headers);
	lni_store_keys_set(t->st, old);
	ln_keys_free(next);
	ln_tool_free(a);
}

#define URL(u) "{\"name\":\"t\",\"parameters\":{\"type\":\"object\"," \
	"\"properties\":{\"a\":{}}},\"endpoint\":{\"url\":\"" u "\"}}"
#define ENDPOINT(e) "{\"name\":\"t\",\"endpoint\":" e "}"

static void
what_is_no_definition(void **state)
{
	static const struct {
		const char *definition, *problem;
	} rows[] = {
		{ "", "" },
		{ "[]", "" },
		{ "{}", "" },
		{ "{\"name\":\"a b\"}", "" },
		{ "{\"name\":\"t\\u00e9l\"}", "" },
		{ "{\"name\":\"t\",\"parameters\":[]}", "" },
		{ "{\"name\":\"t\",\"parameters\":{\"type\":\"string\"}}",
		    "/parameters/type: must be \"object\"" },
		{ "{\"name\":\"t\",\"parameters\":{\"type\":\"object\","
		    "\"properties\":{\"a\":{\"pattern\":\"x\"}}}}",
		    "/parameters/properties/a: pattern is not checked here" },
		{ "{\"name\":\"t\",\"parameters\":{\"type\":\"object\","
		    "\"multipleOf\":1}}",
		    "/parameters: multipleOf is not checked here" },
		{ ENDPOINT("1"), "/endpoint: must be an object of url, "
		    "method, headers and body" },
		{ ENDPOINT("{\"url\":\"https://example.com\",\"proxy\":1}"),
		    "/endpoint: must be an object of url, method, headers "
		    "and body" },
		{ ENDPOINT("{}"), "/endpoint/url: is missing" },
		{ ENDPOINT("{\"url\":\"https://example.com\","
		    "\"method\":\"TRACE\"}"), "/endpoint/method: must be GET, "
		    "POST, PUT, PATCH or DELETE" },
		{ ENDPOINT("{\"url\":\"https://example.com\","
		    "\"body\":\"json\"}"), "/endpoint/body: must be \"json\", "
		    "and not with GET" },
		{ ENDPOINT("{\"url\":\"https://example.com\","
		    "\"headers\":{\"Host\":\"x\"}}"), "/endpoint/headers: has "
		    "a name that an endpoint cannot set" },
		{ ENDPOINT("{\"url\":\"https://example.com\","
		    "\"headers\":{\"X-A\":\"x\\r\\nY: z\"}}"),
		    "/endpoint/headers: has a value that is not a text of one "
		    "line" },
		{ ENDPOINT("{\"url\":\"https://example.com\","
		    "\"headers\":{\"X-A\":\"1\",\"x-a\":\"2\"}}"),
		    "/endpoint/headers: has a name twice" },
		{ URL("ftp://example.com/"), "/endpoint/url: does not begin "
		    "with http:// or https://" },
		{ URL("https://{a}/"),
		    "/endpoint/url: has a placeholder before its path" },
		{ URL("https://example.com:{a}/"),
		    "/endpoint/url: has a placeholder before its path" },
		{ URL("https://example.com{a}"),
		    "/endpoint/url: has a placeholder before its path" },
		{ URL("{a}://example.com/"), "/endpoint/url: does not begin "
		    "with http:// or https://" },
		{ URL("https://example.com/{b}"), "/endpoint/url: names an "
		    "argument that the parameters do not have" },
		{ URL("https://example.com/{a"), "/endpoint/url: has a { "
		    "without the name of an argument and a }" },
		{ URL("https://example.com/a}"),
		    "/endpoint/url: has a } without a {" },
		{ URL("https://example.com/%{a}"), "/endpoint/url: has a % "
		    "that is no escape, or hides a dot" },
		{ URL("https://example.com/%2e{a}"), "/endpoint/url: has a % "
		    "that is no escape, or hides a dot" },
		{ URL("https://example.com/#{a}"), "/endpoint/url: has a "
		    "space, a #, a \\ or a control character" },
		{ URL("https://u:p@example.com/"), "/endpoint/url: is not an "
		    "address that this tool may call" },
		{ URL("http://127.0.0.1:1/"), "/endpoint/url: is not an "
		    "address that this tool may call" },
		{ URL("http://[::1]/"), "/endpoint/url: is not an address "
		    "that this tool may call" },
		{ URL("http://0x7f.1/"), "/endpoint/url: is not an address "
		    "that this tool may call" },
		{ URL("http://localhost:11434/"), "/endpoint/url: is not an "
		    "address that this tool may call" },
	};
	struct ln_buf problem = LN_BUF_INIT(5000);
	struct ln_error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(refusal(*state, "ann", rows[i].definition,
		    &problem, &err), LN_INVALID);
		assert_string_equal(err.field, "definition");
		if (strcmp(ln_buf_str(&problem), rows[i].problem) != 0)
			fail_msg("%s: %s", rows[i].definition,
			    ln_buf_str(&problem));
	}
	assert_int_equal(place_int(((struct talk *)*state)->st,
	    "SELECT count(*) FROM tool"), 0);
	ln_buf_free(&problem);
}

/* What an administrator allowed is for everybody's tools, not for one's. */
static void
everybodys_tools_may_call_allowed_endpoints(void **state)
{
	struct talk *t = *state;

	ln_tool_free(add(t, NULL, URL("http://localhost:11434/{a}")));
}

static void
names_are_unique_and_not_those_of_built_in_tools(void **state)
{
	struct talk *t = *state;
	struct ln_buf problem = LN_BUF_INIT(5000);
	struct ln_tool_change c = { .size = sizeof(c), .name = "calc" };
	struct ln_tool *a = add(t, "ann", BARE), *b;
	struct ln_error err;

	assert_int_equal(refusal(t, "ann", BARE, &problem, &err),
	    LN_CONFLICT);
	assert_string_equal(err.field, "name");
	assert_int_equal(refusal(t, "ann", "{\"name\":\"web_search\"}",
	    &problem, &err), LN_CONFLICT);
	assert_string_equal(err.field, "name");
	/* Everybody's is another one; a person's own goes before it. */
	b = add(t, NULL, BARE);
	ln_tool_free(b);
	assert_int_equal(ln_tool_get(t->st, t->cfg, "ann", "calc", &b, NULL),
	    LN_OK);
	assert_string_equal(a->id, b->id);
	ln_tool_free(b);
	b = add(t, "ann", "{\"name\":\"other\"}");
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", b->id, &c, NULL,
	    &err), LN_CONFLICT);
	c.name = "read_file";
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", b->id, &c, NULL,
	    &err), LN_CONFLICT);
	c.name = "third";
	ln_tool_free(a);
	assert_int_equal(ln_tool_update(t->st, t->cfg, "ann", "other", &c, &a,
	    &err), LN_OK);
	assert_non_null(strstr(a->definition, "\"name\":\"third\""));
	ln_tool_free(a);
	ln_tool_free(b);
	ln_buf_free(&problem);
}

static void
another_persons_tool_is_not_there(void **state)
{
	struct talk *t = *state;
	struct ln_tool_change c = { .size = sizeof(c), .name = "mine" };
	struct ln_tool *a, *b;

	place_add_user(t->st, "bob");
	a = add(t, "ann", BARE);
	assert_int_equal(ln_tool_get(t->st, t->cfg, "bob", a->id, &b, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tool_get(t->st, t->cfg, NULL, a->id, &b, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tool_update(t->st, t->cfg, "bob", a->id, &c, &b,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_tool_update(t->st, t->cfg, NULL, a->id, &c, &b,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_tool_delete(t->st, "bob", a->id, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tool_delete(t->st, "bob", "calc", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tool_delete(t->st, "ann", "calc", NULL), LN_OK);
	ln_tool_free(a);
}

static void
only_an_administrator_writes_everybodys(void **state)
{
	struct talk *t = *state;
	struct ln_tool_change c = { .size = sizeof(c), .definition = BARE };
	struct ln_tool *a;

	place_add_user(t->st, "bob");
	act_as(t, "ann");
	assert_int_equal(ln_tool_create(t->st, t->cfg, NULL, &c, &a, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(ln_tool_create(t->st, t->cfg, "bob", &c, &a, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM audit WHERE"
	    " action = 'tool.add' AND outcome = 'forbidden'"), 2);
	place_exec(t->st, "UPDATE user SET role = 'admin' WHERE id = 'ann'");
	a = add(t, NULL, BARE);
	act_as(t, "bob");
	assert_int_equal(ln_tool_update(t->st, t->cfg, NULL, a->id, &c, NULL,
	    NULL), LN_FORBIDDEN);
	assert_int_equal(ln_tool_update(t->st, t->cfg, "bob", a->id, &c, NULL,
	    NULL), LN_FORBIDDEN);
	assert_int_equal(ln_tool_delete(t->st, NULL, a->id, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(ln_tool_delete(t->st, "bob", a->id, NULL),
	    LN_FORBIDDEN);
	place_exec(t->st, "UPDATE user SET blocked_ms = 1 WHERE id = 'bob'");
	assert_int_equal(ln_tool_create(t->st, t->cfg, "bob", &c, NULL, NULL),
	    LN_FORBIDDEN);
	act_as(t, "ann");
	assert_int_equal(ln_tool_delete(t->st, NULL, a->id, NULL), LN_OK);
	ln_tool_free(a);
}

static void
expect_switches(struct talk *t, const char *user, const char *name,
    bool is_enabled, bool asks_first)
{
	struct ln_tool *a;

	assert_int_equal(ln_tool_get(t->st, t->cfg, user, name, &a, NULL),
	    LN_OK);
	assert_int_equal(a->kind, LN_TOOL_BUILTIN);
	assert_true(a->is_enabled == is_enabled);
	assert_true(a->asks_first == asks_first);
	ln_tool_free(a);
}

static enum ln_status
turn(struct talk *t, const char *user, const char *name, const bool *enabled,
    const bool *asks)
{
	struct ln_tool_change c = { .size = sizeof(c), .is_enabled = enabled,
		.asks_first = asks };

	return ln_tool_update(t->st, t->cfg, user, name, &c, NULL, NULL);
}

static void
a_person_can_be_stricter_than_the_instance_not_laxer(void **state)
{
	static const bool yes = true, no = false;
	struct talk *t = *state;

	expect_switches(t, "ann", "current_time", true, false);
	expect_switches(t, "ann", "read_file", true, true);
	assert_int_equal(turn(t, "ann", "read_file", NULL, &no),
	    LN_FORBIDDEN);
	assert_int_equal(turn(t, "ann", "current_time", &no, &yes), LN_OK);
	expect_switches(t, "ann", "current_time", false, true);
	expect_switches(t, NULL, "current_time", true, false);
	assert_int_equal(turn(t, "ann", "current_time", &yes, &no), LN_OK);
	expect_switches(t, "ann", "current_time", true, false);
	assert_int_equal(turn(t, NULL, "current_time", &no, NULL), LN_OK);
	expect_switches(t, "ann", "current_time", false, false);
	assert_int_equal(turn(t, "ann", "current_time", &yes, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(turn(t, NULL, "read_file", NULL, &no), LN_OK);
	expect_switches(t, "ann", "read_file", true, false);
}

static void
of_a_built_in_tool_nothing_else_changes(void **state)
{
	struct talk *t = *state;
	struct ln_tool_change c = { .size = sizeof(c), .description = "x" };

	assert_int_equal(ln_tool_update(t->st, t->cfg, NULL, "current_time",
	    &c, NULL, NULL), LN_FORBIDDEN);
	assert_int_equal(ln_tool_delete(t->st, NULL, "current_time", NULL),
	    LN_FORBIDDEN);
}

/* As the import of a legacy database leaves them. */
static void
a_definition_of_another_program(void **state)
{
	static const bool yes = true, no = false;
	struct talk *t = *state;
	struct ln_tool *a;

	place_exec(t->st, "INSERT INTO tool(id, user_id, name, description,"
	    " definition, is_enabled, created_ms) VALUES"
	    " ('7', 'ann', 'My calculator', NULL, '" BARE "', 1, 1),"
	    " ('8', 'ann', 'broken', NULL, 'def f(): pass', 0, 1)");
	assert_int_equal(ln_tool_get(t->st, t->cfg, "ann", "7", &a, NULL),
	    LN_OK);
	assert_int_equal(a->kind, LN_TOOL_BARE);
	assert_string_equal(a->name, "My calculator");
	ln_tool_free(a);
	/* What is wrong with one does not keep it from being switched off. */
	assert_int_equal(turn(t, "ann", "8", &yes, NULL), LN_INVALID);
	assert_int_equal(turn(t, "ann", "8", &no, &yes), LN_OK);
	assert_int_equal(ln_tool_delete(t->st, "ann", "8", NULL), LN_OK);
}

static void
what_asks_first_by_itself(void **state)
{
	struct talk *t = *state;
	struct ln_tool *a;

	a = add(t, "ann", "{\"name\":\"p\",\"endpoint\":{\"url\":"
	    "\"https://example.com/\",\"method\":\"POST\",\"body\":"
	    "\"json\"}}");
	assert_true(a->asks_first);
	ln_tool_free(a);
	a = add(t, "ann", BARE);
	assert_false(a->asks_first);
	ln_tool_free(a);
}

static void
there_is_an_end_to_them(void **state)
{
	struct talk *t = *state;
	struct ln_buf problem = LN_BUF_INIT(5000);
	struct ln_error err;
	char definition[64];
	int i;

	for (i = 0; i < LN_TOOL_COUNT_MAX; i++) {
		snprintf(definition, sizeof(definition), "{\"name\":\"t%d\"}",
		    i);
		ln_tool_free(add(t, "ann", definition));
	}
	assert_int_equal(refusal(t, "ann", "{\"name\":\"more\"}", &problem,
	    &err), LN_TOO_LARGE);
	ln_tool_free(add(t, NULL, "{\"name\":\"more\"}"));
	ln_buf_free(&problem);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, talk_setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_definition_is_kept_in_one_form_without_secrets),
		TEST(a_header_named_without_a_value_keeps_it),
		TEST(a_sealed_header_is_bound_to_its_tool),
		TEST(resealing_keeps_what_was_sealed),
		TEST(what_is_no_definition),
		TEST(everybodys_tools_may_call_allowed_endpoints),
		TEST(names_are_unique_and_not_those_of_built_in_tools),
		TEST(another_persons_tool_is_not_there),
		TEST(only_an_administrator_writes_everybodys),
		TEST(a_person_can_be_stricter_than_the_instance_not_laxer),
		TEST(of_a_built_in_tool_nothing_else_changes),
		TEST(a_definition_of_another_program),
		TEST(what_asks_first_by_itself),
		TEST(there_is_an_end_to_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
