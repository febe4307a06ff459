/* POST /api/chat/stream: the events of one turn as text/event-stream, and the
 * way to stop it. */

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>

#include "input.h"
#include "ostream.h"
#include "reply.h"
#include "routes.h"
#include "turn.h"
#include "worker.h"

#define EARLY_MAX ((size_t)16 * 1024 * 1024)

/* Lives until both the turn and the client are done with it. */
struct sse {
	struct ostream *stream;	/* NULL before it began, or when it is gone */
	struct ln_buf early;	/* events from before the head was sent */
	bool is_over;
	bool is_gone;
};

static void
on_event(void *arg, const char *json, size_t n)
{
	struct sse *s = arg;

	if (s->is_gone)
		return;
	/* Together, so that a piece is one write. */
	ln_buf_puts(&s->early, "data: ");
	ln_buf_put(&s->early, json, n);
	ln_buf_puts(&s->early, "\n\n");
	if (s->stream == NULL)
		return;
	if (ln_buf_status(&s->early) == LN_OK)
		(void)ostream_write(s->stream, s->early.data, s->early.len);
	ln_buf_clear(&s->early);
}

static void
maybe_free(struct sse *s)
{
	if (!s->is_over || !s->is_gone)
		return;
	ln_buf_free(&s->early);
	free(s);
}

static void
on_end(void *arg)
{
	struct sse *s = arg;

	s->is_over = true;
	if (s->stream != NULL) {
		ostream_end(s->stream);
		s->stream = NULL;
		s->is_gone = true;
	}
	maybe_free(s);
}

/* The answer goes on without us. */
static void
on_gone(void *arg)
{
	struct sse *s = arg;

	s->stream = NULL;
	s->is_gone = true;
	maybe_free(s);
}

/* "stop_generation", where the network eats the socket it would come by. */
static int
stop(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *id;
	enum ln_status s;

	if (!input_string(q, "session_id", RQ_PARAM_SIZE, &id))
		return KORE_RESULT_OK;
	if (id == NULL)
		return reply_field(q, 400, "session_id", "A field is missing");
	s = turn_stop(q->user->id, id, &err);
	/* It may have ended by itself a moment ago: nothing to report. */
	if (s != LN_OK && s != LN_NOT_FOUND)
		return reply_fail(q, s, &err);
	return reply_success(q);
}

/* "tool_decision" for scripts, which want to know whether it counted. */
int
chat_tool(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if ((s = turn_decide(q->user->id, q->body, &err)) != LN_OK)
		return reply_fail(q, s, &err);
	return reply_success(q);
}

/* False: no such type. */
static bool
kind_of(const char *type, enum turn_kind *out)
{
	static const char *const names[] = {
		[TURN_QUESTION] = "user_message",
		[TURN_AGAIN] = "regenerate",
		[TURN_CONTINUE] = "continue",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(type, names[i]) == 0) {
			*out = (enum turn_kind)i;
			return true;
		}
	}
	return false;
}

int
chat_stream(struct rq *q)
{
	struct turn_sink sink = { on_event, on_end, NULL };
	struct ln_error err = LN_ERROR_INIT;
	const char *type;
	struct sse *s;
	enum turn_kind kind = TURN_QUESTION;
	enum ln_status st;
	bool goes_on = false, is_given;

	if (!input_string(q, "type", 32, &type))
		return KORE_RESULT_OK;
	if (type != NULL && strcmp(type, "stop_generation") == 0)
		return stop(q);
	if (type != NULL && !kind_of(type, &kind))
		return reply_field(q, 400, "type", "Unknown type");
	if (!input_bool(q, "continue", &goes_on, &is_given))
		return KORE_RESULT_OK;
	if (goes_on)
		kind = TURN_CONTINUE;
	if (worker_draining())
		return reply_fail(q, ln_fail(&err, LN_BUSY,
		    "The server is restarting. Try again in a few seconds",
		    "draining"), &err);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	s->early = (struct ln_buf)LN_BUF_INIT(EARLY_MAX);
	sink.arg = s;
	st = turn_start(q->user->id, q->body, kind, &sink, &err);
	if (st != LN_OK) {
		ln_buf_free(&s->early);
		free(s);
		return reply_fail(q, st, &err);
	}
	s->stream = ostream_start(q, "text/event-stream; charset=utf-8",
	    on_gone, s);
	if (s->stream == NULL) {
		on_gone(s);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	if (ln_buf_status(&s->early) == LN_OK && s->early.len > 0 &&
	    !ostream_write(s->stream, s->early.data, s->early.len))
		return ostream_sleep(q);
	ln_buf_clear(&s->early);
	if (s->is_over)
		on_end(s);
	return ostream_sleep(q);
}
