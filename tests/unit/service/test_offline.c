#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/retrieve.h"
#include "service/talk.h"
#include "store/tx.h"

static struct ln_chat_opts
ask(const char *user, const char *prompt)
{
	const struct ln_chat_opts o = {
		.size = sizeof(o), .user_id = user, .prompt = prompt,
		.owner = "test:1",
	};

	return o;
}

/* Two people with secrets in their conversations. */
static int
setup(void **state)
{
	struct talk *t;

	if (talk_setup(state) != 0)
		return -1;
	t = *state;
	place_add_user(t->st, "bob");
	place_exec(t->st, "INSERT INTO conversation(id, user_id, title,"
	    " created_ms, updated_ms) VALUES"
	    " ('a', 'ann', 'Garden *plans*', 1767225600000, 1),"
	    " ('b', 'bob', 'Vault nine', 1767225600000, 1)");
	place_exec(t->st, "INSERT INTO message(conversation_id, role, content,"
	    " created_ms) VALUES"
	    " ('a', 'user', 'When do tulips bloom?', 1767225600000),"
	    " ('a', 'assistant', 'Tulips bloom in April." "\n" "Plant the"
	    " bulbs in October.', 1767225600000),"
	    " ('b', 'user', 'My tulips hide the canary code 4711',"
	    "  1767225600000),"
	    " ('b', 'assistant', 'The canary is under the tulips',"
	    "  1767225600000)");
	/* The index learns at the end of a transaction of ours. */
	assert_int_equal(lni_tx_begin(t->st, NULL), LN_OK);
	assert_int_equal(lni_tx_end(t->st, LN_OK, NULL), LN_OK);
	return 0;
}

static const char *
answer(struct talk *t, const struct ln_chat_opts *o)
{
	struct ln_chat *c = talk_begin(t, o);
	int i;

	assert_int_equal(ln_chat_next(c), LN_CHAT_LOCAL);
	assert_null(ln_chat_request(c));
	assert_int_equal(ln_chat_local(t->st, c, NULL), LN_OK);
	for (i = 0; i < 1000 && ln_chat_next(c) == LN_CHAT_PUMP; i++)
		ln_chat_pump(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_true(i > 2);
	ln_chat_free(c);
	talk_expect(t, t->message_id, "complete", ln_buf_str(&t->text));
	return ln_buf_str(&t->text);
}

static void
it_quotes_the_person_s_own_messages_and_says_where_they_are_from(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask("ann", "tulips in April");
	const char *s = answer(t, &o);

	assert_non_null(strstr(s, "No language model is connected"));
	assert_non_null(strstr(s, "**Garden \\*plans\\*** \u00b7 2026-01-01"));
	assert_non_null(strstr(s, "> Tulips bloom in April.\n"
	    "> Plant the bulbs in October."));
	assert_non_null(strstr(s, "lnctl provider set ollama"));
}

static void
it_never_shows_another_user_s_messages(void **state)
{
	static const char *const questions[] = { "tulips canary code 4711",
		"canary", "vault bulbs", "\"canary\" OR user_id:bob",
		"canary* NEAR(canary, 4711)" };
	struct talk *t = *state;
	struct ln_chat_opts o;
	size_t i;

	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const char *s;

		o = ask("ann", questions[i]);
		s = answer(t, &o);
		/* Her own earlier questions may well be quoted. */
		assert_null(strstr(s, "My tulips hide"));
		assert_null(strstr(s, "under the tulips"));
		assert_null(strstr(s, "Vault nine"));
	}
}

static void
it_quotes_neither_the_question_nor_its_own_answers(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask("ann", "zebras zebras");
	const char *s = answer(t, &o);

	assert_null(strstr(s, "zebras"));
	/* The same question elsewhere, and what was answered to it. */
	s = answer(t, &o);
	assert_null(strstr(s, "zebras"));
	assert_null(strstr(s, "From your conversations"));
}

