#include "llm/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "llm/think.h"
#include "text/ndjson.h"
#include "text/sse.h"

#include "base/banned.h"

/* Of an error body no more is read than tells the reason. */
#define REFUSAL_MAX ((size_t)16 * 1024)
#define DETAIL_MAX 256

struct ln_llm_stream {
	const struct lni_codec *codec;
	ln_llm_event_fn *fn;
	void *arg;
	void *state;		/* the codec's */
	struct lni_ndjson ndjson;
	struct lni_sse sse;
	struct ln_buf whole;	/* of an answer that is not a stream */
	struct ln_buf refusal;	/* or what a stream says beside its events */
	bool is_stream;
	struct lni_think think;	/* of the text */
	size_t text_len;
	bool is_over;		/* DONE or ERROR went out */
};

static void
on_piece(void *arg, bool is_thought, const char *text, size_t n)
{
	struct ln_llm_stream *s = arg;
	const struct ln_llm_event ev = {
		.type = is_thought ? LN_LLM_THINKING : LN_LLM_TEXT,
		.text = text, .len = n,
	};

	s->fn(s->arg, &ev);
}

static void
emit(struct ln_llm_stream *s, const struct ln_llm_event *ev)
{
	if (s->is_over)
		return;
	/* What may have become a tag goes before what follows the text. */
	if (ev->type == LN_LLM_TOOL_CALL || ev->type == LN_LLM_DONE ||
	    ev->type == LN_LLM_ERROR)
		lni_think_end(&s->think, on_piece, s);
	s->is_over = ev->type == LN_LLM_DONE || ev->type == LN_LLM_ERROR;
	s->fn(s->arg, ev);
}

static void
emit_text(struct ln_llm_stream *s, enum ln_llm_event_type type,
    const char *text)
{
	const struct ln_llm_event ev = {
		.type = type, .text = text, .len = strlen(text),
	};

	if (ev.len == 0)
		return;
	if (ev.len > LN_LLM_ANSWER_MAX - s->text_len) {
		lni_stream_error(s, LN_TOO_LARGE,
		    "The answer of the model provider is too large",
		    "answer text beyond its bound");
		return;
	}
	s->text_len += ev.len;
	if (type == LN_LLM_TEXT && !s->is_over)
		lni_think_feed(&s->think, ev.text, ev.len, on_piece, s);
	else
		emit(s, &ev);
}

void *
lni_stream_state(struct ln_llm_stream *s)
{
	return s->state;
}

void
lni_stream_text(struct ln_llm_stream *s, const char *text)
{
	emit_text(s, LN_LLM_TEXT, text);
}

void
lni_stream_thinking(struct ln_llm_stream *s, const char *text)
{
	emit_text(s, LN_LLM_THINKING, text);
}

void
lni_stream_tool_call(struct ln_llm_stream *s, const char *id,
    const char *name, const char *arguments)
{
	lni_stream_signed_call(s, id, name, arguments, NULL);
}

void
lni_stream_signed_call(struct ln_llm_stream *s, const char *id,
    const char *name, const char *arguments, const char *signature)
{
	const struct ln_llm_event ev = {
		.type = LN_LLM_TOOL_CALL, .text = name, .len = strlen(name),
		.arguments = arguments, .call_id = id,
		.call_signature = signature,
	};

	emit(s, &ev);
}

void
lni_stream_usage(struct ln_llm_stream *s, int64_t tokens,
    int64_t prompt_tokens)
{
	const struct ln_llm_event ev = {
		.type = LN_LLM_USAGE, .tokens = tokens,
		.prompt_tokens = prompt_tokens,
	};

	emit(s, &ev);
}

void
lni_stream_done(struct ln_llm_stream *s, const char *finish_reason)
{
	const struct ln_llm_event ev = {
		.type = LN_LLM_DONE, .finish_reason = finish_reason,
	};

	emit(s, &ev);
}

static void
fill_error(struct ln_llm_event *ev, enum ln_status status,
    const char *sentence, const char *detail)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = LN_LLM_ERROR;
	ev->status = status;
	ev->sentence = sentence != NULL ? sentence : ln_status_text(status);
	ev->detail = detail;
}

void
lni_stream_error(struct ln_llm_stream *s, enum ln_status status,
    const char *sentence, const char *detail)
{
	struct ln_llm_event ev;

	fill_error(&ev, status, sentence, detail);
	emit(s, &ev);
}

void
lni_stream_garbage(struct ln_llm_stream *s, const char *detail)
{
	lni_stream_error(s, LN_UPSTREAM,
	    "The answer of the model provider could not be understood",
	    detail);
}

static bool
on_line(void *arg, const char *line, size_t n)
{
	struct ln_llm_stream *s = arg;

	s->codec->event(s, line, n);
	return !s->is_over;
}

static bool
on_sse(void *arg, const struct lni_sse_event *ev)
{
	struct ln_llm_stream *s = arg;

	s->codec->event(s, ev->data, ev->len);
	return !s->is_over;
}

static void
put_refusal(struct ln_llm_stream *s, const char *p, size_t n)
{
	const size_t room = s->refusal.max - s->refusal.len;

	ln_buf_put(&s->refusal, p, n < room ? n : room);
}

