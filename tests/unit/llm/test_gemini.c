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
#define GARBAGE								\
    "error upstream: The answer of the model provider could not be "	\
    "understood;"
#define BAD_CALL							\
    "error upstream: The model called a tool in a way that cannot be "	\
    "understood;"
#define FAILED "error upstream: The model provider failed while answering;"
#define FILTERED							\
    "error upstream: The model provider's filter does not let this "	\
    "question pass;"
#define TOO_EARLY							\
    "error upstream: The model provider ended the answer too early;"

static struct ln_provider_conf
gemini(char *model, char *base_url, char *api_key)
{
	return kit_conf("gemini", model, base_url, api_key);
}

static const struct kit_stream streams[] = {
	{ "gemini_plain.sse", ASCII, "", "usage counted;done stop;" },
	{ "gemini_unicode.sse",
	    "Gr\u00fc\u00dfe, Welt! \u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9"
	    "\u30c8 \U0001F469\u200d\U0001F469\u200d\U0001F467\u200d"
	    "\U0001F466 e\u0301 \u05e2\u05d1\u05e8\u05d9\u05ea \u2028 \u00bd "
	    "\U0001F980.", "", "usage counted;done stop;" },
	{ "gemini_hostile.sse",
	    "Red: \033[31mX\033[0m bell \a bidi \u202e end.", "",
	    "usage counted;done stop;" },
	{ "gemini_length.sse", ASCII, "", "usage counted;done length;" },
	{ "gemini_filter.sse", ASCII, "",
	    "usage counted;done content_filter;" },
	{ "gemini_thinking.sse", ASCII, THOUGHT, "usage counted;done stop;" },
	{ "gemini_tools.sse", "", "",
	    "call current_time {\"zone\":\"UTC\"};usage counted;"
	    "done tool_calls;" },
	{ "gemini_signed.sse", "", "",
	    "call current_time {\"zone\":\"UTC\"} signed c2lnbmF0dXJl;"
	    "call current_time {};usage counted;done tool_calls;" },
	{ "gemini_blocked.sse", "", "", FILTERED },
	{ "gemini_badcall.sse", "", "", BAD_CALL },
	{ "gemini_badline.sse", "The quick brown", "", GARBAGE },
	{ "gemini_errline.sse", "The quick brown", "", FAILED },
	{ "gemini_short.sse", "The quick brown", "", TOO_EARLY },
};

static void
events_do_not_depend_on_how_bytes_are_cut(void **state)
{
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);

	(void)state;
	kit_cut_everywhere(&conf, streams,
	    sizeof(streams) / sizeof(streams[0]));
}

static void
an_answer_that_is_no_stream_is_read_whole(void **state)
{
	static const struct kit_stream rows[] = {
		{ "gemini_whole.json", ASCII, THOUGHT,
		    "usage counted;done stop;" },
		{ "gemini_whole_tools.json", "", "",
		    "call current_time {\"zone\":\"UTC\"} signed "
		    "c2lnbmF0dXJl;call current_time {};usage counted;"
		    "done tool_calls;" },
	};
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);
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

#define DATA(json) "data: " json "\r\n\r\n"
#define TEXT(text) DATA("{\"candidates\":[{\"content\":{\"parts\":"	\
    "[{\"text\":\"" text "\"}],\"role\":\"model\"}}]}")
#define PART(part) DATA("{\"candidates\":[{\"content\":{\"parts\":[" part	\
    "]}}]}")
#define END(reason) DATA("{\"candidates\":[{\"finishReason\":\"" reason	\
    "\"}],\"usageMetadata\":{\"promptTokenCount\":5,"			\
    "\"candidatesTokenCount\":7,\"thoughtsTokenCount\":30}}")

