/*
 * Google Gemini: what is asked.  The model is part of the path, turns
 * alternate between user and model and are made of parts, and the results of
 * functions are the user's.
 */
#include "llm/gemini.h"

#include <math.h>
#include <string.h>

#include <ln/json.h>

#include "llm/image.h"

#include "base/banned.h"

#define MODEL_PREFIX "models/"
#define MODEL_MAX ((size_t)128)
#define PATH_MAX_BYTES ((size_t)256)
#define STOP_MAX 5		/* the API refuses more */
#define TOP_K_MAX 1e6

/* The name stands in the path: no sign may mean anything there. */
static enum ln_status
model_path(const char *model, const char *verb, struct ln_buf *out,
    struct ln_error *err)
{
	size_t n;

	if (strncmp(model, MODEL_PREFIX, strlen(MODEL_PREFIX)) == 0)
		model += strlen(MODEL_PREFIX);
	n = strspn(model, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	if (n == 0 || n > MODEL_MAX || model[n] != '\0' || model[0] == '.')
		return ln_fail_field(err, LN_INVALID, "model",
		    "This cannot be the name of a Gemini model. Choose "
		    "another one", "model name");
	ln_buf_printf(out, "/v1beta/" MODEL_PREFIX "%s:%s", model, verb);
	return ln_buf_status(out);
}

static bool
is_blank(const char *s)
{
	return s == NULL || s[strspn(s, " \t\r\n")] == '\0';
}

static void
write_text(struct ln_jw *w, const char *text)
{
	if (is_blank(text))
		return;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "text", text);
	ln_jw_end(w);
}

static void
write_system(struct ln_jw *w, const struct ln_llm_prompt *prompt)
{
	const struct ln_llm_message *m;
	bool is_open = false;
	size_t i;

	for (i = 0; i < prompt->message_count; i++) {
		m = &prompt->messages[i];
		if (strcmp(m->role, "system") != 0 || is_blank(m->content))
			continue;
		if (!is_open) {
			ln_jw_object(w, "systemInstruction");
			ln_jw_array(w, "parts");
			is_open = true;
		}
		write_text(w, m->content);
	}
	if (is_open) {
		ln_jw_end(w);
		ln_jw_end(w);
	}
}

static enum ln_status
write_images(struct ln_jw *w, const struct ln_llm_message *m,
    struct ln_error *err)
{
	const char *type;
	size_t i;

	for (i = 0; m->images != NULL && m->images[i] != NULL; i++) {
		if ((type = lni_image_type(m->images[i])) == NULL)
			return ln_fail_field(err, LN_INVALID, "images",
			    LNI_SAY_UNKNOWN_IMAGE, "unknown image type");
		ln_jw_object(w, NULL);
		ln_jw_object(w, "inlineData");
		ln_jw_string(w, "mimeType", type);
		ln_jw_string(w, "data", m->images[i]);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	return LN_OK;
}

static void
write_optional(struct ln_jw *w, const char *name, const char *value)
{
	if (value != NULL)
		ln_jw_string(w, name, value);
}

static enum ln_status
write_calls(struct ln_jw *w, const struct ln_llm_message *m,
    struct ln_error *err)
{
	const struct ln_json *call;
	struct ln_json *calls;
	enum ln_status s;

