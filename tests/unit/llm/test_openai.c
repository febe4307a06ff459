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
openai(char *model, char *base_url, char *api_key)
{
	return kit_conf("openai", model, base_url, api_key);
}

#define ERROR(members) "{\"error\":{" members "}}"
#define TOOLS "error unsupported: The model cannot use tools;"
#define NO_MODEL "error not_found: The model provider does not have this " \
    "model. Choose another one;"
#define NO_CREDIT "error upstream: The account at the model provider has no " \
    "credit left. Add credit there, or use another key;"
#define TOO_LONG "error too_large: The conversation is too long for this " \
    "model. Begin a new one, or choose a model that keeps more in sight;"
#define BAD_KEY "error unauthenticated: The model provider refused the API key;"
#define TOO_MANY "error rate_limited: The model provider has too many " \
    "requests. Try again later;"

static void
a_refusal_is_told_in_our_words_only(void **state)
{
	static const struct kit_refusal rows[] = {
		{ 401, ERROR("\"message\":\"Incorrect API key provided: canary."
		    "\",\"type\":\"invalid_request_error\",\"code\":"
		    "\"invalid_api_key\""), BAD_KEY },
		{ 403, "canary", BAD_KEY },
		{ 402, ERROR("\"message\":\"Insufficient credits\","
		    "\"code\":402"), NO_CREDIT },
		{ 404, ERROR("\"message\":\"The model `nosuch` does not exist"
		    "\",\"type\":\"invalid_request_error\",\"code\":"
		    "\"model_not_found\""), NO_MODEL },
		{ 404, "{\"object\":\"error\",\"message\":\"The model `n` does"
		    " not exist.\",\"type\":\"NotFoundError\",\"code\":404}",
		    NO_MODEL },
		{ 400, ERROR("\"message\":\"n/n is not a valid model ID\","
		    "\"code\":400"), NO_MODEL },
		{ 404, ERROR("\"message\":\"Invalid URL (POST /v1/nosuch)\","
		    "\"code\":null"), "error upstream: The model provider does "
		    "not know this address. Check its base URL;" },
		{ 404, "<html>canary</html>", "error upstream: The model "
		    "provider does not know this address. Check its base "
		    "URL;" },
		{ 429, ERROR("\"message\":\"Rate limit reached\",\"type\":"
		    "\"tokens\",\"code\":\"rate_limit_exceeded\""), TOO_MANY },
		{ 429, "canary", TOO_MANY },
		{ 429, ERROR("\"message\":\"You exceeded your current quota\","
		    "\"type\":\"insufficient_quota\",\"code\":"
		    "\"insufficient_quota\""), NO_CREDIT },
		{ 400, ERROR("\"message\":\"This model's maximum context length"
		    " is 8192 tokens.\",\"code\":\"context_length_exceeded\""),
		    TOO_LONG },
		{ 400, ERROR("\"code\":400,\"message\":\"the request exceeds "
		    "the available context size\",\"type\":"
		    "\"exceed_context_size_error\""), TOO_LONG },
		{ 413, ERROR("\"message\":\"Request too large for model\","
		    "\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\""),
		    "error too_large: The conversation is too long for the "
		    "model provider;" },
		{ 400, ERROR("\"message\":\"`tool calling` is not supported "
		    "with this model\""), TOOLS },
		{ 400, ERROR("\"message\":\"\\\"auto\\\" tool choice requires "
		    "--enable-auto-tool-choice\""), TOOLS },
		{ 500, ERROR("\"code\":500,\"message\":\"tools param requires "
		    "--jinja flag\""), TOOLS },
		{ 404, ERROR("\"message\":\"No endpoints found that support "
		    "tool use\",\"code\":404"), TOOLS },
		{ 404, ERROR("\"message\":\"No endpoints found that support "
		    "image input\",\"code\":404"), "error invalid: The model "
		    "cannot see images. Choose another one, or ask without "
		    "them;" },
		{ 400, ERROR("\"message\":\"canary\""), "error upstream: The "
		    "model provider refused the request;" },
		{ 400, "{\"error\":\"canary\"}", "error upstream: The model "
		    "provider refused the request;" },
		{ 400, "{\"error\":7}", "error upstream: The model provider "
		    "refused the request;" },
		{ 500, ERROR("\"message\":\"canary\""), "error upstream: The "
		    "model provider failed;" },
		/* A stream that looks like an answer, but is none. */
		{ 500, "data: {\"choices\":[{\"delta\":{\"content\":"
		    "\"canary\"}}]}\n\n", "error upstream: The "
		    "model provider failed;" },
	};
	const struct ln_provider_conf conf = openai(NULL, NULL, NULL);

	(void)state;
	kit_refusals(&conf, rows, sizeof(rows) / sizeof(rows[0]));
}

