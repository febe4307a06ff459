/* Many answers at a time cost no more transactions than one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/time.h>

#include "service/talk.h"
#include "store/stmt.h"

#define NOWHERE "http://127.0.0.1:9"	/* nothing is sent in these tests */
#define CHATS 50

struct crowd {
	struct talk *t;
	uint64_t seq[CHATS];	/* where each one's last chunk ended */
	int chunks, ends;
	struct ln_chat *chats[CHATS];
	int commits;
	int64_t begin_ms;
};

static int
count_commit(void *arg)
{
	struct crowd *cr = arg;

	cr->commits++;
	return 0;
}

static void
note(void *arg, const struct ln_chat_event *ev)
{
	struct crowd *cr = arg;
	int i = 0;

	if (ev->type == LN_CHAT_DONE)
		cr->ends++;
	if (ev->type != LN_CHAT_CHUNK)
		return;
	while (ln_chat_message_id(cr->chats[i]) != ev->message_id)
		i++;
	assert_int_equal(ev->from, cr->seq[i]);
	cr->seq[i] = ev->seq;
	cr->chunks++;
}

static int
setup(void **state)
{
	struct crowd *cr = calloc(1, sizeof(*cr));
	const struct ln_chat_opts o = { .size = sizeof(o), .user_id = "ann",
		.prompt = "Hi", .owner = "test:1", .is_batched = true };
	int i;

	if (cr == NULL || talk_setup((void **)&cr->t) != 0)
		return -1;
	talk_use_ollama(cr->t, NOWHERE, "llama3.2");
	for (i = 0; i < CHATS; i++)
		if (ln_chat_begin(cr->t->st, cr->t->cfg, &o, note, cr,
		    &cr->chats[i], NULL) != LN_OK)
			return -1;
	/* A sign of life of all: from now on they are in step. */
	cr->begin_ms = ln_time_now_ms() + 6000;
	ln_chat_tick_all(cr->chats, CHATS, cr->begin_ms);
	sqlite3_commit_hook(lni_store_db(cr->t->st), count_commit, cr);
	*state = cr;
	return 0;
}

static int
teardown(void **state)
{
	struct crowd *cr = *state;
	int i, rc;

	for (i = 0; i < CHATS; i++)
		ln_chat_free(cr->chats[i]);
	rc = talk_teardown((void **)&cr->t);
	free(cr);
	return rc;
}

static void
say(struct crowd *cr, const char *text)
{
	int i;

	for (i = 0; i < CHATS; i++)
		talk_feed(cr->chats[i], text);
}

static void
tick(struct crowd *cr, int64_t after_ms)
{
	ln_chat_tick_all(cr->chats, CHATS, cr->begin_ms + after_ms);
}

static int64_t
journalled(struct crowd *cr)
{
	return place_int(cr->t->st, "SELECT count(*) FROM message WHERE"
	    " role = 'assistant' AND content <> ''");
}

static void
no_token_is_written_by_itself(void **state)
{
	struct crowd *cr = *state;

	say(cr, "word");
	assert_int_equal(cr->commits, 0);
	tick(cr, 100);
	assert_int_equal(cr->commits, 0);
	assert_int_equal(journalled(cr), 0);
}

static void
fifty_answers_are_journalled_by_one_commit(void **state)
{
	struct crowd *cr = *state;

	say(cr, "word");
	tick(cr, 260);
	assert_int_equal(cr->commits, 1);
	assert_int_equal(journalled(cr), CHATS);
	tick(cr, 300);
	tick(cr, 800);
	assert_int_equal(cr->commits, 1);
}

static void
what_may_wait_goes_along_with_what_may_not(void **state)
{
	char piece[LN_CHAT_JOURNAL_BYTES + 1];
	struct crowd *cr = *state;

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	talk_feed(cr->chats[0], piece);
	talk_feed(cr->chats[1], "short");
	tick(cr, 50);
	assert_int_equal(cr->commits, 1);
	assert_int_equal(journalled(cr), 2);
}

static void
fifty_ends_are_saved_by_one_commit(void **state)
{
	struct crowd *cr = *state;
	int i;

	say(cr, "word");
	for (i = 0; i < CHATS; i++) {
		talk_feed_done(cr->chats[i], 1, 1);
		assert_int_equal(ln_chat_next(cr->chats[i]), LN_CHAT_WAIT);
	}
	assert_int_equal(cr->ends, 0);
	tick(cr, 50);
	assert_int_equal(cr->commits, 1);
	assert_int_equal(place_int(cr->t->st, "SELECT count(*) FROM message"
	    " WHERE state = 'complete' AND content = 'word'"), CHATS);
	for (i = 0; i < CHATS; i++)
		assert_int_equal(ln_chat_next(cr->chats[i]),
		    LN_CHAT_FINISHED);
	assert_int_equal(cr->ends, CHATS);
	tick(cr, 1000);
	assert_int_equal(cr->commits, 1);
}

