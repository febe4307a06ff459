/*
 * Anthropic Messages: what is asked.  Turns alternate between user and
 * assistant and are made of blocks; the system prompt stands apart, and the
 * results of tools are the user's.
 */
#include "llm/anthropic.h"

#include <math.h>
#include <string.h>

#include <ln/json.h>

#include "llm/image.h"

#include "base/banned.h"

/* The API wants a bound.  Models that are offered today write more than this,
 * and an answer that is longer can be continued. */
#define ANSWER_TOKENS_DEFAULT 16384
/* Ours goes to 2; the API refuses what is above this. */
#define TEMPERATURE_MAX 1.0
#define TOP_K_MAX 1e6
#define ID_MAX ((size_t)256)

/*
 * Models newer than Opus 4.6 refuse a request that chooses temperature, top_p
 * or top_k.  These families came before, up to that minor version or with a
 * date instead of one.  A model with another name is not Anthropic's, but
 * stands behind an endpoint that speaks its dialect.
 */
static const struct {
	const char *family;
	char minor_max;
} sampled[] = {
	{ "claude-opus-4-", '6' },
	{ "claude-sonnet-4-", '5' },
	{ "claude-haiku-4-", '5' },
	{ "claude-3-", 'z' },
	{ "claude-2", 'z' },
};
#define DATE_DIGITS 8

static bool
takes_sampling(const char *model)
{
	size_t digits, i, n;

	if (strncmp(model, "claude-", 7) != 0)
		return true;
	for (i = 0; i < sizeof(sampled) / sizeof(sampled[0]); i++) {
		n = strlen(sampled[i].family);
		if (strncmp(model, sampled[i].family, n) != 0)
			continue;
		digits = strspn(model + n, "0123456789");
		return digits == DATE_DIGITS ||
		    (digits <= 1 && model[n] <= sampled[i].minor_max);
	}
	return false;
}

static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static enum ln_status
write_system(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(LNI_REQUEST_BODY_MAX);
	const struct ln_llm_message *m;
	enum ln_status s;
	size_t i;

	for (i = 0; i < prompt->message_count; i++) {
		m = &prompt->messages[i];
		if (strcmp(m->role, "system") != 0 || m->content == NULL ||
		    is_blank(m->content))
			continue;
		if (b.len > 0)
			ln_buf_puts(&b, "\n\n");
		ln_buf_puts(&b, m->content);
	}
	if ((s = ln_buf_status(&b)) != LN_OK)
		(void)ln_fail(err, s, "The conversation is too long to send",
		    "system prompt");
	else if (b.len > 0)
		ln_jw_stringn(w, "system", b.data, b.len);
	ln_buf_free(&b);
	return s;
}

/* A turn with nothing in it is refused, and so is a blank text. */
static void
write_text(struct ln_jw *w, const char *text)
{
	if (text == NULL || is_blank(text))
		return;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "text");
	ln_jw_string(w, "text", text);
	ln_jw_end(w);
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
		ln_jw_string(w, "type", "image");
		ln_jw_object(w, "source");
		ln_jw_string(w, "type", "base64");
		ln_jw_string(w, "media_type", type);
		ln_jw_string(w, "data", m->images[i]);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	return LN_OK;
}

/* The API takes letters, digits, "-" and "_"; a call that another provider
 * made may have other signs in its id, or none at all.  Then it gets the
 * place where it stands: call ${nth} of turn ${turn}. */
static void
write_id(struct ln_jw *w, const char *name, const char *id, size_t turn,
    size_t nth)
{
	struct ln_buf b = LN_BUF_INIT(ID_MAX);
	size_t i;

	if (id == NULL || id[0] == '\0')
		ln_buf_printf(&b, "call_%zu_%zu", turn, nth);
	for (i = 0; id != NULL && id[i] != '\0'; i++)
		ln_buf_putc(&b, strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", id[i]) != NULL ?
		    id[i] : '_');
	ln_jw_string(w, name, ln_buf_str(&b));
	ln_buf_free(&b);
}

static enum ln_status
write_calls(struct ln_jw *w, const struct ln_llm_message *m, size_t turn,
    struct ln_error *err)
{
	const struct ln_json *call;
	struct ln_json *calls;
	enum ln_status s;
	size_t nth;

	if (m->tool_calls == NULL)
		return LN_OK;
	if ((s = ln_json_parse(m->tool_calls, strlen(m->tool_calls), NULL,
	    &calls, err)) != LN_OK)
		return s;
	nth = 0;
	for (call = ln_json_first(calls); call != NULL;
	    call = ln_json_next(call)) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "type", "tool_use");
		write_id(w, "id", ln_json_get_string(call, "id"), turn, nth++);
		ln_jw_string(w, "name", ln_json_get_string(call, "name"));
		ln_jw_node(w, "input", ln_json_get(call, "arguments"));
		ln_jw_end(w);
	}
	ln_json_free(calls);
	return LN_OK;
}