	if (m->tool_calls == NULL)
		return LN_OK;
	if ((s = ln_json_parse(m->tool_calls, strlen(m->tool_calls), NULL,
	    &calls, err)) != LN_OK)
		return s;
	for (call = ln_json_first(calls); call != NULL;
	    call = ln_json_next(call)) {
		ln_jw_object(w, NULL);
		ln_jw_object(w, "functionCall");
		write_optional(w, "id", ln_json_get_string(call, "id"));
		ln_jw_string(w, "name", ln_json_get_string(call, "name"));
		ln_jw_node(w, "args", ln_json_get(call, "arguments"));
		ln_jw_end(w);
		write_optional(w, "thoughtSignature",
		    ln_json_get_string(call, "signature"));
		ln_jw_end(w);
	}
	ln_json_free(calls);
	return LN_OK;
}

static void
write_result(struct ln_jw *w, const struct ln_llm_message *m)
{
	ln_jw_object(w, NULL);
	ln_jw_object(w, "functionResponse");
	write_optional(w, "id", m->tool_call_id);
	ln_jw_string(w, "name", m->tool_name);
	ln_jw_object(w, "response");
	ln_jw_string(w, "output", m->content != NULL ? m->content : "");
	ln_jw_end(w);
	ln_jw_end(w);
	ln_jw_end(w);
}

static bool
is_empty(const struct ln_llm_message *m)
{
	return m->tool_calls == NULL && strcmp(m->role, "tool") != 0 &&
	    (m->images == NULL || m->images[0] == NULL) &&
	    is_blank(m->content);
}

/* Neighbours of the same role are one turn: the results of calls that were
 * made together have to come together. */
static void
open_turn(struct ln_jw *w, const char **open, const char *role)
{
	if (*open != NULL && strcmp(*open, role) == 0)
		return;
	if (*open != NULL) {
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_jw_object(w, NULL);
	ln_jw_string(w, "role", role);
	ln_jw_array(w, "parts");
	*open = role;
}

static enum ln_status
write_message(struct ln_jw *w, const struct ln_llm_message *m,
    const char **open, struct ln_error *err)
{
	enum ln_status s;

	if (strcmp(m->role, "system") == 0 || is_empty(m))
		return LN_OK;
	open_turn(w, open, strcmp(m->role, "assistant") == 0 ? "model" :
	    "user");
	if (strcmp(m->role, "tool") == 0) {
		write_result(w, m);
		return LN_OK;
	}
	if ((s = write_images(w, m, err)) != LN_OK)
		return s;
	write_text(w, m->content);
	return write_calls(w, m, err);
}

static enum ln_status
write_contents(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	const char *open = NULL;
	enum ln_status s = LN_OK;
	size_t i;

	ln_jw_array(w, "contents");
	for (i = 0; i < prompt->message_count && s == LN_OK; i++)
		s = write_message(w, &prompt->messages[i], &open, err);
	if (open != NULL) {
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	return s;
}

/* "parameters" would take a subset of OpenAPI's schemas only and refuse a
 * member that it does not know; this member takes JSON Schema. */
static enum ln_status
write_tools(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	enum ln_status s;

	if (prompt->tool_count == 0)
		return LN_OK;
	ln_jw_array(w, "tools");
	ln_jw_object(w, NULL);
	ln_jw_array(w, "functionDeclarations");
	s = lni_tools_write(w, prompt, "parametersJsonSchema", false, err);
	ln_jw_end(w);
	ln_jw_end(w);
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

	ln_jw_object(w, "generationConfig");
	write_number(w, "temperature", o->temperature);
	write_number(w, "topP", o->top_p);
	if (!isnan(o->top_k) && o->top_k >= 1.0 && o->top_k <= TOP_K_MAX)
		ln_jw_int(w, "topK", (int64_t)o->top_k);
	if (o->max_tokens > 0)
		ln_jw_int(w, "maxOutputTokens", o->max_tokens);
	if (o->stop != NULL && o->stop[0] != NULL) {
		ln_jw_array(w, "stopSequences");
		for (i = 0; o->stop[i] != NULL && i < STOP_MAX; i++)
			ln_jw_string(w, NULL, o->stop[i]);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

/* In a header: URLs end up in logs. */
static enum ln_status
set_key(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	if (conf->api_key == NULL)
		return LN_OK;
	return lni_request_header(r, "x-goog-api-key: ", conf->api_key, err);
}

enum ln_status
lni_gemini_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
    struct ln_error *err)
{
	struct ln_buf path = LN_BUF_INIT(PATH_MAX_BYTES);
	struct ln_jw *w;
	enum ln_status s;

	if (conf->model == NULL)
		return ln_fail_field(err, LN_INVALID, "model",
		    "No model is chosen. Pick one in the model menu, or set a "
		    "default: lnctl provider set gemini -m MODEL",
		    "gemini needs a model");
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	if ((s = model_path(conf->model, prompt->is_stream ?
	    "streamGenerateContent?alt=sse" : "generateContent", &path, err))
	    != LN_OK)
		goto out;
	ln_jw_object(w, NULL);
	write_system(w, prompt);
	if ((s = write_contents(w, prompt, err)) != LN_OK ||
	    (s = write_tools(w, prompt, err)) != LN_OK)
		goto out;
	write_options(w, &prompt->options);
	ln_jw_end(w);
	if ((s = lni_request_url(r, conf->base_url, ln_buf_str(&path), err)) !=
	    LN_OK || (s = set_key(conf, r, err)) != LN_OK)
		goto out;
	s = lni_request_body(r, w, err);
out:
	ln_jw_free(w);
	ln_buf_free(&path);
	return s;
}

enum ln_status
lni_gemini_models_request(const struct ln_provider_conf *conf,
    struct ln_llm_request *r, struct ln_error *err)
{
	enum ln_status s;

	/* As many as one page may have: there are some dozens. */
	if ((s = lni_request_url(r, conf->base_url,
	    "/v1beta/models?pageSize=1000", err)) != LN_OK)
		return s;
	return set_key(conf, r, err);
}
