#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/llm.h>

#include "llm/kit.h"

#define DATA(json) "data: " json "\n\n"
#define DELTA(members) DATA("{\"choices\":[{\"index\":0,\"delta\":{" members \
    "},\"finish_reason\":null}]}")
#define FINISH(reason) DATA("{\"choices\":[{\"index\":0,\"delta\":{}," \
    "\"finish_reason\":\"" reason "\"}]}")
#define USAGE DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":7," \
    "\"completion_tokens\":5,\"total_tokens\":12}}")
#define LAST DATA("[DONE]")
#define CALL(members) DELTA("\"tool_calls\":[{" members "}]")

static struct ln_provider_conf
openai(char *model, char *base_url, char *api_key)
{
	return kit_conf("openai", model, base_url, api_key);
}

static const struct kit_stream streams[] = {
	{ "openai_plain.sse",
	    "The quick brown fox jumps over the lazy dog. It rests.", "",
	    "usage counted;done stop;" },
	{ "openai_unicode.sse",
	    "Gr\u00fc\u00dfe, Welt! \u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9"
	    "\u30c8 \U0001F469\u200d\U0001F469\u200d\U0001F467\u200d"
	    "\U0001F466 e\u0301 \u05e2\u05d1\u05e8\u05d9\u05ea \u2028 \u00bd "
	    "\U0001F980.", "", "usage counted;done stop;" },
	{ "openai_hostile.sse",
	    "Red: \033[31mX\033[0m bell \a bidi \u202e end.", "",
	    "usage counted;done stop;" },
	{ "openai_length.sse",
	    "The quick brown fox jumps over the lazy dog. It rests.", "",
	    "usage counted;done length;" },
	{ "openai_filter.sse",
	    "The quick brown fox jumps over the lazy dog. It rests.", "",
	    "usage counted;done content_filter;" },
	{ "openai_thinking.sse",
	    "The quick brown fox jumps over the lazy dog. It rests.",
	    "Let me think about that. Done.", "usage counted;done stop;" },
	{ "openai_tools.sse", "", "",
	    "call current_time#call_1 {\"zone\":\"UTC\"};"
	    "call current_time#call_2 {\"zone\":\"Europe/Berlin\"};"
	    "usage counted;done tool_calls;" },
	{ "openai_badline.sse", "The quick brown", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "openai_errline.sse", "The quick brown", "",
	    "error upstream: The model provider failed while answering;" },
	{ "openai_short.sse", "The quick brown", "",
	    "error upstream: The model provider ended the answer too early;" },
	{ "openai_badutf8.sse", "The quick brown", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
};

static void
events_do_not_depend_on_how_bytes_are_cut(void **state)
{
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);

	(void)state;
	kit_cut_everywhere(&conf, streams,
	    sizeof(streams) / sizeof(streams[0]));
}

