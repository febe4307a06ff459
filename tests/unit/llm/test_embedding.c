#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/embedding.h>

#include "llm/kit.h"

static const char *const two[] = { "one text", "another \"text\"" };

static void
a_request_holds_all_texts_and_the_model(void **state)
{
	static const struct {
		const char *provider, *url, *body;
	} rows[] = {
		{ "ollama", "http://h:1/api/embed", "{\"model\":\"m\","
		    "\"input\":[\"one text\",\"another \\\"text\\\"\"]}" },
		{ "openai-compatible", "http://h:1/embeddings",
		    "{\"model\":\"m\",\"input\":[\"one text\","
		    "\"another \\\"text\\\"\"],\"encoding_format\":\"float\"}" },
	};
	struct ln_provider_conf conf;
	struct ln_llm_request *r = NULL;
	char base[] = "http://h:1/", key[] = "k";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = kit_conf(rows[i].provider, NULL, base, key);
		assert_int_equal(ln_embedding_request(&conf, "m", two, 2, &r,
		    NULL), LN_OK);
		assert_string_equal(r->http.url, rows[i].url);
		assert_int_equal(r->http.body_len, strlen(rows[i].body));
		assert_memory_equal(r->http.body, rows[i].body,
		    r->http.body_len);
		assert_string_equal(r->http.headers[0],
		    "Authorization: Bearer k");
		assert_true(r->http.total_ms > 0);
		assert_true(r->http.response_max > 0);
		ln_llm_request_free(r);
	}
}

static void
providers_without_embeddings_say_so(void **state)
{
	static const char *const rows[] = { "offline", "anthropic", "gemini" };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r;
	struct ln_provider_conf conf;
	struct ln_embeddings e;
	char base[] = "http://h:1", key[] = "k";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = kit_conf(rows[i], NULL, base, key);
		assert_int_equal(ln_embedding_request(&conf, "m", two, 2, &r,
		    &err), LN_UNSUPPORTED);
		assert_null(r);
		assert_string_equal(err.text, "The model cannot embed texts. "
		    "Choose an embedding model");
		assert_int_equal(ln_embedding_parse(&conf, 2, 200, "{}", 2, &e,
		    NULL), LN_UNSUPPORTED);
	}
}

static void
what_is_embedded_has_bounds(void **state)
{
	const char *many[LN_EMBEDDING_TEXTS_MAX + 1];
	struct ln_provider_conf conf;
	struct ln_llm_request *r = NULL;
	struct ln_error err = LN_ERROR_INIT;
	char base[] = "http://h:1", *huge;
	size_t i;

	(void)state;
	conf = kit_conf("ollama", NULL, base, NULL);
	for (i = 0; i <= LN_EMBEDDING_TEXTS_MAX; i++)
		many[i] = "a";
	assert_int_equal(ln_embedding_request(&conf, "", many, 1, &r, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "embedding_model");
	assert_int_equal(ln_embedding_request(&conf, "m", many, 0, &r, NULL),
	    LN_INVALID);
	assert_int_equal(ln_embedding_request(&conf, "m", many,
	    LN_EMBEDDING_TEXTS_MAX + 1, &r, NULL), LN_INVALID);
	many[1] = "";
	assert_int_equal(ln_embedding_request(&conf, "m", many, 2, &r, NULL),
	    LN_INVALID);
	huge = malloc(LN_EMBEDDING_BYTES_MAX + 1);
	assert_non_null(huge);
	memset(huge, 'x', LN_EMBEDDING_BYTES_MAX);
	huge[LN_EMBEDDING_BYTES_MAX] = '\0';
	many[1] = huge;
	assert_int_equal(ln_embedding_request(&conf, "m", many + 1, 1, &r,
	    NULL), LN_OK);
	ln_llm_request_free(r);
	assert_int_equal(ln_embedding_request(&conf, "m", many, 2, &r, NULL),
	    LN_TOO_LARGE);
	assert_null(r);
	free(huge);
}

static void
vectors_come_in_the_order_of_the_texts(void **state)
{
	static const struct {
		const char *provider, *body;
	} rows[] = {
		{ "ollama", "{\"model\":\"m\",\"embeddings\":"
		    "[[1,-0.5,2e-3],[0,0,7]],\"total_duration\":1}" },
		{ "openai", "{\"object\":\"list\",\"data\":["
		    "{\"index\":1,\"embedding\":[0,0,7]},"
		    "{\"index\":0,\"embedding\":[1,-0.5,2e-3]}]}" },
		{ "llamacpp", "{\"data\":[{\"embedding\":[1,-0.5,0.002]},"
		    "{\"embedding\":[0,0,7]}]}" },
	};
	static const float want[] = { 1.0F, -0.5F, 2e-3F, 0.0F, 0.0F, 7.0F };
	struct ln_provider_conf conf;
	struct ln_embeddings e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = kit_conf(rows[i].provider, NULL, NULL, NULL);
		assert_int_equal(ln_embedding_parse(&conf, 2, 200,
		    rows[i].body, strlen(rows[i].body), &e, NULL), LN_OK);
		assert_int_equal(e.count, 2);
		assert_int_equal(e.dimension, 3);
		assert_memory_equal(e.values, want, sizeof(want));
		ln_embeddings_free(&e);
		assert_null(e.values);
	}
}

