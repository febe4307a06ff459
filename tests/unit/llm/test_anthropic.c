#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/llm.h>

#include "llm/kit.h"

#define ASCII "The quick brown fox jumps over the lazy dog. It rests."
#define THOUGHT "Let me think about that. Done."
#define PNG "iVBORw0KGgoAAAAN"

static struct ln_provider_conf
anthropic(char *model, char *base_url, char *api_key)
{
	return kit_conf("anthropic", model, base_url, api_key);
}

static const struct kit_stream streams[] = {
	{ "anthropic_plain.sse", ASCII, "", "usage counted;done stop;" },
	{ "anthropic_unicode.sse",
	    "Gr\u00fc\u00dfe, Welt! \u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9"
	    "\u30c8 \U0001F469\u200d\U0001F469\u200d\U0001F467\u200d"
	    "\U0001F466 e\u0301 \u05e2\u05d1\u05e8\u05d9\u05ea \u2028 \u00bd "
	    "\U0001F980.", "", "usage counted;done stop;" },
	{ "anthropic_hostile.sse",
	    "Red: \033[31mX\033[0m bell \a bidi \u202e end.", "",
	    "usage counted;done stop;" },
	{ "anthropic_length.sse", ASCII, "", "usage counted;done length;" },
	{ "anthropic_refusal.sse", ASCII, "",
	    "usage counted;done content_filter;" },
	{ "anthropic_thinking.sse", ASCII, THOUGHT,
	    "usage counted;done stop;" },
	{ "anthropic_tools.sse", "", "",
	    "call current_time#toolu_01Wq8eGD8frxLDJ9wvuMIjAi8E "
	    "{\"zone\":\"UTC\"};usage counted;done tool_calls;" },
	{ "anthropic_badline.sse", "The quick brown", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "anthropic_errline.sse", "The quick brown", "",
	    "error upstream: The model provider is overloaded. Try again "
	    "later;" },
	{ "anthropic_short.sse", "The quick brown", "",
	    "error upstream: The model provider ended the answer too early;" },
};

static void
events_do_not_depend_on_how_bytes_are_cut(void **state)
{
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);

	(void)state;
	kit_cut_everywhere(&conf, streams,
	    sizeof(streams) / sizeof(streams[0]));
}

static void
an_answer_that_is_no_stream_is_read_whole(void **state)
{
	static const struct kit_stream rows[] = {
		{ "anthropic_whole.json", ASCII, THOUGHT,
		    "usage counted;done stop;" },
		{ "anthropic_whole_tools.json", "", "",
		    "call current_time#toolu_01cGwwB1gwpPAqLxNSHS4NJhsY "
		    "{\"zone\":\"UTC\"};usage counted;done tool_calls;" },
	};
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);
	struct kit_notes n;
	size_t i, len;
	char *s;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = kit_fixture(rows[i].file, &len);
		kit_parse(&conf, false, 200, s, len, 7, 11, &n);
		assert_string_equal(ln_buf_str(&n.text), rows[i].text);
		assert_string_equal(ln_buf_str(&n.thinking), rows[i].thinking);
		assert_string_equal(ln_buf_str(&n.rest), rows[i].rest);
		kit_notes_free(&n);
		free(s);
	}
}

#define DATA(json) "data: " json "\n\n"
#define START DATA("{\"type\":\"message_start\",\"message\":{\"usage\":"	\
    "{\"input_tokens\":3,\"cache_creation_input_tokens\":20,"		\
    "\"cache_read_input_tokens\":100,\"output_tokens\":1}}}")
#define CALL DATA("{\"type\":\"content_block_start\",\"index\":0,"	\
    "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\","		\
    "\"name\":\"f\",\"input\":{}}}")
#define ARGS(part) DATA("{\"type\":\"content_block_delta\",\"index\":0,"	\
    "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"" part "\"}}")
