/* Questions that come together are saved together, each for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/talk.h"
#include "store/stmt.h"
#include "store/tx.h"

#define NOWHERE "http://127.0.0.1:9"	/* nothing is sent in these tests */
#define STARTS 20

struct crowd {
	struct talk *t;
	struct ln_chat_opts opts[STARTS];
	struct ln_chat_start starts[STARTS];
	int saved;		/* events */
	int commits, commits_at_event;
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

	if (ev->type == LN_CHAT_SAVED)
		cr->saved++;
	cr->commits_at_event = cr->commits;
}

static int
setup(void **state)
{
	struct crowd *cr = calloc(1, sizeof(*cr));
	int i;

	if (cr == NULL || talk_setup((void **)&cr->t) != 0)
		return -1;
	talk_use_ollama(cr->t, NOWHERE, "llama3.2");
	for (i = 0; i < STARTS; i++) {
		cr->opts[i] = (struct ln_chat_opts){
			.size = sizeof(cr->opts[i]), .user_id = "ann",
			.prompt = "Hi", .owner = "test:1", .is_batched = true,
		};
		cr->starts[i] = (struct ln_chat_start){
			.opts = &cr->opts[i], .fn = note, .arg = cr,
		};
	}
	sqlite3_commit_hook(lni_store_db(cr->t->st), count_commit, cr);
	*state = cr;
	return 0;
}

static int
teardown(void **state)
{
	struct crowd *cr = *state;
	int i, rc;

	sqlite3_commit_hook(lni_store_db(cr->t->st), NULL, NULL);
	for (i = 0; i < STARTS; i++)
		ln_chat_free(cr->starts[i].chat);
	rc = talk_teardown((void **)&cr->t);
	free(cr);
	return rc;
}

static int64_t
questions(struct crowd *cr)
{
	return place_int(cr->t->st,
	    "SELECT count(*) FROM message WHERE role = 'user'");
}

static void
twenty_questions_are_saved_by_one_commit(void **state)
{
	struct crowd *cr = *state;
	int i;

	ln_chat_begin_all(cr->t->st, cr->t->cfg, cr->starts, STARTS);
	assert_int_equal(cr->commits, 1);
	for (i = 0; i < STARTS; i++) {
		assert_int_equal(cr->starts[i].status, LN_OK);
		assert_int_equal(ln_chat_next(cr->starts[i].chat),
		    LN_CHAT_SEND);
	}
	assert_int_equal(questions(cr), STARTS);
	/* Nobody is told before it is so. */
	assert_int_equal(cr->saved, STARTS);
	assert_int_equal(cr->commits_at_event, 1);
}

static void
one_that_fails_takes_no_other_with_it(void **state)
{
	struct crowd *cr = *state;

	cr->opts[3].conversation_id = "nosuch";
	cr->opts[4].provider = "nosuch";
	cr->opts[5].prompt = NULL;
	cr->opts[6].user_id = "nobody";
	ln_chat_begin_all(cr->t->st, cr->t->cfg, cr->starts, STARTS);
	assert_int_equal(cr->starts[3].status, LN_NOT_FOUND);
	assert_int_equal(cr->starts[4].status, LN_INVALID);
	assert_int_equal(cr->starts[5].status, LN_INVALID);
	assert_int_equal(cr->starts[6].status, LN_UNAUTHENTICATED);
	assert_int_equal(cr->starts[6].error.status, LN_UNAUTHENTICATED);
	assert_null(cr->starts[3].chat);
	assert_int_equal(cr->starts[7].status, LN_OK);
	assert_int_equal(questions(cr), STARTS - 4);
	assert_int_equal(cr->saved, STARTS - 4);
}

static void
of_two_in_one_conversation_the_second_is_refused(void **state)
{
	struct crowd *cr = *state;
	struct ln_chat *first = talk_begin(cr->t, &(struct ln_chat_opts){
		.size = sizeof(struct ln_chat_opts), .user_id = "ann",
		.prompt = "Hi", .owner = "test:1" });

	ln_chat_stop(first);
	ln_chat_free(first);
	cr->opts[0].conversation_id = cr->t->conversation;
	cr->opts[1].conversation_id = cr->t->conversation;
	ln_chat_begin_all(cr->t->st, cr->t->cfg, cr->starts, 2);
	assert_int_equal(cr->starts[0].status, LN_OK);
	assert_int_equal(cr->starts[1].status, LN_CONFLICT);
}

static void
with_a_busy_database_none_begins(void **state)
{
	struct crowd *cr = *state;
	struct ln_store *other = place_open(cr->t->place, 1);
	int i;

	place_exec(cr->t->st, "PRAGMA busy_timeout = 1");
	assert_int_equal(lni_tx_begin(other, NULL), LN_OK);
	cr->opts[1].prompt = NULL;
	ln_chat_begin_all(cr->t->st, cr->t->cfg, cr->starts, STARTS);
	assert_int_equal(lni_tx_end(other, LN_OK, NULL), LN_OK);
	ln_store_close(other);
	for (i = 0; i < STARTS; i++) {
		assert_int_equal(cr->starts[i].status, i == 1 ? LN_INVALID :
		    LN_BUSY);
		assert_null(cr->starts[i].chat);
	}
	assert_int_equal(cr->saved, 0);
	assert_int_equal(questions(cr), 0);
	/* And later they do. */
	ln_chat_begin_all(cr->t->st, cr->t->cfg, cr->starts, STARTS);
	assert_int_equal(cr->starts[0].status, LN_OK);
	assert_int_equal(questions(cr), STARTS - 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(twenty_questions_are_saved_by_one_commit),
		T(one_that_fails_takes_no_other_with_it),
		T(of_two_in_one_conversation_the_second_is_refused),
		T(with_a_busy_database_none_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
