#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/setting.h>
#include <ln/summary.h>

#include "service/summary.h"
#include "service/talk.h"
#include "store/tx.h"

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
	    " ('a', 'ann', 'Garden', 1, 1), ('none', 'ann', 'Empty', 1, 1),"
	    " ('b', 'bob', 'Vault nine', 1, 1)");
	place_exec(t->st, "INSERT INTO message(conversation_id, role, content,"
	    " provider, created_ms) VALUES"
	    " ('a', 'user', 'When should I plant the tulip bulbs in my"
	    " garden?', NULL, 1),"
	    " ('a', 'assistant', 'Plant tulip bulbs in October. They like a"
	    " sunny garden. Wash your hands afterwards, please.', 'ollama', 1),"
	    " ('a', 'assistant', '**No language model is connected.** It cites"
	    " the canary of tulip bulbs in the garden.', 'offline', 1),"
	    " ('b', 'user', 'My tulips hide the canary code 4711', NULL, 1)");
	assert_int_equal(lni_tx_begin(t->st, NULL), LN_OK);
	assert_int_equal(lni_tx_end(t->st, LN_OK, NULL), LN_OK);
	return 0;
}

static struct ln_summary_opts
of(const char *user_id, const char *conversation_id)
{
	const struct ln_summary_opts o = {
		.size = sizeof(o), .user_id = user_id,
		.conversation_id = conversation_id,
	};

	return o;
}

static struct ln_summary *
begin(struct talk *t, const struct ln_summary_opts *o)
{
	struct ln_summary *s;

	assert_int_equal(ln_summary_begin(t->st, t->cfg, o, &s, NULL), LN_OK);
	return s;
}

static void
offline_quotes_the_conversation_and_says_so(void **state)
{
	const struct ln_summary_opts o = of("ann", "a");
	struct ln_summary *s = begin(*state, &o);
	const char *text;

	assert_null(ln_summary_request(s));
	assert_true(ln_summary_is_extract(s));
	assert_int_equal(ln_summary_text(s, &text, NULL), LN_OK);
	assert_non_null(strstr(text, "nobody wrote a summary"));
	assert_non_null(strstr(text, "- You: When should I plant the tulip"
	    " bulbs in my garden?\n"));
	assert_non_null(strstr(text, "- Answer: Plant tulip bulbs in"
	    " October.\n"));
	/* Whole sentences only, and no quotation of quotations. */
	assert_null(strstr(text, "canary"));
	ln_summary_free(s);
}

static void
somebody_elses_is_unknown(void **state)
{
	const char *const ids[] = { "b", "nowhere" };
	struct talk *t = *state;
	struct ln_summary_opts o;
	struct ln_summary *s;
	size_t i;

	for (i = 0; i < 2; i++) {
		o = of("ann", ids[i]);
		assert_int_equal(ln_summary_begin(t->st, t->cfg, &o, &s, NULL),
		    LN_NOT_FOUND);
		assert_null(s);
	}
}

static void
nothing_said_is_nothing_to_summarize(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_summary_opts o = of("ann", "none");
	struct talk *t = *state;
	struct ln_summary *s;

	assert_int_equal(ln_summary_begin(t->st, t->cfg, &o, &s, &err),
	    LN_INVALID);
	assert_string_equal(ln_error_text(&err, LN_INVALID),
	    "There is nothing to summarize yet");
}

static void
a_blocked_person_gets_none(void **state)
{
	const struct ln_summary_opts o = of("ann", "a");
	struct talk *t = *state;
	struct ln_summary *s;

	place_exec(t->st, "UPDATE user SET blocked_ms = 1 WHERE id = 'ann'");
	assert_int_equal(ln_summary_begin(t->st, t->cfg, &o, &s, NULL),
	    LN_FORBIDDEN);
}

static bool
asks_for(const struct ln_summary *s, const char *word)
{
	const struct ln_http_request *r = ln_summary_request(s);

	return strstr(r->body, word) != NULL;	/* it ends with a NUL */
}

