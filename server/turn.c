#include "turn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <ln/log.h>
#include <ln/multi.h>
#include <ln/time.h>

#include "hub.h"
#include "jobs.h"
#include "reply.h"
#include "transport.h"
#include "turn_input.h"
#include "upstream.h"

#define STEP_MS 50	/* between ticks, and pieces of a local answer */
#define EVENT_MAX ((size_t)16 * 1024 * 1024)

struct turn {
	struct ln_chat *chat;
	struct ln_transfer *transfer;
	struct turn_sink sink;
	bool has_sink;
	bool is_answered;	/* what the transfer brings is of no interest */
	char user_id[64];
	TAILQ_ENTRY(turn) entry;
};

/* Outlives the turn that ends before it. */
struct local_job {
	struct job j;
	struct turn *t;		/* NULL: gone */
	struct ln_chat_job *work;
	TAILQ_ENTRY(local_job) entry;
};

static TAILQ_HEAD(, turn) turns = TAILQ_HEAD_INITIALIZER(turns);
static TAILQ_HEAD(, local_job) local_jobs = TAILQ_HEAD_INITIALIZER(local_jobs);
static size_t turn_count;
static struct ln_chat **ticking;	/* room for every turn's chat */
static size_t ticking_max;
static struct kore_timer *step_timer;

static void step(struct turn *t);
static void arm(void);

size_t
turns_running(void)
{
	const struct turn *t;
	size_t n = 0;

	TAILQ_FOREACH(t, &turns, entry)
		if (!ln_chat_is_answered(t->chat))
			n++;
	return n;
}

static void
end_sink(struct turn *t)
{
	if (!t->has_sink)
		return;
	t->has_sink = false;
	t->sink.end(t->sink.arg);
}

static void
emit(void *arg, const struct ln_chat_event *ev)
{
	struct ln_buf b = LN_BUF_INIT(EVENT_MAX);
	struct turn *t = arg;

	if (ev->type == LN_CHAT_ERROR && t->chat != NULL)
		reply_log("-", ev->status, ln_chat_error(t->chat));
	if (turn_event_json(ev, &b)) {
		hub_publish(t->user_id, ln_buf_str(&b), b.len);
		if (t->has_sink)
			t->sink.event(t->sink.arg, ln_buf_str(&b), b.len);
	}
	/* A title is no reason to keep a script waiting. */
	if (ev->type == LN_CHAT_DONE)
		end_sink(t);
	ln_buf_free(&b);
}

static void
turn_free(struct turn *t)
{
	struct local_job *lj;

	TAILQ_FOREACH(lj, &local_jobs, entry)
		if (lj->t == t)
			lj->t = NULL;
	ln_transfer_cancel(t->transfer);
	ln_chat_free(t->chat);
	end_sink(t);
	TAILQ_REMOVE(&turns, t, entry);
	turn_count--;
	free(t);
}

/* No more is wanted: hang up, but stay until the answer is saved. */
static void
close_upstream(struct turn *t)
{
	ln_transfer_cancel(t->transfer);
	t->transfer = NULL;
}

/* What follows an answer that is whole may still end the transfer in good
 * order; the next step cuts it otherwise. */
static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct turn *t = arg;

	if (!t->is_answered)
		ln_chat_feed(t->chat, http_status, p, n);
	if (ln_chat_next(t->chat) != LN_CHAT_SEND)
		t->is_answered = true;
	return true;
}

static void
on_done(void *arg, enum ln_status s, int http_status,
    const struct ln_error *err)
{
	struct turn *t = arg;

	t->transfer = NULL;
	if (!t->is_answered)
		ln_chat_upstream_end(t->chat, http_status, s, err);
	step(t);
}

static const struct ln_transfer_ops transfer_ops = { on_data, on_done };

static enum ln_status
start_transfer(struct turn *t, struct ln_error *err)
{
	t->is_answered = false;
	return transport_add(ln_chat_request(t->chat), &transfer_ops, t,
	    &t->transfer, err);
}

static void
local_run(struct job *j, struct ln_store *st)
{
	ln_chat_job_run(((struct local_job *)j)->work, st);
}

/* Back on the loop. */
static void
local_finished(struct job *j)
{
	struct local_job *lj = (struct local_job *)j;

	TAILQ_REMOVE(&local_jobs, lj, entry);
	if (j->status != LN_OK)	/* it was not run: no database */
		ln_chat_job_fail(lj->work, j->status, &j->err);
	ln_chat_job_finish(lj->work);
	if (lj->t != NULL)
		step(lj->t);
}