/* Results stand right behind the calls, in their order. */
static void
write_result(struct ln_jw *w, const struct ln_llm_prompt *prompt, size_t turn)
{
	const struct ln_llm_message *m = &prompt->messages[turn];
	size_t caller = turn;

	while (caller > 0 && prompt->messages[caller].tool_calls == NULL)
		caller--;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "tool_result");
	write_id(w, "tool_use_id", m->tool_call_id, caller,
	    turn > caller ? turn - caller - 1 : 0);
	if (m->content != NULL && !is_blank(m->content))
		ln_jw_string(w, "content", m->content);
	ln_jw_end(w);
}

static bool
is_empty(const struct ln_llm_message *m)
{
	return m->tool_calls == NULL && strcmp(m->role, "tool") != 0 &&
	    (m->images == NULL || m->images[0] == NULL) &&
	    (m->content == NULL || is_blank(m->content));
}

/* Neighbours of the same role are one turn. */
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
	ln_jw_array(w, "content");
	*open = role;
}

static enum ln_status
write_message(struct ln_jw *w, const struct ln_llm_prompt *prompt, size_t i,
    const char **open, struct ln_error *err)
{
	const struct ln_llm_message *m = &prompt->messages[i];
	enum ln_status s;

	if (strcmp(m->role, "system") == 0 || is_empty(m))
		return LN_OK;
	open_turn(w, open, strcmp(m->role, "assistant") == 0 ? "assistant" :
	    "user");
	if (strcmp(m->role, "tool") == 0) {
		write_result(w, prompt, i);
		return LN_OK;
	}
	if ((s = write_images(w, m, err)) != LN_OK)
		return s;
	write_text(w, m->content);
	return write_calls(w, m, i, err);
}

static enum ln_status
write_messages(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    struct ln_error *err)
{
	const char *open = NULL;
	enum ln_status s = LN_OK;
	size_t i;

	ln_jw_array(w, "messages");
	for (i = 0; i < prompt->message_count && s == LN_OK; i++)
		s = write_message(w, prompt, i, &open, err);
	if (open != NULL) {
		ln_jw_end(w);
		ln_jw_end(w);
	}
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
	s = lni_tools_write(w, prompt, "input_schema", false, err);
	ln_jw_end(w);
	return s;
}

static double
at_most(double v, double max)
{
	return v < max ? v : max;
}

/* Some models refuse temperature and top_p together; the first says more. */
static void
write_sampling(struct ln_jw *w, const struct ln_llm_options *o)
{
	if (!isnan(o->temperature))
		ln_jw_number(w, "temperature",
		    at_most(o->temperature, TEMPERATURE_MAX));
	else if (!isnan(o->top_p))
		ln_jw_number(w, "top_p", o->top_p);
	if (!isnan(o->top_k) && o->top_k >= 1.0)
		ln_jw_int(w, "top_k", (int64_t)at_most(o->top_k, TOP_K_MAX));
}

static void
write_options(struct ln_jw *w, const char *model,
    const struct ln_llm_options *o)
{
	size_t i;

	ln_jw_int(w, "max_tokens", o->max_tokens > 0 ? o->max_tokens :
	    ANSWER_TOKENS_DEFAULT);
	if (takes_sampling(model))
		write_sampling(w, o);
	if (o->stop == NULL || o->stop[0] == NULL)
		return;
	ln_jw_array(w, "stop_sequences");
	for (i = 0; o->stop[i] != NULL; i++) {
		if (!is_blank(o->stop[i]))	/* refused */
			ln_jw_string(w, NULL, o->stop[i]);
	}
	ln_jw_end(w);
}

static enum ln_status
set_headers(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	enum ln_status s;

	if (conf->api_key != NULL && (s = lni_request_header(r, "x-api-key: ",
	    conf->api_key, err)) != LN_OK)
		return s;
	return lni_request_header(r, "anthropic-version: ", "2023-06-01",
	    err);
}

enum ln_status
lni_anthropic_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
    struct ln_error *err)
{
	struct ln_jw *w;
	enum ln_status s;

	if (conf->model == NULL)
		return ln_fail_field(err, LN_INVALID, "model",
		    "No model is chosen. Pick one in the model menu, or set a "
		    "default: lnctl provider set anthropic -m MODEL",
		    "anthropic needs a model");
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	ln_jw_object(w, NULL);
	ln_jw_string(w, "model", conf->model);
	if ((s = write_system(w, prompt, err)) != LN_OK ||
	    (s = write_messages(w, prompt, err)) != LN_OK ||
	    (s = write_tools(w, prompt, err)) != LN_OK)
		goto out;
	write_options(w, conf->model, &prompt->options);
	ln_jw_bool(w, "stream", prompt->is_stream);
	ln_jw_end(w);
	if ((s = lni_request_url(r, conf->base_url, "/v1/messages", err)) !=
	    LN_OK || (s = set_headers(conf, r, err)) != LN_OK)
		goto out;
	s = lni_request_body(r, w, err);
out:
	ln_jw_free(w);
	return s;
}

enum ln_status
lni_anthropic_models_request(const struct ln_provider_conf *conf,
    struct ln_llm_request *r, struct ln_error *err)
{
	enum ln_status s;

	/* As many as one page may have: there are some dozens. */
	if ((s = lni_request_url(r, conf->base_url, "/v1/models?limit=1000",
	    err)) != LN_OK)
		return s;
	return set_headers(conf, r, err);
}
