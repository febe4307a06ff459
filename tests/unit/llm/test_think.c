/* What a model thinks aloud before it answers is told from its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/json.h>

#include "llm/kit.h"
#include "llm/think.h"

#define BLANKS_32 "                                "

struct notes {
	struct ln_buf thought, text;
};

static const struct {
	const char *said;
	const char *thought, *text;
} rows[] = {
	{ "Hello.", "", "Hello." },
	{ "<think>Hm.</think>Yes.", "Hm.", "Yes." },
	{ "\n <think>\nHm, 3 < 4.\n</think>\n\nYes.", "Hm, 3 < 4.\n", "Yes." },
	/* Qwen, told not to think. */
	{ "<think>\n\n</think>\n\nYes.", "", "Yes." },
	{ "<think></think>", "", "" },
	{ "<think>a </ b </thin c <</think>d", "a </ b </thin c <", "d" },
	{ "<think>\xc3\xa9\xe2\x82\xac</think>\xf0\x9f\x98\x80",
	    "\xc3\xa9\xe2\x82\xac", "\xf0\x9f\x98\x80" },
	/* Only once, and only at the beginning. */
	{ "<think>a</think>b<think>c</think>", "a", "b<think>c</think>" },
	{ "Write <think>x</think>.", "", "Write <think>x</think>." },
	{ "```\n<think>x</think>\n```", "", "```\n<think>x</think>\n```" },
	{ "`<think>`", "", "`<think>`" },
	{ "<thinking>x</thinking>", "", "<thinking>x</thinking>" },
	{ "<<think>x</think>", "", "<<think>x</think>" },
	{ "x</think>y", "", "x</think>y" },
	{ BLANKS_32 "<think>a</think>b", "a", "b" },
	{ BLANKS_32 " <think>a</think>b", "",
	    BLANKS_32 " <think>a</think>b" },
	/* It ended too early. */
	{ "", "", "" }, { " \n", "", " \n" }, { "<thi", "", "<thi" },
	{ " <think", "", " <think" }, { "<think>", "", "" },
	{ "<think>Hm", "Hm", "" }, { "<think>Hm </thin", "Hm </thin", "" },
};

static void
note(void *arg, bool is_thought, const char *text, size_t n)
{
	struct notes *v = arg;

	assert_true(n > 0);
	ln_buf_put(is_thought ? &v->thought : &v->text, text, n);
}

/* In pieces: of ${first} bytes, then of ${step}. */
static void
expect(size_t row, size_t first, size_t step)
{
	struct notes v = { LN_BUF_INIT(4096), LN_BUF_INIT(4096) };
	const char *s = rows[row].said;
	struct lni_think t = { 0 };
	size_t n = strlen(s), i = 0, piece = first;

	for (; i < n; i += piece, piece = step) {
		if (piece > n - i)
			piece = n - i;
		lni_think_feed(&t, s + i, piece, note, &v);
	}
	lni_think_end(&t, note, &v);
	if (strcmp(ln_buf_str(&v.thought), rows[row].thought) != 0 ||
	    strcmp(ln_buf_str(&v.text), rows[row].text) != 0)
		fail_msg("\"%s\" cut at %zu, then %zu: \"%s\", \"%s\"", s,
		    first, step, ln_buf_str(&v.thought),
		    ln_buf_str(&v.text));
	ln_buf_free(&v.thought);
	ln_buf_free(&v.text);
}

static void
thoughts_and_answer_are_told_apart_wherever_they_are_cut(void **state)
{
	size_t row, first, n;

	(void)state;
	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		n = strlen(rows[row].said);
		for (first = 1; first <= n; first++)
			expect(row, first, n);
		expect(row, 1, 1);
		expect(row, 2, 3);
	}
}

static void
what_is_decided_is_not_held_back(void **state)
{
	struct notes v = { LN_BUF_INIT(4096), LN_BUF_INIT(4096) };
	struct lni_think t = { 0 };

	(void)state;
	lni_think_feed(&t, "<think>Hm <", 11, note, &v);
	assert_string_equal(ln_buf_str(&v.thought), "Hm ");
	lni_think_feed(&t, "b</think>Y", 10, note, &v);
	assert_string_equal(ln_buf_str(&v.thought), "Hm <b");
	assert_string_equal(ln_buf_str(&v.text), "Y");
	lni_think_feed(&t, "<", 1, note, &v);
	assert_string_equal(ln_buf_str(&v.text), "Y<");
	ln_buf_free(&v.thought);
	ln_buf_free(&v.text);
}

/* How a dialect wraps a text, and how it ends an answer. */
static const struct {
	const char *provider;
	const char *before, *behind, *last;
} dialects[] = {
	{ "ollama", "{\"message\":{\"content\":\"", "\"}}\n",
	    "{\"done\":true,\"done_reason\":\"stop\"}\n" },
	{ "openai", "data: {\"choices\":[{\"delta\":{\"content\":\"",
	    "\"}}]}\n\n", "data: {\"choices\":[{\"delta\":{},"
	    "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n" },
	{ "anthropic", "data: {\"type\":\"content_block_delta\",\"index\":0,"
	    "\"delta\":{\"type\":\"text_delta\",\"text\":\"", "\"}}\n\n",
	    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	    "\"end_turn\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n" },
	{ "gemini", "data: {\"candidates\":[{\"content\":{\"parts\":"
	    "[{\"text\":\"", "\"}]}}]}\n\n",
	    "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n" },
};

static void
every_dialect_tells_them_apart(void **state)
{
	static const char said[] = "<think>Hm.</think>Yes.";
	struct ln_provider_conf conf;
	struct kit_notes notes;
	struct ln_buf b = LN_BUF_INIT(4096);
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		conf = kit_conf(dialects[i].provider, NULL, NULL, NULL);
		for (cut = 0; cut < sizeof(said); cut++) {
			ln_buf_clear(&b);
			ln_buf_printf(&b, "%s%.*s%s%s%s%s%s",
			    dialects[i].before, (int)cut, said,
			    dialects[i].behind, dialects[i].before,
			    said + cut, dialects[i].behind,
			    dialects[i].last);
			kit_parse(&conf, true, 200, ln_buf_str(&b), b.len,
			    b.len, 1, &notes);
			assert_string_equal(ln_buf_str(&notes.thinking),
			    "Hm.");
			assert_string_equal(ln_buf_str(&notes.text), "Yes.");
			assert_int_equal(notes.after_end, 0);
			assert_true(notes.is_over);
			kit_notes_free(&notes);
		}
	}
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    thoughts_and_answer_are_told_apart_wherever_they_are_cut),
		cmocka_unit_test(what_is_decided_is_not_held_back),
		cmocka_unit_test(every_dialect_tells_them_apart),
	};

	return cmocka_run_group_tests_name("think", tests, NULL, NULL);
}