static void
odd_streams_end_as_they_should(void **state)
{
	static const struct {
		const char *bytes;
		const char *text;
		const char *rest;
	} rows[] = {
		/* A reason with every piece: the last one counts. */
		{ TEXT("a") END("STOP") TEXT("b") END("MAX_TOKENS"), "ab",
		    "usage counted;done length;" },
		{ TEXT("a") END("STOP") "data: {\"cut", "a",
		    "usage counted;done stop;" },
		{ TEXT("a") DATA("{\"candidates\":[{\"finishReason\":"
		    "\"STOP\"}]}"), "a", "done stop;" },
		{ TEXT("a") END("INVENTED"), "a", "usage counted;done stop;" },
		{ TEXT("a") END("RECITATION"), "a",
		    "usage counted;done content_filter;" },
		{ END("UNEXPECTED_TOOL_CALL"), "", "usage counted;" BAD_CALL },
		{ PART("{\"functionCall\":{\"name\":\"f\",\"id\":\"7\"}}")
		    END("STOP"), "",
		    "call f#7 {};usage counted;done tool_calls;" },
		{ PART("{\"functionCall\":{\"name\":\"f\",\"args\":[1]}}"), "",
		    GARBAGE },
		{ PART("{\"functionCall\":{}}"), "", GARBAGE },
		{ PART("{\"executableCode\":{\"code\":\"1\"}}") TEXT("a")
		    END("STOP"), "a", "usage counted;done stop;" },
		{ DATA("{}"), "", GARBAGE },
		{ DATA("[]"), "", GARBAGE },
		{ DATA("null"), "", GARBAGE },
		{ TEXT("a") "data: {\"cut", "a", TOO_EARLY },
		{ "", "", TOO_EARLY },
		/* A failure told as an event, alone, over several lines. */
		{ TEXT("a") DATA("{\"error\":{\"code\":503,\"message\":"
		    "\"canary\",\"status\":\"UNAVAILABLE\"}}"), "a",
		    "error upstream: The model provider is overloaded. Try "
		    "again later;" },
		{ TEXT("a") "{\n  \"error\": {\n    \"code\": 503,\n"
		    "    \"message\": \"canary\",\n"
		    "    \"status\": \"UNAVAILABLE\"\n  }\n}\n", "a",
		    "error upstream: The model provider is overloaded. Try "
		    "again later;" },
		{ "{\"error\":{\"code\":500}}", "", FAILED },
		{ TEXT("a") "[{\"error\":{\"code\":429,\"status\":"
		    "\"RESOURCE_EXHAUSTED\"}}]", "a", "error rate_limited: "
		    "The model provider has too many requests. Try again "
		    "later;" },
		{ "<!doctype html>\n<title>canary</title>\n", "", "error "
		    "upstream: The answer of the model provider could not be "
		    "understood. Check its base URL;" },
	};
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);
	struct kit_notes n;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = strlen(rows[i].bytes);
		kit_parse(&conf, true, 200, rows[i].bytes, len, len, 1, &n);
		if (strcmp(ln_buf_str(&n.rest), rows[i].rest) != 0 ||
		    strcmp(ln_buf_str(&n.text), rows[i].text) != 0)
			fail_msg("row %zu: %s | %s", i, ln_buf_str(&n.text),
			    ln_buf_str(&n.rest));
		assert_int_equal(n.after_end, 0);
		kit_notes_free(&n);
	}
}

static void
thoughts_count_as_tokens_of_the_answer(void **state)
{
	static const char bytes[] = TEXT("ok") END("STOP");
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);
	struct kit_notes n;

	(void)state;
	kit_parse(&conf, true, 200, bytes, strlen(bytes), 1, 1, &n);
	assert_int_equal(n.prompt_tokens, 5);
	assert_int_equal(n.tokens, 37);
	kit_notes_free(&n);
}

static void
a_line_without_end_is_bounded(void **state)
{
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);

	(void)state;
	kit_endless_line(&conf);
}

#define REFUSED(status, message)					\
    "{\"error\":{\"code\":400,\"message\":\"" message "\","		\
    "\"status\":\"" status "\"}}"
#define KEY_REFUSED							\
    "error unauthenticated: The model provider refused the API key;"
#define TOO_LONG							\
    "error too_large: The conversation is too long for this model. Begin a "	\
    "new one, or choose a model that keeps more in sight;"
#define NO_TOOLS "error unsupported: The model cannot use tools;"

