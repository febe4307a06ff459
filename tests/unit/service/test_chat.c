#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/time.h>

#include "service/talk.h"
#include "store/tx.h"

#define NOWHERE "http://127.0.0.1:9"	/* nothing is sent in these tests */

static int
setup(void **state)
{
	int rc = talk_setup(state);

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
		.owner = "test:1", .temp_id = "t1",
	};

	return o;
}

static const char SQL_MESSAGES[] = "SELECT count(*) FROM message";
static const char SQL_RUNNING[] = "SELECT count(*) FROM generation";

/* --- a whole turn -------------------------------------------------------- */

static void
look_from_outside(struct talk *t)
{
	struct ln_store *other = place_open(t->place, 1000);

	assert_int_equal(place_int(other, SQL_MESSAGES), 2);
	assert_int_equal(place_int(other, SQL_RUNNING), 1);
	ln_store_close(other);
	t->on_saved = NULL;
}

static void
the_question_is_durable_before_it_is_called_saved(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hello\nworld");
	struct ln_chat *c;

	t->on_saved = look_from_outside;
	c = talk_begin(t, &o);
	assert_null(t->on_saved);
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation Hello world;saved t1;");
	assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
	ln_chat_free(c);
}

static void
an_answer_streams_in_and_is_saved(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_conversation *v = NULL;
	struct ln_chat *c = talk_begin(t, &o);

	assert_string_equal(ln_chat_request(c)->url, NOWHERE "/api/chat");
	talk_feed(c, "Gr\xc3\xbc\xc3\x9f");
	talk_feed(c, " dich");
	assert_string_equal(ln_buf_str(&t->text), "Gr\xc3\xbc\xc3\x9f dich");
	talk_expect(t, ln_chat_message_id(c), "streaming", "");
	talk_feed_done(c, 7, 5);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	/* What the transport does afterwards changes nothing. */
	ln_chat_upstream_end(c, 200, LN_CANCELLED, NULL);
	ln_chat_stop(c);
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms()), LN_OK);
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation Hi;saved t1;done stop;");
	talk_expect(t, t->message_id, "complete", "Gr\xc3\xbc\xc3\x9f dich");
	assert_int_equal(t->tokens, 7);
	assert_int_equal(t->prompt_tokens, 5);
	assert_false(t->is_estimated);
	assert_null(ln_chat_error(c));
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, SQL_RUNNING), 0);
	assert_int_equal(ln_conversation_get(t->st, "ann", t->conversation,
	    &v, NULL), LN_OK);
	assert_int_equal(v->total_tokens, 12);
	assert_null(v->model);	/* only what was asked for sticks */
	ln_conversation_free(v);
}

static void
tokens_that_nobody_counted_are_marked_as_estimated(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed(c, "12345");
	talk_feed_done(c, 0, 0);
	assert_true(t->is_estimated);
	assert_int_equal(t->tokens, 2);
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT sum(is_estimated) FROM"
	    " message"), 1);
}

/* --- losing as little as possible ---------------------------------------- */

static void
a_killed_writer_loses_a_quarter_of_a_second_at_most(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_store *other = place_open(t->place, 1000);
	int64_t now = ln_time_now_ms(), count = 0, id = ln_chat_message_id(c);

	talk_feed(c, "first");
	assert_int_equal(ln_chat_tick(c, now + 100), LN_OK);
	talk_expect(t, id, "streaming", "");
	assert_int_equal(ln_chat_tick(c, now + 300), LN_OK);
	talk_expect(t, id, "streaming", "first");
	talk_feed(c, " second");
	assert_int_equal(ln_chat_tick(c, now + 400), LN_OK);
	talk_expect(t, id, "streaming", "first");

	/* The process dies here; a new one starts. */
	assert_int_equal(ln_chat_recover(other, "test:", "test:2", &count,
	    NULL), LN_OK);
	assert_int_equal(count, 1);
	talk_expect(t, id, "interrupted", "first");
	/* Found alive after all, it must not overwrite what was decided. */
	assert_int_equal(ln_chat_tick(c, now + 700), LN_CANCELLED);
	assert_non_null(strstr(ln_buf_str(&t->log), "error conflict"));
	ln_chat_free(c);
	talk_expect(t, id, "interrupted", "first");
	ln_store_close(other);
}

static void
a_kilobyte_is_journalled_by_the_next_tick(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	char piece[LN_CHAT_JOURNAL_BYTES + 1];

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	talk_feed(c, piece);
	talk_expect(t, ln_chat_message_id(c), "streaming", "");
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms() + 50), LN_OK);
	talk_expect(t, ln_chat_message_id(c), "streaming", piece);
	ln_chat_free(c);
}

