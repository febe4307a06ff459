#include "service/chat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/setting.h>
#include <ln/time.h>

#include "service/chat_prompt.h"
#include "service/chat_text.h"
#include "service/passages.h"
#include "service/toolbox.h"
#include "service/toolless.h"

#include "base/banned.h"

#define SYSTEM_MAX ((size_t)2 * LN_SYSTEM_PROMPT_MAX)	/* expanded */
#define TIMEOUT_MAX_MS (24 * 60 * 60 * 1000)

enum ln_status
lni_chat_setting(struct ln_store *st, const char *user_id, const char *name,
    char **out, struct ln_error *err)
{
	enum ln_status s;

	s = ln_setting_get(st, user_id, name, out, err);
	if (s == LN_OK && *out == NULL)
		s = ln_setting_get(st, NULL, name, out, err);
	return s;
}

static enum ln_status
read_system_prompt(struct ln_store *st, struct lni_draft *d, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(SYSTEM_MAX);
	const char *text = d->opts->system_prompt, *name;
	char *stored = NULL;
	enum ln_status s = LN_OK;

	if (text == NULL && d->conversation != NULL)
		text = d->conversation->system_prompt;
	if (text == NULL) {
		if ((s = lni_chat_setting(st, d->opts->user_id, "system_prompt",
		    &stored, err)) != LN_OK)
			return s;
		text = stored;
	}
	if (text != NULL) {
		name = d->user->full_name != NULL ? d->user->full_name :
		    d->user->username;
		lni_chat_expand(text, name, ln_time_now_ms(), &b);
		s = ln_buf_status(&b);
		if (s == LN_OK &&
		    (d->system_prompt = ln_buf_steal(&b)) == NULL)
			s = LN_NOMEM;
		if (s != LN_OK)
			(void)ln_fail(err, s, "The system prompt is too long",
			    "system prompt");
	}
	ln_free(stored);
	ln_buf_free(&b);
	return s;
}

static enum ln_status
add_passages_rule(struct lni_draft *d, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(SYSTEM_MAX + 1024);
	enum ln_status s;
	char *text;

	if (d->system_prompt != NULL && d->system_prompt[0] != '\0')
		ln_buf_printf(&b, "%s\n\n", d->system_prompt);
	ln_buf_puts(&b, lni_passages_rule);
	if ((s = ln_buf_status(&b)) != LN_OK ||
	    (text = ln_buf_steal(&b)) == NULL) {
		ln_buf_free(&b);
		return ln_fail(err, s != LN_OK ? s : LN_NOMEM, "",
		    "rule of passages");
	}
	free(d->system_prompt);
	d->system_prompt = text;
	return LN_OK;
}

static enum ln_status
read_temperature(struct ln_store *st, struct lni_draft *d, struct ln_error *err)
{
	char *stored = NULL, *rest;
	enum ln_status s;
	double v;

	if (!isnan(d->options.temperature))
		return LN_OK;
	if (d->conversation != NULL && d->conversation->has_temperature) {
		d->options.temperature = d->conversation->temperature;
		return LN_OK;
	}
	if ((s = lni_chat_setting(st, d->opts->user_id, "temperature", &stored,
	    err)) != LN_OK || stored == NULL)
		return s;
	v = strtod(stored, &rest);
	if (rest != stored && *rest == '\0' && v >= 0.0 && v <= 2.0)
		d->options.temperature = v;
	ln_free(stored);
	return LN_OK;
}

enum ln_status
lni_chat_timeouts(const struct ln_config *cfg, struct ln_http_request *http,
    struct ln_error *err)
{
	int64_t ms = 0;
	enum ln_status s;

	if (cfg == NULL)
		return LN_OK;
	if ((s = ln_config_int(cfg, "LOCALNEURAL_CONNECT_TIMEOUT_MS", 1,
	    TIMEOUT_MAX_MS, &ms, err)) != LN_OK)
		return s;
	http->connect_ms = ms;
	/* The codec knows how long loading a model takes, but not better than
	 * an operator who has set a bound: it holds from the start on. */
	if (ln_config_origin(cfg, "LOCALNEURAL_STALL_TIMEOUT_MS") ==
	    LN_CONFIG_DEFAULT)
		return LN_OK;
	if ((s = ln_config_int(cfg, "LOCALNEURAL_STALL_TIMEOUT_MS", 1,
	    TIMEOUT_MAX_MS, &ms, err)) != LN_OK)
		return s;
	http->stall_ms = http->first_byte_ms = ms;
	return LN_OK;
}