#define PNG "iVBORw0KGgoAAAANSUhEUg=="
#define JPEG "/9j/4AAQSkZJRg=="

static void
the_request_says_what_the_prompt_says(void **state)
{
	static const char *const images[] = { PNG, JPEG, NULL };
	static const char *const one_image[] = { PNG, NULL };
	static const struct ln_llm_message messages[] = {
		{ .role = "system", .content = "Be kind." },
		{ .role = "user", .content = "Look \"here\"\n",
		    .images = images },
		{ .role = "assistant", .content = "",
		    .tool_calls = "[{\"id\":\"x7\",\"name\":\"f\","
		    "\"arguments\":{\"a\":\"\\\"\"}}]" },
		{ .role = "tool", .content = "42", .tool_call_id = "x7",
		    .tool_name = "f" },
		{ .role = "assistant", .content = "Two more.",
		    .tool_calls = "[{\"name\":\"f\",\"arguments\":{}},"
		    "{\"name\":\"g\"}]" },
		{ .role = "tool", .content = "43", .tool_name = "f" },
		{ .role = "tool", .content = "44", .tool_name = "g" },
		{ .role = "user", .content = "", .images = one_image },
	};
	static const struct ln_llm_tool tools[] = {
		{ "f", "Does f", "{\"type\":\"object\"}" },
		{ "g", NULL, "{\"type\":\"object\"}" },
	};
	char model[] = "gpt-4o", url[] = "http://h:1/v1//", key[] = "k1";
	const struct ln_provider_conf conf = openai(model, url, key);
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = messages,
		.message_count = sizeof(messages) / sizeof(messages[0]),
		.tools = tools, .tool_count = 2, .is_stream = true,
	};
	struct ln_llm_request *r;

	(void)state;
	ln_llm_options_init(&prompt.options);
	prompt.options.context_tokens = 4096;
	r = kit_request(&conf, &prompt);
	assert_string_equal(r->http.url, "http://h:1/v1/chat/completions");
	assert_true(r->http.may_be_local);
	assert_string_equal(r->http.headers[0], "Authorization: Bearer k1");
	assert_string_equal(r->http.headers[1],
	    "Content-Type: application/json");
	assert_null(r->http.headers[2]);
	assert_int_equal(r->http.body_len, strlen(r->body.data));
	assert_string_equal(r->body.data,
	    "{\"model\":\"gpt-4o\",\"messages\":["
	    "{\"role\":\"system\",\"content\":\"Be kind.\"},"
	    "{\"role\":\"user\",\"content\":["
	    "{\"type\":\"text\",\"text\":\"Look \\\"here\\\"\\n\"},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64," PNG "\"}},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/jpeg;base64," JPEG "\"}}]},"
	    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
	    "{\"id\":\"x7\",\"type\":\"function\",\"function\":{"
	    "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"\\\\\\\"\\\"}\""
	    "}}]},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"x7\",\"content\":\"42\"},"
	    "{\"role\":\"assistant\",\"content\":\"Two more.\","
	    "\"tool_calls\":["
	    "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{"
	    "\"name\":\"f\",\"arguments\":\"{}\"}},"
	    "{\"id\":\"call_2\",\"type\":\"function\",\"function\":{"
	    "\"name\":\"g\",\"arguments\":\"{}\"}}]},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
	    "\"content\":\"43\"},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"call_2\","
	    "\"content\":\"44\"},"
	    "{\"role\":\"user\",\"content\":["
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64," PNG "\"}}]}],"
	    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
	    "\"description\":\"Does f\",\"parameters\":"
	    "{\"type\":\"object\"}}},"
	    "{\"type\":\"function\",\"function\":{\"name\":\"g\","
	    "\"parameters\":{\"type\":\"object\"}}}],"
	    "\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
	ln_llm_request_free(r);
}

