/* What tools give is cut to what the model keeps in sight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include <ln/text.h>
#include <ln/time.h>

#include "service/talk.h"
#include "service/toolbox.h"

#define NOWHERE "http://127.0.0.1:9"	/* nothing is sent in these tests */

enum ln_status __wrap_lni_toolbox_run(const struct lni_toolbox *,
    struct ln_store *, const char *, const char *, const atomic_bool *,
    struct ln_buf *, struct ln_error *);
enum ln_status
__wrap_lni_toolbox_run(const struct lni_toolbox *box, struct ln_store *st,
    const char *name, const char *arguments, const atomic_bool *is_cancelled,
    struct ln_buf *result, struct ln_error *err)
{
	(void)box;
	(void)st;
	(void)is_cancelled;
	(void)err;
	if (strcmp(name, "echo") == 0)
		ln_buf_puts(result, arguments);
	else
		while (result->len < 60000)
			ln_buf_puts(result, "\xe2\x82\xac");
	return LN_OK;
}

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

/* Of the request: what the model has to read, in tokens as we count them. */
static void
expect_in_sight(struct ln_chat *c, int64_t context)
{
	const struct ln_http_request *r = ln_chat_request(c);

	assert_true(r->body_len / 4 < (size_t)context);
	assert_true(ln_utf8_valid(r->body, r->body_len));
}

static void
what_does_not_fit_in_sight_is_cut_and_said(void **state)
{
	struct ln_llm_options narrow;
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "An old question");
	struct ln_buf old = LN_BUF_INIT(4096);
	struct ln_chat *c;
	int i;

	c = talk_begin(t, &o);
	while (old.len < 3000)
		ln_buf_puts(&old, "old words ");
	talk_feed(c, ln_buf_str(&old));
	talk_feed_done(c, 1, 1);
	ln_chat_free(c);
	ln_buf_free(&old);
	ln_llm_options_init(&narrow);
	narrow.context_tokens = 4096;
	o = ask(t, "A new question");
	o.options = &narrow;
	c = talk_begin(t, &o);
	assert_non_null(talk_in_body(c, "old words"));
	/* As many as one may ask for, one after the other. */
	for (i = 0; i < LN_CHAT_TOOL_ROUNDS_MAX; i++) {
		if (i % 2 == 0)
			talk_feed_call(c, "flood", "{\"n\":1}");
		call(c, "flood", "{}");
		work(t, c);
		assert_int_equal(ln_chat_next(c), LN_CHAT_SEND);
		expect_in_sight(c, narrow.context_tokens);
		assert_non_null(talk_in_body(c, "of 60000 bytes fit into"));
		assert_non_null(talk_in_body(c, "A new question"));
	}
	/* What was said long ago made room. */
	assert_null(talk_in_body(c, "An old question"));
	assert_null(talk_in_body(c, "old words"));
	ln_chat_free(c);
	/* The person sees it whole. */
	assert_int_equal(place_int(t->st, "SELECT min(length(CAST(result AS"
	    " BLOB))) FROM tool_run"), 60000);
}

static void
a_small_result_takes_no_room_from_a_large_one(void **state)
{
	struct ln_llm_options narrow;
	struct talk *t = *state;
	struct ln_chat_opts o = ask(t, "Hi");
	struct ln_chat *c;

	ln_llm_options_init(&narrow);
	narrow.context_tokens = 4096;
	o.options = &narrow;
	c = talk_begin(t, &o);
	talk_feed_call(c, "echo", "{\"n\":1}");
	call(c, "flood", "{}");
	work(t, c);
	assert_non_null(talk_in_body(c, "\"content\":\"{\\\"n\\\":1}\""));
	assert_non_null(talk_in_body(c, "of 60000 bytes fit into"));
	expect_in_sight(c, narrow.context_tokens);
	/* More than half of what two would have had. */
	assert_true(ln_chat_request(c)->body_len > 4096);
	ln_chat_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_does_not_fit_in_sight_is_cut_and_said),
		T(a_small_result_takes_no_room_from_a_large_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
