#include "service/chat.h"

#include <ln/time.h>

#include "model/conversation.h"
#include "model/generation.h"
#include "model/message.h"
#include "store/tx.h"

#include "base/banned.h"

#define BYTES_PER_TOKEN 4	/* of English text, as providers count */

int64_t
lni_chat_estimate(size_t bytes)
{
	return (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
}

enum ln_status
lni_chat_journal(struct ln_chat *c, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_generation_beat(c->store, c->message_id, c->owner,
	    ln_time_now_ms(), err)) != LN_OK)
		return s;
	if ((s = lni_chat_calls_write(c, err)) != LN_OK ||
	    c->journalled == c->answer.len)
		return s;
	return lni_message_journal(c->store, c->message_id,
	    ln_buf_str(&c->answer), c->answer.len, err);
}

void
lni_chat_journalled(struct ln_chat *c, enum ln_status s)
{
	if (s == LN_OK) {
		c->journalled = c->answer.len;
		c->beat_ms = c->now_ms;
		lni_chat_calls_written(c);
	} else if (s == LN_NOT_FOUND) {
		lni_chat_lose(c);
	}
}

enum ln_status
lni_chat_save(struct ln_chat *c, struct ln_error *err)
{
	char sentence[LN_ERROR_SENTENCE_SIZE];
	const struct lni_message_end end = {
		.state = c->state,
		.content = ln_buf_str(&c->answer),
		.len = c->answer.len,
		.thinking = ln_buf_str(&c->thinking),
		.thinking_len = c->thinking.len,
		.finish_reason = c->finish_reason,
		.sources = c->sources,
		.error = c->has_error && c->state == LN_MESSAGE_FAILED ?
		    ln_error_sentence(&c->error, c->error.status, sentence) :
		    NULL,
		.tokens = c->tokens,
		.prompt_tokens = c->prompt_tokens,
		.duration_ms = c->earlier.duration_ms + ln_time_mono_ms() -
		    c->begin_mono_ms,
		.is_estimated = c->is_estimated,
	};
	enum ln_status s;

	/* First: whoever has lost the answer must not touch it. */
	if ((s = lni_generation_remove(c->store, c->message_id, c->owner,
	    err)) != LN_OK ||
	    (s = lni_chat_calls_abandon(c, err)) != LN_OK)
		return s;
	if ((s = lni_message_finish(c->store, c->message_id, &end, err)) !=
	    LN_OK)
		return s;
	return lni_conversation_touch(c->store, c->conversation_id,
	    ln_time_now_ms(), c->tokens - c->earlier.tokens +
	    c->prompt_tokens - c->earlier.prompt_tokens, err);
}

enum ln_status
ln_chat_request_stop(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_error *err)
{
	return lni_generation_ask_stop(st, user_id, conversation_id, err);
}

enum ln_status
ln_chat_recover(struct ln_store *st, const char *owner_prefix,
    const char *keep_owner, int64_t *out_count, struct ln_error *err)
{
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_generation_reap(st, NULL, owner_prefix, keep_owner,
	    ln_time_now_ms() - LN_CHAT_DEAD_MS, out_count, err);
	if (s == LN_OK)
		s = lni_tool_run_abandon(st, 0, ln_time_now_ms(), err);
	s = lni_tx_end(st, s, err);
	if (s != LN_OK)
		*out_count = 0;
	return s;
}

static enum ln_status
recover_gone(struct ln_store *st, const char *owner_prefix,
    bool (*is_gone)(void *, const char *), void *arg, int64_t *out_count,
    struct ln_error *err)
{
	char *after = NULL, *owner = NULL;
	enum ln_status s;
	int64_t count;

	while ((s = lni_generation_next_owner(st, owner_prefix,
	    after != NULL ? after : "", &owner, err)) == LN_OK &&
	    owner != NULL) {
		if (is_gone(arg, owner)) {
			s = lni_generation_reap(st, NULL, owner, NULL, 0,
			    &count, err);
			if (s != LN_OK)
				break;
			*out_count += count;
		}
		ln_free(after);
		after = owner;
		owner = NULL;
	}
	ln_free(after);
	ln_free(owner);
	return s;
}

enum ln_status
ln_chat_recover_gone(struct ln_store *st, const char *owner_prefix,
    bool (*is_gone)(void *arg, const char *owner), void *arg,
    int64_t *out_count, struct ln_error *err)
{
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = recover_gone(st, owner_prefix, is_gone, arg, out_count, err);
	s = lni_tx_end(st, s, err);
	if (s != LN_OK)
		*out_count = 0;
	return s;
}
