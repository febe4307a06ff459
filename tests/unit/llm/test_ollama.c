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

static struct ln_provider_conf
ollama(char *model, char *base_url, char *api_key)
{
	return kit_conf("ollama", model, base_url, api_key);
}

static const struct kit_stream streams[] = {
	{ "ollama_plain.ndjson",
	    "The quick brown fox jumps over the lazy dog. It rests.", "",
	    "usage counted;done stop;" },
	{ "ollama_unicode.ndjson",
	    "Gr\u00fc\u00dfe, Welt! \u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9"
	    "\u30c8 \U0001F469\u200d\U0001F469\u200d\U0001F467\u200d"
	    "\U0001F466 e\u0301 \u05e2\u05d1\u05e8\u05d9\u05ea \u2028 \u00bd "
	    "\U0001F980.", "", "usage counted;done stop;" },
	{ "ollama_hostile.ndjson",
	    "Red: \033[31mX\033[0m bell \a bidi \u202e end.", "",
	    "usage counted;done stop;" },
	{ "ollama_length.ndjson",
	    "The quick brown fox jumps over the lazy dog. It rests.", "",
	    "usage counted;done length;" },
	{ "ollama_thinking.ndjson",
	    "The quick brown fox jumps over the lazy dog. It rests.",
	    "Let me think about that. Done.", "usage counted;done stop;" },
	{ "ollama_tools.ndjson", "", "",
	    "call current_time {\"zone\":\"UTC\"};usage counted;done stop;" },
	{ "ollama_badline.ndjson", "The quick brown", "",
	    "error upstream: The answer of the model provider could not be "
	    "understood;" },
	{ "ollama_errline.ndjson", "The quick brown", "",
	    "error upstream: The model provider failed while answering;" },
	{ "ollama_short.ndjson", "The quick brown", "",
	    "error upstream: The model provider ended the answer too early;" },
};

static void
events_do_not_depend_on_how_bytes_are_cut(void **state)
{
	const struct ln_provider_conf conf = ollama(NULL, NULL, NULL);

	(void)state;
	kit_cut_everywhere(&conf, streams,
	    sizeof(streams) / sizeof(streams[0]));
}

static void
a_refusal_is_told_in_our_words_only(void **state)
{
	static const struct kit_refusal rows[] = {
		{ 404, "{\"error\":\"model 'nosuch' not found\"}",
		    "error not_found: The model is not installed. Pull it or "
		    "choose another one;" },
		{ 404, "404 page not found", "error upstream: The model "
		    "provider does not know this address. Check its base "
		    "URL;" },
		{ 401, "canary", "error unauthenticated: The model provider "
		    "refused the API key;" },
		{ 403, "canary", "error unauthenticated: The model provider "
		    "refused the API key;" },
		{ 429, "canary", "error rate_limited: The model provider has "
		    "too many requests. Try again later;" },
		{ 400, "{\"error\":\"canary\"}", "error upstream: The model "
		    "provider refused the request;" },
		{ 302, "", "error upstream: The model provider answered with "
		    "a redirect. Check its base URL;" },
		{ 500, "{\"error\":\"canary\"}", "error upstream: The model "
		    "provider failed;" },
		{ 503, "", "error upstream: The model provider failed;" },
		{ 529, "canary", "error upstream: The model provider is "
		    "overloaded. Try again later;" },
		/* A stream that looks like an answer, but is none. */
		{ 500, "{\"message\":{\"content\":\"canary\"}}\n",
		    "error upstream: The model provider failed;" },
	};
	const struct ln_provider_conf conf = ollama(NULL, NULL, NULL);

	(void)state;
	kit_refusals(&conf, rows, sizeof(rows) / sizeof(rows[0]));
}

static void
a_line_without_end_is_bounded(void **state)
{
	const struct ln_provider_conf conf = ollama(NULL, NULL, NULL);

	(void)state;
	kit_endless_line(&conf);
}

