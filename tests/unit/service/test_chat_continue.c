/* An answer that ended early is gone on with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/time.h>

#include "service/talk.h"

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
		.is_continue = prompt == NULL, .owner = "test:1",
	};

	return o;
}

/* An answer that was stopped after ${text}. */
static int64_t
stopped(struct talk *t, const char *text)
{
	const struct ln_chat_opts o = ask(t, "Tell me a story");
	struct ln_chat *c = talk_begin(t, &o);
	int64_t id = ln_chat_message_id(c);

	talk_feed(c, text);
	ln_chat_stop(c);
	ln_chat_free(c);
	return id;
}

static struct ln_chat *
go_on(struct talk *t, uint64_t from)
{
	const struct ln_chat_opts o = ask(t, NULL);
	struct ln_chat *c = talk_begin(t, &o);

	t->seq = from;
	return c;
}

static void
it_grows_where_it_ended(void **state)
{
	struct talk *t = *state;
	int64_t id = stopped(t, "Once upon a ti");
	struct ln_conversation *v = NULL;
	struct ln_chat *c = go_on(t, 14);
	const char *partial, *order;

	assert_int_equal(ln_chat_message_id(c), id);
	talk_expect(t, id, "streaming", "Once upon a ti");
	/* The model sees where it was, and what is wanted. */
	partial = talk_in_body(c, "\"role\":\"assistant\",\"content\":"
	    "\"Once upon a ti\"");
	order = talk_in_body(c, "exactly where it ended");
	assert_non_null(partial);
	assert_true(order > partial);
	talk_feed(c, "me there was");
	talk_feed_done(c, 5, 30);
	talk_expect(t, id, "complete", "Once upon a time there was");
	assert_string_equal(ln_buf_str(&t->text), "me there was");
	/* Four were estimated for the first part, five counted. */
	assert_int_equal(t->tokens, 9);
	assert_true(t->is_estimated);
	ln_chat_free(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM message"), 2);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM generation"),
	    0);
	assert_int_equal(ln_conversation_get(t->st, "ann", t->conversation,
	    &v, NULL), LN_OK);
	assert_int_equal(v->total_tokens, 4 + 5 + 30);
	ln_conversation_free(v);
}

static void
it_can_be_stopped_and_gone_on_with_again(void **state)
{
	struct talk *t = *state;
	int64_t id = stopped(t, "a");
	struct ln_chat *c = go_on(t, 1);

	talk_feed(c, "b");
	ln_chat_stop(c);
	ln_chat_free(c);
	talk_expect(t, id, "stopped", "ab");
	c = go_on(t, 2);
	talk_feed(c, "c");
	talk_feed_done(c, 1, 1);
	ln_chat_free(c);
	talk_expect(t, id, "complete", "abc");
}

static void
a_killed_writer_keeps_the_first_part(void **state)
{
	struct talk *t = *state;
	int64_t id = stopped(t, "first"), count;
	struct ln_chat *c = go_on(t, 5);

	talk_feed(c, " second");
	assert_int_equal(ln_chat_recover(t->st, "test:", "test:2", &count,
	    NULL), LN_OK);
	talk_expect(t, id, "interrupted", "first");
	ln_chat_free(c);
	talk_expect(t, id, "interrupted", "first");
}

static void
what_is_whole_or_empty_is_not_gone_on_with(void **state)
{
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi"), more;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_chat *c = NULL;

	/* Nothing there. */
	more = ask(t, NULL);
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    NULL), LN_NOT_FOUND);
	/* Whole. */
	c = talk_begin(t, &o);
	talk_feed(c, "Hello.");
	talk_feed_done(c, 1, 1);
	ln_chat_free(c);
	more = ask(t, NULL);
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    &err), LN_NOT_FOUND);
	assert_string_equal(err.text, "There is no answer to go on with");
	talk_expect(t, t->message_id, "complete", "Hello.");
	/* Stopped before its first word. */
	(void)stopped(t, "");
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    NULL), LN_NOT_FOUND);
	/* Somebody else's. */
	place_add_user(t->st, "bob");
	(void)stopped(t, "half");
	more.user_id = "bob";
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    NULL), LN_NOT_FOUND);
	/* Unsaved, and without a model. */
	more = ask(t, NULL);
	more.is_unsaved = true;
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    NULL), LN_INVALID);
	more = ask(t, NULL);
	more.provider = "offline";
	assert_int_equal(ln_chat_begin(t->st, t->cfg, &more, talk_note, t, &c,
	    NULL), LN_INVALID);
	assert_null(c);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM message"
	    " WHERE state = 'streaming'"), 0);
}

static void
an_answer_that_was_too_long_is_gone_on_with(void **state)
{
	static const char line[] =
	    "{\"done\":true,\"done_reason\":\"length\",\"eval_count\":2,"
	    "\"prompt_eval_count\":3}\n";
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	talk_feed(c, "One two");
	ln_chat_feed(c, 200, line, strlen(line));
	ln_chat_free(c);
	c = go_on(t, 7);
	talk_feed(c, " three");
	talk_feed_done(c, 1, 4);
	assert_int_equal(t->tokens, 3);
	assert_int_equal(t->prompt_tokens, 7);
	assert_false(t->is_estimated);
	ln_chat_free(c);
	talk_expect(t, t->message_id, "complete", "One two three");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_grows_where_it_ended),
		T(it_can_be_stopped_and_gone_on_with_again),
		T(a_killed_writer_keeps_the_first_part),
		T(what_is_whole_or_empty_is_not_gone_on_with),
		T(an_answer_that_was_too_long_is_gone_on_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