static void
what_is_not_a_vector_for_each_text_is_refused(void **state)
{
	static const struct {
		const char *provider, *body;
	} rows[] = {
		{ "ollama", "" },
		{ "ollama", "<html>" },
		{ "ollama", "{}" },
		{ "ollama", "{\"embeddings\":{}}" },
		{ "ollama", "{\"embeddings\":[[1,2]]}" },
		{ "ollama", "{\"embeddings\":[[1],[2],[3]]}" },
		{ "ollama", "{\"embeddings\":[[1,2],[1]]}" },
		{ "ollama", "{\"embeddings\":[[],[]]}" },
		{ "ollama", "{\"embeddings\":[[1],[null]]}" },
		{ "ollama", "{\"embeddings\":[[1],[\"2\"]]}" },
		{ "ollama", "{\"embeddings\":[[1],[[2]]]}" },
		{ "ollama", "{\"embeddings\":[[1],[1e39]]}" },
		{ "ollama", "{\"embeddings\":[[1],[1e999]]}" },
		{ "ollama", "{\"embeddings\":[[1],2]}" },
		{ "ollama", "{\"embeddings\":[[1],[2" },
		{ "openai", "{\"data\":[{\"index\":0,\"embedding\":[1]},"
		    "{\"index\":0,\"embedding\":[1]}]}" },
		{ "openai", "{\"data\":[{\"index\":0,\"embedding\":[1]},"
		    "{\"index\":2,\"embedding\":[1]}]}" },
		{ "openai", "{\"data\":[{\"index\":-1,\"embedding\":[1]},"
		    "{\"index\":1,\"embedding\":[1]}]}" },
		{ "openai", "{\"data\":[{\"index\":\"0\",\"embedding\":[1]},"
		    "{\"index\":1,\"embedding\":[1]}]}" },
		{ "openai", "{\"data\":[{\"index\":0,\"embedding\":\"AAAA\"},"
		    "{\"index\":1,\"embedding\":\"AAAA\"}]}" },
		{ "openai", "{\"data\":[{\"index\":0},{\"index\":1}]}" },
		{ "openai", "[[1],[2]]" },
	};
	struct ln_provider_conf conf;
	struct ln_error err;
	struct ln_embeddings e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = kit_conf(rows[i].provider, NULL, NULL, NULL);
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(ln_embedding_parse(&conf, 2, 200,
		    rows[i].body, strlen(rows[i].body), &e, &err),
		    LN_UPSTREAM);
		assert_string_equal(err.text, "The answer of the model "
		    "provider could not be understood. Check its base URL");
		assert_null(e.values);
		assert_int_equal(e.count, 0);
	}
}

/* A vector of ${dimension} numbers, in Ollama's words. */
static enum ln_status
parse_long(size_t dimension)
{
	const struct ln_provider_conf conf = kit_conf("ollama", NULL, NULL,
	    NULL);
	struct ln_buf b = LN_BUF_INIT((size_t)1024 * 1024);
	struct ln_embeddings e;
	enum ln_status s;
	size_t i;

	ln_buf_puts(&b, "{\"embeddings\":[[");
	for (i = 0; i < dimension; i++)
		ln_buf_puts(&b, i > 0 ? ",0.25" : "0.25");
	ln_buf_puts(&b, "]]}");
	s = ln_embedding_parse(&conf, 1, 200, ln_buf_str(&b), b.len, &e, NULL);
	if (s == LN_OK)
		assert_int_equal(e.dimension, dimension);
	ln_embeddings_free(&e);
	ln_buf_free(&b);
	return s;
}

static void
a_vector_has_a_named_number_of_dimensions_at_most(void **state)
{
	(void)state;
	assert_int_equal(parse_long(LN_EMBEDDING_DIMENSION_MAX), LN_OK);
	assert_int_equal(parse_long(LN_EMBEDDING_DIMENSION_MAX + 1),
	    LN_UPSTREAM);
}

static void
a_refusal_is_told_in_our_words_only(void **state)
{
	static const struct {
		const char *provider;
		int http_status;
		const char *body;
		enum ln_status want;
	} rows[] = {
		{ "ollama", 404, "{\"error\":\"model 'canary' not found\"}",
		    LN_NOT_FOUND },
		{ "ollama", 501, "{\"error\":\"this model does not support "
		    "embeddings canary\"}", LN_UNSUPPORTED },
		{ "ollama", 400, "{\"error\":\"canary does not support "
		    "embedding\"}", LN_UNSUPPORTED },
		{ "ollama", 500, "{\"embeddings\":[[1]],\"canary\":1}",
		    LN_UPSTREAM },
		{ "openai", 401, "canary", LN_UNAUTHENTICATED },
		{ "openai", 429, "canary", LN_RATE_LIMITED },
		{ "openai", 404, "{\"error\":{\"message\":\"canary\","
		    "\"code\":\"model_not_found\"}}", LN_NOT_FOUND },
	};
	struct ln_provider_conf conf;
	struct ln_error err;
	struct ln_embeddings e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = kit_conf(rows[i].provider, NULL, NULL, NULL);
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(ln_embedding_parse(&conf, 1,
		    rows[i].http_status, rows[i].body, strlen(rows[i].body),
		    &e, &err), rows[i].want);
		assert_null(strstr(err.text, "canary"));
		assert_null(e.values);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_holds_all_texts_and_the_model),
		cmocka_unit_test(providers_without_embeddings_say_so),
		cmocka_unit_test(what_is_embedded_has_bounds),
		cmocka_unit_test(vectors_come_in_the_order_of_the_texts),
		cmocka_unit_test(
		    what_is_not_a_vector_for_each_text_is_refused),
		cmocka_unit_test(
		    a_vector_has_a_named_number_of_dimensions_at_most),
		cmocka_unit_test(a_refusal_is_told_in_our_words_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
