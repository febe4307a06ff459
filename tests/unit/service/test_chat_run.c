/* A blocking turn against a provider that is a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/provider.h>
#include <ln/time.h>

#include "net/tiny.h"
#include "service/talk.h"

#define OK_HEAD								\
	"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"	\
	"Connection: close\r\n\r\n"

static bool
answers(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, OK_HEAD "{\"message\":{\"content\":\"Hel\"}}\n{\"mess");
	tiny_sleep(20);
	tiny_say(fd, "age\":{\"content\":\"lo\"}}\n{\"done\":true,"
	    "\"done_reason\":\"length\",\"eval_count\":2,"
	    "\"prompt_eval_count\":3}\n");
	return false;
}

static bool
goes_on(struct tiny *t, int fd, const char *request)
{
	int i;

	(void)request;
	tiny_say(fd, OK_HEAD);
	for (i = 0; i < 500 && !t->is_stopping; i++) {
		tiny_say(fd, "{\"message\":{\"content\":\"x\"}}\n");
		tiny_sleep(10);
	}
	return false;
}

static bool
has_no_model(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 33\r\n\r\n"
	    "{\"error\":\"model 'x' not found\"}  ");
	return true;
}

static bool
lists(struct tiny *t, int fd, const char *request)
{
	(void)t;
	assert_true(strncmp(request, "GET /api/tags ", 14) == 0);
	tiny_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n"
	    "{\"models\":[{\"name\":\"a:1\"},{\"name\":\"b\"}]} ");
	return true;
}

static struct ln_chat_opts
ask(void)
{
	const struct ln_chat_opts o = {
		.size = sizeof(o), .user_id = "ann", .prompt = "Hi",
		.owner = "lnctl:1",
	};

	return o;
}

static bool
is_cancelled(void *arg)
{
	const struct talk *t = arg;

	return t->text.len >= 5;
}

static void
a_whole_turn(void **state)
{
	struct talk *t = *state;
	struct tiny *server = tiny_start(answers);
	const struct ln_chat_opts o = ask();
	struct ln_error err = LN_ERROR_INIT;
	int64_t id = 0;

	talk_use_ollama(t, server->url, "m");
	if (ln_chat_run(t->st, t->cfg, &o, talk_note, NULL, t, &id, &err) !=
	    LN_OK)
		fail_msg("%s", err.detail);
	assert_string_equal(ln_buf_str(&t->text), "Hello");
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation Hi;saved -;done length;");
	assert_int_equal(id, t->message_id);
	talk_expect(t, id, "complete", "Hello");
	assert_non_null(strstr(server->last, "POST /api/chat "));
	tiny_stop(server);
}

static void
stopping_keeps_what_came(void **state)
{
	struct talk *t = *state;
	struct tiny *server = tiny_start(goes_on);
	const struct ln_chat_opts o = ask();
	int64_t id = 0, start = ln_time_mono_ms();

	talk_use_ollama(t, server->url, "m");
	assert_int_equal(ln_chat_run(t->st, t->cfg, &o, talk_note,
	    is_cancelled, t, &id, NULL), LN_CANCELLED);
	assert_true(ln_time_mono_ms() - start < 2000);
	talk_expect(t, id, "stopped", ln_buf_str(&t->text));
	assert_true(t->text.len >= 5);
	tiny_stop(server);
}

static void
the_provider_s_failure_comes_back(void **state)
{
	struct talk *t = *state;
	struct tiny *server = tiny_start(has_no_model);
	const struct ln_chat_opts o = ask();
	struct ln_error err = LN_ERROR_INIT;
	int64_t id = 0;

	talk_use_ollama(t, server->url, "x");
	assert_int_equal(ln_chat_run(t->st, t->cfg, &o, talk_note, NULL, t,
	    &id, &err), LN_NOT_FOUND);
	assert_string_equal(err.text,
	    "The model is not installed. Pull it or choose another one");
	talk_expect(t, id, "failed", "");
	tiny_stop(server);

	/* And now nobody listens there. */
	assert_int_equal(ln_chat_run(t->st, t->cfg, &o, talk_note, NULL, t,
	    &id, &err), LN_UPSTREAM);
	assert_non_null(strstr(err.text, "refused the connection"));
	talk_expect(t, id, "failed", "");
}

static void
offline_answers_without_a_network(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask();
	int64_t id = 0;

	assert_int_equal(ln_chat_run(t->st, t->cfg, &o, talk_note, NULL, t,
	    &id, NULL), LN_OK);
	assert_non_null(strstr(ln_buf_str(&t->text),
	    "No language model is connected"));
	talk_expect(t, id, "complete", ln_buf_str(&t->text));
}

static void
models_are_asked_for(void **state)
{
	struct talk *t = *state;
	struct tiny *server = tiny_start(lists);
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	struct ln_provider_conf *conf = NULL;
	struct ln_model_list l;

	talk_use_ollama(t, server->url, "");
	assert_int_equal(ln_provider_resolve(t->st, t->cfg, "ann", &wish,
	    &conf, NULL), LN_OK);
	assert_int_equal(ln_provider_models(conf, &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.names[0], "a:1");
	ln_model_list_free(&l);
	tiny_stop(server);
	assert_int_equal(ln_provider_models(conf, &l, NULL), LN_UPSTREAM);
	ln_provider_conf_free(conf);
}

#define T(f) cmocka_unit_test_setup_teardown(f, talk_setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_whole_turn),
		T(stopping_keeps_what_came),
		T(the_provider_s_failure_comes_back),
		T(offline_answers_without_a_network),
		T(models_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
