/*
 * OpenAI's chat completions, as many servers speak them: requests, lists of
 * models, refusals.  The answers are in openai_stream.c.
 */
#include "llm/openai.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "llm/image.h"

#include "base/banned.h"

/* A conversation that began with a provider whose calls have no ids: its
 * n-th call and the n-th result belong together. */
struct ids {
	unsigned calls;
	unsigned results;
};

static void
write_id(struct ln_jw *w, const char *name, const char *id, unsigned *count)
{
	char made[32];

	if (id == NULL) {
		(void)snprintf(made, sizeof(made), "call_%u", ++*count);
		id = made;
	}
	ln_jw_string(w, name, id);
}

/* Arguments travel as JSON inside of a string. */
static enum ln_status
write_arguments(struct ln_jw *w, const struct ln_json *arguments,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(LNI_REQUEST_BODY_MAX);
	struct ln_jw *inner;
	enum ln_status s = LN_OK;

	if (arguments == NULL) {
		ln_jw_string(w, "arguments", "{}");
		return LN_OK;
	}
	if ((inner = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool call");
	ln_jw_node(inner, NULL, arguments);
	if ((s = ln_jw_print(inner, false, &b)) == LN_OK)
		ln_jw_stringn(w, "arguments", b.data, b.len);
	ln_jw_free(inner);
	ln_buf_free(&b);
	if (s != LN_OK)
		return ln_fail(err, s, "", "arguments of a tool call");
	return LN_OK;
}

static enum ln_status
write_calls(struct ln_jw *w, const char *tool_calls, struct ids *ids,
    struct ln_error *err)
{
	const struct ln_json *call;
	struct ln_json *calls;
	enum ln_status s;

	if ((s = ln_json_parse(tool_calls, strlen(tool_calls), NULL, &calls,
	    err)) != LN_OK)
		return s;
	ln_jw_array(w, "tool_calls");
	for (call = ln_json_first(calls); s == LN_OK && call != NULL;
	    call = ln_json_next(call)) {
		ln_jw_object(w, NULL);
		write_id(w, "id", ln_json_get_string(call, "id"),
		    &ids->calls);
		ln_jw_string(w, "type", "function");
		ln_jw_object(w, "function");
		ln_jw_string(w, "name", ln_json_get_string(call, "name"));
		s = write_arguments(w, ln_json_get(call, "arguments"), err);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_json_free(calls);
	return s;
}

static enum ln_status
write_image(struct ln_jw *w, const char *base64, struct ln_error *err)
{
	struct ln_buf url = LN_BUF_INIT(LNI_REQUEST_BODY_MAX);
	const char *type = lni_image_type(base64);
	enum ln_status s;

	if (type == NULL)
		return ln_fail_field(err, LN_INVALID, "images",
		    "An image is neither PNG, JPEG, GIF nor WebP",
		    "unknown image type");
	ln_buf_printf(&url, "data:%s;base64,", type);
	ln_buf_puts(&url, base64);
	if ((s = ln_buf_status(&url)) == LN_OK) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "type", "image_url");
		ln_jw_object(w, "image_url");
		ln_jw_stringn(w, "url", url.data, url.len);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_buf_free(&url);
	if (s != LN_OK)
		return ln_fail(err, s, "The images are too large", "image");
	return LN_OK;
}

static enum ln_status
write_parts(struct ln_jw *w, const struct ln_llm_message *m,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t i;

	ln_jw_array(w, "content");
	if (m->content != NULL && m->content[0] != '\0') {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "type", "text");
		ln_jw_string(w, "text", m->content);
		ln_jw_end(w);
	}
	for (i = 0; s == LN_OK && m->images[i] != NULL; i++)
		s = write_image(w, m->images[i], err);
	ln_jw_end(w);
	return s;
}

static enum ln_status
write_message(struct ln_jw *w, const struct ln_llm_message *m,
    struct ids *ids, struct ln_error *err)
{
	bool is_empty = m->content == NULL || m->content[0] == '\0';
	enum ln_status s = LN_OK;

	ln_jw_object(w, NULL);
	ln_jw_string(w, "role", m->role);
	if (strcmp(m->role, "tool") == 0)
		write_id(w, "tool_call_id", m->tool_call_id, &ids->results);
	if (m->images != NULL && m->images[0] != NULL)
		s = write_parts(w, m, err);
	else if (is_empty && m->tool_calls != NULL)
		ln_jw_null(w, "content");
	else
		ln_jw_string(w, "content", is_empty ? "" : m->content);
	if (s == LN_OK && m->tool_calls != NULL)
		s = write_calls(w, m->tool_calls, ids, err);
	ln_jw_end(w);
	return s;
}

static enum ln_status
write_messages(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	struct ids ids = { 0, 0 };
	enum ln_status s = LN_OK;
	size_t i;

	ln_jw_array(w, "messages");
	for (i = 0; s == LN_OK && i < prompt->message_count; i++)
		s = write_message(w, &prompt->messages[i], &ids, err);
	ln_jw_end(w);
	return s;
}

static enum ln_status
write_tools(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	enum ln_status s;

	if (prompt->tool_count == 0)
		return LN_OK;
	ln_jw_array(w, "tools");
	s = lni_tools_write(w, prompt, "parameters", true, err);
	ln_jw_end(w);
	return s;
}

/* An option without a name is not known there. */
static void
write_number(struct ln_jw *w, const char *name, double v)
{
	if (name != NULL && !isnan(v))
		ln_jw_number(w, name, v);
}

static void
write_stop(struct ln_jw *w, const struct lni_openai_quirks *q,
    const char *const *stop)
{
	size_t i;

	if (stop == NULL || stop[0] == NULL)
		return;
	ln_jw_array(w, "stop");
	for (i = 0; stop[i] != NULL && (q->stop_max == 0 || i < q->stop_max);
	    i++)
		ln_jw_string(w, NULL, stop[i]);
	ln_jw_end(w);
}

static void
write_options(struct ln_jw *w, const struct lni_openai_quirks *q,
    const char *model, const struct ln_llm_options *o)
{
	if (o->max_tokens > 0)
		ln_jw_int(w, q->max_tokens, o->max_tokens);
	if (!lni_openai_is_sampled(q, model))
		return;
	write_number(w, "temperature", o->temperature);
	write_number(w, "top_p", o->top_p);
	write_number(w, q->top_k, o->top_k);
	write_number(w, q->repeat_penalty, o->repeat_penalty);
	write_stop(w, q, o->stop);
}

static enum ln_status
set_key(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	if (conf->api_key == NULL)
		return LN_OK;
	return lni_request_header(r, "Authorization: Bearer ", conf->api_key,
	    err);
}

static enum ln_status
write_body(struct ln_jw *w, const struct lni_openai_quirks *q,
    const struct ln_provider_conf *conf, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	enum ln_status s;

	ln_jw_object(w, NULL);
	if (conf->model != NULL)
		ln_jw_string(w, "model", conf->model);
	if ((s = write_messages(w, prompt, err)) != LN_OK ||
	    (s = write_tools(w, prompt, err)) != LN_OK)
		return s;
	ln_jw_bool(w, "stream", prompt->is_stream);
	if (prompt->is_stream) {
		ln_jw_object(w, "stream_options");
		ln_jw_bool(w, "include_usage", true);
		ln_jw_end(w);
	}
	write_options(w, q, conf->model, &prompt->options);
	ln_jw_end(w);
	return LN_OK;
}

static enum ln_status
request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
    struct ln_error *err)
{
	const struct lni_openai_quirks *q = lni_openai_quirks(
	    conf->info->name);
	struct ln_jw *w;
	enum ln_status s;