static void
local_free(struct job *j)
{
	free(j);
}

static bool
start_local(struct turn *t)
{
	struct ln_error err = LN_ERROR_INIT;
	struct local_job *lj;

	if ((lj = calloc(1, sizeof(*lj))) == NULL)
		return false;
	if (ln_chat_job_take(t->chat, &lj->work, &err) != LN_OK) {
		free(lj);
		return false;
	}
	lj->j.run = local_run;
	lj->j.detached = local_finished;
	lj->j.free = local_free;
	lj->t = t;
	(void)snprintf(lj->j.actor_id, sizeof(lj->j.actor_id), "%s",
	    t->user_id);
	TAILQ_INSERT_TAIL(&local_jobs, lj, entry);
	if (job_start_detached(&lj->j, JOB_TOOL))
		return true;
	TAILQ_REMOVE(&local_jobs, lj, entry);
	ln_chat_job_fail(lj->work, LN_BUSY, NULL);
	ln_chat_job_finish(lj->work);
	free(lj);
	return true;	/* the chat knows that this one failed */
}

/* Do what the chat wants next. */
static void
step(struct turn *t)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	for (;;) {
		if (t->transfer != NULL)
			break;
		switch (ln_chat_next(t->chat)) {
		case LN_CHAT_SEND:
			s = start_transfer(t, &err);
			if (s != LN_OK)
				ln_chat_upstream_end(t->chat, 0, s, &err);
			continue;
		case LN_CHAT_LOCAL:
			if (!start_local(t))
				ln_chat_stop(t->chat);
			continue;
		case LN_CHAT_PUMP:
		case LN_CHAT_WAIT:
			arm();
			return;
		case LN_CHAT_FINISHED:
			turn_free(t);
			return;
		}
	}
	arm();
}

/* All in one transaction, however many they are. */
static void
tick_all(void)
{
	const struct turn *t;
	size_t n = 0;

	TAILQ_FOREACH(t, &turns, entry)
		ticking[n++] = t->chat;
	if (n > 0)
		ln_chat_tick_all(ticking, n, ln_time_now_ms());
}

static void
on_step(void *arg, u_int64_t unused)
{
	struct turn *t, *next;

	(void)arg;
	(void)unused;
	step_timer = NULL;	/* one-shot: Kore frees it */
	tick_all();
	for (t = TAILQ_FIRST(&turns); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->is_answered || ln_chat_next(t->chat) != LN_CHAT_SEND)
			close_upstream(t);
		if (ln_chat_next(t->chat) == LN_CHAT_PUMP)
			ln_chat_pump(t->chat);
		step(t);
	}
	arm();
}

static void
arm(void)
{
	if (step_timer == NULL && turn_count > 0)
		step_timer = kore_timer_add(on_step, STEP_MS, NULL,
		    KORE_TIMER_ONESHOT);
}

static bool
make_room(size_t more)
{
	size_t n = ticking_max == 0 ? 64 : ticking_max;
	struct ln_chat **grown;

	while (turn_count + more > n)
		n *= 2;
	if (n == ticking_max)
		return true;
	if ((grown = realloc(ticking, n * sizeof(*grown))) == NULL)
		return false;
	ticking = grown;
	ticking_max = n;
	return true;
}

static enum ln_status
turn_new(struct turn_request *rq, struct turn_input *in, struct turn **out)
{
	struct turn *t;
	enum ln_status s;

	*out = NULL;
	if ((s = turn_input_parse(rq->body, rq->kind, in, &rq->error)) !=
	    LN_OK)
		return s;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ln_fail(&rq->error, LN_NOMEM, "", "calloc");
	(void)snprintf(t->user_id, sizeof(t->user_id), "%s", rq->user_id);
	if (rq->sink != NULL) {
		t->sink = *rq->sink;
		t->has_sink = true;
	}
	in->opts.user_id = t->user_id;
	in->opts.owner = transport_owner();
	in->opts.is_batched = true;
	in->opts.wants_title = true;
	*out = t;
	return LN_OK;
}

static void
turn_begun(struct turn_request *rq, struct turn *t,
    const struct ln_chat_start *start)
{
	if ((rq->status = start->status) != LN_OK) {
		rq->error = start->error;
		free(t);
		return;
	}
	t->chat = start->chat;
	TAILQ_INSERT_TAIL(&turns, t, entry);
	turn_count++;
	step(t);
}

