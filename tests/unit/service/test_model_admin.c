/* What a model server says while it pulls, cut anywhere, and names. */
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
#include <ln/model_admin.h>

static char url[] = "http://h:1/";

static struct ln_provider_conf
provider(const char *name)
{
	const struct ln_provider_conf conf = {
		.info = ln_provider_find(name), .base_url = url,
	};

	return conf;
}

static void
note(void *arg, const struct ln_pull_progress *g)
{
	struct ln_buf *log = arg;

	ln_buf_printf(log, "%s %lld/%lld;", ln_pull_step_name(g->step),
	    (long long)g->completed, (long long)g->total);
}

/* Feed ${body} in pieces of ${cut} bytes; what was heard is in ${log}. */
static enum ln_status
pull(const char *body, size_t cut, struct ln_buf *log, struct ln_error *err)
{
	const struct ln_provider_conf conf = provider("ollama");
	struct ln_model_pull *p = NULL;
	size_t i, n = strlen(body);
	bool goes_on = true;
	enum ln_status s;

	assert_int_equal(ln_model_pull_new(&conf, "a", note, log, &p, err),
	    LN_OK);
	for (i = 0; i < n && goes_on; i += cut)
		goes_on = ln_model_pull_feed(p, 200, body + i,
		    i + cut < n ? cut : n - i);
	s = ln_model_pull_end(p, 200, goes_on ? LN_OK : LN_CANCELLED, NULL,
	    err);
	ln_model_pull_free(p);
	return s;
}

static void
parts_are_summed_however_bytes_are_cut(void **state)
{
	static const char body[] =
	    "{\"status\":\"pulling manifest\"}\n"
	    "{\"status\":\"pulling a\",\"digest\":\"sha256:a\",\"total\":100}\n"
	    "{\"status\":\"pulling a\",\"digest\":\"sha256:a\",\"total\":100,"
	    "\"completed\":50}\n"
	    "{\"status\":\"pulling a\",\"digest\":\"sha256:a\",\"total\":100,"
	    "\"completed\":50}\n"
	    "{\"status\":\"pulling b\",\"digest\":\"sha256:b\",\"total\":300,"
	    "\"completed\":900}\n"
	    "{\"status\":\"verifying sha256 digest\"}\n"
	    "{\"status\":\"polishing\"}\n"
	    "{\"status\":\"success\"}\n"
	    "{\"status\":\"success\"}\n";
	struct ln_buf log = LN_BUF_INIT(4096);
	size_t cut;

	(void)state;
	for (cut = 1; cut <= sizeof(body); cut++) {
		ln_buf_clear(&log);
		assert_int_equal(pull(body, cut, &log, NULL), LN_OK);
		assert_string_equal(ln_buf_str(&log), "manifest 0/0;"
		    "downloading 0/100;downloading 50/100;"
		    "downloading 350/400;verifying 350/400;working 350/400;"
		    "success 350/400;");
	}
	ln_buf_free(&log);
}

static void
a_failure_is_told_in_our_words_only(void **state)
{
	static const struct {
		const char *body;
		enum ln_status status;
		const char *start;
	} rows[] = {
		{ "{\"error\":\"pull model manifest: file does not exist\"}",
		    LN_NOT_FOUND, "There is no such model" },
		{ "{\"status\":\"pulling manifest\"}\n{\"error\":\"write /x: no "
		    "space left on device\"}\n", LN_UPSTREAM,
		    "The disk of the model server is full" },
		{ "{\"error\":\"canary\"}", LN_UPSTREAM,
		    "The model server could not do it" },
		{ "<html>canary", LN_UPSTREAM, "The answer of the model" },
		{ "{\"canary\":1}\n", LN_UPSTREAM, "The answer of the model" },
		{ "{\"status\":\"pulling manifest\"}\n", LN_UPSTREAM,
		    "The model server ended the pull too early" },
		{ "", LN_UPSTREAM, "The model server ended" },
	};
	struct ln_buf log = LN_BUF_INIT(4096);
	struct ln_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(pull(rows[i].body, 7, &log, &err),
		    rows[i].status);
		assert_ptr_equal(strstr(err.text, rows[i].start), err.text);
		assert_null(strstr(err.text, "canary"));
	}
	ln_buf_free(&log);
}