static void
a_refusal_is_told_in_our_words_only(void **state)
{
	static const struct kit_refusal rows[] = {
		{ 400, REFUSED("INVALID_ARGUMENT", "API key not valid. Please "
		    "pass a valid API key."), KEY_REFUSED },
		{ 400, REFUSED("INVALID_ARGUMENT", "API key expired."),
		    KEY_REFUSED },
		{ 401, REFUSED("UNAUTHENTICATED", "canary"), KEY_REFUSED },
		{ 403, REFUSED("PERMISSION_DENIED", "canary"), KEY_REFUSED },
		{ 403, "", KEY_REFUSED },
		{ 404, REFUSED("NOT_FOUND", "models/canary is not found for "
		    "API version v1beta"), "error not_found: The model "
		    "provider does not have this model. Choose another "
		    "one;" },
		{ 404, "<html>", "error upstream: The model provider does not "
		    "know this address. Check its base URL;" },
		{ 400, REFUSED("INVALID_ARGUMENT", "The input token count "
		    "(1054016) exceeds the maximum number of tokens allowed "
		    "(1048576)."), TOO_LONG },
		{ 400, "[" REFUSED("INVALID_ARGUMENT", "The input token count "
		    "(1054016) exceeds the maximum number of tokens allowed "
		    "(1048576).") "]", TOO_LONG },
		{ 400, REFUSED("INVALID_ARGUMENT", "Request payload size "
		    "exceeds the limit: 20971520 bytes."), TOO_LONG },
		{ 400, REFUSED("INVALID_ARGUMENT", "Function calling is not "
		    "enabled for models/canary"), NO_TOOLS },
		{ 400, REFUSED("INVALID_ARGUMENT", "canary"), "error "
		    "upstream: The model provider refused the request;" },
		{ 400, REFUSED("FAILED_PRECONDITION", "User location is not "
		    "supported for the API use."), "error upstream: The model "
		    "provider does not serve this part of the world;" },
		{ 429, REFUSED("RESOURCE_EXHAUSTED", "canary"), "error "
		    "rate_limited: The model provider has too many requests. "
		    "Try again later;" },
		{ 500, REFUSED("INTERNAL", "canary"), "error upstream: The "
		    "model provider failed;" },
		{ 503, REFUSED("UNAVAILABLE", "canary"), "error upstream: "
		    "The model provider is overloaded. Try again later;" },
		{ 504, REFUSED("DEADLINE_EXCEEDED", "canary"), "error "
		    "timeout: The model provider did not answer in time;" },
		{ 500, TEXT("canary"), "error upstream: The model provider "
		    "failed;" },
	};
	const struct ln_provider_conf conf = gemini(NULL, NULL, NULL);

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
		    .tool_calls = "[{\"id\":\"7\",\"name\":\"f\","
		    "\"arguments\":{\"a\":1},\"signature\":\"c2ln\"},"
		    "{\"name\":\"g\",\"arguments\":{}}]" },
		{ .role = "tool", .content = "42", .tool_name = "f",
		    .tool_call_id = "7" },
		{ .role = "tool", .content = "", .tool_name = "g" },
		{ .role = "assistant", .content = "42." },
	};
	static const struct ln_llm_tool tools[] = {
		{ "f", "Does f", "{\"type\":\"object\","
		    "\"additionalProperties\":false}" },
	};
	static const char *const stop[] = {
		"a", "b", "c", "d", "e", "one too many", NULL,
	};
	char model[] = "models/gemini-2.5-flash", url[] = "http://h:1//";
	char key[] = "k1";
	const struct ln_provider_conf conf = gemini(model, url, key);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = messages,
		.message_count = 9, .tools = tools, .tool_count = 1,
		.is_stream = true,
	};
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	prompt.options.stop = stop;
	prompt.options.temperature = 1.5;
	prompt.options.top_p = 0.5;
	prompt.options.top_k = 40;
	prompt.options.repeat_penalty = 1.1;
	prompt.options.context_tokens = 4096;
	prompt.options.max_tokens = 100;
	r = kit_request(&conf, &prompt);
	assert_string_equal(r->http.url, "http://h:1/v1beta/models/"
	    "gemini-2.5-flash:streamGenerateContent?alt=sse");
	assert_string_equal(r->http.headers[0], "x-goog-api-key: k1");
	assert_string_equal(r->http.headers[1],
	    "Content-Type: application/json");
	assert_null(r->http.headers[2]);
	assert_string_equal(r->body.data,
	    "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be kind.\"},"
	    "{\"text\":\"Be brief.\"}]},\"contents\":["
	    "{\"role\":\"user\",\"parts\":["
	    "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" PNG
	    "\"}},{\"text\":\"Look \\\"here\\\"\\n\"},{\"text\":\"Now.\"}]},"
	    "{\"role\":\"model\",\"parts\":[{\"text\":\"Let me see.\"},"
	    "{\"functionCall\":{\"id\":\"7\",\"name\":\"f\","
	    "\"args\":{\"a\":1}},\"thoughtSignature\":\"c2ln\"},"
	    "{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]},"
	    "{\"role\":\"user\",\"parts\":["
	    "{\"functionResponse\":{\"id\":\"7\",\"name\":\"f\","
	    "\"response\":{\"output\":\"42\"}}},"
	    "{\"functionResponse\":{\"name\":\"g\","
	    "\"response\":{\"output\":\"\"}}}]},"
	    "{\"role\":\"model\",\"parts\":[{\"text\":\"42.\"}]}],"
	    "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","
	    "\"description\":\"Does f\",\"parametersJsonSchema\":"
	    "{\"type\":\"object\",\"additionalProperties\":false}}]}],"
	    "\"generationConfig\":{\"temperature\":1.5,\"topP\":0.5,"
	    "\"topK\":40,\"maxOutputTokens\":100,"
	    "\"stopSequences\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}}");
	ln_llm_request_free(r);
}

