#include "service/chat.h"

#include <string.h>

#include "base/error.h"
#include "service/retrieve.h"

#include "base/banned.h"

#define PIECE_MAX ((size_t)240)	/* bytes of a local answer at a time */

enum ln_status
ln_chat_local(struct ln_store *st, struct ln_chat *c, struct ln_error *err)
{
	const struct lni_retrieve r = {
		.user_id = c->user_id,
		.question = c->question,
		.conversation_id = c->conversation_id,
		.question_id = c->question_id > 0 ? c->question_id : INT64_MAX,
	};
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	if (c->phase != LNI_CHAT_SEARCHING)
		return ln_fail(err, LN_INTERNAL, "", "not a local answer");
	s = lni_retrieve_answer(st, &r, &c->local, &why);
	c->phase = LNI_CHAT_PUMPING;
	if (s != LN_OK) {
		/* Told by ln_chat_pump, in the thread that owns the turn. */
		lni_chat_set_error(c, s, ln_error_text(&why, s),
		    lni_error_detail(&why));
		if (err != NULL)
			*err = c->error;
	}
	return s;
}

/* The end of a sentence or line, or of as many bytes as are enough. */
static size_t
piece_length(const char *p, size_t n)
{
	size_t i, max = n < PIECE_MAX ? n : PIECE_MAX;

	for (i = 0; i < max; i++) {
		if (p[i] == '\n' || (p[i] == '.' && i + 1 < n &&
		    p[i + 1] == ' '))
			return i + 1;
	}
	while (max < n && max > 1 && ((unsigned char)p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void
ln_chat_pump(struct ln_chat *c)
{
	const char *p = ln_buf_str(&c->local) + c->local_pos;
	size_t n;

	if (c->phase == LNI_CHAT_SAVING) {
		if (!c->is_batched)
			lni_chat_try_save(c);
		return;
	}
	if (c->phase != LNI_CHAT_PUMPING)
		return;
	if (c->has_error) {
		lni_chat_end(c, LN_MESSAGE_FAILED, c->error.status, "error");
		return;
	}
	n = piece_length(p, c->local.len - c->local_pos);
	c->local_pos += n;
	if (n > 0)
		lni_chat_append(c, p, n);
	if (c->phase == LNI_CHAT_PUMPING && c->local_pos == c->local.len)
		lni_chat_end(c, LN_MESSAGE_COMPLETE, LN_OK, "stop");
}