static void
recovery_leaves_living_writers_alone(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t count = -1;

	assert_int_equal(ln_chat_recover(t->st, "lnctl:", NULL, &count,
	    NULL), LN_OK);
	assert_int_equal(count, 0);
	assert_int_equal(ln_chat_recover(t->st, "test:", "test:1", &count,
	    NULL), LN_OK);
	assert_int_equal(count, 0);
	talk_feed(c, "ok");
	talk_feed_done(c, 1, 1);
	talk_expect(t, t->message_id, "complete", "ok");
	ln_chat_free(c);
}

static bool
is_named(void *arg, const char *owner)
{
	return strcmp(owner, arg) == 0;
}

static void
a_writer_known_to_be_gone_is_recovered_at_once(void **state)
{
	char one[] = "test:1", nobody[] = "test:9";
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t count = -1;

	assert_int_equal(ln_chat_recover_gone(t->st, "test:", is_named, nobody,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 0);
	assert_int_equal(ln_chat_recover_gone(t->st, "other:", is_named, one,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 0);
	assert_int_equal(ln_chat_recover_gone(t->st, "test:", is_named, one,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 1);
	talk_expect(t, ln_chat_message_id(c), "interrupted", "");
	ln_chat_free(c);
}

static void
freeing_an_unfinished_turn_saves_what_came(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t id = ln_chat_message_id(c);

	talk_feed(c, "half");
	ln_chat_free(c);
	talk_expect(t, id, "interrupted", "half");
	assert_int_equal(place_int(t->st, SQL_RUNNING), 0);
	assert_null(strstr(ln_buf_str(&t->log), "done"));
	ln_chat_free(NULL);
}

static void
an_answer_waits_for_a_busy_database(void **state)
{
	struct talk *t = *state;
	struct ln_store *patient = t->st, *other, *hasty;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;

	hasty = place_open(t->place, 1);
	other = place_open(t->place, 1);
	t->st = hasty;
	c = talk_begin(t, &o);
	talk_feed(c, "whole");
	assert_int_equal(lni_tx_begin(other, NULL), LN_OK);
	talk_feed_done(c, 1, 1);
	assert_int_equal(ln_chat_next(c), LN_CHAT_PUMP);
	assert_null(strstr(ln_buf_str(&t->log), "done"));
	ln_chat_pump(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_PUMP);
	assert_int_equal(lni_tx_end(other, LN_OK, NULL), LN_OK);
	ln_chat_pump(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log), "done stop;"));
	talk_expect(t, t->message_id, "complete", "whole");
	ln_chat_free(c);
	ln_store_close(other);
	ln_store_close(hasty);
	t->st = patient;
}

static void
a_database_that_never_answers_ends_the_turn_with_an_error(void **state)
{
	struct talk *t = *state;
	struct ln_store *patient = t->st, *other, *hasty;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;
	int i;

	hasty = place_open(t->place, 1);
	other = place_open(t->place, 1);
	t->st = hasty;
	c = talk_begin(t, &o);
	talk_feed(c, "whole");
	assert_int_equal(lni_tx_begin(other, NULL), LN_OK);
	talk_feed_done(c, 1, 1);
	for (i = 0; i < 100 && ln_chat_next(c) == LN_CHAT_PUMP; i++)
		ln_chat_pump(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log), "error busy"));
	assert_non_null(strstr(ln_buf_str(&t->log), "done error;"));
	assert_int_equal(lni_tx_end(other, LN_OK, NULL), LN_OK);
	ln_chat_free(c);
	ln_store_close(other);
	ln_store_close(hasty);
	t->st = patient;
}

/* --- stopping ------------------------------------------------------------ */

