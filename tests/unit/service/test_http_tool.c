/* Calls over HTTP: tools with an endpoint, and the search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/time.h>
#include <ln/tool.h>

#include "net/tiny.h"
#include "people.h"
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
configure(struct talk *t, const char *name, const char *value)
{
	assert_int_equal(ln_config_set(t->cfg, name, value, NULL), LN_OK);
}

static void
begins(const char *got, const char *want)
{
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("%s", got);
}

static bool
echo(struct tiny *tiny, int fd, const char *request)
{
	char head[100];

	(void)tiny;
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu"
	    "\r\n\r\n", strlen(request));
	tiny_say(fd, head);
	tiny_say(fd, request);
	return true;
}

static bool
redirect(struct tiny *tiny, int fd, const char *request)
{
	(void)tiny;
	(void)request;
	tiny_say(fd, "HTTP/1.1 302 Found\r\nLocation: /else\r\n"
	    "Content-Length: 0\r\n\r\n");
	return true;
}

static bool
failure(struct tiny *tiny, int fd, const char *request)
{
	(void)tiny;
	(void)request;
	tiny_say(fd, "HTTP/1.1 404 No\r\nContent-Length: 7\r\n\r\n"
	    "no city");
	return true;
}

static bool
not_text(struct tiny *tiny, int fd, const char *request)
{
	(void)tiny;
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
	    "\x89PNG");
	return true;
}

static bool
endless(struct tiny *tiny, int fd, const char *request)
{
	char block[1025];
	int i;

	(void)tiny;
	(void)request;
	memset(block, 'x', 1024);
	block[1024] = '\0';
	tiny_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (i = 0; i < 3000; i++)
		tiny_say(fd, block);
	return false;
}

static bool
silence(struct tiny *tiny, int fd, const char *request)
{
	(void)request;
	tiny_wait_for_close(tiny, fd);
	return false;
}

/* Everybody's tool "t" at ${tiny}, which an administrator allowed. */
static void
define(struct talk *t, const struct tiny *tiny, const char *rest)
{
	struct ln_tool_change c = { .size = sizeof(c) };
	struct ln_error err = LN_ERROR_INIT;
	char definition[1000];

	configure(t, "LOCALNEURAL_ALLOWED_ENDPOINTS", tiny->url);
	snprintf(definition, sizeof(definition), "{\"name\":\"t\","
	    "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{},"
	    "\"b\":{},\"c\":{}}},\"endpoint\":{\"url\":\"%s%s}}", tiny->url,
	    rest);
	c.definition = definition;
	people_ok(ln_tool_create(t->st, t->cfg, NULL, &c, NULL, &err), &err);
}

static void
arguments_fill_the_address_and_the_body(void **state)
{
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(echo);
	struct ln_error err;

	define(t, tiny, "/v1/{a}/x?q={b}\",\"method\":\"POST\","
	    "\"body\":\"json\",\"headers\":{\"X-Key\":\"planted-secret\"}");
	assert_int_equal(call(t, "t", "{\"a\":\"../../?#%&\xc3\xa9\","
	    "\"b\":\"1&admin=1#/\",\"c\":[1,{\"d\":null}]}", &err), LN_OK);
	begins(tiny->last, "POST /v1/..%2F..%2F%3F%23%25%26%C3%A9/x?q=1%26"
	    "admin%3D1%23%2F HTTP/1.1\r\n");
	assert_non_null(strstr(tiny->last, "\r\nX-Key: planted-secret\r\n"));
	assert_non_null(strstr(tiny->last,
	    "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(tiny->last,
	    "\r\n\r\n{\"c\":[1,{\"d\":null}]}"));
	/* What came back repeats the secret; the model does not see it. */
	assert_non_null(strstr(ln_buf_str(&t->text), "X-Key: [hidden]"));
	assert_null(strstr(ln_buf_str(&t->text), "planted"));
	assert_int_equal(call(t, "t", "{\"a\":7,\"b\":true}", &err), LN_OK);
	begins(tiny->last, "POST /v1/7/x?q=true ");
	tiny_stop(tiny);
}