#define TEXT(part) DATA("{\"type\":\"content_block_delta\",\"index\":0,"	\
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"" part "\"}}")
#define STOP DATA("{\"type\":\"content_block_stop\",\"index\":0}")
#define DELTA(reason) DATA("{\"type\":\"message_delta\",\"delta\":"	\
    "{\"stop_reason\":\"" reason "\"},\"usage\":{\"output_tokens\":7}}")
#define END DATA("{\"type\":\"message_stop\"}")
#define GARBAGE								\
    "error upstream: The answer of the model provider could not be "	\
    "understood;"

static void
odd_streams_end_as_they_should(void **state)
{
	static const struct {
		const char *bytes;
		const char *text;
		const char *rest;
	} rows[] = {
		/* A tool that takes nothing. */
		{ START CALL STOP DELTA("tool_use") END, "",
		    "call f#t1 {};usage counted;done tool_calls;" },
		{ START CALL ARGS("") ARGS("{\\\"a\\\"") ARGS(":1}") STOP
		    CALL ARGS("{\\\"a\\\":2}") STOP DELTA("tool_use") END, "",
		    "call f#t1 {\"a\":1};call f#t1 {\"a\":2};usage counted;"
		    "done tool_calls;" },
		/* Arguments that the bound cut off are no call ... */
		{ START TEXT("Hm.") CALL ARGS("{\\\"a\\\":") STOP
		    DELTA("max_tokens") END, "Hm.",
		    "usage counted;done length;" },
		/* ... and broken ones are broken. */
		{ START CALL ARGS("{\\\"a\\\":") STOP DELTA("tool_use") END,
		    "", GARBAGE },
		{ START CALL ARGS("[1]") STOP DELTA("tool_use") END, "",
		    GARBAGE },
		{ START ARGS("{}") END, "", GARBAGE },
		{ START DATA("{\"type\":\"content_block_start\"}"), "",
		    GARBAGE },
		{ START DATA("{\"type\":\"content_block_start\","
		    "\"content_block\":{\"type\":\"tool_use\"}}"), "",
		    GARBAGE },
		{ DATA("{\"no\":\"type\"}"), "", GARBAGE },
		{ DATA("[]"), "", GARBAGE },
		{ DATA("\xff\xfe"), "", GARBAGE },
		/* What is not known yet is passed over. */
		{ START DATA("{\"type\":\"invented\",\"x\":[1]}")
		    TEXT("ok") DELTA("invented") END, "ok",
		    "usage counted;done stop;" },
		{ START TEXT("ok") DELTA("model_context_window_exceeded") END,
		    "ok", "usage counted;done length;" },
		/* Everything was said, only the goodbye is missing. */
		{ START TEXT("ok") DELTA("end_turn"), "ok",
		    "usage counted;done stop;" },
		{ START TEXT("ok"), "ok", "error upstream: The model provider "
		    "ended the answer too early;" },
		{ START TEXT("ok") END TEXT("more") END, "ok",
		    "usage counted;done stop;" },
		{ START DATA("{\"type\":\"error\",\"error\":{\"type\":"
		    "\"api_error\",\"message\":\"canary\"}}") END, "",
		    "error upstream: The model provider failed while "
		    "answering;" },
		{ START DATA("{\"type\":\"error\",\"error\":{\"type\":"
		    "\"rate_limit_error\",\"message\":\"canary\"}}"), "",
		    "error rate_limited: The model provider has too many "
		    "requests. Try again later;" },
		{ START DATA("{\"type\":\"error\"}"), "",
		    "error upstream: The model provider failed while "
		    "answering;" },
	};
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);
	struct kit_notes n;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = strlen(rows[i].bytes);
		kit_parse(&conf, true, 200, rows[i].bytes, len, len, 1, &n);
		if (strcmp(ln_buf_str(&n.rest), rows[i].rest) != 0)
			fail_msg("row %zu: %s", i, ln_buf_str(&n.rest));
		assert_string_equal(ln_buf_str(&n.text), rows[i].text);
		assert_int_equal(n.after_end, 0);
		kit_notes_free(&n);
	}
}