/* What servers leave out, repeat or say in another way. */
static const struct {
	const char *name;
	const char *body;
	const char *text;
	const char *thinking;
	const char *rest;
} answers[] = {
	{ "an end without [DONE] and without counts",
	    DELTA("\"content\":\"Hi\"") FINISH("stop"), "Hi", "",
	    "done stop;" },
	{ "a last event without its blank line",
	    DELTA("\"content\":\"Hi\"") FINISH("stop") "data: [DONE]\n",
	    "Hi", "", "done stop;" },
	{ "[DONE] without a reason",
	    DELTA("\"content\":\"Hi\"") LAST, "Hi", "", "done stop;" },
	{ "nothing but [DONE]", LAST, "", "", "done stop;" },
	{ "no reason, no [DONE]",
	    DELTA("\"content\":\"Hi\"") USAGE, "Hi", "",
	    "error upstream: The model provider ended the answer too "
	    "early;" },
	{ "counts together with the reason",
	    DATA("{\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
	    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,"
	    "\"completion_tokens\":5}}") LAST, "Hi", "",
	    "usage counted;done stop;" },
	{ "counts where Groq puts them",
	    DATA("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],"
	    "\"x_groq\":{\"usage\":{\"prompt_tokens\":7,"
	    "\"completion_tokens\":5}}}") LAST, "", "",
	    "usage counted;done stop;" },
	{ "counts with every event; the last ones count, once",
	    DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":7,"
	    "\"completion_tokens\":1}}") FINISH("stop") USAGE LAST, "", "",
	    "usage counted;done stop;" },
	{ "counts of a server that does not count",
	    FINISH("stop") DATA("{\"choices\":[],\"usage\":{"
	    "\"prompt_tokens\":0,\"completion_tokens\":0}}") LAST, "", "",
	    "done stop;" },
	{ "counts below zero",
	    FINISH("stop") DATA("{\"choices\":[],\"usage\":{"
	    "\"prompt_tokens\":-1,\"completion_tokens\":4}}") LAST, "", "",
	    "done stop;" },
	{ "a reason that nobody knows",
	    DELTA("\"content\":\"Hi\"") FINISH("eos") LAST, "Hi", "",
	    "done stop;" },
	{ "text behind the end",
	    DELTA("\"content\":\"Hi\"") FINISH("stop")
	    DELTA("\"content\":\" ho\"")
	    CALL("\"index\":0,\"function\":{\"name\":\"f\"}") LAST, "Hi", "",
	    "done stop;" },
	{ "events behind [DONE]",
	    FINISH("stop") LAST DELTA("\"content\":\"late\"") "data: {bad\n\n",
	    "", "", "done stop;" },
	{ "comments, empty data and foreign objects",
	    ": OPENROUTER PROCESSING\n\n" "data:\n\n"
	    DATA("{\"choices\":[],\"prompt_filter_results\":[]}")
	    DATA("{\"type\":\"ping\"}") DELTA("\"content\":\"Hi\"")
	    FINISH("stop") LAST, "Hi", "", "done stop;" },
	{ "CRLF and data without a blank",
	    "data:{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\n"
	    "data:[DONE]\r\n\r\n", "Hi", "", "done stop;" },
	{ "null members",
	    DATA("{\"error\":null,\"usage\":null,\"choices\":[{\"index\":0,"
	    "\"delta\":{\"role\":\"assistant\",\"content\":null,"
	    "\"refusal\":null,\"tool_calls\":null}}]}")
	    DELTA("\"content\":\"Hi\"") FINISH("stop") LAST, "Hi", "",
	    "done stop;" },
	{ "another choice than the first",
	    DATA("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"B\"}},"
	    "{\"index\":0,\"delta\":{\"content\":\"A\"}}]}") FINISH("stop")
	    LAST, "A", "", "done stop;" },
	{ "a refusal is what the model says",
	    DELTA("\"refusal\":\"I cannot.\"") FINISH("stop") LAST,
	    "I cannot.", "", "done stop;" },
	{ "reasoning by either name, once",
	    DELTA("\"reasoning\":\"hm\"") DELTA("\"reasoning_content\":\"m\"")
	    DELTA("\"reasoning\":\".\",\"reasoning_content\":\".\"")
	    DELTA("\"content\":\"Hi\"") FINISH("stop") LAST, "Hi", "hmm.",
	    "done stop;" },
	{ "content in parts",
	    DELTA("\"content\":[{\"type\":\"thinking\",\"thinking\":"
	    "[{\"type\":\"text\",\"text\":\"hm\"}]},"
	    "{\"type\":\"text\",\"text\":\"Hi\"}]") FINISH("stop") LAST,
	    "Hi", "hm", "done stop;" },
	{ "a call in pieces",
	    CALL("\"index\":0,\"id\":\"a\",\"type\":\"function\","
	    "\"function\":{\"name\":\"f\",\"arguments\":\"\"}")
	    CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\"\"}")
	    CALL("\"index\":0,\"function\":{\"arguments\":\":1}\"}")
	    FINISH("tool_calls") LAST, "", "",
	    "call f#a {\"x\":1};done tool_calls;" },
	{ "pieces of two calls, mixed",
	    CALL("\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\","
	    "\"arguments\":\"{\"}")
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{\"}")
	    CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}")
	    CALL("\"index\":0,\"function\":{\"arguments\":\"}\"}")
	    FINISH("tool_calls") LAST, "", "",
	    "call g#b {};call f#a {};done tool_calls;" },
	{ "a call without id, arguments as an object",
	    CALL("\"index\":0,\"function\":{\"name\":\"f\","
	    "\"arguments\":{\"x\":[1,\"y\"]}}") FINISH("tool_calls") LAST, "",
	    "", "call f {\"x\":[1,\"y\"]};done tool_calls;" },
	{ "a call without arguments",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\"}")
	    FINISH("tool_calls") LAST, "", "",
	    "call f#a {};done tool_calls;" },
	{ "calls that are all counted as the first",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{}\"}")
	    CALL("\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\","
	    "\"arguments\":\"{\"}")
	    CALL("\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\","
	    "\"arguments\":\"}\"}") FINISH("tool_calls") LAST, "", "",
	    "call f#a {};call g#b {};done tool_calls;" },
	{ "calls without index and id",
	    CALL("\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}")
	    CALL("\"function\":{\"name\":\"f\",\"arguments\":\"{\"}")
	    CALL("\"function\":{\"arguments\":\"}\"}") FINISH("stop") LAST,
	    "", "", "call f {};call f {};done tool_calls;" },
	{ "an index beyond all bounds is only a number",
	    CALL("\"index\":9007199254740991,\"id\":\"a\","
	    "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}")
	    FINISH("tool_calls") LAST, "", "",
	    "call f#a {};done tool_calls;" },
	{ "an index that is none",
	    CALL("\"index\":1e300,\"id\":\"a\",\"function\":{"
	    "\"name\":\"f\"}") FINISH("tool_calls") LAST, "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "an index below zero",
	    CALL("\"index\":-1,\"id\":\"a\",\"function\":{\"name\":\"f\"}")
	    FINISH("tool_calls") LAST, "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "a call without a name",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{"
	    "\"arguments\":\"{}\"}") FINISH("tool_calls") LAST, "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "arguments that are not JSON",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{\\\"x\\\":\"}") FINISH("tool_calls") LAST, "",
	    "", "error upstream: The model called a tool in a way that could "
	    "not be understood. Ask again, or choose another model;" },
	{ "arguments that are not an object",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"[1]\"}") FINISH("tool_calls") LAST, "", "",
	    "error upstream: The model called a tool in a way that could not "
	    "be understood. Ask again, or choose another model;" },
	{ "a call that the bound on tokens cut is none",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{\\\"x\"}") FINISH("length") USAGE LAST, "", "",
	    "usage counted;done length;" },
	{ "calls that never end",
	    CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{}\"}"), "", "",
	    "error upstream: The model provider ended the answer too "
	    "early;" },
	{ "a failure in the middle",
	    DELTA("\"content\":\"Hi\"")
	    DATA("{\"error\":{\"message\":\"canary\",\"type\":"
	    "\"server_error\"}}") LAST, "Hi", "",
	    "error upstream: The model provider failed while answering;" },
	{ "a failure that is only a text",
	    DATA("{\"error\":\"canary\"}"), "", "",
	    "error upstream: The model provider failed while answering;" },
	{ "a failure in the words of older servers",
	    DATA("{\"object\":\"error\",\"message\":\"This model's maximum "
	    "context length is 4096 tokens\",\"code\":400}"), "", "",
	    "error too_large: The conversation is too long for this model. "
	    "Begin a new one, or choose a model that keeps more in sight;" },
	{ "a failure with the status it would have had",
	    DATA("{\"error\":{\"message\":\"canary\",\"code\":429},"
	    "\"choices\":[{\"delta\":{\"content\":\"\"},"
	    "\"finish_reason\":\"error\"}]}"), "", "",
	    "error rate_limited: The model provider has too many requests. "
	    "Try again later;" },
	{ "a failure of the server behind the server",
	    DATA("{\"error\":{\"message\":\"canary\",\"code\":502}}"), "", "",
	    "error upstream: The model provider failed while answering;" },
	{ "not JSON", "data: {\"choices\":\n\n", "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "not an object", DATA("[1]"), "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "not a stream of events", "<html>Hello</html>\n\n", "", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood. Check its base URL;" },
};