static void
sizes_that_cannot_be_are_not_believed(void **state)
{
	struct ln_buf log = LN_BUF_INIT(4096);

	(void)state;
	assert_int_equal(pull(
	    "{\"status\":\"pulling a\",\"digest\":\"a\",\"total\":-5}\n"
	    "{\"status\":\"pulling a\",\"digest\":\"a\",\"total\":9,"
	    "\"completed\":-1}\n"
	    "{\"status\":\"pulling a\",\"digest\":\"a\",\"total\":1e300}\n"
	    "{\"status\":\"success\"}", 1, &log, NULL), LN_OK);
	assert_string_equal(ln_buf_str(&log), "downloading 0/0;success 0/0;");
	ln_buf_free(&log);
}

static void
a_refusal_and_a_broken_line_come_back(void **state)
{
	static const char said[] = "{\"error\":\"invalid model name\"}";
	const struct ln_provider_conf conf = provider("ollama");
	struct ln_error why = LN_ERROR_INIT, err = LN_ERROR_INIT;
	struct ln_buf log = LN_BUF_INIT(64);
	struct ln_model_pull *p = NULL;

	(void)state;
	assert_int_equal(ln_model_pull_new(&conf, "a", note, &log, &p, NULL),
	    LN_OK);
	assert_string_equal(ln_model_pull_request(p)->url,
	    "http://h:1/api/pull");
	assert_true(ln_model_pull_feed(p, 400, said, sizeof(said) - 1));
	assert_int_equal(ln_model_pull_end(p, 400, LN_OK, NULL, &err),
	    LN_INVALID);
	ln_model_pull_free(p);

	assert_int_equal(ln_model_pull_new(&conf, "a", note, &log, &p, NULL),
	    LN_OK);
	(void)ln_fail(&why, LN_TIMEOUT, "", "no byte");
	assert_int_equal(ln_model_pull_end(p, 0, LN_TIMEOUT, &why, &err),
	    LN_TIMEOUT);
	ln_model_pull_free(p);
	ln_buf_free(&log);
}

static void
only_names_are_names(void **state)
{
	static const char *const good[] = { "a", "llama3.2", "llama3.2:latest",
	    "hf.co/someone/A-model:Q4_K_M", "host:5000/x/y:1b" };
	static const char *const bad[] = { "", "/a", "a/", "a:", "a//b", "..",
	    "a/../b", "a b", "a\nb", "http://h/x", "a?b", "-a", "a\"", "\xc3\xa9" };
	const struct ln_provider_conf conf = provider("ollama");
	struct ln_error err = LN_ERROR_INIT;
	struct ln_model_pull *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ln_model_pull_new(&conf, good[i], note, NULL,
		    &p, NULL), LN_OK);
		ln_model_pull_free(p);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ln_model_pull_new(&conf, bad[i], note, NULL,
		    &p, &err), LN_INVALID);
		assert_string_equal(err.field, "name");
		assert_null(p);
	}
}

static void
others_keep_their_models_to_themselves(void **state)
{
	const struct ln_provider_info *info = ln_provider_list();
	struct ln_model_inventory list;
	struct ln_provider_conf conf;
	struct ln_model_pull *p = NULL;

	(void)state;
	for (; info->name != NULL; info++) {
		conf = provider(info->name);
		assert_int_equal(ln_model_is_managed(&conf),
		    strcmp(info->name, "ollama") == 0);
		if (ln_model_is_managed(&conf))
			continue;
		assert_int_equal(ln_model_pull_new(&conf, "a", note, NULL, &p,
		    NULL), LN_UNSUPPORTED);
		assert_int_equal(ln_model_inventory(&conf, &list, NULL),
		    LN_UNSUPPORTED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_summed_however_bytes_are_cut),
		cmocka_unit_test(a_failure_is_told_in_our_words_only),
		cmocka_unit_test(sizes_that_cannot_be_are_not_believed),
		cmocka_unit_test(a_refusal_and_a_broken_line_come_back),
		cmocka_unit_test(only_names_are_names),
		cmocka_unit_test(others_keep_their_models_to_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
