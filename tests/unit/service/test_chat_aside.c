/* What comes beside the text of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ln/message.h>

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
		.owner = "test:1",
	};

	return o;
}

static void
thinking_is_shown_and_kept_apart(void **state)
{
	static const char line[] =
	    "{\"message\":{\"content\":\"\",\"thinking\":\"hmm\"}}\n";
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_message *m = NULL;

	ln_chat_feed(c, 200, line, strlen(line));
	ln_chat_feed(c, 200, line, strlen(line));
	talk_feed(c, "Yes.");
	talk_feed_done(c, 1, 1);
	assert_non_null(strstr(ln_buf_str(&t->log),
	    "thinking hmm;thinking hmm;"));
	talk_expect(t, t->message_id, "complete", "Yes.");
	ln_chat_free(c);
	assert_int_equal(ln_message_get(t->st, "ann", t->message_id, &m,
	    NULL), LN_OK);
	assert_string_equal(m->thinking, "hmmhmm");
	ln_message_free(m);

	/* No model is told what one thought. */
	o = ask(t, "And?");
	c = talk_begin(t, &o);
	assert_null(talk_in_body(c, "hmm"));
	assert_non_null(talk_in_body(c, "Yes."));
	ln_chat_free(c);
}

static void
thinking_is_kept_to_a_bound(void **state)
{
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);
	struct ln_buf line = LN_BUF_INIT(1024 * 1024);
	size_t i;

	ln_buf_puts(&line, "{\"message\":{\"content\":\"\",\"thinking\":\"x");
	/* Two bytes each, so that the bound falls inside one. */
	for (i = 0; i < LN_CHAT_THINKING_MAX / 2; i++)
		ln_buf_puts(&line, "\xc3\xa9");
	ln_buf_puts(&line, "\"}}\n");
	ln_chat_feed(c, 200, ln_buf_str(&line), line.len);
	talk_feed(c, "Yes.");
	talk_feed_done(c, 1, 1);
	ln_buf_free(&line);
	ln_chat_free(c);
	talk_expect(t, t->message_id, "complete", "Yes.");
	assert_int_equal(place_int(t->st, "SELECT length(CAST(thinking AS"
	    " BLOB)) FROM message WHERE thinking IS NOT NULL"),
	    LN_CHAT_THINKING_MAX - 1);
}

static void
a_busy_provider_says_when_to_try_again(void **state)
{
	const struct ln_error why = { .retry_after_s = 7 };
	struct talk *t = *state;
	const struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c = talk_begin(t, &o);

	ln_chat_upstream_end(c, 429, LN_OK, &why);
	assert_non_null(strstr(ln_buf_str(&t->log), "error rate_limited "
	    "The model provider has too many requests. Try again in 7 "
	    "seconds;done error;"));
	assert_int_equal(ln_chat_error(c)->retry_after_s, 7);
	ln_chat_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(thinking_is_shown_and_kept_apart),
		T(thinking_is_kept_to_a_bound),
		T(a_busy_provider_says_when_to_try_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
