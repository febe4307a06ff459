#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "base/banned.h"

/* --- the answer ---------------------------------------------------------- */

void
lni_chat_append(struct ln_chat *c, const char *text, size_t n)
{
	struct ln_chat_event ev;
	size_t from = c->answer.len;

	if (c->first_mono_ms == 0)
		c->first_mono_ms = ln_time_mono_ms();
	ln_buf_put(&c->answer, text, n);
	if (ln_buf_status(&c->answer) != LN_OK) {
		lni_chat_fail(c, ln_buf_status(&c->answer), "", "answer buffer");
		return;
	}
	lni_chat_fill_chunk(c, from, &ev);
	lni_chat_emit(c, &ev);
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
	lni_chat_emit(c, &ev);
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
		break;
	case LN_LLM_USAGE:
		c->tokens = ev->tokens;
		c->prompt_tokens = ev->prompt_tokens;
		c->has_usage = true;
		break;
	case LN_LLM_DONE:
		lni_chat_end(c, LN_MESSAGE_COMPLETE, LN_OK,
		    strcmp(ev->finish_reason, "length") == 0 ? "length" :
		    "stop");
		break;
	case LN_LLM_ERROR:
		lni_chat_fail(c, ev->status, ev->sentence, ev->detail);
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
	case LNI_CHAT_SEARCHING:
		return LN_CHAT_LOCAL;
	case LNI_CHAT_PUMPING:
		return LN_CHAT_PUMP;
	case LNI_CHAT_SAVING:
		return c->is_batched ? LN_CHAT_WAIT : LN_CHAT_PUMP;
	case LNI_CHAT_OVER:
		return LN_CHAT_FINISHED;
	}
	return LN_CHAT_FINISHED;
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
	if (c->phase == LNI_CHAT_SENDING)
		ln_llm_stream_feed(c->stream, http_status, p, n);
}

void
ln_chat_upstream_end(struct ln_chat *c, int http_status, enum ln_status s,
    const struct ln_error *why)
{
	if (c->phase == LNI_CHAT_SENDING)
		ln_llm_stream_end(c->stream, http_status, s, why);
}

/* --- from outside ------------------------------------------------------- */

void
ln_chat_stop(struct ln_chat *c)
{
	/* A search that failed has nothing to keep: say so instead. */
	if (c->has_error)
		lni_chat_end(c, LN_MESSAGE_FAILED, c->error.status, "error");
	else
		lni_chat_end(c, LN_MESSAGE_STOPPED, LN_CANCELLED, "stopped");
}

void
ln_chat_resume(const struct ln_chat *c, uint64_t after, ln_chat_event_fn *fn,
    void *arg)
{
	struct ln_chat_event ev;
	const char *p = ln_buf_str(&c->answer);
	size_t from = c->answer.len;

	if (after < from)
		from = (size_t)after;
	/* Not into the middle of a character: rather repeat its bytes. */
	while (from > 0 && from < c->answer.len &&
	    ((unsigned char)p[from] & 0xc0) == 0x80)
		from--;
	lni_chat_fill_chunk(c, from, &ev);
	fn(arg, &ev);
	if (c->phase != LNI_CHAT_OVER)
		return;
	lni_chat_fill_done(c, &ev);
	fn(arg, &ev);
}

void
ln_chat_free(struct ln_chat *c)
{
	if (c == NULL)
		return;
	c->fn = NULL;	/* who frees hears no more */
	c->is_batched = false;	/* no tick will come */
	if (c->phase < LNI_CHAT_SAVING)
		lni_chat_end(c, LN_MESSAGE_INTERRUPTED, LN_CANCELLED, "error");
	else if (c->phase == LNI_CHAT_SAVING)
		lni_chat_try_save(c);
	ln_llm_stream_free(c->stream);
	ln_llm_request_free(c->request);
	ln_provider_conf_free(c->conf);
	ln_buf_free(&c->local);
	ln_buf_free(&c->answer);
	ln_buf_free(&c->thinking);
	free(c->user_id);
	free(c->conversation_id);
	free(c->title);
	free(c->temp_id);
	free(c->owner);
	free(c->question);
	free(c);
}