/* All options set, as each server wants them. */
static const struct {
	const char *provider;
	const char *model;
	const char *options;	/* what follows "stream" */
} quirks[] = {
	{ "openai", "gpt-4o", ",\"max_completion_tokens\":100,"
	    "\"temperature\":0.5,\"top_p\":0.75,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\"]" },
	{ "openai", "gpt-5-mini", ",\"max_completion_tokens\":100" },
	{ "openai", "o3", ",\"max_completion_tokens\":100" },
	{ "openai", "gpt-5-chat-latest", ",\"max_completion_tokens\":100,"
	    "\"temperature\":0.5,\"top_p\":0.75,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\"]" },
	{ "openrouter", "openai/gpt-5-mini", ",\"max_tokens\":100,"
	    "\"temperature\":0.5,\"top_p\":0.75,\"top_k\":40,"
	    "\"repetition_penalty\":1.25,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\"]" },
	{ "groq", "llama", ",\"max_completion_tokens\":100,"
	    "\"temperature\":0.5,\"top_p\":0.75,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\"]" },
	{ "llamacpp", "gpt-5", ",\"max_tokens\":100,\"temperature\":0.5,"
	    "\"top_p\":0.75,\"top_k\":40,\"repeat_penalty\":1.25,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]" },
	{ "vllm", "m", ",\"max_tokens\":100,\"temperature\":0.5,"
	    "\"top_p\":0.75,\"top_k\":40,\"repetition_penalty\":1.25,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]" },
	{ "lmstudio", "m", ",\"max_tokens\":100,\"temperature\":0.5,"
	    "\"top_p\":0.75,\"top_k\":40,\"repeat_penalty\":1.25,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]" },
	{ "openai-compatible", "m", ",\"max_tokens\":100,"
	    "\"temperature\":0.5,\"top_p\":0.75,"
	    "\"stop\":[\"a\",\"b\",\"c\",\"d\"]" },
};

static void
options_go_by_the_names_that_each_server_knows(void **state)
{
	static const char *const stop[] = { "a", "b", "c", "d", "e", NULL };
	static const struct ln_llm_message messages[] = {
		{ .role = "user", .content = "Hi" },
	};
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = messages,
		.message_count = 1,
	};
	char url[] = "http://h:1/v1", model[64];
	struct ln_provider_conf conf;
	struct ln_llm_request *r;
	const char *options;
	size_t i, n;

	(void)state;
	ln_llm_options_init(&prompt.options);
	prompt.options = (struct ln_llm_options){
		.temperature = 0.5, .top_p = 0.75, .top_k = 40,
		.repeat_penalty = 1.25, .max_tokens = 100,
		.context_tokens = 4096, .stop = stop,
	};
	for (i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		n = strlen(quirks[i].model);
		memcpy(model, quirks[i].model, n + 1);
		conf = kit_conf(quirks[i].provider, model, url, NULL);
		r = kit_request(&conf, &prompt);
		options = strstr(r->body.data, "\"stream\":false");
		assert_non_null(options);
		options += strlen("\"stream\":false");
		n = strlen(quirks[i].options);
		if (strncmp(options, quirks[i].options, n) != 0 ||
		    strcmp(options + n, "}") != 0)
			fail_msg("%s %s: %s", quirks[i].provider, model,
			    options);
		ln_llm_request_free(r);
	}
}

static void
images_are_told_by_their_first_bytes(void **state)
{
	static const struct {
		const char *base64;
		const char *type;	/* NULL: refused */
	} rows[] = {
		{ PNG, "data:image/png;base64," },
		{ JPEG, "data:image/jpeg;base64," },
		{ "R0lGODdhAQABAA==", "data:image/gif;base64," },
		{ "R0lGODlhAQABAA==", "data:image/gif;base64," },
		{ "UklGRiQAAABXRUJQ", "data:image/webp;base64," },
		{ "PHN2Zz48L3N2Zz4=", NULL },
		{ "iVBOR", NULL },
		{ "", NULL },
	};
	const char *images[] = { NULL, NULL };
	const struct ln_llm_message m = {
		.role = "user", .content = "Hi", .images = images,
	};
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	char model[] = "m", url[] = "http://h:1/v1";
	const struct ln_provider_conf conf = kit_conf("vllm", model, url,
	    NULL);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;
	enum ln_status s;
	size_t i;

	(void)state;
	ln_llm_options_init(&prompt.options);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		images[0] = rows[i].base64;
		s = ln_llm_request(&conf, &prompt, &r, &err);
		if (rows[i].type != NULL) {
			assert_int_equal(s, LN_OK);
			assert_non_null(strstr(r->body.data, rows[i].type));
		} else {
			assert_int_equal(s, LN_INVALID);
			assert_string_equal(err.field, "images");
		}
		ln_llm_request_free(r);
	}
}