static void
in_a_crowd_a_tick_brings_what_came_since_the_last(void **state)
{
	struct crowd *cr = *state;
	int i;

	say(cr, "one ");
	say(cr, "two ");
	assert_int_equal(cr->chunks, 0);
	tick(cr, 50);
	assert_int_equal(cr->chunks, CHATS);
	for (i = 0; i < CHATS; i++)
		assert_int_equal(cr->seq[i], 8);
	tick(cr, 100);
	assert_int_equal(cr->chunks, CHATS);
	/* The end leaves nothing out. */
	talk_feed(cr->chats[0], "three");
	ln_chat_stop(cr->chats[0]);
	tick(cr, 150);
	assert_int_equal(cr->seq[0], 13);
	assert_int_equal(cr->ends, 1);
}

static void
who_comes_back_in_a_crowd_gets_what_was_told(void **state)
{
	struct crowd *cr = *state;
	struct talk back = { .text = LN_BUF_INIT(100),
		.log = LN_BUF_INIT(100) };

	say(cr, "told");
	tick(cr, 50);
	say(cr, " later");
	ln_chat_resume(cr->chats[0], 0, talk_note, &back);
	/* The rest comes as the next event, from there on. */
	assert_string_equal(ln_buf_str(&back.text), "told");
	assert_int_equal(back.seq, cr->seq[0]);
	ln_buf_free(&back.text);
	ln_buf_free(&back.log);
}

static void
an_answer_that_is_lost_takes_no_other_with_it(void **state)
{
	struct crowd *cr = *state;

	say(cr, "word");
	place_exec(cr->t->st, "DELETE FROM generation WHERE message_id ="
	    " (SELECT min(message_id) FROM generation)");
	tick(cr, 260);
	assert_int_equal(ln_chat_next(cr->chats[0]), LN_CHAT_FINISHED);
	assert_int_equal(ln_chat_error(cr->chats[0])->status, LN_CONFLICT);
	assert_int_equal(ln_chat_next(cr->chats[1]), LN_CHAT_SEND);
	assert_int_equal(journalled(cr), CHATS - 1);
}

static void
a_stop_and_a_block_reach_the_right_ones(void **state)
{
	struct crowd *cr = *state;
	int i;

	say(cr, "word");
	tick(cr, 260);
	assert_int_equal(ln_chat_request_stop(cr->t->st, "ann",
	    ln_chat_conversation_id(cr->chats[7]), NULL), LN_OK);
	tick(cr, 600);
	for (i = 0; i < CHATS; i++)
		assert_int_equal(ln_chat_next(cr->chats[i]),
		    i == 7 ? LN_CHAT_WAIT : LN_CHAT_SEND);
	place_exec(cr->t->st, "UPDATE user SET blocked_ms = 1");
	tick(cr, 1200);
	tick(cr, 1250);
	for (i = 0; i < CHATS; i++)
		assert_int_equal(ln_chat_next(cr->chats[i]),
		    LN_CHAT_FINISHED);
	assert_null(ln_chat_error(cr->chats[7]));
	assert_int_equal(ln_chat_error(cr->chats[8])->status, LN_FORBIDDEN);
	assert_int_equal(place_int(cr->t->st, "SELECT count(*) FROM message"
	    " WHERE state = 'stopped' AND content = 'word'"), CHATS);
}

static void
a_busy_database_is_asked_again(void **state)
{
	struct crowd *cr = *state;
	struct ln_store *other = place_open(cr->t->place, 1);

	place_exec(cr->t->st, "PRAGMA busy_timeout = 1");
	say(cr, "word");
	assert_int_equal(lni_tx_begin(other, NULL), LN_OK);
	tick(cr, 260);
	assert_int_equal(journalled(cr), 0);
	assert_int_equal(lni_tx_end(other, LN_OK, NULL), LN_OK);
	/* Not at every tick: waiting for a lock costs everybody time. */
	tick(cr, 300);
	assert_int_equal(journalled(cr), 0);
	tick(cr, 520);
	assert_int_equal(journalled(cr), CHATS);
	ln_store_close(other);
}

static void
freeing_a_batched_turn_saves_it(void **state)
{
	struct crowd *cr = *state;

	say(cr, "word");
	talk_feed_done(cr->chats[0], 1, 1);
	ln_chat_free(cr->chats[0]);
	ln_chat_free(cr->chats[1]);
	cr->chats[0] = cr->chats[1] = NULL;
	assert_int_equal(place_int(cr->t->st, "SELECT count(*) FROM message"
	    " WHERE state = 'complete' AND content = 'word'"), 1);
	assert_int_equal(place_int(cr->t->st, "SELECT count(*) FROM message"
	    " WHERE state = 'interrupted' AND content = 'word'"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_token_is_written_by_itself),
		T(fifty_answers_are_journalled_by_one_commit),
		T(what_may_wait_goes_along_with_what_may_not),
		T(fifty_ends_are_saved_by_one_commit),
		T(in_a_crowd_a_tick_brings_what_came_since_the_last),
		T(who_comes_back_in_a_crowd_gets_what_was_told),
		T(an_answer_that_is_lost_takes_no_other_with_it),
		T(a_stop_and_a_block_reach_the_right_ones),
		T(a_busy_database_is_asked_again),
		T(freeing_a_batched_turn_saves_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