static void
an_argument_stays_in_its_place(void **state)
{
	static const struct {
		const char *arguments, *problem;
	} rows[] = {
		{ "{}", "/a: is missing" },
		{ "{\"a\":null}", "/a: is missing" },
		{ "{\"a\":\"\"}",
		    "/: a part of the path would be empty, . or .." },
		{ "{\"a\":\".\"}",
		    "/: a part of the path would be empty, . or .." },
		{ "{\"a\":\"..\"}",
		    "/: a part of the path would be empty, . or .." },
		{ "{\"a\":[1]}",
		    "/a: must be a text or a number to stand in an address" },
		{ "{\"a\":{}}",
		    "/a: must be a text or a number to stand in an address" },
	};
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(echo);
	struct ln_error err;
	size_t i;

	define(t, tiny, "/v1/{a}\"");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(call(t, "t", rows[i].arguments, &err),
		    LN_INVALID);
		assert_string_equal(ln_buf_str(&t->text), rows[i].problem);
	}
	assert_int_equal(tiny->requests, 0);
	tiny_stop(tiny);
}

/* Handler, status, and what is said besides the sentence. */
static void
each_bad_answer_is_a_clear_error(void **state)
{
	static const struct {
		tiny_handler *handler;
		enum ln_status status;
		const char *more;
	} rows[] = {
		{ redirect, LN_UPSTREAM, "HTTP 302" },
		{ failure, LN_UPSTREAM, "HTTP 404: no city" },
		{ not_text, LN_UNSUPPORTED, "" },
		{ endless, LN_TOO_LARGE, "" },
	};
	struct talk *t = *state;
	struct tiny *tiny;
	struct ln_error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tiny = tiny_start(rows[i].handler);
		define(t, tiny, "/\"");
		assert_int_equal(call(t, "t", "{}", &err), rows[i].status);
		assert_string_equal(ln_buf_str(&t->text), rows[i].more);
		assert_null(strstr(err.text, "provider"));
		assert_string_not_equal(err.text, "");
		assert_int_equal(tiny->requests, 1);
		tiny_stop(tiny);
		assert_int_equal(ln_tool_delete(t->st, NULL, "t", NULL),
		    LN_OK);
	}
}

static void *
cancel_soon(void *arg)
{
	tiny_sleep(200);
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

static void
a_call_can_be_stopped(void **state)
{
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(silence);
	struct lni_toolbox *box;
	atomic_bool is_cancelled = false;
	int64_t before;
	pthread_t thread;

	define(t, tiny, "/\"");
	assert_int_equal(lni_toolbox_open(t->st, t->cfg, "ann", &box, NULL),
	    LN_OK);
	before = ln_time_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon,
	    &is_cancelled), 0);
	assert_int_equal(lni_toolbox_run(box, t->st, "t", "{}", &is_cancelled,
	    &t->text, NULL), LN_CANCELLED);
	assert_true(ln_time_mono_ms() - before < 2000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	lni_toolbox_free(box);
	tiny_stop(tiny);
}

/* However the address got into the table, the guard stands at the socket. */
static void
nobodys_tool_reaches_the_inside(void **state)
{
	/* The last one is a name that resolves to this machine. */
	char name[64] = "";
	const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]",
		"2130706433", "ip6-localhost", name };
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(echo);
	struct ln_error err;
	char sql[500];
	size_t i;

	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	configure(t, "LOCALNEURAL_ALLOWED_ENDPOINTS", tiny->url);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO tool(id,"
		    " user_id, name, definition, created_ms) VALUES ('i',"
		    " 'ann', 'i', '{\"name\":\"i\",\"endpoint\":{\"url\":"
		    "\"http://%s:%d/\"}}', 1)", hosts[i], tiny->port);
		people_tamper(t->place, sql);
		if (call(t, "i", "{}", &err) == LN_OK)
			fail_msg("%s was reached", hosts[i]);
		assert_string_equal(ln_buf_str(&t->text), "");
	}
	assert_int_equal(tiny->connections, 0);
	tiny_stop(tiny);
}

/* --- web_search ----------------------------------------------------------- */

static const char *search_answer;

static bool
results(struct tiny *tiny, int fd, const char *request)
{
	char head[100];

	(void)tiny;
	(void)request;
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu"
	    "\r\n\r\n", strlen(search_answer));
	tiny_say(fd, head);
	tiny_say(fd, search_answer);
	return true;
}

