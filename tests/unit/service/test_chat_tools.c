/* A model may call tools, and is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/time.h>
#include <ln/tool_run.h>

#include "service/talk.h"
#include "service/toolbox.h"

#define NOWHERE "http://127.0.0.1:9"	/* nothing is sent in these tests */

static bool asks_first;

/* --- tools as these tests want them ---------------------------------------- */

bool __real_lni_toolbox_asks_first(const struct lni_toolbox *, const char *);
bool __wrap_lni_toolbox_asks_first(const struct lni_toolbox *, const char *);
bool
__wrap_lni_toolbox_asks_first(const struct lni_toolbox *box, const char *name)
{
	return asks_first || __real_lni_toolbox_asks_first(box, name);
}

enum ln_status __real_lni_toolbox_run(const struct lni_toolbox *,
    struct ln_store *, const char *, const char *, const atomic_bool *,
    struct ln_buf *, struct ln_error *);
enum ln_status __wrap_lni_toolbox_run(const struct lni_toolbox *,
    struct ln_store *, const char *, const char *, const atomic_bool *,
    struct ln_buf *, struct ln_error *);
enum ln_status
__wrap_lni_toolbox_run(const struct lni_toolbox *box, struct ln_store *st,
    const char *name, const char *arguments, const atomic_bool *is_cancelled,
    struct ln_buf *result, struct ln_error *err)
{
	const struct timespec ts = { 0, 1000000 };

	if (strcmp(name, "echo") == 0) {
		ln_buf_puts(result, arguments);
		return LN_OK;
	}
	if (strcmp(name, "slow") != 0)
		return __real_lni_toolbox_run(box, st, name, arguments,
		    is_cancelled, result, err);
	while (!atomic_load(is_cancelled))
		(void)nanosleep(&ts, NULL);
	return ln_fail(err, LN_CANCELLED, "", "slow");
}

/* --- kit ------------------------------------------------------------------- */

static int
setup(void **state)
{
	int rc = talk_setup(state);

	asks_first = false;
	if (rc == 0)
		talk_use_ollama(*state, NOWHERE, "llama3.2");
	return rc;
}

static struct ln_chat_opts
ask(struct talk *t, const char *prompt)
{
	const struct ln_chat_opts o = {
		.size = sizeof(o), .user_id = "ann", .prompt = prompt,
		.conversation_id = t->conversation[0] != '\0' ?
		    t->conversation : NULL,
		.owner = "test:1",
	};

	return o;
}

/* The model asks for one tool and ends its turn. */
static void
call(struct ln_chat *c, const char *name, const char *arguments)
{
	talk_feed_call(c, name, arguments);
	talk_feed_done(c, 3, 10);
}

/* Until something else than waiting and tools is next. */
static void
work(struct talk *t, struct ln_chat *c)
{
	int64_t now = ln_time_now_ms();
	int i;

	for (i = 0; i < 100; i++) {
		if (ln_chat_next(c) == LN_CHAT_LOCAL)
			assert_int_equal(ln_chat_local(t->st, c, NULL), LN_OK);
		else if (ln_chat_next(c) == LN_CHAT_WAIT)
			(void)!ln_chat_tick(c, now + 100 * i);
		else
			return;
	}
	fail_msg("it never ended");
}

static void
expect_run(struct talk *t, size_t i, const char *name, const char *state,
    const char *result)
{
	struct ln_tool_run_list l;

	assert_int_equal(ln_tool_run_list(t->st, "ann", t->conversation, &l,
	    NULL), LN_OK);
	assert_true(l.count > i);
	assert_string_equal(l.items[i].name, name);
	assert_string_equal(l.items[i].state, state);
	if (result != NULL)
		assert_non_null(strstr(l.items[i].result, result));
	ln_tool_run_list_free(&l);
}

/* --- rounds ---------------------------------------------------------------- */