static void
little_is_sent_when_little_is_asked(void **state)
{
	static const struct ln_llm_message m = {
		.role = "user", .content = "Hi",
	};
	char model[] = "gemini-3-pro", url[] = "http://h:1";
	const struct ln_provider_conf conf = gemini(model, url, NULL);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	r = kit_request(&conf, &prompt);
	assert_string_equal(r->http.url,
	    "http://h:1/v1beta/models/gemini-3-pro:generateContent");
	assert_string_equal(r->body.data, "{\"contents\":[{\"role\":\"user\","
	    "\"parts\":[{\"text\":\"Hi\"}]}],\"generationConfig\":{}}");
	ln_llm_request_free(r);
}

static void
a_model_name_cannot_leave_its_place_in_the_path(void **state)
{
	static const char *const names[] = {
		"", "models/", "a/b", "../x", "..", "a:generateContent", "a?b",
		"a#b", "a%2e", "a b", "models/models/a", "\xc3\xa4",
	};
	static const struct ln_llm_message m = {
		.role = "user", .content = "Hi",
	};
	char model[64], url[] = "http://h:1";
	struct ln_provider_conf conf = gemini(model, url, NULL);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;
	size_t i;

	(void)state;
	ln_llm_options_init(&prompt.options);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(model, sizeof(model), "%s", names[i]);
		assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err),
		    LN_INVALID);
		assert_string_equal(err.field, "model");
		assert_null(r);
	}
	conf.model = NULL;
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	assert_string_equal(err.field, "model");
}

static void
an_image_of_unknown_type_is_not_sent(void **state)
{
	static const char *const images[] = { "PHN2Zz4=", NULL };
	static const struct ln_llm_message m = {
		.role = "user", .content = "Hi", .images = images,
	};
	char model[] = "gemini-2.5-flash", url[] = "http://h:1";
	const struct ln_provider_conf conf = gemini(model, url, NULL);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;

	(void)state;
	ln_llm_options_init(&prompt.options);
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	assert_string_equal(err.field, "images");
}

static void
models_that_chat_are_listed(void **state)
{
	char url[] = "http://h:1", key[] = "k1";
	const struct ln_provider_conf conf = gemini(NULL, url, key);
	struct ln_llm_request *r = NULL;
	struct ln_model_list l;
	size_t i, n;
	char *s = kit_fixture("gemini_models.json", &n);

	(void)state;
	assert_int_equal(ln_provider_models_request(&conf, &r, NULL), LN_OK);
	assert_string_equal(r->http.url,
	    "http://h:1/v1beta/models?pageSize=1000");
	assert_string_equal(r->http.headers[0], "x-goog-api-key: k1");
	assert_null(r->http.body);
	ln_llm_request_free(r);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n, &l, NULL),
	    LN_OK);
	assert_true(l.count > 5);
	assert_string_equal(l.names[0], "llama3.2");
	for (i = 0; i < l.count; i++)
		assert_string_not_equal(l.names[i], "text-embedding-004");
	ln_model_list_free(&l);
	assert_int_equal(ln_provider_models_parse(&conf, 200, "<html>", 6, &l,
	    NULL), LN_UPSTREAM);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n / 2, &l,
	    NULL), LN_UPSTREAM);
	assert_int_equal(l.count, 0);
	assert_int_equal(ln_provider_models_parse(&conf, 403, "", 0, &l,
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
		cmocka_unit_test(thoughts_count_as_tokens_of_the_answer),
		cmocka_unit_test(a_line_without_end_is_bounded),
		cmocka_unit_test(a_refusal_is_told_in_our_words_only),
		cmocka_unit_test(the_request_says_what_the_prompt_says),
		cmocka_unit_test(little_is_sent_when_little_is_asked),
		cmocka_unit_test(a_model_name_cannot_leave_its_place_in_the_path),
		cmocka_unit_test(an_image_of_unknown_type_is_not_sent),
		cmocka_unit_test(models_that_chat_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
