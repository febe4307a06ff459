#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/time.h>
#include <ln/user.h>

#include "base/error.h"
#include "model/generation.h"
#include "service/retrieve.h"

#include "base/banned.h"

#define CHECK_MS 500	/* contract: a block stops an answer within 1 s */
#define BEAT_MS 5000	/* well below LN_CHAT_DEAD_MS */
#define SAVE_TRIES 20	/* a tick apart, before an answer is given up */
#define PIECE_MAX ((size_t)240)	/* bytes of a local answer at a time */

/* --- events -------------------------------------------------------------- */

static void
emit(const struct ln_chat *c, struct ln_chat_event *ev)
{
	ev->conversation_id = c->conversation_id;
	if (c->fn != NULL)
		c->fn(c->arg, ev);
}

static void
fill_chunk(const struct ln_chat *c, size_t from, struct ln_chat_event *ev)
{
	int64_t elapsed = ln_time_mono_ms() - c->first_mono_ms;

	memset(ev, 0, sizeof(*ev));
	ev->type = LN_CHAT_CHUNK;
	ev->conversation_id = c->conversation_id;
	ev->message_id = c->message_id;
	ev->text = ln_buf_str(&c->answer) + from;
	ev->len = c->answer.len - from;
	ev->from = from;
	ev->seq = c->answer.len;
	ev->tokens = lni_chat_estimate(c->answer.len);
	ev->max_tokens = c->max_tokens;
	ev->is_estimated = true;
	if (c->first_mono_ms != 0 && elapsed > 0)
		ev->tps = (double)ev->tokens * 1000.0 / (double)elapsed;
}

static void
fill_done(const struct ln_chat *c, struct ln_chat_event *ev)
{
	int64_t elapsed = ln_time_mono_ms() - c->begin_mono_ms;

	memset(ev, 0, sizeof(*ev));
	ev->type = LN_CHAT_DONE;
	ev->conversation_id = c->conversation_id;
	ev->message_id = c->message_id;
	ev->seq = c->answer.len;
	ev->tokens = c->tokens;
	ev->prompt_tokens = c->prompt_tokens;
	ev->max_tokens = c->max_tokens;
	ev->duration_ms = elapsed;
	ev->is_estimated = !c->has_usage;
	ev->question = c->question;
	ev->finish_reason = c->finish_reason;
	ev->status = c->outcome;
	if (c->first_mono_ms != 0 &&
	    ln_time_mono_ms() > c->first_mono_ms)
		ev->tps = (double)c->tokens * 1000.0 /
		    (double)(ln_time_mono_ms() - c->first_mono_ms);
}

static void
emit_over(struct ln_chat *c)
{
	struct ln_chat_event ev = { .type = LN_CHAT_ERROR };

	c->phase = LNI_CHAT_OVER;
	if (c->has_error) {
		ev.message_id = c->message_id;
		ev.status = c->error.status;
		ev.sentence = ln_error_text(&c->error, c->error.status);
		emit(c, &ev);
	}
	fill_done(c, &ev);
	emit(c, &ev);
}

/* --- the end ------------------------------------------------------------- */

static void
set_error(struct ln_chat *c, enum ln_status status, const char *sentence,
    const char *detail)
{
	(void)ln_error_set(&c->error, status, NULL, sentence, "%s",
	    detail != NULL ? detail : "");
	c->has_error = true;
	c->outcome = status;
}

/* The answer is no longer ours: nothing may be written. */
static void
lose(struct ln_chat *c)
{
	set_error(c, LN_CONFLICT,
	    "The answer was ended: its conversation was deleted, or another "
	    "process took it for abandoned", "the generation row is gone");
	c->finish_reason = "error";
	emit_over(c);
}

static void
try_save(struct ln_chat *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = c->is_unsaved ? LN_OK : lni_chat_save(c, &err);
	if (s == LN_OK) {
		emit_over(c);
	} else if (s == LN_NOT_FOUND) {
		lose(c);
	} else if (++c->save_tries >= SAVE_TRIES) {
		/* What was journalled stays and will be recovered. */
		c->error = err;
		c->has_error = true;
		c->outcome = s;
		c->finish_reason = "error";
		emit_over(c);
	}
}

static void
end(struct ln_chat *c, enum ln_message_state state, enum ln_status outcome,
    const char *finish_reason)
{
	if (c->phase >= LNI_CHAT_SAVING)
		return;
	if (!c->has_usage)
		c->tokens = lni_chat_estimate(c->answer.len);
	c->phase = LNI_CHAT_SAVING;
	c->state = state;
	c->outcome = outcome;
	c->finish_reason = finish_reason;
	try_save(c);
}

static void
fail(struct ln_chat *c, enum ln_status status, const char *sentence,
    const char *detail)
{
	if (c->phase >= LNI_CHAT_SAVING)
		return;
	set_error(c, status, sentence, detail);
	end(c, LN_MESSAGE_FAILED, status, "error");
}

/* --- the answer ---------------------------------------------------------- */

static void
journal_if_long(struct ln_chat *c)
{
	enum ln_status s;

	if (c->is_unsaved ||
	    c->answer.len - c->journalled < LN_CHAT_JOURNAL_BYTES)
		return;
	/* A failure is tried again by the next tick. */
	s = lni_chat_journal(c, NULL);
	if (s == LN_NOT_FOUND)
		lose(c);
}

static void
append(struct ln_chat *c, const char *text, size_t n)
{
	struct ln_chat_event ev;
	size_t from = c->answer.len;

	if (c->first_mono_ms == 0)
		c->first_mono_ms = ln_time_mono_ms();
	ln_buf_put(&c->answer, text, n);
	if (ln_buf_status(&c->answer) != LN_OK) {
		fail(c, ln_buf_status(&c->answer), "", "answer buffer");
		return;
	}
	fill_chunk(c, from, &ev);
	emit(c, &ev);
	journal_if_long(c);
}