static void
a_tool_is_run_and_the_model_told(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "What time is it?");
	struct ln_conversation *v = NULL;
	struct ln_chat *c = talk_begin(t, &o);

	assert_non_null(talk_in_body(c, "\"tools\":[{\"type\":\"function\""));
	assert_non_null(talk_in_body(c, "current_time"));
	talk_feed(c, "Let me look.");
	call(c, "current_time", "{}");
	assert_int_equal(ln_chat_next(c), LN_CHAT_WAIT);
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	assert_non_null(talk_in_body(c, "\"tool_calls\":[{\"function\":"
	    "{\"name\":\"current_time\",\"arguments\":{}}}]"));
	assert_non_null(talk_in_body(c, "\"content\":\"Let me look.\""));
	assert_non_null(talk_in_body(c, "\"role\":\"tool\""));
	assert_non_null(talk_in_body(c, "rfc3339"));
	talk_feed(c, "It is");
	talk_feed(c, " noon.");
	talk_feed_done(c, 4, 20);
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation What time is it?;saved -;"
	    "tool current_time running;tool current_time done;done stop;");
	assert_string_equal(ln_buf_str(&t->text),
	    "Let me look.\n\nIt is noon.");
	talk_expect(t, t->message_id, "complete",
	    "Let me look.\n\nIt is noon.");
	/* Both requests count. */
	assert_int_equal(t->tokens, 7);
	assert_int_equal(t->prompt_tokens, 30);
	assert_false(t->is_estimated);
	ln_chat_free(c);
	expect_run(t, 0, "current_time", "done", "rfc3339");
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM audit WHERE"
	    " action = 'tool.run' AND target = 'current_time' AND"
	    " outcome = 'ok' AND detail IS NULL"), 1);
	assert_int_equal(ln_conversation_get(t->st, "ann", t->conversation,
	    &v, NULL), LN_OK);
	assert_int_equal(v->total_tokens, 37);
	ln_conversation_free(v);
}

static void
several_calls_of_one_round_are_answered_together(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	const char *first, *second;

	talk_feed_call(c, "echo", "{\"n\":1}");
	call(c, "echo", "{\"n\":2}");
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	first = talk_in_body(c, "\"content\":\"{\\\"n\\\":1}\"");
	second = talk_in_body(c, "\"content\":\"{\\\"n\\\":2}\"");
	assert_non_null(first);
	assert_true(second > first);
	ln_chat_free(c);
	expect_run(t, 0, "echo", "done", "{\"n\":1}");
	expect_run(t, 1, "echo", "done", "{\"n\":2}");
}

static void
too_many_calls_at_once_are_left_out_and_said(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int i;

	for (i = 0; i < 20; i++)
		talk_feed_call(c, "echo", "{}");
	talk_feed_done(c, 1, 1);
	work(t, c);
	assert_non_null(talk_in_body(c, "[4 more calls were not run"));
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool_run"),
	    16);
}

static void
what_fails_is_told_to_the_model_and_the_person(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed_call(c, "nosuch", "{}");
	call(c, "current_time", "\"words\"");
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	assert_non_null(talk_in_body(c, "There is no tool of this name"));
	assert_non_null(talk_in_body(c, "arguments"));
	assert_non_null(strstr(ln_buf_str(&t->log), "tool nosuch failed;"));
	talk_feed(c, "Sorry.");
	talk_feed_done(c, 1, 1);
	talk_expect(t, t->message_id, "complete", "Sorry.");
	ln_chat_free(c);
	expect_run(t, 0, "nosuch", "failed", "There is no tool");
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM audit WHERE"
	    " action = 'tool.run' AND target IS NULL AND"
	    " outcome = 'not_found'"), 1);
	expect_run(t, 1, "current_time", "failed", "");
}

static void
an_endless_loop_ends_after_five_rounds(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int round;

	for (round = 0; round < 5; round++) {
		talk_feed(c, "again");
		call(c, "echo", "{}");
		work(t, c);
		assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	}
	call(c, "echo", "{}");
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log), "error upstream The model"
	    " kept asking for tools and was stopped after five rounds;"
	    "done error;"));
	talk_expect(t, t->message_id, "failed",
	    "again\n\nagain\n\nagain\n\nagain\n\nagain");
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool_run"),
	    5);
	assert_int_equal(place_int(t->st, "SELECT max(round) FROM tool_run"),
	    5);
}

static void
a_turn_can_be_without_tools(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;

	o.is_without_tools = true;
	c = talk_begin(t, &o);
	assert_null(talk_in_body(c, "\"tools\""));
	call(c, "echo", "{}");
	assert_non_null(strstr(ln_buf_str(&t->log), "error upstream"));
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool_run"),
	    0);
}