static void
cached_tokens_of_the_prompt_count(void **state)
{
	static const char bytes[] = START TEXT("ok") DELTA("end_turn") END;
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);
	struct kit_notes n;

	(void)state;
	kit_parse(&conf, true, 200, bytes, strlen(bytes), 1, 1, &n);
	assert_int_equal(n.prompt_tokens, 123);
	assert_int_equal(n.tokens, 7);
	kit_notes_free(&n);
}

static void
a_line_without_end_is_bounded(void **state)
{
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);

	(void)state;
	kit_endless_line(&conf);
}

#define TOO_LONG							\
    "error too_large: The conversation is too long for this model. Begin a "	\
    "new one, or choose a model that keeps more in sight;"
#define NO_CREDIT							\
    "error upstream: The account at the model provider has no credit left. "	\
    "Add credit there, or use another key;"
#define REFUSED(type, message)						\
    "{\"type\":\"error\",\"error\":{\"type\":\"" type "\","		\
    "\"message\":\"" message "\"}}"

static void
a_refusal_is_told_in_our_words_only(void **state)
{
	static const struct kit_refusal rows[] = {
		{ 401, REFUSED("authentication_error", "invalid x-api-key"),
		    "error unauthenticated: The model provider refused the "
		    "API key;" },
		{ 403, REFUSED("permission_error", "canary"),
		    "error unauthenticated: The model provider refused the "
		    "API key;" },
		{ 403, "canary", "error unauthenticated: The model provider "
		    "refused the API key;" },
		{ 404, REFUSED("not_found_error", "model: canary"),
		    "error not_found: The model provider does not have this "
		    "model. Choose another one;" },
		{ 404, REFUSED("not_found_error", "Not Found"),
		    "error upstream: The model provider does not know this "
		    "address. Check its base URL;" },
		{ 404, "<html>", "error upstream: The model provider does not "
		    "know this address. Check its base URL;" },
		{ 400, REFUSED("invalid_request_error", "prompt is too long: "
		    "208310 tokens > 200000 maximum"), TOO_LONG },
		{ 400, REFUSED("invalid_request_error", "input length and "
		    "`max_tokens` exceed context limit: 199000 + 16384"),
		    TOO_LONG },
		{ 400, REFUSED("invalid_request_error", "Your credit balance "
		    "is too low"), NO_CREDIT },
		{ 402, REFUSED("billing_error", "canary"), NO_CREDIT },
		{ 400, REFUSED("invalid_request_error", "this model does not "
		    "support tools"),
		    "error unsupported: The model cannot use tools;" },
		{ 400, REFUSED("invalid_request_error", "canary"),
		    "error upstream: The model provider refused the "
		    "request;" },
		{ 413, REFUSED("request_too_large", "canary"), TOO_LONG },
		{ 429, REFUSED("rate_limit_error", "canary"), "error "
		    "rate_limited: The model provider has too many requests. "
		    "Try again later;" },
		{ 429, "", "error rate_limited: The model provider has too "
		    "many requests. Try again later;" },
		{ 500, REFUSED("api_error", "canary"), "error upstream: The "
		    "model provider failed;" },
		{ 529, REFUSED("overloaded_error", "Overloaded"), "error "
		    "upstream: The model provider is overloaded. Try again "
		    "later;" },
		{ 529, "canary", "error upstream: The model provider is "
		    "overloaded. Try again later;" },
		{ 302, "", "error upstream: The model provider answered with "
		    "a redirect. Check its base URL;" },
	};
	const struct ln_provider_conf conf = anthropic(NULL, NULL, NULL);

	(void)state;
	kit_refusals(&conf, rows, sizeof(rows) / sizeof(rows[0]));
}

