#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "service/toolbox.h"
#include "service/toolless.h"

#include "base/banned.h"

/* --- the answer ---------------------------------------------------------- */

void
lni_chat_show(struct ln_chat *c)
{
	struct ln_chat_event ev;
	size_t from = c->shown;

	if (from == c->answer.len)
		return;
	c->shown = c->answer.len;
	lni_chat_fill_chunk(c, from, &ev);
	lni_chat_emit(c, &ev);
}

void
lni_chat_append(struct ln_chat *c, const char *text, size_t n)
{
	if (c->first_mono_ms == 0)
		c->first_mono_ms = ln_time_mono_ms();
	if (c->needs_gap) {
		ln_buf_puts(&c->answer, "\n\n");
		c->round_from = c->answer.len;
		c->needs_gap = false;
	}
	ln_buf_put(&c->answer, text, n);
	if (ln_buf_status(&c->answer) != LN_OK)
		lni_chat_fail(c, ln_buf_status(&c->answer), "",
		    "answer buffer");
	else if (!c->is_crowded)
		lni_chat_show(c);
}

/* Shown whole, kept to a bound: it is not the answer. */
static void
think(struct ln_chat *c, const char *text, size_t n)
{
	struct ln_chat_event ev = {
		.type = LN_CHAT_THINKING, .message_id = c->message_id,
		.text = text, .len = n,
	};
	size_t room = c->thinking.max - c->thinking.len;

	if (n > room) {
		for (n = room; n > 0 &&
		    ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			continue;
	}
	ln_buf_put(&c->thinking, text, n);
	lni_chat_show(c);
	lni_chat_emit(c, &ev);
}

void
lni_chat_count(struct ln_chat *c, bool is_whole)
{
	int64_t guess = lni_chat_estimate(c->answer.len - c->round_from);

	if (c->is_counted)
		return;
	c->is_counted = true;
	/* Some count before they begin; what was cut off is then missing. */
	if (!c->has_usage || (!is_whole && guess > c->round_tokens)) {
		c->round_tokens = guess;
		c->is_estimated = true;
	}
	c->tokens += c->round_tokens;
	c->prompt_tokens += c->round_prompt_tokens;
}

/* The event's text is borrowed, and may be a provider's invention. */
static const char *
ours(const char *finish_reason)
{
	if (strcmp(finish_reason, "length") == 0)
		return "length";
	if (strcmp(finish_reason, "content_filter") == 0)
		return "content_filter";
	return "stop";
}

static void
on_done(struct ln_chat *c, const char *finish_reason)
{
	if (c->call_count > 0) {
		lni_chat_calls_begin(c);
		return;
	}
	lni_chat_count(c, true);
	lni_chat_end(c, LN_MESSAGE_COMPLETE, LN_OK, ours(finish_reason));
}

static void
on_error(struct ln_chat *c, const struct ln_llm_event *ev)
{
	/* A model that cannot take tools may still answer. */
	if (ev->status == LN_UNSUPPORTED && c->is_offering && c->round == 0 &&
	    c->answer.len == c->round_from) {
		lni_chat_calls_clear(c);
		c->phase = LNI_CHAT_RETRYING;
	} else {
		c->retry_after_s = ev->retry_after_s;
		lni_chat_fail(c, ev->status, ev->sentence, ev->detail);
	}
}

void
lni_chat_retry(struct ln_chat *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (c->phase != LNI_CHAT_RETRYING)
		return;
	c->is_offering = false;
	lni_toolless_add(c->conf);
	if ((s = lni_chat_request(c, &err)) != LN_OK) {
		lni_chat_fail(c, s, ln_error_text(&err, s),
		    "asking again without tools");
		return;
	}
	lni_prompt_clear(&c->prompt);
	c->phase = LNI_CHAT_SENDING;
}

void
lni_chat_on_llm(void *arg, const struct ln_llm_event *ev)
{
	struct ln_chat *c = arg;

	if (c->phase != LNI_CHAT_SENDING)
		return;
	switch (ev->type) {
	case LN_LLM_TEXT:
		lni_chat_append(c, ev->text, ev->len);
		break;
	case LN_LLM_THINKING:
		think(c, ev->text, ev->len);
		break;
	case LN_LLM_TOOL_CALL:
		lni_chat_call_add(c, ev);
		break;
	case LN_LLM_USAGE:
		c->round_tokens = ev->tokens;
		c->round_prompt_tokens = ev->prompt_tokens;
		c->has_usage = true;
		break;
	case LN_LLM_DONE:
		on_done(c, ev->finish_reason);
		break;
	case LN_LLM_ERROR:
		on_error(c, ev);
		break;
	}
}

void
lni_chat_start(struct ln_chat *c)
{
	c->now_ms = ln_time_now_ms();
	c->journal_ms = c->beat_ms = c->check_ms = c->now_ms;
	c->begin_mono_ms = ln_time_mono_ms();
	c->phase = c->request != NULL ? LNI_CHAT_SENDING :
	    LNI_CHAT_SEARCHING;
}

enum ln_chat_next
ln_chat_next(const struct ln_chat *c)
{
	switch (c->phase) {
	case LNI_CHAT_SENDING:
		return LN_CHAT_SEND;
	case LNI_CHAT_RETRYING:
		return LN_CHAT_WAIT;
	case LNI_CHAT_CALLING:
		return c->job == NULL &&
		    lni_chat_call_ready(c) < c->call_count ? LN_CHAT_LOCAL :
		    LN_CHAT_WAIT;
	case LNI_CHAT_SEARCHING:
		return c->job == NULL ? LN_CHAT_LOCAL : LN_CHAT_WAIT;
	case LNI_CHAT_PUMPING:
		return LN_CHAT_PUMP;
	case LNI_CHAT_SAVING:
		return c->is_batched ? LN_CHAT_WAIT : LN_CHAT_PUMP;
	case LNI_CHAT_TITLING:
		return LN_CHAT_SEND;
	case LNI_CHAT_TITLE_DUE:
	case LNI_CHAT_NAMING:
		return LN_CHAT_WAIT;
	case LNI_CHAT_OVER:
		return LN_CHAT_FINISHED;
	}
	return LN_CHAT_FINISHED;
}

bool
ln_chat_is_answered(const struct ln_chat *c)
{
	return c->phase > LNI_CHAT_SAVING;
}

const char *
ln_chat_conversation_id(const struct ln_chat *c)
{
	return c->conversation_id;
}

const char *
ln_chat_user_id(const struct ln_chat *c)
{
	return c->user_id;
}

int64_t
ln_chat_message_id(const struct ln_chat *c)
{
	return c->message_id;
}

const struct ln_provider_conf *
ln_chat_provider(const struct ln_chat *c)
{
	return c->conf;
}

const struct ln_error *
ln_chat_error(const struct ln_chat *c)
{
	return c->has_error ? &c->error : NULL;
}

const struct ln_http_request *
ln_chat_request(const struct ln_chat *c)
{
	return c->request != NULL ? &c->request->http : NULL;
}

void
ln_chat_feed(struct ln_chat *c, int http_status, const char *p, size_t n)
{
	if (c->phase == LNI_CHAT_SENDING || c->phase == LNI_CHAT_TITLING)
		ln_llm_stream_feed(c->stream, http_status, p, n);
}

void
ln_chat_upstream_end(struct ln_chat *c, int http_status, enum ln_status s,
    const struct ln_error *why)
{
	if (c->phase == LNI_CHAT_SENDING || c->phase == LNI_CHAT_TITLING)
		ln_llm_stream_end(c->stream, http_status, s, why);
	lni_chat_retry(c);
}

/* --- from outside ------------------------------------------------------- */

void
ln_chat_stop(struct ln_chat *c)
{
	if (c->phase > LNI_CHAT_SAVING)	/* then it does without a title */
		c->phase = LNI_CHAT_OVER;
	/* A search that failed has nothing to keep: say so instead. */
	if (c->has_error)
		lni_chat_end(c, LN_MESSAGE_FAILED, c->error.status, "error");
	else
		lni_chat_end(c, LN_MESSAGE_STOPPED, LN_CANCELLED, "stopped");
}

void
ln_chat_cancel_local(struct ln_chat *c)
{
	if (c->job != NULL)
		ln_chat_job_cancel(c->job);
}

void
ln_chat_resume(const struct ln_chat *c, uint64_t after, ln_chat_event_fn *fn,
    void *arg)
{
	struct ln_chat_event ev;
	const char *p = ln_buf_str(&c->answer);
	size_t from = c->shown;	/* what follows comes as an event */

	if (after < from)
		from = (size_t)after;
	/* Not into the middle of a character: rather repeat its bytes. */
	while (from > 0 && from < c->shown &&
	    ((unsigned char)p[from] & 0xc0) == 0x80)
		from--;
	lni_chat_fill_chunk(c, from, &ev);
	fn(arg, &ev);
	if (!ln_chat_is_answered(c))
		return;
	lni_chat_fill_done(c, &ev);
	fn(arg, &ev);
}

void
ln_chat_free(struct ln_chat *c)
{
	size_t i;

	if (c == NULL)
		return;
	c->fn = NULL;	/* who frees hears no more */
	c->is_batched = false;	/* no tick will come */
	if (c->phase < LNI_CHAT_SAVING)
		lni_chat_end(c, LN_MESSAGE_INTERRUPTED, LN_CANCELLED, "error");
	else if (c->phase == LNI_CHAT_SAVING)
		lni_chat_try_save(c);
	lni_chat_drop_job(c);
	lni_chat_calls_clear(c);
	lni_toolbox_free(c->box);
	lni_prompt_clear(&c->prompt);
	for (i = 0; c->stop != NULL && c->stop[i] != NULL; i++)
		free(c->stop[i]);
	free(c->stop);
	ln_llm_stream_free(c->stream);
	ln_llm_request_free(c->request);
	ln_provider_conf_free(c->conf);
	ln_buf_free(&c->local);
	ln_buf_free(&c->answer);
	ln_buf_free(&c->thinking);
	ln_buf_free(&c->model_title);
	free(c->user_id);
	free(c->conversation_id);
	free(c->title);
	free(c->new_title);
	free(c->temp_id);
	free(c->owner);
	free(c->question);
	free(c->project_id);
	free(c->sources);
	free(c);
}