static void
searxng_gives_titles_addresses_and_snippets(void **state)
{
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(results);
	struct ln_buf many = LN_BUF_INIT(100000);
	struct ln_search_list list;
	struct ln_error err;
	int i;

	configure(t, "LOCALNEURAL_SEARCH", "searxng");
	configure(t, "LOCALNEURAL_SEARCH_URL", tiny->url);
	search_answer = "{\"query\":\"x\",\"results\":[{\"title\":\"A\\n b\","
	    "\"url\":\"https://a.example/\",\"content\":\"first\",\"score\":"
	    "1},{\"title\":\"bad\",\"url\":\"javascript:alert(1)\"},"
	    "{\"title\":\"\",\"url\":\"http://b.example/\"},{\"url\":5}]}";
	assert_int_equal(call(t, "web_search", "{\"query\":\"a b&c\"}", &err),
	    LN_OK);
	begins(tiny->last, "GET /search?format=json&q=a%20b%26c ");
	assert_string_equal(ln_buf_str(&t->text), "{\"results\":[{\"title\":"
	    "\"A b\",\"url\":\"https://a.example/\",\"snippet\":\"first\"},"
	    "{\"title\":\"http://b.example/\",\"url\":\"http://b.example/\","
	    "\"snippet\":\"\"}]}");
	ln_buf_puts(&many, "{\"results\":[");
	for (i = 0; i < 50; i++)
		ln_buf_printf(&many, "%s{\"title\":\"%01000d\",\"url\":"
		    "\"https://a.example/%d\"}", i > 0 ? "," : "", i, i);
	ln_buf_puts(&many, "]}");
	search_answer = ln_buf_str(&many);
	assert_int_equal(ln_tool_web_search(t->cfg, " x ", NULL, &list, NULL),
	    LN_OK);
	assert_int_equal(list.count, LN_SEARCH_MAX);
	assert_int_equal(strlen(list.items[0].title), 203);
	ln_search_list_free(&list);
	search_answer = "<html>";
	assert_int_equal(ln_tool_web_search(t->cfg, "x", NULL, &list, NULL),
	    LN_UPSTREAM);
	assert_int_equal(ln_tool_web_search(t->cfg, " ", NULL, &list, NULL),
	    LN_INVALID);
	tiny_stop(tiny);
	ln_buf_free(&many);
}

static void
duckduckgo_gives_its_abstract_and_topics(void **state)
{
	struct talk *t = *state;
	struct tiny *tiny = tiny_start(results);
	struct ln_error err;

	configure(t, "LOCALNEURAL_SEARCH", "duckduckgo");
	configure(t, "LOCALNEURAL_SEARCH_URL", tiny->url);
	search_answer = "{\"Heading\":\"C\",\"AbstractText\":\"A language.\","
	    "\"AbstractURL\":\"https://w.example/C\",\"Results\":[{\"Text\":"
	    "\"Home\",\"FirstURL\":\"https://c.example/\"}],"
	    "\"RelatedTopics\":[{\"Text\":\"D - A successor\",\"FirstURL\":"
	    "\"https://d.example/\"},{\"Name\":\"More\",\"Topics\":[{\"Text\":"
	    "\"E\",\"FirstURL\":\"https://e.example/\"}]}]}";
	assert_int_equal(call(t, "web_search", "{\"query\":\"c\"}", &err),
	    LN_OK);
	begins(tiny->last, "GET /?format=json&no_html=1&skip_disambig=1&q=c ");
	assert_string_equal(ln_buf_str(&t->text), "{\"results\":[{\"title\":"
	    "\"C\",\"url\":\"https://w.example/C\",\"snippet\":"
	    "\"A language.\"},{\"title\":\"Home\",\"url\":"
	    "\"https://c.example/\",\"snippet\":\"\"},{\"title\":\"D\","
	    "\"url\":\"https://d.example/\",\"snippet\":\"A successor\"},"
	    "{\"title\":\"E\",\"url\":\"https://e.example/\",\"snippet\":"
	    "\"\"}]}");
	tiny_stop(tiny);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, talk_setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arguments_fill_the_address_and_the_body),
		TEST(an_argument_stays_in_its_place),
		TEST(each_bad_answer_is_a_clear_error),
		TEST(a_call_can_be_stopped),
		TEST(nobodys_tool_reaches_the_inside),
		TEST(searxng_gives_titles_addresses_and_snippets),
		TEST(duckduckgo_gives_its_abstract_and_topics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