static void
stop_keeps_what_came(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed(c, "half");
	ln_chat_stop(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	ln_chat_stop(c);
	talk_feed(c, "never");
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation Hi;saved t1;done stopped;");
	talk_expect(t, t->message_id, "stopped", "half");
	ln_chat_free(c);
}

static void
another_process_can_stop_it(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_store *other = place_open(t->place, 1000);
	int64_t now = ln_time_now_ms();

	place_add_user(other, "bob");
	talk_feed(c, "half");
	assert_int_equal(ln_chat_request_stop(other, "bob", t->conversation,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_chat_tick(c, now + 600), LN_OK);
	assert_int_equal(ln_chat_request_stop(other, "ann", t->conversation,
	    NULL), LN_OK);
	assert_int_equal(ln_chat_tick(c, now + 1200), LN_CANCELLED);
	talk_expect(t, t->message_id, "stopped", "half");
	assert_int_equal(ln_chat_request_stop(other, "ann", t->conversation,
	    NULL), LN_NOT_FOUND);
	ln_chat_free(c);
	ln_store_close(other);
}

static void
a_block_stops_a_running_answer_and_keeps_it(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi"), again = ask(t, "More");
	struct ln_chat *c = talk_begin(t, &o), *none = NULL;
	struct ln_store *other = place_open(t->place, 1000);
	struct ln_error err = LN_ERROR_INIT;

	talk_feed(c, "half");
	place_exec(other, "UPDATE user SET blocked_ms = 1");
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms() + 600),
	    LN_CANCELLED);
	assert_string_equal(ln_buf_str(&t->log),
	    "conversation Hi;saved t1;"
	    "error forbidden Your account has been blocked.;done stopped;");
	assert_non_null(ln_chat_error(c));
	talk_expect(t, t->message_id, "stopped", "half");
	ln_chat_free(c);

	assert_int_equal(ln_chat_begin(t->st, t->cfg, &again, talk_note, t,
	    &none, &err), LN_FORBIDDEN);
	assert_string_equal(err.text, "Your account has been blocked.");
	assert_null(none);
	assert_int_equal(place_int(t->st, SQL_MESSAGES), 2);
	ln_store_close(other);
}

static void
deleting_the_conversation_ends_the_answer(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed(c, "half");
	assert_int_equal(ln_conversation_delete(t->st, "ann", t->conversation,
	    NULL), LN_OK);
	assert_int_equal(ln_chat_tick(c, ln_time_now_ms() + 300),
	    LN_CANCELLED);
	assert_non_null(strstr(ln_buf_str(&t->log), "done error;"));
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, SQL_MESSAGES), 0);
}

/* --- failing ------------------------------------------------------------- */

static void
what_came_before_a_failure_is_saved_as_failed(void **state)
{
	static const char line[] = "{\"error\":\"canary\"}\n";
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed(c, "half");
	ln_chat_feed(c, 200, line, strlen(line));
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_string_equal(ln_buf_str(&t->log), "conversation Hi;saved t1;"
	    "error upstream The model provider failed while answering;"
	    "done error;");
	talk_expect(t, t->message_id, "failed", "half");
	assert_string_equal(ln_chat_error(c)->detail, "canary");
	/* What was told stays; what only the log may know does not. */
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM message WHERE"
	    " error = 'The model provider failed while answering'"), 1);
	ln_chat_free(c);
}

static void
an_unreachable_provider_is_a_failed_answer(void **state)
{
	const struct ln_error why = {
		.status = LN_UPSTREAM, .text = "It refused", .detail = "x",
	};
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	ln_chat_upstream_end(c, 0, LN_UPSTREAM, &why);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log),
	    "error upstream It refused;done error;"));
	talk_expect(t, t->message_id, "failed", "");
	ln_chat_free(c);
	/* Another try forgets it. */
	o.prompt = NULL;
	o.conversation_id = t->conversation;
	o.is_regenerate = true;
	assert_int_equal(place_int(t->st, "SELECT count(error) FROM message"),
	    1);
	c = talk_begin(t, &o);
	assert_int_equal(place_int(t->st, "SELECT count(error) FROM message"),
	    0);
	ln_chat_free(c);
}

static void
what_cannot_begin_leaves_no_trace(void **state)
{
	static const char *const bad_images[] = { "not base64!", NULL };
	struct ln_llm_options hot;
	struct talk *t = *state;
	struct {
		const char *name;
		struct ln_chat_opts o;
		enum ln_status want;
	} rows[] = {
		{ "empty", ask(t, " \n"), LN_INVALID },
		{ "no prompt", ask(t, NULL), LN_INVALID },
		{ "not UTF-8", ask(t, "\xff"), LN_INVALID },
		{ "unknown conversation", ask(t, "Hi"), LN_NOT_FOUND },
		{ "unknown user", ask(t, "Hi"), LN_UNAUTHENTICATED },
		{ "unknown provider", ask(t, "Hi"), LN_INVALID },
		{ "images", ask(t, "Hi"), LN_INVALID },
		{ "options", ask(t, "Hi"), LN_INVALID },
		{ "project", ask(t, "Hi"), LN_NOT_FOUND },
		{ "edit of nothing", ask(t, "Hi"), LN_NOT_FOUND },
		{ "regenerate nothing", ask(t, NULL), LN_NOT_FOUND },
		{ "model with a line break", ask(t, "Hi"), LN_INVALID },
	};
	struct ln_chat *c = NULL;
	enum ln_status s;
	size_t i;

	ln_llm_options_init(&hot);
	hot.temperature = 2.1;
	rows[3].o.conversation_id = "nosuch";
	rows[4].o.user_id = "nobody";
	rows[5].o.provider = "nosuch";
	rows[6].o.images = bad_images;
	rows[7].o.options = &hot;
	rows[8].o.project_id = "nosuch";
	rows[9].o.edit_message_id = 1;
	rows[10].o.is_regenerate = true;
	rows[11].o.model = "a\nb";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = ln_chat_begin(t->st, t->cfg, &rows[i].o, talk_note, t, &c,
		    NULL);
		if (s != rows[i].want)
			fail_msg("%s: %s", rows[i].name, ln_status_token(s));
		assert_null(c);
	}
	assert_int_equal(t->log.len, 0);
	assert_int_equal(place_int(t->st, SQL_MESSAGES), 0);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM conversation"),
	    0);
}