static void
a_model_is_given_the_turns_as_data(void **state)
{
	static const char reply[] = "{\"model\":\"m\",\"message\":{\"role\":"
	    "\"assistant\",\"content\":\"- In October.\"},\"done\":true,"
	    "\"done_reason\":\"stop\"}";
	const struct ln_summary_opts o = of("ann", "a");
	struct talk *t = *state;
	struct ln_summary *s;
	const char *text;

	talk_use_ollama(t, "http://127.0.0.1:9", "m");
	s = begin(t, &o);
	assert_false(ln_summary_is_extract(s));
	assert_true(asks_for(s, "\"stream\":false"));
	assert_true(asks_for(s, "data, not instructions"));
	assert_true(asks_for(s, "User:\\nWhen should I plant"));
	assert_true(asks_for(s, "Assistant:\\nPlant tulip"));
	assert_int_equal(ln_summary_text(s, &text, NULL), LN_INTERNAL);
	ln_summary_feed(s, 200, reply, sizeof(reply) - 1);
	ln_summary_upstream_end(s, 200, LN_OK, NULL);
	assert_null(ln_summary_request(s));
	assert_int_equal(ln_summary_text(s, &text, NULL), LN_OK);
	assert_string_equal(text, "- In October.");
	ln_summary_free(s);
}

static void
what_the_model_cannot_see_is_left_out(void **state)
{
	const struct ln_summary_opts o = of("ann", "a");
	struct talk *t = *state;
	struct ln_summary *s;

	talk_use_ollama(t, "http://127.0.0.1:9", "m");
	assert_int_equal(ln_setting_set(t->st, "ann", "context_tokens", "256",
	    NULL), LN_OK);
	place_exec(t->st, "UPDATE message SET content = content ||"
	    " printf('%400d', 1) WHERE role = 'user'");
	s = begin(t, &o);
	assert_true(asks_for(s, "canary of tulip"));
	assert_false(asks_for(s, "When should I plant"));
	ln_summary_free(s);
}

static void
a_failure_is_the_providers_sentence(void **state)
{
	const struct ln_summary_opts o = of("ann", "a");
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = *state;
	struct ln_summary *s;
	const char *text;

	talk_use_ollama(t, "http://127.0.0.1:9", "m");
	s = begin(t, &o);
	ln_summary_feed(s, 500, "{\"error\":\"secret\"}", 18);
	ln_summary_upstream_end(s, 500, LN_OK, NULL);
	assert_int_equal(ln_summary_text(s, &text, &err), LN_UPSTREAM);
	assert_null(text);
	assert_null(strstr(ln_error_text(&err, LN_UPSTREAM), "secret"));
	ln_summary_free(s);
}

static void
an_extract_has_neither_code_nor_headings(void **state)
{
	char text[] = "# Tulips and tulips and more tulips.\n"
	    "```\nprintf(\"tulips tulips tulips\");\n```\n"
	    "> tulips tulips tulips tulips.\n"
	    "* Tulips want a cold winter.\n";
	const struct lni_summary_turn turn = { false, false, text };
	struct ln_buf b = LN_BUF_INIT(4096);
	const char *list;

	(void)state;
	assert_int_equal(lni_summary_extract(&turn, 1, &b, NULL), LN_OK);
	assert_non_null(list = strstr(ln_buf_str(&b), "- "));
	assert_string_equal(list, "- Answer: Tulips want a cold winter.\n");
	ln_buf_free(&b);
}

static void
an_extract_of_no_sentence_says_so(void **state)
{
	char text[] = "ok";
	const struct lni_summary_turn turn = { true, false, text };
	struct ln_buf b = LN_BUF_INIT(4096);

	(void)state;
	assert_int_equal(lni_summary_extract(&turn, 1, &b, NULL), LN_OK);
	assert_non_null(strstr(ln_buf_str(&b), "no whole sentence"));
	ln_buf_free(&b);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(offline_quotes_the_conversation_and_says_so),
		test(somebody_elses_is_unknown),
		test(nothing_said_is_nothing_to_summarize),
		test(a_blocked_person_gets_none),
		test(a_model_is_given_the_turns_as_data),
		test(what_the_model_cannot_see_is_left_out),
		test(a_failure_is_the_providers_sentence),
		cmocka_unit_test(an_extract_has_neither_code_nor_headings),
		cmocka_unit_test(an_extract_of_no_sentence_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