static void
a_request_needs_a_model_and_in_the_cloud_a_key(void **state)
{
	char model[] = "m", url[] = "http://h:1/v1", key[] = "k";
	char cloud[] = "https://api.openai.com/v1";
	const struct {
		struct ln_provider_conf conf;
		enum ln_status want;
		const char *field;
	} rows[] = {
		{ openai(NULL, url, key), LN_INVALID, "model" },
		{ openai(model, cloud, NULL), LN_INVALID, "api_key" },
		{ openai(model, cloud, key), LN_OK, NULL },
		/* What stands in front of OpenAI may know the key itself. */
		{ openai(model, url, NULL), LN_OK, NULL },
		/* It has loaded one model, whatever the name. */
		{ kit_conf("llamacpp", NULL, url, NULL), LN_OK, NULL },
		{ kit_conf("vllm", NULL, url, NULL), LN_INVALID, "model" },
		{ kit_conf("openai-compatible", model, url, NULL), LN_OK,
		    NULL },
	};
	static const struct ln_llm_message m = { .role = "user",
		.content = "Hi" };
	struct ln_llm_prompt prompt = {
		.size = sizeof(prompt), .messages = &m, .message_count = 1,
	};
	struct ln_llm_request *r = NULL;
	struct ln_error err;
	size_t i;

	(void)state;
	ln_llm_options_init(&prompt.options);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(ln_llm_request(&rows[i].conf, &prompt, &r,
		    &err), rows[i].want);
		if (rows[i].field != NULL)
			assert_string_equal(err.field, rows[i].field);
		ln_llm_request_free(r);
	}
	err = (struct ln_error)LN_ERROR_INIT;
	assert_int_equal(ln_provider_models_request(&rows[1].conf, &r, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "api_key");
}

static void
models_are_listed(void **state)
{
	static const struct {
		const char *body;
		size_t count;
		enum ln_status want;
	} rows[] = {
		{ "{\"object\":\"list\",\"data\":[]}", 0, LN_OK },
		{ "[{\"id\":\"a\"},{\"id\":\"b\"},{\"name\":\"c\"},7]", 2,
		    LN_OK },
		{ "{\"data\":{}}", 0, LN_UPSTREAM },
		{ "{}", 0, LN_UPSTREAM },
		{ "<html>", 0, LN_UPSTREAM },
	};
	char url[] = "http://h:1/v1", key[] = "k1";
	const struct ln_provider_conf conf = openai(NULL, url, key);
	struct ln_llm_request *r = NULL;
	struct ln_model_list l;
	size_t i, n;
	char *s = kit_fixture("openai_models.json", &n);

	(void)state;
	assert_int_equal(ln_provider_models_request(&conf, &r, NULL), LN_OK);
	assert_string_equal(r->http.url, "http://h:1/v1/models");
	assert_string_equal(r->http.headers[0], "Authorization: Bearer k1");
	assert_null(r->http.body);
	ln_llm_request_free(r);
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n, &l, NULL),
	    LN_OK);
	assert_true(l.count > 5);
	assert_string_equal(l.names[0], "llama3.2");
	ln_model_list_free(&l);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ln_provider_models_parse(&conf, 200,
		    rows[i].body, strlen(rows[i].body), &l, NULL),
		    rows[i].want);
		assert_int_equal(l.count, rows[i].count);
		ln_model_list_free(&l);
	}
	assert_int_equal(ln_provider_models_parse(&conf, 200, s, n / 2, &l,
	    NULL), LN_UPSTREAM);
	assert_int_equal(ln_provider_models_parse(&conf, 401, "", 0, &l,
	    NULL), LN_UNAUTHENTICATED);
	free(s);
}

/* As OpenRouter's, with what else it says about each of them. */
static void
a_long_list_of_models_is_read_whole(void **state)
{
	const struct ln_provider_conf conf = kit_conf("openrouter", NULL,
	    NULL, NULL);
	struct ln_buf b = LN_BUF_INIT((size_t)4 * 1024 * 1024);
	struct ln_model_list l;
	int i;

	(void)state;
	ln_buf_puts(&b, "{\"data\":[");
	for (i = 0; i < 2000; i++)
		ln_buf_printf(&b, "%s{\"id\":\"maker/m%d\",\"a\":[1,2,3,4,5],"
		    "\"b\":{\"c\":\"0.1\",\"d\":null}}", i > 0 ? "," : "", i);
	ln_buf_puts(&b, "]}");
	assert_int_equal(ln_provider_models_parse(&conf, 200, b.data, b.len,
	    &l, NULL), LN_OK);
	assert_int_equal(l.count, 2000);
	ln_model_list_free(&l);
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_told_in_our_words_only),
		cmocka_unit_test(the_request_says_what_the_prompt_says),
		cmocka_unit_test(
		    options_go_by_the_names_that_each_server_knows),
		cmocka_unit_test(images_are_told_by_their_first_bytes),
		cmocka_unit_test(
		    a_request_needs_a_model_and_in_the_cloud_a_key),
		cmocka_unit_test(models_are_listed),
		cmocka_unit_test(a_long_list_of_models_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