static void
a_second_answer_must_wait_for_the_first(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o), *none = NULL;

	o = ask(t, "And?");
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &o, talk_note, t, &none,
	    NULL), LN_CONFLICT);
	o.edit_message_id = t->question_id;
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &o, talk_note, t, &none,
	    NULL), LN_CONFLICT);
	assert_int_equal(place_int(t->st, SQL_MESSAGES), 2);
	/* A writer that gave no sign of life does not block for ever. */
	place_exec(t->st, "UPDATE generation SET beat_ms = 1");
	ln_chat_free(c);
	o = ask(t, "And?");
	c = talk_begin(t, &o);
	ln_chat_free(c);
}

static void
a_model_must_be_chosen(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_error err = LN_ERROR_INIT;
	struct ln_chat *c = NULL;

	talk_use_ollama(t, NOWHERE, "");
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &o, talk_note, t, &c,
	    &err), LN_INVALID);
	assert_non_null(strstr(err.text, "lnctl provider set"));
	assert_int_equal(place_int(t->st, SQL_MESSAGES), 0);
}

/* --- resuming ------------------------------------------------------------ */

static void
a_client_that_comes_back_misses_nothing(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct talk back = { .text = LN_BUF_INIT(100),
		.log = LN_BUF_INIT(100) };

	talk_feed(c, "a\xc3\xa9z");
	back.seq = 1;
	ln_chat_resume(c, 1, talk_note, &back);
	assert_string_equal(ln_buf_str(&back.text), "\xc3\xa9z");
	/* Inside the accented letter: from its beginning. */
	ln_buf_clear(&back.text);
	back.seq = 1;
	ln_chat_resume(c, 2, talk_note, &back);
	assert_string_equal(ln_buf_str(&back.text), "\xc3\xa9z");
	ln_buf_clear(&back.text);
	back.seq = 4;
	ln_chat_resume(c, 99, talk_note, &back);
	assert_int_equal(back.text.len, 0);
	assert_int_equal(back.log.len, 0);
	talk_feed_done(c, 1, 1);
	back.seq = 3;
	ln_chat_resume(c, 3, talk_note, &back);
	assert_string_equal(ln_buf_str(&back.text), "z");
	assert_string_equal(ln_buf_str(&back.log), "done stop;");
	ln_buf_free(&back.text);
	ln_buf_free(&back.log);
	ln_chat_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_question_is_durable_before_it_is_called_saved),
		T(an_answer_streams_in_and_is_saved),
		T(tokens_that_nobody_counted_are_marked_as_estimated),
		T(a_killed_writer_loses_a_quarter_of_a_second_at_most),
		T(a_kilobyte_is_journalled_by_the_next_tick),
		T(recovery_leaves_living_writers_alone),
		T(a_writer_known_to_be_gone_is_recovered_at_once),
		T(freeing_an_unfinished_turn_saves_what_came),
		T(an_answer_waits_for_a_busy_database),
		T(a_database_that_never_answers_ends_the_turn_with_an_error),
		T(stop_keeps_what_came),
		T(another_process_can_stop_it),
		T(a_block_stops_a_running_answer_and_keeps_it),
		T(deleting_the_conversation_ends_the_answer),
		T(what_came_before_a_failure_is_saved_as_failed),
		T(an_unreachable_provider_is_a_failed_answer),
		T(what_cannot_begin_leaves_no_trace),
		T(a_second_answer_must_wait_for_the_first),
		T(a_model_must_be_chosen),
		T(a_client_that_comes_back_misses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