static bool
on_stray(void *arg, const char *line, size_t n)
{
	put_refusal(arg, line, n);
	put_refusal(arg, "\n", 1);
	return true;
}

enum ln_status
ln_llm_stream_new(const struct ln_provider_conf *conf, bool is_stream,
    ln_llm_event_fn *fn, void *arg, struct ln_llm_stream **out,
    struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	struct ln_llm_stream *s;

	*out = NULL;
	if (codec == NULL)
		return ln_fail(err, LN_UNSUPPORTED, "", "%s has no wire",
		    conf->info->name);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "stream");
	if (codec->state_size > 0 &&
	    (s->state = calloc(1, codec->state_size)) == NULL) {
		free(s);
		return ln_fail(err, LN_NOMEM, "", "stream");
	}
	s->codec = codec;
	s->fn = fn;
	s->arg = arg;
	s->is_stream = is_stream;
	s->whole = (struct ln_buf)LN_BUF_INIT(LN_LLM_LINE_MAX);
	s->refusal = (struct ln_buf)LN_BUF_INIT(REFUSAL_MAX);
	lni_ndjson_init(&s->ndjson, LN_LLM_LINE_MAX, on_line, s);
	lni_sse_init(&s->sse, LN_LLM_LINE_MAX, on_sse, s);
	s->sse.stray = on_stray;
	*out = s;
	return LN_OK;
}

void
ln_llm_stream_free(struct ln_llm_stream *s)
{
	if (s == NULL)
		return;
	lni_ndjson_free(&s->ndjson);
	lni_sse_free(&s->sse);
	ln_buf_free(&s->whole);
	ln_buf_free(&s->refusal);
	if (s->codec->state_clear != NULL)
		s->codec->state_clear(s->state);
	free(s->state);
	free(s);
}

static void
judge_framing(struct ln_llm_stream *s, enum ln_status framing)
{
	if (framing == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "answer framing");
	else if (framing != LN_OK)
		lni_stream_garbage(s, "an event is too long");
}

void
ln_llm_stream_feed(struct ln_llm_stream *s, int http_status, const char *p,
    size_t n)
{
	if (s->is_over)
		return;
	if (http_status != 200)
		put_refusal(s, p, n);
	else if (!s->is_stream)
		ln_buf_put(&s->whole, p, n);
	else if (s->codec->is_sse)
		judge_framing(s, lni_sse_feed(&s->sse, p, n));
	else
		judge_framing(s, lni_ndjson_feed(&s->ndjson, p, n));
}

static void
end_refused(struct ln_llm_stream *s, int http_status,
    const struct ln_error *why)
{
	const char *body = ln_buf_str(&s->refusal), *sentence;
	enum ln_status status = LN_UPSTREAM;
	struct ln_llm_event ev;
	char detail[DETAIL_MAX];

	sentence = lni_refusal(s->codec, http_status, body, s->refusal.len,
	    &status);
	snprintf(detail, sizeof(detail), "HTTP status %d: %.200s", http_status,
	    body);
	fill_error(&ev, status, sentence, detail);
	if (why != NULL)
		ev.retry_after_s = why->retry_after_s;
	emit(s, &ev);
}

/*
 * A server that fails while it answers may say so in the words of a refusal
 * instead of an event.  A page of HTML never was an answer; anything else is
 * the rest of an event that was cut off.
 */
static void
end_stray(struct ln_llm_stream *s)
{
	const char *body = ln_buf_str(&s->refusal), *sentence;
	enum ln_status status = LN_UPSTREAM;

	if (body[0] == '{' || body[0] == '[') {
		sentence = s->codec->refusal(200, body, s->refusal.len,
		    &status);
		lni_stream_error(s, status, sentence != NULL ? sentence :
		    LNI_SAY_FAILED, body);
	} else if (body[0] == '<')
		lni_stream_error(s, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD, body);
}

static void
end_whole(struct ln_llm_stream *s)
{
	if (ln_buf_status(&s->whole) == LN_OK)
		s->codec->whole(s, ln_buf_str(&s->whole), s->whole.len);
	else
		judge_framing(s, ln_buf_status(&s->whole));
}

void
ln_llm_stream_end(struct ln_llm_stream *s, int http_status,
    enum ln_status status, const struct ln_error *why)
{
	if (s->is_over)
		return;
	if (s->is_stream && http_status == 200 && s->codec->end != NULL)
		s->codec->end(s);
	if (status != LN_OK) {
		lni_stream_error(s, status, ln_error_text(why, status),
		    lni_error_detail(why));
		return;
	}
	if (http_status != 200) {
		end_refused(s, http_status, why);
		return;
	}
	if (!s->is_stream)
		end_whole(s);
	else if (!s->codec->is_sse)
		judge_framing(s, lni_ndjson_end(&s->ndjson));
	else {
		judge_framing(s, lni_sse_end(&s->sse));
		end_stray(s);
	}
	lni_stream_error(s, LN_UPSTREAM,
	    "The model provider ended the answer too early",
	    "the stream ended without its last event");
}
