#include "llm/kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_MAX ((size_t)64 * 1024)
#define NOTES_MAX ((size_t)64 * 1024)

struct ln_provider_conf
kit_conf(const char *provider, char *model, char *base_url, char *api_key)
{
	const struct ln_provider_conf conf = {
		.info = ln_provider_find(provider), .model = model,
		.base_url = base_url, .api_key = api_key, .may_be_local = true,
	};

	assert_non_null(conf.info);
	return conf;
}

void
kit_note(void *arg, const struct ln_llm_event *ev)
{
	struct kit_notes *n = arg;

	if (n->is_over)
		n->after_end++;
	switch (ev->type) {
	case LN_LLM_TEXT:
		ln_buf_put(&n->text, ev->text, ev->len);
		break;
	case LN_LLM_THINKING:
		ln_buf_put(&n->thinking, ev->text, ev->len);
		break;
	case LN_LLM_TOOL_CALL:
		ln_buf_printf(&n->rest, "call %s%s%s %s%s%s;", ev->text,
		    ev->call_id != NULL ? "#" : "",
		    ev->call_id != NULL ? ev->call_id : "", ev->arguments,
		    ev->call_signature != NULL ? " signed " : "",
		    ev->call_signature != NULL ? ev->call_signature : "");
		break;
	case LN_LLM_USAGE:
		n->tokens = ev->tokens;
		n->prompt_tokens = ev->prompt_tokens;
		ln_buf_printf(&n->rest, "usage %s;", ev->tokens > 0 &&
		    ev->prompt_tokens > 0 ? "counted" : "empty");
		break;
	case LN_LLM_DONE:
		ln_buf_printf(&n->rest, "done %s;", ev->finish_reason);
		n->is_over = true;
		break;
	case LN_LLM_ERROR:
		ln_buf_printf(&n->rest, "error %s: %s;",
		    ln_status_token(ev->status), ev->sentence);
		n->is_over = true;
		break;
	}
}

void
kit_notes_init(struct kit_notes *n)
{
	memset(n, 0, sizeof(*n));
	n->text = n->thinking = n->rest =
	    (struct ln_buf)LN_BUF_INIT(NOTES_MAX);
}

void
kit_notes_free(struct kit_notes *n)
{
	ln_buf_free(&n->text);
	ln_buf_free(&n->thinking);
	ln_buf_free(&n->rest);
}

void
kit_parse(const struct ln_provider_conf *conf, bool is_stream,
    int http_status, const char *s, size_t n, size_t first, size_t step,
    struct kit_notes *out)
{
	struct ln_llm_stream *stream = NULL;
	size_t i = 0, piece = first;

	kit_notes_init(out);
	assert_int_equal(ln_llm_stream_new(conf, is_stream, kit_note, out,
	    &stream, NULL), LN_OK);
	do {
		if (piece > n - i)
			piece = n - i;
		ln_llm_stream_feed(stream, http_status, s + i, piece);
		i += piece;
		piece = step;
	} while (i < n);
	ln_llm_stream_end(stream, http_status, LN_OK, NULL);
	ln_llm_stream_free(stream);
}

char *
kit_fixture(const char *name, size_t *n)
{
	const char *folder = getenv("LN_FIXTURES");
	char path[512], *s = malloc(STREAM_MAX);
	FILE *f;

	snprintf(path, sizeof(path), "%s/streams/%s",
	    folder != NULL ? folder : "tests/fixtures", name);
	f = fopen(path, "rb");
	if (f == NULL || s == NULL)
		fail_msg("%s", path);
	*n = fread(s, 1, STREAM_MAX, f);
	assert_true(*n < STREAM_MAX);
	fclose(f);
	return s;
}

static void
expect(const struct kit_stream *want, size_t cut, const struct kit_notes *n)
{
	if (strcmp(ln_buf_str(&n->text), want->text) != 0 ||
	    strcmp(ln_buf_str(&n->thinking), want->thinking) != 0 ||
	    strcmp(ln_buf_str(&n->rest), want->rest) != 0)
		fail_msg("%s cut at %zu: %s | %s | %s", want->file, cut,
		    ln_buf_str(&n->text), ln_buf_str(&n->thinking),
		    ln_buf_str(&n->rest));
	assert_int_equal(n->after_end, 0);
}

void
kit_cut_everywhere(const struct ln_provider_conf *conf,
    const struct kit_stream *rows, size_t count)
{
	struct kit_notes n;
	size_t i, len, first, step;
	char *s;

	for (i = 0; i < count; i++) {
		s = kit_fixture(rows[i].file, &len);
		for (first = 0; first <= len; first++) {
			/* One cut; and, less often, many. */
			step = first % 16 == 0 ? 1 + first % 5 : len;
			kit_parse(conf, true, 200, s, len, first, step, &n);
			expect(&rows[i], first, &n);
			kit_notes_free(&n);
		}
		free(s);
	}
}

void
kit_refusals(const struct ln_provider_conf *conf,
    const struct kit_refusal *rows, size_t count)
{
	struct kit_notes n;
	size_t i;

	for (i = 0; i < count; i++) {
		kit_parse(conf, true, rows[i].http_status, rows[i].body,
		    strlen(rows[i].body), 3, 2, &n);
		assert_string_equal(ln_buf_str(&n.rest), rows[i].want);
		assert_int_equal(n.text.len, 0);
		assert_int_equal(n.after_end, 0);
		kit_notes_free(&n);
	}
}

void
kit_endless_line(const struct ln_provider_conf *conf)
{
	static char block[256 * 1024];
	struct ln_llm_stream *stream = NULL;
	struct kit_notes n;
	size_t i;

	kit_notes_init(&n);
	memset(block, 'a', sizeof(block));
	assert_int_equal(ln_llm_stream_new(conf, true, kit_note, &n, &stream,
	    NULL), LN_OK);
	for (i = 0; i < 64; i++)
		ln_llm_stream_feed(stream, 200, block, sizeof(block));
	assert_true(n.is_over);
	assert_int_equal(n.after_end, 0);
	ln_llm_stream_end(stream, 200, LN_OK, NULL);
	assert_int_equal(n.after_end, 0);
	ln_llm_stream_free(stream);
	kit_notes_free(&n);
}

struct ln_llm_request *
kit_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;

	if (ln_llm_request(conf, prompt, &r, &err) != LN_OK)
		fail_msg("%s", ln_error_text(&err, LN_INTERNAL));
	return r;
}
