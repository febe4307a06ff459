/*
 * Ollama: POST /api/chat answers with NDJSON, one object a piece of text and
 * a last one with "done": true and the counts.
 */
#include "llm/codec.h"

#include <math.h>
#include <string.h>

#include <ln/json.h>

#include "base/error.h"

#include "base/banned.h"

static const struct ln_json_opts json_opts = {
	.size = sizeof(json_opts), .allow_duplicates = true,
};

/* Our calls in Ollama's words, which know no ids. */
static void
write_calls(struct ln_jw *w, const struct ln_json *calls)
{
	const struct ln_json *call;

	ln_jw_array(w, "tool_calls");
	for (call = ln_json_first(calls); call != NULL;
	    call = ln_json_next(call)) {
		ln_jw_object(w, NULL);
		ln_jw_object(w, "function");
		ln_jw_string(w, "name", ln_json_get_string(call, "name"));
		ln_jw_node(w, "arguments", ln_json_get(call, "arguments"));
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static void
write_message(struct ln_jw *w, const struct ln_llm_message *m,
    const struct ln_json *tool_calls)
{
	size_t i;

	ln_jw_object(w, NULL);
	ln_jw_string(w, "role", m->role);
	ln_jw_string(w, "content", m->content != NULL ? m->content : "");
	if (m->images != NULL && m->images[0] != NULL) {
		ln_jw_array(w, "images");
		for (i = 0; m->images[i] != NULL; i++)
			ln_jw_string(w, NULL, m->images[i]);
		ln_jw_end(w);
	}
	if (tool_calls != NULL)
		write_calls(w, tool_calls);
	if (m->tool_name != NULL)
		ln_jw_string(w, "tool_name", m->tool_name);
	ln_jw_end(w);
}

static enum ln_status
write_messages(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	const struct ln_llm_message *m;
	struct ln_json *calls;
	enum ln_status s;
	size_t i;

	ln_jw_array(w, "messages");
	for (i = 0; i < prompt->message_count; i++) {
		m = &prompt->messages[i];
		calls = NULL;
		if (m->tool_calls != NULL &&
		    (s = ln_json_parse(m->tool_calls, strlen(m->tool_calls),
		    NULL, &calls, err)) != LN_OK)
			return s;
		write_message(w, m, calls);
		ln_json_free(calls);
	}
	ln_jw_end(w);
	return LN_OK;
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

static void
write_number(struct ln_jw *w, const char *name, double v)
{
	if (!isnan(v))
		ln_jw_number(w, name, v);
}

static void
write_options(struct ln_jw *w, const struct ln_llm_options *o)
{
	size_t i;

	ln_jw_object(w, "options");
	write_number(w, "temperature", o->temperature);
	write_number(w, "top_p", o->top_p);
	write_number(w, "top_k", o->top_k);
	write_number(w, "repeat_penalty", o->repeat_penalty);
	if (o->max_tokens > 0)
		ln_jw_int(w, "num_predict", o->max_tokens);
	if (o->context_tokens > 0)
		ln_jw_int(w, "num_ctx", o->context_tokens);
	if (o->stop != NULL && o->stop[0] != NULL) {
		ln_jw_array(w, "stop");
		for (i = 0; o->stop[i] != NULL; i++)
			ln_jw_string(w, NULL, o->stop[i]);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static enum ln_status
set_key(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	/* Ollama itself has no keys, but a proxy in front of it may. */
	if (conf->api_key == NULL)
		return LN_OK;
	return lni_request_header(r, "Authorization: Bearer ", conf->api_key,
	    err);
}

static enum ln_status
request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
    struct ln_error *err)
{
	struct ln_jw *w;
	enum ln_status s;

	if (conf->model == NULL)
		return ln_fail_field(err, LN_INVALID, "model",
		    "No model is chosen. Pick one in the model menu, or set a "
		    "default: lnctl provider set ollama -m MODEL",
		    "ollama needs a model");
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	ln_jw_object(w, NULL);
	ln_jw_string(w, "model", conf->model);
	if ((s = write_messages(w, prompt, err)) != LN_OK ||
	    (s = write_tools(w, prompt, err)) != LN_OK)
		goto out;
	ln_jw_bool(w, "stream", prompt->is_stream);
	write_options(w, &prompt->options);
	ln_jw_end(w);
	if ((s = lni_request_url(r, conf->base_url, "/api/chat", err)) !=
	    LN_OK)
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

	if ((s = lni_request_url(r, conf->base_url, "/api/tags", err)) !=
	    LN_OK)
		return s;
	return set_key(conf, r, err);
}

static const char *
model_name(const struct ln_json *entry)
{
	return ln_json_get_string(entry, "name");
}

static enum ln_status
models_parse(const char *body, size_t n, struct ln_model_list *out,
    struct ln_error *err)
{
	return lni_models_read(body, n, "models", model_name, out, err);
}

static enum ln_status
embed_request(const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, struct ln_llm_request *r,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_request_url(r, conf->base_url, "/api/embed", err)) !=
	    LN_OK || (s = set_key(conf, r, err)) != LN_OK)
		return s;
	return lni_embedding_body(r, model, texts, count, NULL, err);
}

/* Vectors alone, in the order of the texts. */
static void
embed_entry(const struct ln_json *entry, struct lni_vector *v)
{
	v->numbers = entry;
}

static void
tool_call(struct ln_llm_stream *s, const struct ln_json *call)
{
	const struct ln_json *function = ln_json_get(call, "function");
	const char *name = ln_json_get_string(function, "name");
	struct ln_buf arguments = LN_BUF_INIT(LN_LLM_LINE_MAX);
	struct ln_jw *w;

	if (name == NULL) {
		lni_stream_garbage(s, "a tool call without a name");
		return;
	}
	w = ln_jw_new();
	if (w != NULL)
		ln_jw_node(w, NULL, ln_json_get(function, "arguments"));
	if (w == NULL || ln_jw_print(w, false, &arguments) != LN_OK)
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
	else
		lni_stream_tool_call(s, NULL, name, ln_buf_str(&arguments));
	ln_jw_free(w);
	ln_buf_free(&arguments);
}

static void
done(struct ln_llm_stream *s, const struct ln_json *root)
{
	const char *reason = ln_json_get_string(root, "done_reason");
	int64_t tokens = 0, prompt_tokens = 0;
	bool is_counted;

	is_counted = ln_json_int(ln_json_get(root, "eval_count"), &tokens);
	/* Absent when the whole prompt came from the cache. */
	(void)ln_json_int(ln_json_get(root, "prompt_eval_count"),
	    &prompt_tokens);
	if (is_counted && tokens >= 0 && prompt_tokens >= 0)
		lni_stream_usage(s, tokens, prompt_tokens);
	lni_stream_done(s, reason != NULL ? reason : "stop");
}

static void
read_event(struct ln_llm_stream *s, const struct ln_json *root)
{
	const struct ln_json *message = ln_json_get(root, "message"), *call;
	const char *failure = ln_json_get_string(root, "error"), *text;
	bool is_done = false;

	if (failure != NULL) {
		lni_stream_error(s, LN_UPSTREAM,
		    LNI_SAY_FAILED, failure);
		return;
	}
	if ((text = ln_json_get_string(message, "thinking")) != NULL)
		lni_stream_thinking(s, text);
	if ((text = ln_json_get_string(message, "content")) != NULL)
		lni_stream_text(s, text);
	for (call = ln_json_first(ln_json_get(message, "tool_calls"));
	    call != NULL; call = ln_json_next(call))
		tool_call(s, call);
	if (ln_json_bool(ln_json_get(root, "done"), &is_done) && is_done)
		done(s, root);
	else if (message == NULL)
		lni_stream_garbage(s, "neither a message nor an end");
}

static void
event(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status status;

	status = ln_json_parse(p, n, &json_opts, &root, &why);
	if (status == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "answer event");
	else if (status != LN_OK)
		lni_stream_garbage(s, lni_error_detail(&why));
	else
		read_event(s, root);
	ln_json_free(root);
}

static const char *
refusal(int http_status, const char *body, size_t n, enum ln_status *status)
{
	struct ln_json *root = NULL;
	const char *sentence = NULL, *failure;

	if (http_status != 404 && http_status != 400 && http_status != 501)
		return NULL;
	/* Ollama explains itself in JSON; any other server's 404 means that
	 * there is no Ollama at this address. */
	if (ln_json_parse(body, n, &json_opts, &root, NULL) != LN_OK ||
	    (failure = ln_json_get_string(root, "error")) == NULL) {
		ln_json_free(root);
		return NULL;
	}
	if (http_status != 404 &&
	    strstr(failure, "not support embed") != NULL) {
		*status = LN_UNSUPPORTED;
		sentence = LNI_SAY_NO_EMBEDDING;
	} else if (http_status == 400 &&
	    strstr(failure, "does not support tools") != NULL) {
		*status = LN_UNSUPPORTED;
		sentence = "The model cannot use tools";
	} else if (http_status == 404 && strstr(failure, "model") != NULL) {
		*status = LN_NOT_FOUND;
		sentence = "The model is not installed. Pull it or choose "
		    "another one";
	}
	ln_json_free(root);
	return sentence;
}

const struct lni_codec lni_codec_ollama = {
	.request = request,
	.models_request = models_request,
	.models_parse = models_parse,
	.embed_request = embed_request,
	.embed_member = "embeddings",
	.embed_entry = embed_entry,
	.event = event,
	.whole = event,
	.refusal = refusal,
};
