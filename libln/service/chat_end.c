#include "service/chat.h"

#include <string.h>

#include <ln/time.h>

#include "base/error.h"
#include "store/tx.h"

#include "base/banned.h"

/* --- events -------------------------------------------------------------- */

void
lni_chat_emit(const struct ln_chat *c, struct ln_chat_event *ev)
{
	ev->conversation_id = c->conversation_id;
	if (c->fn != NULL)
		c->fn(c->arg, ev);
}

void
lni_chat_fill_chunk(const struct ln_chat *c, size_t from, struct ln_chat_event *ev)
{
	int64_t elapsed = ln_time_mono_ms() - c->first_mono_ms;

	memset(ev, 0, sizeof(*ev));
	ev->type = LN_CHAT_CHUNK;
	ev->conversation_id = c->conversation_id;
	ev->message_id = c->message_id;
	ev->text = ln_buf_str(&c->answer) + from;
	ev->len = c->shown - from;
	ev->from = from;
	ev->seq = c->shown;
	ev->tokens = lni_chat_estimate(c->shown);
	ev->max_tokens = c->max_tokens;
	ev->is_estimated = true;
	if (c->first_mono_ms != 0 && elapsed > 0)
		ev->tps = (double)lni_chat_estimate(c->shown -
		    c->earlier.bytes) * 1000.0 / (double)elapsed;
}

void
lni_chat_fill_done(const struct ln_chat *c, struct ln_chat_event *ev)
{
	int64_t elapsed = ln_time_mono_ms() - c->begin_mono_ms;
	int64_t fresh = c->tokens - c->earlier.tokens;

	memset(ev, 0, sizeof(*ev));
	ev->type = LN_CHAT_DONE;
	ev->conversation_id = c->conversation_id;
	ev->message_id = c->message_id;
	ev->seq = c->answer.len;
	ev->tokens = c->tokens;
	ev->prompt_tokens = c->prompt_tokens;
	ev->max_tokens = c->max_tokens;
	ev->duration_ms = c->earlier.duration_ms + elapsed;
	ev->is_estimated = c->is_estimated;
	ev->question = c->question;
	ev->finish_reason = c->finish_reason;
	ev->sources = c->sources;
	ev->status = c->outcome;
	if (c->first_mono_ms != 0 &&
	    ln_time_mono_ms() > c->first_mono_ms)
		ev->tps = (double)fresh * 1000.0 /
		    (double)(ln_time_mono_ms() - c->first_mono_ms);
}

void
lni_chat_emit_over(struct ln_chat *c)
{
	struct ln_chat_event ev = { .type = LN_CHAT_ERROR };
	char sentence[LN_ERROR_SENTENCE_SIZE];

	lni_chat_drop_job(c);
	lni_chat_calls_end(c);
	lni_chat_show(c);
	c->phase = LNI_CHAT_OVER;
	if (c->has_error) {
		ev.message_id = c->message_id;
		ev.status = c->error.status;
		ev.sentence = ln_error_sentence(&c->error, c->error.status,
		    sentence);
		lni_chat_emit(c, &ev);
	}
	lni_chat_fill_done(c, &ev);
	lni_chat_emit(c, &ev);
	lni_chat_title_begin(c);
}

/* --- the end ------------------------------------------------------------- */

void
lni_chat_set_error(struct ln_chat *c, enum ln_status status,
    const char *sentence, const char *detail)
{
	(void)ln_error_set(&c->error, status, NULL, sentence, "%s",
	    detail != NULL ? detail : "");
	c->error.retry_after_s = c->retry_after_s;
	c->has_error = true;
	c->outcome = status;
}

/* The answer is no longer ours: nothing may be written. */
void
lni_chat_lose(struct ln_chat *c)
{
	lni_chat_set_error(c, LN_CONFLICT,
	    "The answer was ended: its conversation was deleted, or another "
	    "process took it for abandoned", "the generation row is gone");
	c->finish_reason = "error";
	lni_chat_emit_over(c);
}

void
lni_chat_saved(struct ln_chat *c, enum ln_status s, const struct ln_error *why)
{
	if (s == LN_OK) {
		lni_chat_emit_over(c);
	} else if (s == LN_NOT_FOUND) {
		lni_chat_lose(c);
	} else if (++c->save_tries >= LNI_CHAT_SAVE_TRIES) {
		/* What was journalled stays and will be recovered. */
		c->error = *why;
		c->has_error = true;
		c->outcome = s;
		c->finish_reason = "error";
		lni_chat_emit_over(c);
	}
}

void
lni_chat_try_save(struct ln_chat *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s = LN_OK;

	if (!c->is_unsaved && (s = lni_tx_begin(c->store, &err)) == LN_OK)
		s = lni_tx_end(c->store, lni_chat_save(c, &err), &err);
	lni_chat_saved(c, s, &err);
}

void
lni_chat_end(struct ln_chat *c, enum ln_message_state state,
    enum ln_status outcome, const char *finish_reason)
{
	if (c->phase >= LNI_CHAT_SAVING)
		return;
	lni_chat_drop_job(c);
	lni_chat_calls_end(c);
	lni_chat_count(c, false);
	c->phase = LNI_CHAT_SAVING;
	c->state = state;
	c->outcome = outcome;
	c->finish_reason = finish_reason;
	if (!c->is_batched || c->is_unsaved)
		lni_chat_try_save(c);
}

void
lni_chat_fail(struct ln_chat *c, enum ln_status status, const char *sentence,
    const char *detail)
{
	if (c->phase >= LNI_CHAT_SAVING)
		return;
	lni_chat_set_error(c, status, sentence, detail);
	lni_chat_end(c, LN_MESSAGE_FAILED, status, "error");
}