	if (conf->model == NULL && !q->has_one_model)
		return ln_fail_field(err, LN_INVALID, "model",
		    "No model is chosen. Pick one in the model menu, or set a "
		    "default: lnctl provider set PROVIDER -m MODEL",
		    "%s needs a model", conf->info->name);
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	if ((s = write_body(w, q, conf, prompt, err)) != LN_OK)
		goto out;
	if ((s = lni_request_url(r, conf->base_url, "/chat/completions",
	    err)) != LN_OK)
		goto out;
	if ((s = set_key(conf, r, err)) != LN_OK)
		goto out;
	s = lni_request_body(r, w, err);
out:
	ln_jw_free(w);
	return s;
}

static enum ln_status
models_request(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_request_url(r, conf->base_url, "/models", err)) != LN_OK)
		return s;
	return set_key(conf, r, err);
}

/* {"data": [...]}; some servers send the list alone. */
static const char *
model_name(const struct ln_json *entry)
{
	return ln_json_get_string(entry, "id");
}

static enum ln_status
models_parse(const char *body, size_t n, struct ln_model_list *out,
    struct ln_error *err)
{
	return lni_models_read(body, n, "data", model_name, out, err);
}

/* Some servers would send base64 otherwise. */
static enum ln_status
embed_request(const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, struct ln_llm_request *r,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_request_url(r, conf->base_url, "/embeddings", err)) !=
	    LN_OK || (s = set_key(conf, r, err)) != LN_OK)
		return s;
	return lni_embedding_body(r, model, texts, count, "float", err);
}

/* {"index": 0, "embedding": [...]}; a server may leave the index out. */
static void
embed_entry(const struct ln_json *entry, struct lni_vector *v)
{
	const struct ln_json *index = ln_json_get(entry, "index");

	v->numbers = ln_json_get(entry, "embedding");
	if (ln_json_type(index) != LN_JSON_NULL &&
	    !ln_json_int(index, &v->index))
		v->index = -1;
}

static const char *
refusal(int http_status, const char *body, size_t n, enum ln_status *status)
{
	struct ln_json *root = NULL;
	const char *sentence;

	/* What is not JSON tells as much as its status. */
	if (ln_json_parse(body, n, &lni_openai_json, &root, NULL) != LN_OK)
		root = NULL;
	sentence = lni_openai_judge(root, http_status, status);
	ln_json_free(root);
	return sentence;
}

const struct lni_codec lni_codec_openai = {
	.request = request,
	.models_request = models_request,
	.models_parse = models_parse,
	.embed_request = embed_request,
	.embed_member = "data",
	.embed_entry = embed_entry,
	.event = lni_openai_event,
	.whole = lni_openai_whole,
	.is_sse = true,
	.state_size = sizeof(struct lni_openai_state),
	.state_clear = lni_openai_state_clear,
	.end = lni_openai_end,
	.refusal = refusal,
};