static void
a_model_that_takes_no_tools_is_asked_without(void **state)
{
	static const char refusal[] = "{\"error\":\"registry.ollama.ai/library/"
	    "llama3.2 does not support tools\"}";
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;

	talk_use_ollama(t, NOWHERE, "plain");
	c = talk_begin(t, &o);
	ln_chat_feed(c, 400, refusal, strlen(refusal));
	ln_chat_upstream_end(c, 400, LN_OK, NULL);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	assert_null(talk_in_body(c, "\"tools\""));
	talk_feed(c, "Hello");
	talk_feed_done(c, 1, 1);
	talk_expect(t, t->message_id, "complete", "Hello");
	ln_chat_free(c);

	/* It is not refused twice; others are offered what they were. */
	o = ask(t, "And?");
	c = talk_begin(t, &o);
	assert_null(talk_in_body(c, "\"tools\""));
	ln_chat_free(c);
	talk_use_ollama(t, NOWHERE, "llama3.2");
	c = talk_begin(t, &o);
	assert_non_null(talk_in_body(c, "\"tools\""));
	ln_chat_free(c);
}

/* --- asking first ----------------------------------------------------------- */

static void
a_person_allows_or_denies_a_call(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_store *other = place_open(t->place, 1000);
	int64_t now = ln_time_now_ms(), first, id;

	asks_first = true;
	place_add_user(other, "bob");
	talk_feed_call(c, "echo", "{\"n\":1}");
	call(c, "echo", "{\"n\":2}");
	assert_int_equal(ln_chat_tick(c, now + 50), LN_OK);
	assert_int_equal(ln_chat_next(c), LN_CHAT_WAIT);
	assert_non_null(strstr(ln_buf_str(&t->log),
	    "tool echo asking;tool echo asking;"));
	id = t->call_id;
	first = id - 1;
	expect_run(t, 0, "echo", "asking", NULL);
	/* Nobody else's, and nothing that does not ask. */
	assert_int_equal(ln_chat_decide(other, "bob", t->conversation, id,
	    true, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_decide(other, "ann", "nosuch", id, true,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_decide(other, "ann", t->conversation,
	    id + 1, true, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_tick(c, now + 1000), LN_OK);
	assert_int_equal(ln_chat_next(c), LN_CHAT_WAIT);

	assert_int_equal(ln_chat_decide(other, "ann", t->conversation, id,
	    true, NULL), LN_OK);
	assert_int_equal(ln_chat_decide(other, "ann", t->conversation, first,
	    false, NULL), LN_OK);
	assert_int_equal(ln_chat_decide(other, "ann", t->conversation, first,
	    true, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_tick(c, now + 1100), LN_OK);
	assert_int_equal(ln_chat_next(c), LN_CHAT_LOCAL);
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	assert_non_null(talk_in_body(c, "The person did not allow this call"));
	assert_non_null(talk_in_body(c, "\"content\":\"{\\\"n\\\":2}\""));
	assert_non_null(strstr(ln_buf_str(&t->log), "tool echo denied;"));
	assert_non_null(strstr(ln_buf_str(&t->log), "tool echo done;"));
	ln_chat_free(c);
	expect_run(t, 0, "echo", "denied", "did not allow");
	expect_run(t, 1, "echo", "done", NULL);
	ln_store_close(other);
}

static void
nobody_there_is_a_no(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t now = ln_time_now_ms();

	asks_first = true;
	call(c, "echo", "{}");
	(void)!ln_chat_tick(c, now);
	(void)!ln_chat_tick(c, now + 599000);
	assert_int_equal(ln_chat_next(c), LN_CHAT_WAIT);
	(void)!ln_chat_tick(c, now + 600000);
	(void)!ln_chat_tick(c, now + 600100);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	assert_non_null(talk_in_body(c, "Nobody allowed this call in time"));
	ln_chat_free(c);
	expect_run(t, 0, "echo", "denied", "Nobody");
}

static void
a_stop_does_not_wait_for_a_decision(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	asks_first = true;
	call(c, "echo", "{}");
	(void)!ln_chat_tick(c, ln_time_now_ms());
	ln_chat_stop(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log),
	    "tool echo asking;tool echo failed;done stopped;"));
	assert_int_equal(ln_chat_decide(t->st, "ann", t->conversation,
	    t->call_id, true, NULL), LN_NOT_FOUND);
	ln_chat_free(c);
	expect_run(t, 0, "echo", "failed", NULL);
}

static void
allow_it(struct talk *t)
{
	assert_int_equal(ln_chat_decide(t->st, "ann", t->conversation,
	    t->call_id, true, NULL), LN_OK);
}

static void
the_decision_may_come_from_inside_the_event(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	asks_first = true;
	t->on_asking = allow_it;
	call(c, "echo", "{}");
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	ln_chat_free(c);
	expect_run(t, 0, "echo", "done", NULL);
}

static void
an_unsaved_turn_runs_tools_but_none_that_asks(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;

	o.is_unsaved = true;
	c = talk_begin(t, &o);
	call(c, "echo", "{\"n\":1}");
	work(t, c);
	assert_non_null(talk_in_body(c, "\"content\":\"{\\\"n\\\":1}\""));
	asks_first = true;
	call(c, "echo", "{}");
	work(t, c);
	assert_non_null(talk_in_body(c, "needs a saved conversation"));
	talk_feed_done(c, 1, 1);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool_run"),
	    0);
}

/* --- ends -------------------------------------------------------------------- */

struct runner {
	struct ln_chat_job *job;
	struct ln_store *store;
};

static void *
run_job(void *arg)
{
	struct runner *r = arg;

	ln_chat_job_run(r->job, r->store);
	return NULL;
}

static void
a_stop_does_not_wait_for_a_tool(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct runner r = { .store = place_open(t->place, 1000) };
	pthread_t thread;
	int64_t begin;

	talk_feed(c, "half");
	call(c, "slow", "{}");
	(void)!ln_chat_tick(c, ln_time_now_ms());
	assert_int_equal(ln_chat_next(c), LN_CHAT_LOCAL);
	assert_int_equal(ln_chat_job_take(c, &r.job, NULL), LN_OK);
	assert_int_equal(ln_chat_next(c), LN_CHAT_WAIT);
	assert_int_equal(pthread_create(&thread, NULL, run_job, &r), 0);
	/* The turn shows signs of life meanwhile. */
	place_exec(t->st, "UPDATE generation SET beat_ms = 1");
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms() + 6000), LN_OK);
	assert_true(place_int(t->st, "SELECT beat_ms FROM generation") > 1);

	begin = ln_time_mono_ms();
	ln_chat_stop(c);
	talk_expect(t, ln_chat_message_id(c), "stopped", "half");
	ln_chat_free(c);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(ln_time_mono_ms() - begin < 2000);
	ln_chat_job_finish(r.job);
	expect_run(t, 0, "slow", "failed", NULL);
	ln_store_close(r.store);
}

