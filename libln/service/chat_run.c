#include <ln/chat.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <ln/time.h>

#include "service/chat.h"

#include "base/banned.h"

#define LOCAL_POLL_MS 20	/* within what a stop must be felt */

struct run {
	struct ln_chat *chat;
	bool is_stop_wanted;
	bool (*is_cancelled)(void *arg);
	void *arg;
};

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	const struct run *r = arg;

	ln_chat_feed(r->chat, http_status, p, n);
	return ln_chat_next(r->chat) == LN_CHAT_SEND;
}

/* False once the turn is over. */
static bool
on_tick(void *arg)
{
	const struct run *r = arg;

	if (r->is_cancelled != NULL && r->is_cancelled(r->arg)) {
		ln_chat_stop(r->chat);
		return false;
	}
	return ln_chat_tick(r->chat, ln_time_now_ms()) == LN_OK &&
	    ln_chat_next(r->chat) == LN_CHAT_SEND;
}

static void
send_request(struct run *r)
{
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;
	int http_status;

	s = ln_http_perform(ln_chat_request(r->chat), on_data, on_tick, r,
	    &http_status, &why);
	ln_chat_upstream_end(r->chat, http_status, s, &why);
}

static void
pause_ms(long ms)
{
	const struct timespec ts = { 0, ms * 1000000L };

	/* Cut short by a signal is long enough. */
	(void)nanosleep(&ts, NULL);
}

static void
pump(struct run *r)
{
	bool is_saving = r->chat->phase == LNI_CHAT_SAVING;

	if (!is_saving && r->is_cancelled != NULL && r->is_cancelled(r->arg)) {
		ln_chat_stop(r->chat);
		return;
	}
	if (is_saving)
		pause_ms(LN_CHAT_TICK_MS);
	ln_chat_pump(r->chat);
	if (!is_saving)
		(void)!ln_chat_tick(r->chat, ln_time_now_ms());
}

/* --- local work, in a thread so that it can be cut short ------------------ */

struct local {
	struct ln_chat_job *job;
	struct ln_store *store;	/* the thread's, until it is done */
	atomic_bool is_done;
};

static void *
local_main(void *arg)
{
	struct local *l = arg;

	ln_chat_job_run(l->job, l->store);
	atomic_store(&l->is_done, true);
	return NULL;
}

/* No tick meanwhile: the store is not ours.  A tool ends before the turn could
 * be taken for dead. */
static void
watch_local(struct run *r, struct local *l)
{
	while (!atomic_load(&l->is_done)) {
		pause_ms(LOCAL_POLL_MS);
		if (r->is_cancelled != NULL && r->is_cancelled(r->arg)) {
			r->is_stop_wanted = true;
			ln_chat_job_cancel(l->job);
		}
	}
}

static void
run_local(struct run *r, struct ln_store *st)
{
	struct local l = { .store = st };
	struct ln_error err = LN_ERROR_INIT;
	pthread_t thread;
	enum ln_status s;

	if ((s = ln_chat_job_take(r->chat, &l.job, &err)) != LN_OK) {
		lni_chat_fail(r->chat, s, ln_error_text(&err, s),
		    "local work");
		return;
	}
	atomic_init(&l.is_done, false);
	if (pthread_create(&thread, NULL, local_main, &l) == 0) {
		watch_local(r, &l);
		(void)pthread_join(thread, NULL);
	} else {
		(void)local_main(&l);
	}
	ln_chat_job_finish(l.job);
	if (r->is_stop_wanted)
		ln_chat_stop(r->chat);
}

/* --- together ------------------------------------------------------------- */

static void
drive(struct run *r, struct ln_store *st)
{
	for (;;) {
		switch (ln_chat_next(r->chat)) {
		case LN_CHAT_SEND:
			send_request(r);
			break;
		case LN_CHAT_LOCAL:
			run_local(r, st);
			break;
		case LN_CHAT_PUMP:
			pump(r);
			break;
		case LN_CHAT_WAIT:
			(void)on_tick(r);
			if (ln_chat_next(r->chat) == LN_CHAT_WAIT)
				pause_ms(LN_CHAT_TICK_MS);
			break;
		case LN_CHAT_FINISHED:
			return;
		}
	}
}

enum ln_status
ln_chat_run(struct ln_store *st, const struct ln_config *cfg,
    const struct ln_chat_opts *opts, ln_chat_event_fn *fn,
    bool (*is_cancelled)(void *arg), void *arg, int64_t *out_message_id,
    struct ln_error *err)
{
	struct run r = { .is_cancelled = is_cancelled, .arg = arg };
	enum ln_status s;

	*out_message_id = 0;
	if ((s = ln_chat_begin(st, cfg, opts, fn, arg, &r.chat, err)) != LN_OK)
		return s;
	*out_message_id = ln_chat_message_id(r.chat);
	drive(&r, st);
	s = r.chat->outcome;
	if (r.chat->has_error && err != NULL)
		*err = r.chat->error;
	else if (s != LN_OK)
		s = ln_fail(err, s, "", "the turn was stopped");
	ln_chat_free(r.chat);
	return s;
}
