/* A title by the model for who drives a turn with ln_chat_run and wants the
 * answer out first. */
#include "service/chat.h"

#include <string.h>

#include "model/conversation.h"

#include "base/banned.h"

#define TITLE_TEXT_MAX ((size_t)16 * 1024)

struct naming {
	struct ln_llm_stream *stream;
	struct ln_buf text;
	bool is_over;
	enum ln_status status;		/* how */
	bool (*is_cancelled)(void *arg);
	void *arg;
};

static void
on_llm(void *arg, const struct ln_llm_event *ev)
{
	struct naming *n = arg;

	switch (ev->type) {
	case LN_LLM_TEXT:
		ln_buf_put(&n->text, ev->text, ev->len);
		break;
	case LN_LLM_THINKING:
	case LN_LLM_TOOL_CALL:
	case LN_LLM_USAGE:
		break;
	case LN_LLM_DONE:
	case LN_LLM_ERROR:
		n->is_over = true;
		n->status = ev->type == LN_LLM_ERROR ? ev->status :
		    ln_buf_status(&n->text);
		break;
	}
}

static bool
on_data(void *arg, int http_status, const char *p, size_t len)
{
	struct naming *n = arg;

	ln_llm_stream_feed(n->stream, http_status, p, len);
	return !n->is_over;
}

static bool
on_tick(void *arg)
{
	const struct naming *n = arg;

	return !n->is_over &&
	    (n->is_cancelled == NULL || !n->is_cancelled(n->arg));
}

/* What the model says; LN_UNSUPPORTED: it has no wire. */
static enum ln_status
ask(struct naming *n, const struct ln_config *cfg,
    const struct ln_provider_conf *conf, const char *question,
    const char *answer, struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;
	int http_status = 0;
	enum ln_status s;

	if ((s = lni_title_request(conf, question, answer, &r, err)) !=
	    LN_OK || (s = lni_chat_timeouts(cfg, &r->http, err)) != LN_OK ||
	    (s = ln_llm_stream_new(conf, false, on_llm, n, &n->stream,
	    err)) != LN_OK)
		goto out;
	r->http.total_ms = LN_CHAT_NAME_MS;
	s = ln_http_perform(&r->http, on_data, on_tick, n, &http_status,
	    &why);
	ln_llm_stream_end(n->stream, http_status, s, &why);
	if ((s = n->status) != LN_OK)
		(void)ln_fail(err, s, "", "asking for a title");
out:
	ln_llm_stream_free(n->stream);
	n->stream = NULL;
	ln_llm_request_free(r);
	return s;
}

/* The first question and its answer, as long as there is no more. */
static bool
is_first(const struct ln_message_list *l)
{
	return l->count == 2 && l->items[0]->role == LN_MESSAGE_USER &&
	    l->items[1]->role == LN_MESSAGE_ASSISTANT &&
	    l->items[1]->state == LN_MESSAGE_COMPLETE &&
	    l->items[1]->content[0] != '\0';
}

static enum ln_status
ask_about(struct naming *n, struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_message_list *l,
    struct ln_error *err)
{
	const struct ln_provider_wish wish = {
		.size = sizeof(wish),
		.request_provider = l->items[1]->provider,
		.request_model = l->items[1]->model,
	};
	struct ln_provider_conf *conf = NULL;
	enum ln_status s;

	if ((s = ln_provider_resolve(st, cfg, user_id, &wish, &conf, err)) ==
	    LN_OK)
		s = ask(n, cfg, conf, l->items[0]->content,
		    l->items[1]->content, err);
	ln_provider_conf_free(conf);
	return s == LN_UNSUPPORTED ? LN_OK : s;
}

enum ln_status
ln_chat_name(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *conversation_id, const char *title,
    bool (*is_cancelled)(void *arg), void *arg, char **out,
    struct ln_error *err)
{
	struct naming n = { .text = LN_BUF_INIT(TITLE_TEXT_MAX),
		.is_cancelled = is_cancelled, .arg = arg };
	struct ln_message_list l = { NULL, 0 };
	char *given = NULL;
	bool is_on = false;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_title_is_on(st, cfg, user_id, &is_on, err)) != LN_OK ||
	    !is_on)
		return s;
	if ((s = ln_message_list(st, user_id, conversation_id, &l, err)) !=
	    LN_OK)
		return s;
	if (is_first(&l))
		s = ask_about(&n, st, cfg, user_id, &l, err);
	if (s == LN_OK)
		s = lni_title_clean(ln_buf_str(&n.text), &given, err);
	if (s == LN_OK && given != NULL)
		s = lni_conversation_retitle(st, user_id, conversation_id,
		    title, given, err);
	/* The person was faster: theirs stays. */
	if (s == LN_OK)
		*out = given;
	else
		ln_free(given);
	ln_message_list_free(&l);
	ln_buf_free(&n.text);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