static void
the_request_says_what_the_prompt_says(void **state)
{
	static const char *const images[] = { PNG, NULL };
	static const struct ln_llm_message messages[] = {
		{ .role = "system", .content = "Be kind." },
		{ .role = "system", .content = "Be brief." },
		{ .role = "user", .content = "Look \"here\"\n", .images = images },
		{ .role = "user", .content = "Now." },
		{ .role = "assistant", .content = "" },
		{ .role = "assistant", .content = "Let me see.",
		    .tool_calls = "[{\"id\":\"f.1:0\",\"name\":\"f\","
		    "\"arguments\":{\"a\":1}},{\"name\":\"g\","
		    "\"arguments\":{}}]" },
		{ .role = "tool", .content = "42", .tool_name = "f",
		    .tool_call_id = "f.1:0" },
		{ .role = "tool", .content = "", .tool_name = "g" },
		{ .role = "user", .content = "Go on." },
	};
	static const struct ln_llm_tool tools[] = {
		{ "f", "Does f", "{\"type\":\"object\"}" },
	};
	static const char *const stop[] = { "END", " ", NULL };
	char model[] = "claude-opus-5-5", url[] = "http://h:1//", key[] = "k1";
	const struct ln_provider_conf conf = anthropic(model, url, key);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = messages,
		.message_count = 9, .tools = tools, .tool_count = 1,
		.is_stream = true,
	};
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	prompt.options.stop = stop;
	prompt.options.context_tokens = 4096;
	prompt.options.max_tokens = 100;
	r = kit_request(&conf, &prompt);
	assert_string_equal(r->http.url, "http://h:1/v1/messages");
	assert_string_equal(r->http.headers[0], "x-api-key: k1");
	assert_string_equal(r->http.headers[1],
	    "anthropic-version: 2023-06-01");
	assert_string_equal(r->http.headers[2],
	    "Content-Type: application/json");
	assert_null(r->http.headers[3]);
	assert_string_equal(r->body.data,
	    "{\"model\":\"claude-opus-5-5\","
	    "\"system\":\"Be kind.\\n\\nBe brief.\",\"messages\":["
	    "{\"role\":\"user\",\"content\":["
	    "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"media_type\":\"image/png\",\"data\":\"" PNG "\"}},"
	    "{\"type\":\"text\",\"text\":\"Look \\\"here\\\"\\n\"},"
	    "{\"type\":\"text\",\"text\":\"Now.\"}]},"
	    "{\"role\":\"assistant\",\"content\":["
	    "{\"type\":\"text\",\"text\":\"Let me see.\"},"
	    "{\"type\":\"tool_use\",\"id\":\"f_1_0\",\"name\":\"f\","
	    "\"input\":{\"a\":1}},"
	    "{\"type\":\"tool_use\",\"id\":\"call_5_1\",\"name\":\"g\","
	    "\"input\":{}}]},"
	    "{\"role\":\"user\",\"content\":["
	    "{\"type\":\"tool_result\",\"tool_use_id\":\"f_1_0\","
	    "\"content\":\"42\"},"
	    "{\"type\":\"tool_result\",\"tool_use_id\":\"call_5_1\"},"
	    "{\"type\":\"text\",\"text\":\"Go on.\"}]}],"
	    "\"tools\":[{\"name\":\"f\",\"description\":\"Does f\","
	    "\"input_schema\":{\"type\":\"object\"}}],"
	    "\"max_tokens\":100,\"stop_sequences\":[\"END\"],"
	    "\"stream\":true}");
	ln_llm_request_free(r);
}