static void
a_tool_can_be_cut_short_while_the_turn_goes_on(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct runner r = { .store = t->st };

	call(c, "slow", "{}");
	(void)!ln_chat_tick(c, ln_time_now_ms());
	assert_int_equal(ln_chat_job_take(c, &r.job, NULL), LN_OK);
	ln_chat_cancel_local(c);
	run_job(&r);
	ln_chat_job_finish(r.job);
	work(t, c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	ln_chat_free(c);
	expect_run(t, 0, "slow", "failed", NULL);
}

static void
a_killed_process_leaves_no_call_open(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t count;

	asks_first = true;
	call(c, "echo", "{}");
	(void)!ln_chat_tick(c, ln_time_now_ms());
	assert_int_equal(ln_chat_recover(t->st, "test:", "test:2", &count,
	    NULL), LN_OK);
	assert_int_equal(count, 1);
	expect_run(t, 0, "echo", "failed", NULL);
	assert_int_equal(ln_chat_decide(t->st, "ann", t->conversation,
	    t->call_id, true, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms() + 1000),
	    LN_CANCELLED);
	ln_chat_free(c);
}

static void
runs_are_the_persons_own_and_go_with_the_conversation(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_tool_run_list l;

	call(c, "echo", "{}");
	work(t, c);
	talk_feed_done(c, 1, 1);
	ln_chat_free(c);
	assert_int_equal(ln_tool_run_list(t->st, "bob", t->conversation, &l,
	    NULL), LN_OK);
	assert_int_equal(l.count, 0);
	assert_int_equal(ln_conversation_delete(t->st, "ann", t->conversation,
	    NULL), LN_OK);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM tool_run"),
	    0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_tool_is_run_and_the_model_told),
		T(several_calls_of_one_round_are_answered_together),
		T(too_many_calls_at_once_are_left_out_and_said),
		T(what_fails_is_told_to_the_model_and_the_person),
		T(an_endless_loop_ends_after_five_rounds),
		T(a_turn_can_be_without_tools),
		T(a_model_that_takes_no_tools_is_asked_without),
		T(a_person_allows_or_denies_a_call),
		T(nobody_there_is_a_no),
		T(a_stop_does_not_wait_for_a_decision),
		T(the_decision_may_come_from_inside_the_event),
		T(an_unsaved_turn_runs_tools_but_none_that_asks),
		T(a_stop_does_not_wait_for_a_tool),
		T(a_tool_can_be_cut_short_while_the_turn_goes_on),
		T(a_killed_process_leaves_no_call_open),
		T(runs_are_the_persons_own_and_go_with_the_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
