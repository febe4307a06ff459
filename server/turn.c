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

#define STEP_MS 50	/* between ticks, and pieces of a local answer */
#define EVENT_MAX ((size_t)16 * 1024 * 1024)

struct turn {
	struct ln_chat *chat;
	struct ln_transfer *transfer;
	struct turn_sink sink;
	bool has_sink;
	bool is_local_running;	/* a thread has the chat */
	bool is_stop_wanted;
	char user_id[64];
	TAILQ_ENTRY(turn) entry;
};

struct local_job {
	struct job j;
	struct turn *t;
};

static TAILQ_HEAD(, turn) turns = TAILQ_HEAD_INITIALIZER(turns);
static size_t turn_count;
static struct ln_chat **ticking;	/* room for every turn's chat */
static size_t ticking_max;
static struct kore_timer *step_timer;

static void step(struct turn *t);
static void arm(void);

size_t
turns_running(void)
{
	return turn_count;
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
	ln_buf_free(&b);
}

static void
turn_free(struct turn *t)
{
	ln_transfer_cancel(t->transfer);
	ln_chat_free(t->chat);
	if (t->has_sink) {
		t->has_sink = false;
		t->sink.end(t->sink.arg);
	}
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

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct turn *t = arg;

	ln_chat_feed(t->chat, http_status, p, n);
	return ln_chat_next(t->chat) == LN_CHAT_SEND;
}

static void
on_done(void *arg, enum ln_status s, int http_status,
    const struct ln_error *err)
{
	struct turn *t = arg;

	t->transfer = NULL;
	ln_chat_upstream_end(t->chat, http_status, s, err);
	step(t);
}

static const struct ln_transfer_ops transfer_ops = { on_data, on_done };

static void
local_run(struct job *j, struct ln_store *st)
{
	struct local_job *lj = (struct local_job *)j;

	j->status = ln_chat_local(st, lj->t->chat, &j->err);
}

/* Back on the loop: the chat is ours again. */
static void
local_finished(struct job *j)
{
	struct turn *t = ((struct local_job *)j)->t;

	t->is_local_running = false;
	if (j->status != LN_OK || t->is_stop_wanted)
		ln_chat_stop(t->chat);
	step(t);
}

static void
local_free(struct job *j)
{
	free(j);
}

static bool
start_local(struct turn *t)
{
	struct local_job *lj;

	if ((lj = calloc(1, sizeof(*lj))) == NULL)
		return false;
	lj->j.run = local_run;
	lj->j.detached = local_finished;
	lj->j.free = local_free;
	lj->t = t;
	(void)snprintf(lj->j.actor_id, sizeof(lj->j.actor_id), "%s",
	    t->user_id);
	t->is_local_running = true;
	if (job_start_detached(&lj->j, JOB_WORK))
		return true;
	t->is_local_running = false;
	free(lj);
	return false;
}

/* Do what the chat wants next. */
static void
step(struct turn *t)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	for (;;) {
		if (t->is_local_running || t->transfer != NULL)
			break;
		switch (ln_chat_next(t->chat)) {
		case LN_CHAT_SEND:
			s = transport_add(ln_chat_request(t->chat),
			    &transfer_ops, t, &t->transfer, &err);
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
		if (!t->is_local_running)
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
		if (t->is_local_running)
			continue;
		if (ln_chat_next(t->chat) != LN_CHAT_SEND)
			close_upstream(t);
		if (ln_chat_next(t->chat) == LN_CHAT_PUMP)
			ln_chat_pump(t->chat);
		if (ln_chat_next(t->chat) == LN_CHAT_FINISHED)
			turn_free(t);
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
make_room(void)
{
	size_t n = ticking_max == 0 ? 64 : 2 * ticking_max;
	struct ln_chat **grown;

	if (turn_count < ticking_max)
		return true;
	if ((grown = realloc(ticking, n * sizeof(*grown))) == NULL)
		return false;
	ticking = grown;
	ticking_max = n;
	return true;
}

enum ln_status
turn_start(const char *user_id, const struct ln_json *body,
    bool is_regenerate, const struct turn_sink *sink, struct ln_error *err)
{
	struct turn_input in;
	struct turn *t;
	enum ln_status s;

	if ((s = turn_input_parse(body, is_regenerate, &in, err)) != LN_OK)
		goto out;
	if (!make_room() || (t = calloc(1, sizeof(*t))) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "calloc");
		goto out;
	}
	(void)snprintf(t->user_id, sizeof(t->user_id), "%s", user_id);
	if (sink != NULL) {
		t->sink = *sink;
		t->has_sink = true;
	}
	in.opts.user_id = t->user_id;
	in.opts.owner = transport_owner();
	in.opts.is_batched = true;
	s = ln_chat_begin(worker_store, server.cfg, &in.opts, emit, t,
	    &t->chat, err);
	if (s != LN_OK) {
		free(t);
		goto out;
	}
	TAILQ_INSERT_TAIL(&turns, t, entry);
	turn_count++;
	step(t);
out:
	turn_input_clear(&in);
	return s;
}

static struct turn *
find(const char *user_id, const char *conversation_id)
{
	struct turn *t;

	TAILQ_FOREACH(t, &turns, entry)
		if (strcmp(t->user_id, user_id) == 0 &&
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
	if (t->is_local_running) {
		t->is_stop_wanted = true;
		return LN_OK;
	}
	close_upstream(t);
	ln_chat_stop(t->chat);
	step(t);
	return LN_OK;
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
	/* Nothing to show yet; all of it will come as events. */
	if (!t->is_local_running)
		ln_chat_resume(t->chat, after, emit_resumed, &r);
	return true;
}

void
turns_open(void)
{
	transport_open();
}

void
turns_close(void)
{
	struct turn *t, *next;

	for (t = TAILQ_FIRST(&turns); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (!t->is_local_running)
			turn_free(t);
	}
	transport_close();
	free(ticking);
	ticking = NULL;
	ticking_max = 0;
}