enum ln_status
lni_chat_request(struct ln_chat *c, struct ln_error *err)
{
	struct ln_llm_prompt p = {
		.size = sizeof(p), .is_stream = true,
		.messages = c->prompt.messages,
		.message_count = c->prompt.count,
		.options = c->options,
	};
	enum ln_status s;

	if (c->is_offering)
		p.tools = lni_toolbox_tools(c->box, &p.tool_count);
	ln_llm_stream_free(c->stream);
	ln_llm_request_free(c->request);
	c->stream = NULL;
	c->request = NULL;
	c->round_tokens = c->round_prompt_tokens = 0;
	c->has_usage = c->is_counted = false;
	if ((s = ln_llm_request(c->conf, &p, &c->request, err)) != LN_OK ||
	    (s = lni_chat_timeouts(c->cfg, &c->request->http, err)) !=
	    LN_OK)
		return s;
	return ln_llm_stream_new(c->conf, true, lni_chat_on_llm, c, &c->stream,
	    err);
}

/* Stop words are the caller's, and there may be another round. */
static enum ln_status
keep_options(struct ln_chat *c, const struct lni_draft *d,
    struct ln_error *err)
{
	const char *const *stop = d->options.stop;
	size_t n = 0, i;

	c->options = d->options;
	while (stop != NULL && stop[n] != NULL)
		n++;
	if (n == 0)
		return LN_OK;
	if ((c->stop = calloc(n + 1, sizeof(*c->stop))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "stop words");
	for (i = 0; i < n; i++) {
		if ((c->stop[i] = strdup(stop[i])) == NULL)
			return ln_fail(err, LN_NOMEM, "", "stop words");
	}
	c->options.stop = (const char *const *)c->stop;
	return LN_OK;
}

static enum ln_status
build_prompt(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	struct lni_prompt_source source = {
		.system_prompt = d->system_prompt,
		.conversation_id = c->conversation_id,
		.before_id = c->is_unsaved ? INT64_MAX : c->question_id,
		.question = c->question, .images = d->images,
	};
	enum ln_status s;

	if ((s = lni_chat_budget(st, c, d, &source.history_max, err)) != LN_OK)
		return s;
	if (d->opts->is_continue)
		source.answer = ln_buf_str(&c->answer);
	if (c->is_unsaved) {
		source.history = d->opts->history;
		source.history_count = d->opts->history_count;
	}
	return lni_prompt_build(st, &source, &c->prompt, err);
}

static enum ln_status
send(struct ln_chat *c, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_chat_request(c, err)) != LN_OK)
		return s;
	/* Only tools bring another round. */
	if (!c->is_offering)
		lni_prompt_clear(&c->prompt);
	return LN_OK;
}

enum ln_status
lni_chat_ask(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	enum ln_status s;
	size_t tool_count;

	if ((s = read_system_prompt(st, d, err)) != LN_OK ||
	    (s = read_temperature(st, d, err)) != LN_OK ||
	    (c->project_id != NULL && (s = add_passages_rule(d, err)) !=
	    LN_OK))
		return s;
	if (c->box != NULL) {
		(void)lni_toolbox_tools(c->box, &tool_count);
		c->is_offering = tool_count > 0 &&
		    !lni_toolless_has(c->conf);
	}
	if ((s = keep_options(c, d, err)) != LN_OK ||
	    (s = build_prompt(st, c, d, err)) != LN_OK)
		return s;
	/* With a project a search comes first, see lni_chat_ask_with. */
	return c->project_id != NULL ? LN_OK : send(c, err);
}

enum ln_status
lni_chat_ask_with(struct ln_chat *c, const char *passages,
    struct ln_error *err)
{
	enum ln_status s;

	if (passages[0] != '\0' &&
	    (s = lni_prompt_precede(&c->prompt, passages, err)) != LN_OK)
		return s;
	return send(c, err);
}