void
turn_start_all(struct turn_request *rqs, size_t n)
{
	struct ln_chat_start starts[TURN_BATCH_MAX];
	struct turn_input in[TURN_BATCH_MAX];
	struct turn *t = NULL;
	size_t which[TURN_BATCH_MAX], count = 0, i;
	bool has_room = make_room(n);

	memset(in, 0, sizeof(in));
	for (i = 0; i < n; i++) {
		rqs[i].error = (struct ln_error)LN_ERROR_INIT;
		rqs[i].status = has_room ? turn_new(&rqs[i], &in[i], &t) :
		    ln_fail(&rqs[i].error, LN_NOMEM, "", "turns");
		if (rqs[i].status != LN_OK)
			continue;
		which[count] = i;
		starts[count++] = (struct ln_chat_start){
			.opts = &in[i].opts, .fn = emit, .arg = t,
		};
	}
	ln_chat_begin_all(worker_store, server.cfg, starts, count);
	for (i = 0; i < count; i++)
		turn_begun(&rqs[which[i]], starts[i].arg, &starts[i]);
	for (i = 0; i < n; i++)
		turn_input_clear(&in[i]);
}

enum ln_status
turn_start(const char *user_id, const struct ln_json *body,
    enum turn_kind kind, const struct turn_sink *sink, struct ln_error *err)
{
	struct turn_request rq = {
		.user_id = user_id, .body = body, .kind = kind, .sink = sink,
	};

	turn_start_all(&rq, 1);
	if (rq.status != LN_OK && err != NULL)
		*err = rq.error;
	return rq.status;
}

static struct turn *
find(const char *user_id, const char *conversation_id)
{
	struct turn *t;

	TAILQ_FOREACH(t, &turns, entry)
		if (!ln_chat_is_answered(t->chat) &&
		    strcmp(t->user_id, user_id) == 0 &&
		    strcmp(ln_chat_conversation_id(t->chat),
		    conversation_id) == 0)
			return t;
	return NULL;
}

enum ln_status
turn_stop(const char *user_id, const char *conversation_id,
    struct ln_error *err)
{
	struct turn *t;

	if ((t = find(user_id, conversation_id)) == NULL)
		return ln_chat_request_stop(worker_store, user_id,
		    conversation_id, err);
	close_upstream(t);
	ln_chat_stop(t->chat);
	step(t);
	return LN_OK;
}

enum ln_status
turn_decide(const char *user_id, const struct ln_json *body,
    struct ln_error *err)
{
	const char *id = ln_json_get_string(body, "session_id");
	int64_t call_id;
	bool is_allowed;

	if (id == NULL)
		return ln_fail_field(err, LN_INVALID, "session_id",
		    "A field is missing", "session_id");
	if (!ln_json_int(ln_json_get(body, "call_id"), &call_id))
		return ln_fail_field(err, LN_INVALID, "call_id",
		    "A field has the wrong type", "call_id");
	if (!ln_json_bool(ln_json_get(body, "allow"), &is_allowed))
		return ln_fail_field(err, LN_INVALID, "allow",
		    "A field has the wrong type", "allow");
	return ln_chat_decide(worker_store, user_id, id, call_id, is_allowed,
	    err);
}

/* Resumed events go to one listener only. */
struct resume {
	void (*fn)(void *, const char *, size_t);
	void *arg;
};

static void
emit_resumed(void *arg, const struct ln_chat_event *ev)
{
	struct ln_buf b = LN_BUF_INIT(EVENT_MAX);
	const struct resume *r = arg;

	if (turn_event_json(ev, &b))
		r->fn(r->arg, ln_buf_str(&b), b.len);
	ln_buf_free(&b);
}

bool
turn_resume(const char *user_id, const char *conversation_id, uint64_t after,
    void (*fn)(void *arg, const char *json, size_t n), void *arg)
{
	struct resume r = { fn, arg };
	struct turn *t;

	if ((t = find(user_id, conversation_id)) == NULL)
		return false;
	ln_chat_resume(t->chat, after, emit_resumed, &r);
	return true;
}

void
turns_open(void)
{
	transport_open();
}

void
turns_cancel_local(void)
{
	const struct local_job *lj;

	TAILQ_FOREACH(lj, &local_jobs, entry)
		ln_chat_job_cancel(lj->work);
}

void
turns_close(void)
{
	struct turn *t;

	while ((t = TAILQ_FIRST(&turns)) != NULL)
		turn_free(t);
	upstreams_close();
	transport_close();
	free(ticking);
	ticking = NULL;
	ticking_max = 0;
}