static void
servers_may_be_sloppy_but_not_wrong(void **state)
{
	const struct ln_provider_conf conf = kit_conf("openai-compatible",
	    NULL, NULL, NULL);
	struct kit_notes n;
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		for (step = 1; step < 8; step += 3) {
			kit_parse(&conf, true, 200, answers[i].body,
			    strlen(answers[i].body), step, step, &n);
			if (strcmp(ln_buf_str(&n.text), answers[i].text) != 0 ||
			    strcmp(ln_buf_str(&n.thinking),
			    answers[i].thinking) != 0 ||
			    strcmp(ln_buf_str(&n.rest), answers[i].rest) != 0)
				fail_msg("%s: %s | %s | %s", answers[i].name,
				    ln_buf_str(&n.text),
				    ln_buf_str(&n.thinking),
				    ln_buf_str(&n.rest));
			assert_int_equal(n.after_end, 0);
			kit_notes_free(&n);
		}
	}
}

static void
feed(struct ln_llm_stream *stream, const char *s)
{
	ln_llm_stream_feed(stream, 200, s, strlen(s));
}

static void
tool_calls_are_bounded_in_number_and_size(void **state)
{
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);
	struct ln_buf piece = LN_BUF_INIT(LN_LLM_LINE_MAX);
	struct ln_llm_stream *stream = NULL;
	struct kit_notes n;
	int i;

	(void)state;
	kit_notes_init(&n);
	assert_int_equal(ln_llm_stream_new(&conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	for (i = 0; i < 1000 && !n.is_over; i++) {
		ln_buf_clear(&piece);
		ln_buf_printf(&piece, CALL("\"index\":%d,\"id\":\"c%d\","
		    "\"function\":{\"name\":\"f\"}"), i, i);
		feed(stream, ln_buf_str(&piece));
	}
	assert_in_range(i, 32, 256);
	assert_string_equal(ln_buf_str(&n.rest), "error upstream: The answer "
	    "of the model provider could not be understood;");
	ln_llm_stream_free(stream);
	kit_notes_free(&n);

	kit_notes_init(&n);
	assert_int_equal(ln_llm_stream_new(&conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	for (i = 0; i < 1000 && !n.is_over; i++) {
		ln_buf_clear(&piece);
		ln_buf_printf(&piece, CALL("\"index\":%d,\"function\":{"
		    "\"name\":\"f\",\"arguments\":\"%0100000d\"}"), i % 2, 0);
		feed(stream, ln_buf_str(&piece));
	}
	assert_true(i < 100);
	assert_true(n.is_over);
	ln_llm_stream_free(stream);
	kit_notes_free(&n);
	ln_buf_free(&piece);
}

static void
a_line_without_end_is_bounded(void **state)
{
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);

	(void)state;
	kit_endless_line(&conf);
}

/* The model said that it had ended: what the line then does is its matter. */
static void
a_connection_that_breaks_behind_the_end_broke_nothing(void **state)
{
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);
	const struct ln_error why = {
		.status = LN_TIMEOUT, .text = "Too slow", .detail = "d",
	};
	struct ln_llm_stream *stream = NULL;
	struct kit_notes n;

	(void)state;
	kit_notes_init(&n);
	assert_int_equal(ln_llm_stream_new(&conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	feed(stream, DELTA("\"content\":\"Hi\"") FINISH("stop"));
	assert_string_equal(ln_buf_str(&n.rest), "");
	ln_llm_stream_end(stream, 200, LN_TIMEOUT, &why);
	ln_llm_stream_end(stream, 200, LN_TIMEOUT, &why);
	assert_string_equal(ln_buf_str(&n.rest), "done stop;");
	ln_llm_stream_free(stream);
	kit_notes_free(&n);

	kit_notes_init(&n);
	assert_int_equal(ln_llm_stream_new(&conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	feed(stream, DELTA("\"content\":\"Hi\""));
	ln_llm_stream_end(stream, 200, LN_TIMEOUT, &why);
	assert_string_equal(ln_buf_str(&n.text), "Hi");
	assert_string_equal(ln_buf_str(&n.rest), "error timeout: Too slow;");
	assert_int_equal(n.after_end, 0);
	ln_llm_stream_free(stream);
	kit_notes_free(&n);
}

static void
an_answer_may_come_whole(void **state)
{
	static const struct {
		const char *body;
		const char *text;
		const char *rest;
	} rows[] = {
		{ "{\"choices\":[{\"index\":0,\"message\":{\"role\":"
		    "\"assistant\",\"content\":\"A title\"},"
		    "\"finish_reason\":\"stop\"}],\"usage\":{"
		    "\"prompt_tokens\":7,\"completion_tokens\":5}}",
		    "A title", "usage counted;done stop;" },
		{ "{\"choices\":[{\"message\":{\"content\":null,"
		    "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
		    "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
		    "\"finish_reason\":\"tool_calls\"}]}", "",
		    "call f#a {};done tool_calls;" },
		{ "{\"error\":{\"message\":\"canary\",\"code\":502}}", "",
		    "error upstream: The model provider failed while "
		    "answering;" },
		{ "{\"choices\":[]}", "", "error upstream: The answer of the "
		    "model provider could not be understood;" },
		{ "<html>", "", "error upstream: The answer of the model "
		    "provider could not be understood;" },
		{ "", "", "error upstream: The answer of the model provider "
		    "could not be understood;" },
	};
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);
	struct kit_notes n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_parse(&conf, false, 200, rows[i].body,
		    strlen(rows[i].body), 3, 2, &n);
		assert_string_equal(ln_buf_str(&n.text), rows[i].text);
		assert_string_equal(ln_buf_str(&n.rest), rows[i].rest);
		assert_int_equal(n.after_end, 0);
		kit_notes_free(&n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_do_not_depend_on_how_bytes_are_cut),
		cmocka_unit_test(servers_may_be_sloppy_but_not_wrong),
		cmocka_unit_test(tool_calls_are_bounded_in_number_and_size),
		cmocka_unit_test(a_line_without_end_is_bounded),
		cmocka_unit_test(
		    a_connection_that_breaks_behind_the_end_broke_nothing),
		cmocka_unit_test(an_answer_may_come_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