static void
the_transport_s_failure_is_told_once(void **state)
{
	const struct ln_provider_conf conf = ollama(NULL, NULL, NULL);
	const struct ln_error why = {
		.status = LN_TIMEOUT, .text = "Too slow", .detail = "d",
	};
	struct ln_llm_stream *stream = NULL;
	struct kit_notes n;

	(void)state;
	kit_notes_init(&n);
	assert_int_equal(ln_llm_stream_new(&conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	ln_llm_stream_feed(stream, 200,
	    "{\"message\":{\"content\":\"half\"}}\n", 32);
	ln_llm_stream_end(stream, 200, LN_TIMEOUT, &why);
	ln_llm_stream_end(stream, 200, LN_TIMEOUT, &why);
	assert_string_equal(ln_buf_str(&n.text), "half");
	assert_string_equal(ln_buf_str(&n.rest), "error timeout: Too slow;");
	assert_int_equal(n.after_end, 0);
	ln_llm_stream_free(stream);
	kit_notes_free(&n);
}

static void
the_request_says_what_the_prompt_says(void **state)
{
	static const char *const images[] = { "aGk=", NULL };
	static const struct ln_llm_message messages[] = {
		{ .role = "system", .content = "Be kind." },
		{ .role = "user", .content = "Look \"here\"\n", .images = images },
		{ .role = "assistant", .content = "",
		    .tool_calls = "[{\"id\":\"7\",\"name\":\"f\","
		    "\"arguments\":{\"a\":1}}]" },
		{ .role = "tool", .content = "42", .tool_name = "f" },
	};
	static const struct ln_llm_tool tools[] = {
		{ "f", "Does f", "{\"type\":\"object\"}" },
	};
	static const char *const stop[] = { "END", NULL };
	char model[] = "llama3.2", url[] = "http://h:1//", key[] = "k1";
	const struct ln_provider_conf conf = ollama(model, url, key);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = messages,
		.message_count = 4, .tools = tools, .tool_count = 1,
		.is_stream = true,
	};
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	prompt.options.context_tokens = 4096;
	prompt.options.stop = stop;
	prompt.options.temperature = 0.5;
	prompt.options.top_k = 40;
	prompt.options.max_tokens = 100;
	r = kit_request(&conf, &prompt);
	assert_string_equal(r->http.url, "http://h:1/api/chat");
	assert_true(r->http.may_be_local);
	assert_int_equal(r->http.stall_ms, 60000);
	assert_true(r->http.first_byte_ms > r->http.stall_ms);
	assert_string_equal(r->http.headers[0], "Authorization: Bearer k1");
	assert_string_equal(r->http.headers[1],
	    "Content-Type: application/json");
	assert_null(r->http.headers[2]);
	assert_int_equal(r->http.body_len, strlen(r->body.data));
	assert_string_equal(r->body.data,
	    "{\"model\":\"llama3.2\",\"messages\":["
	    "{\"role\":\"system\",\"content\":\"Be kind.\"},"
	    "{\"role\":\"user\",\"content\":\"Look \\\"here\\\"\\n\","
	    "\"images\":[\"aGk=\"]},"
	    "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":"
	    "[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]},"
	    "{\"role\":\"tool\",\"content\":\"42\",\"tool_name\":\"f\"}],"
	    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
	    "\"description\":\"Does f\",\"parameters\":"
	    "{\"type\":\"object\"}}}],"
	    "\"stream\":true,\"options\":{\"temperature\":0.5,\"top_k\":40,"
	    "\"num_predict\":100,\"num_ctx\":4096,\"stop\":[\"END\"]}}");
	ln_llm_request_free(r);
	ln_llm_request_free(NULL);
}

static void
without_a_model_there_is_no_request(void **state)
{
	char url[] = "http://h:1";
	const struct ln_provider_conf conf = ollama(NULL, url, NULL);
	const struct ln_llm_prompt prompt = { .size = sizeof(prompt) };
	const struct ln_provider_conf offline = {
		.info = ln_provider_find("offline"),
	};
	struct ln_llm_stream *stream = NULL;
	struct ln_llm_request *r = NULL;
	struct ln_error err = LN_ERROR_INIT;

	(void)state;
	assert_int_equal(ln_llm_request(&conf, &prompt, &r, &err), LN_INVALID);
	assert_null(r);
	assert_string_equal(err.field, "model");
	assert_int_equal(ln_llm_request(&offline, &prompt, &r, NULL),
	    LN_UNSUPPORTED);
	assert_int_equal(ln_llm_stream_new(&offline, true, kit_note, NULL,
	    &stream, NULL), LN_UNSUPPORTED);
	assert_int_equal(ln_provider_models_request(&offline, &r, NULL),
	    LN_UNSUPPORTED);
	assert_null(ln_provider_find("nosuch"));
}

static void
models_are_listed(void **state)
{
	char url[] = "http://h:1";
	const struct ln_provider_conf conf = ollama(NULL, url, NULL);
	struct ln_llm_request *r = NULL;
	struct ln_model_list l;
	size_t n;
	char *s = kit_fixture("ollama_tags.json", &n);

	(void)state;
	assert_int_equal(ln_provider_models_request(&conf, &r, NULL), LN_OK);
	assert_string_equal(r->http.url, "http://h:1/api/tags");
	assert_null(r->http.body);
	ln_llm_request_free(r);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n, &l, NULL),
	    LN_OK);
	assert_true(l.count > 5);
	assert_string_equal(l.names[0], "llama3.2:latest");
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
		cmocka_unit_test(a_refusal_is_told_in_our_words_only),
		cmocka_unit_test(a_line_without_end_is_bounded),
		cmocka_unit_test(the_transport_s_failure_is_told_once),
		cmocka_unit_test(the_request_says_what_the_prompt_says),
		cmocka_unit_test(without_a_model_there_is_no_request),
		cmocka_unit_test(models_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