static void
it_knows_the_handbook(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask("ann",
	    "How can I connect a model with Ollama?");
	const char *s = answer(t, &o);

	assert_non_null(strstr(s, "### From the handbook"));
	assert_non_null(strstr(s, "Connecting Ollama on the same machine"));
	/* The second search uses what the first prepared. */
	s = answer(t, &o);
	assert_non_null(strstr(s, "### From the handbook"));
}

static void
a_greeting_gets_a_useful_answer(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask("ann", "Hi, how are you?");
	const char *s = answer(t, &o);

	assert_non_null(strstr(s, "No language model is connected"));
	assert_non_null(strstr(s, "connect a model"));
}

static void
any_text_is_a_safe_query(void **state)
{
	static const char *const texts[] = {
		"\"", "\"\"\"", "'; DROP TABLE message; --", "a AND", "NOT",
		"NEAR(", "* ^ : - + ()", "col:x", "{a b}:c", "\\", "%s %n",
		"\u201equoted\u201c", "\U0001F980", "\u65e5\u672c\u8a9e",
		"\u2013\u2013 \u2014", "AND OR NOT NEAR", "x\ty\nz\001",
		"0", "a", "------", "OR OR OR",
	};
	struct talk *t = *state;
	struct ln_chat_opts o;
	char *query;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		o = ask("ann", texts[i]);
		o.conversation_id = NULL;
		(void)answer(t, &o);
	}
	assert_int_equal(lni_retrieve_query("Say \"backups\" to O'Brien x",
	    &query, NULL), LN_OK);
	assert_string_equal(query, "\"backup\" * OR \"Brien\" *");
	ln_free(query);
}

static void
long_questions_and_long_messages_stay_bounded(void **state)
{
	struct talk *t = *state;
	char *big = malloc(200001);
	struct ln_chat_opts o;
	size_t i;

	assert_non_null(big);
	for (i = 0; i < 200000; i++)
		big[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 23);
	big[200000] = '\0';
	o = ask("ann", big);
	assert_true(strlen(answer(t, &o)) < 8000);
	o = ask("ann", "abcdef tulips");
	assert_true(strlen(answer(t, &o)) < 8000);
	free(big);
}

static void
a_failed_search_ends_the_turn_with_an_error(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask("ann", "tulips");
	struct ln_chat *c = talk_begin(t, &o);
	struct place *broken = NULL;

	/* Another handle, as in another thread, and it fails. */
	assert_int_equal(place_setup((void **)&broken), 0);
	place_exec(broken->store, "DROP TABLE search_owner");
	assert_int_not_equal(ln_chat_local(broken->store, c, NULL), LN_OK);
	assert_int_equal(place_teardown((void **)&broken), 0);
	assert_int_equal(ln_chat_next(c), LN_CHAT_PUMP);
	ln_chat_pump(c);
	assert_int_equal(ln_chat_next(c), LN_CHAT_FINISHED);
	assert_non_null(strstr(ln_buf_str(&t->log), "error internal"));
	assert_non_null(strstr(ln_buf_str(&t->log), "done error;"));
	talk_expect(t, t->message_id, "failed", "");
	ln_chat_free(c);
}

static void
an_unsaved_question_is_answered_as_well(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask("ann", "tulips in April");
	struct ln_chat *c;

	o.is_unsaved = true;
	c = talk_begin(t, &o);
	assert_int_equal(ln_chat_local(t->st, c, NULL), LN_OK);
	while (ln_chat_next(c) == LN_CHAT_PUMP)
		ln_chat_pump(c);
	assert_non_null(strstr(ln_buf_str(&t->text), "Garden"));
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM message"), 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_quotes_the_person_s_own_messages_and_says_where_they_are_from),
		T(it_never_shows_another_user_s_messages),
		T(it_quotes_neither_the_question_nor_its_own_answers),
		T(it_knows_the_handbook),
		T(a_greeting_gets_a_useful_answer),
		T(any_text_is_a_safe_query),
		T(long_questions_and_long_messages_stay_bounded),
		T(a_failed_search_ends_the_turn_with_an_error),
		T(an_unsaved_question_is_answered_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