static void
emit_side(struct ln_chat *c, enum ln_chat_event_type type, const char *text,
    size_t n, const char *call_state)
{
	struct ln_chat_event ev = {
		.type = type, .message_id = c->message_id, .text = text,
		.len = n, .call_state = call_state,
	};

	emit(c, &ev);
}

void
lni_chat_on_llm(void *arg, const struct ln_llm_event *ev)
{
	struct ln_chat *c = arg;

	if (c->phase != LNI_CHAT_SENDING)
		return;
	switch (ev->type) {
	case LN_LLM_TEXT:
		append(c, ev->text, ev->len);
		break;
	case LN_LLM_THINKING:
		emit_side(c, LN_CHAT_THINKING, ev->text, ev->len, NULL);
		break;
	case LN_LLM_TOOL_CALL:
		emit_side(c, LN_CHAT_TOOL, ev->text, ev->len, "denied");
		break;
	case LN_LLM_USAGE:
		c->tokens = ev->tokens;
		c->prompt_tokens = ev->prompt_tokens;
		c->has_usage = true;
		break;
	case LN_LLM_DONE:
		end(c, LN_MESSAGE_COMPLETE, LN_OK,
		    strcmp(ev->finish_reason, "length") == 0 ? "length" :
		    "stop");
		break;
	case LN_LLM_ERROR:
		fail(c, ev->status, ev->sentence, ev->detail);
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
	case LNI_CHAT_SAVING:
		return LN_CHAT_PUMP;
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

/* --- the offline answer -------------------------------------------------- */

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
		set_error(c, s, ln_error_text(&why, s),
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
		try_save(c);
		return;
	}
	if (c->phase != LNI_CHAT_PUMPING)
		return;
	if (c->has_error) {
		end(c, LN_MESSAGE_FAILED, c->error.status, "error");
		return;
	}
	n = piece_length(p, c->local.len - c->local_pos);
	c->local_pos += n;
	if (n > 0)
		append(c, p, n);
	if (c->phase == LNI_CHAT_PUMPING && c->local_pos == c->local.len)
		end(c, LN_MESSAGE_COMPLETE, LN_OK, "stop");
}

/* --- time ---------------------------------------------------------------- */

/* A clock that was set back must not stop the journal. */
static bool
is_due(int64_t now_ms, int64_t last_ms, int64_t every_ms)
{
	return now_ms - last_ms >= every_ms || now_ms < last_ms;
}

static void
check_block(struct ln_chat *c)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_user_get(c->store, c->user_id, &u, NULL);
	if (s == LN_NOT_FOUND || (s == LN_OK && u->is_blocked)) {
		set_error(c, LN_FORBIDDEN, LNI_CHAT_BLOCKED,
		    "blocked while an answer was written");
		end(c, LN_MESSAGE_STOPPED, LN_FORBIDDEN, "stopped");
	}
	ln_user_free(u);
}

static void
check(struct ln_chat *c)
{
	enum ln_status s = LN_OK;
	bool is_stop_asked = false;

	if (!c->is_unsaved)
		s = lni_generation_check(c->store, c->message_id, c->owner,
		    &is_stop_asked, NULL);
	if (s == LN_NOT_FOUND)
		lose(c);
	else if (is_stop_asked)
		ln_chat_stop(c);
	else
		check_block(c);
}

static void
journal_if_due(struct ln_chat *c)
{
	bool is_pending = c->journalled != c->answer.len;

	if (c->is_unsaved)
		return;
	if (!is_due(c->now_ms, is_pending ? c->journal_ms : c->beat_ms,
	    is_pending ? LN_CHAT_JOURNAL_MS : BEAT_MS))
		return;
	if (lni_chat_journal(c, NULL) == LN_NOT_FOUND)
		lose(c);
}

enum ln_status
ln_chat_tick(struct ln_chat *c, int64_t now_ms)
{
	c->now_ms = now_ms;
	if (c->phase == LNI_CHAT_SAVING)
		try_save(c);
	if (c->phase >= LNI_CHAT_SAVING)
		return LN_OK;
	journal_if_due(c);
	if (c->phase < LNI_CHAT_SAVING &&
	    is_due(now_ms, c->check_ms, CHECK_MS)) {
		c->check_ms = now_ms;
		check(c);
	}
	return c->phase < LNI_CHAT_SAVING ? LN_OK : LN_CANCELLED;
}

void
ln_chat_stop(struct ln_chat *c)
{
	/* A search that failed has nothing to keep: say so instead. */
	if (c->has_error)
		end(c, LN_MESSAGE_FAILED, c->error.status, "error");
	else
		end(c, LN_MESSAGE_STOPPED, LN_CANCELLED, "stopped");
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
	fill_chunk(c, from, &ev);
	fn(arg, &ev);
	if (c->phase != LNI_CHAT_OVER)
		return;
	fill_done(c, &ev);
	fn(arg, &ev);
}

void
ln_chat_free(struct ln_chat *c)
{
	if (c == NULL)
		return;
	c->fn = NULL;	/* who frees hears no more */
	if (c->phase < LNI_CHAT_SAVING)
		end(c, LN_MESSAGE_INTERRUPTED, LN_CANCELLED, "error");
	else if (c->phase == LNI_CHAT_SAVING)
		try_save(c);
	ln_llm_stream_free(c->stream);
	ln_llm_request_free(c->request);
	ln_provider_conf_free(c->conf);
	ln_buf_free(&c->local);
	ln_buf_free(&c->answer);
	free(c->user_id);
	free(c->conversation_id);
	free(c->title);
	free(c->temp_id);
	free(c->owner);
	free(c->question);
	free(c);
}