static void
options_are_sent_to_models_that_take_them(void **state)
{
	static const struct {
		const char *model;
		double temperature, top_p, top_k;
		const char *want;
	} rows[] = {
		{ "claude-sonnet-4-5", 0.5, (double)NAN, 40,
		    "\"temperature\":0.5,\"top_k\":40," },
		{ "claude-opus-4-6", 0, (double)NAN, (double)NAN,
		    "\"temperature\":0," },
		{ "claude-opus-4-20250514", 0.5, (double)NAN, (double)NAN,
		    "\"temperature\":0.5," },
		{ "claude-3-5-haiku-20241022", (double)NAN, 0.9, (double)NAN,
		    "\"top_p\":0.9," },
		{ "claude-haiku-4-5-20251001", 0.5, (double)NAN, (double)NAN,
		    "\"temperature\":0.5," },
		/* Ours go to 2, theirs to 1; and not both. */
		{ "claude-sonnet-4-5", 1.5, 0.9, (double)NAN,
		    "\"temperature\":1," },
		{ "somebody-else", 0.5, (double)NAN, (double)NAN,
		    "\"temperature\":0.5," },
		{ "claude-opus-4-7", 0.5, 0.9, 40, "" },
		{ "claude-opus-4-10", 0.5, 0.9, 40, "" },
		{ "claude-sonnet-4-6", 0.5, 0.9, 40, "" },
		{ "claude-opus-5-5", 0.5, 0.9, 40, "" },
		{ "claude-next", 0.5, 0.9, 40, "" },
	};
	struct ln_llm_message m = { .role = "user", .content = "Hi" };
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	char model[64], url[] = "http://h:1", want[256];
	struct ln_provider_conf conf = anthropic(model, url, NULL);
	struct ln_llm_request *r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(model, sizeof(model), "%s", rows[i].model);
		ln_llm_options_init(&prompt.options);
		prompt.options.temperature = rows[i].temperature;
		prompt.options.top_p = rows[i].top_p;
		prompt.options.top_k = rows[i].top_k;
		r = kit_request(&conf, &prompt);
		snprintf(want, sizeof(want), "{\"model\":\"%s\",\"messages\":"
		    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
		    "\"text\":\"Hi\"}]}],\"max_tokens\":16384,%s"
		    "\"stream\":false}", model, rows[i].want);
		assert_string_equal(r->body.data, want);
		ln_llm_request_free(r);
	}
}

static void
what_cannot_be_sent_is_told(void **state)
{
	static const char *const images[] = { "PHN2Zz4=", NULL };
	struct ln_llm_message m = {
		.role = "user", .content = "Hi", .images = images,
	};
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	char model[] = "claude-opus-5-5", url[] = "http://h:1";
	struct ln_provider_conf conf = anthropic(model, url, NULL);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	assert_string_equal(err.field, "images");
	m.images = NULL;
	m.tool_calls = "not JSON";
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	m.tool_calls = NULL;
	conf.model = NULL;
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	assert_string_equal(err.field, "model");
	assert_null(r);
}

static void
models_are_listed(void **state)
{
	char url[] = "http://h:1", key[] = "k1";
	const struct ln_provider_conf conf = anthropic(NULL, url, key);
	struct ln_llm_request *r = NULL;
	struct ln_model_list l;
	size_t n;
	char *s = kit_fixture("anthropic_models.json", &n);

	(void)state;
	assert_int_equal(ln_provider_models_request(&conf, &r, NULL), LN_OK);
	assert_string_equal(r->http.url, "http://h:1/v1/models?limit=1000");
	assert_string_equal(r->http.headers[0], "x-api-key: k1");
	assert_null(r->http.body);
	ln_llm_request_free(r);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n, &l, NULL),
	    LN_OK);
	assert_true(l.count > 5);
	assert_string_equal(l.names[0], "llama3.2");
	ln_model_list_free(&l);
	assert_int_equal(ln_provider_models_parse(&conf, 200, "<html>", 6, &l,
	    NULL), LN_UPSTREAM);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n / 2, &l,
	    NULL), LN_UPSTREAM);
	assert_int_equal(l.count, 0);
	assert_int_equal(ln_provider_models_parse(&conf, 401, "", 0, &l,
	    NULL), LN_UNAUTHENTICATED);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_do_not_depend_on_how_bytes_are_cut),
		cmocka_unit_test(an_answer_that_is_no_stream_is_read_whole),
		cmocka_unit_test(odd_streams_end_as_they_should),
		cmocka_unit_test(cached_tokens_of_the_prompt_count),
		cmocka_unit_test(a_line_without_end_is_bounded),
		cmocka_unit_test(a_refusal_is_told_in_our_words_only),
		cmocka_unit_test(the_request_says_what_the_prompt_says),
		cmocka_unit_test(options_are_sent_to_models_that_take_them),
		cmocka_unit_test(what_cannot_be_sent_is_told),
		cmocka_unit_test(models_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
