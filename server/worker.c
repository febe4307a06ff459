#include "worker.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kore/hooks.h>
#include <kore/seccomp.h>

#include <ln/log.h>
#include <ln/time.h>

#include "documents.h"
#include "hub.h"
#include "jobs.h"
#include "mail.h"
#include "models.h"
#include "server.h"
#include "shared.h"
#include "turn.h"
#include "turn_queue.h"

#define STORE_BUSY_MS 250	/* the loop must not wait long for a lock */
#define READY_POLL_MS 10
#define MANY_TURNS 8

struct ln_store *worker_store;

static bool is_draining;
static int64_t hub_ticked_ms;
static size_t busy_turns;	/* most at once since memory was given back */

bool
worker_draining(void)
{
	return is_draining;
}

/* What many answers at once needed is not needed when they are over, and the
 * allocator would keep it. */
static void
give_back(void)
{
	size_t n = turns_running();

	if (n > busy_turns)
		busy_turns = n;
	if (n > 0 || busy_turns < MANY_TURNS)
		return;
	busy_turns = 0;
	(void)malloc_trim(0);
}

/* Kore looks at its own time-outs only when something wakes it. */
static void
on_tick(void *arg, u_int64_t unused)
{
	int64_t now = ln_time_mono_ms();

	(void)arg;
	(void)unused;
	if (now - hub_ticked_ms >= 1000) {
		hub_ticked_ms = now;
		hub_tick(now);
		give_back();
	}
	mail_tick(now);
	documents_tick(now);
}

/* The name to type into a browser: loopback and "all" are localhost. */
static const char *
host_name(void)
{
	static const char *const local[] = { "localhost", "*", "127.0.0.1",
		"::1", "0.0.0.0", "::" };
	size_t i;

	for (i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (strcmp(server.host, local[i]) == 0)
			return "localhost";
	return server.host;
}

static void
announce(void)
{
	char line[320];
	int n;

	/* The log first: the address is the last thing a person reads. */
	ln_log(LN_LOG_INFO, "server.start", "port=%d workers=%u tls=%s",
	    server.port, server.worker_count, server.is_tls ? "yes" : "no");
	n = snprintf(line, sizeof(line), "ready %s://%s:%d\n",
	    server.is_tls ? "https" : "http", host_name(), server.port);
	if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) == -1)
		ln_log(LN_LOG_WARN, "ready", "stdout=closed");
}

/* A worker serves once the key manager has sent it the certificate. */
static void
on_ready_poll(void *arg, u_int64_t unused)
{
	unsigned count;

	(void)arg;
	(void)unused;
	if (server.is_tls && primary_dom->ssl_ctx == NULL) {
		(void)kore_timer_add(on_ready_poll, READY_POLL_MS, NULL,
		    KORE_TIMER_ONESHOT);
		return;
	}
	count = atomic_fetch_add(&server.shm->ready_count, 1) + 1;
	/* The last one says so; a replaced worker stays silent. */
	if (count == server.worker_count &&
	    !atomic_exchange(&server.shm->is_announced, true))
		announce();
}

void
kore_worker_configure(void)
{
	struct ln_store_opts opts = { .size = sizeof(opts) };
	struct ln_error err = LN_ERROR_INIT;

	opts.path = server.db_path;
	opts.mode = LN_STORE_RW;
	opts.busy_ms = STORE_BUSY_MS;
	opts.keys = server.keys;
	/* fatalx() ends the whole server: restarting would not help. */
	if (ln_store_open(&opts, &worker_store, &err) != LN_OK)
		fatalx("database: %s", ln_error_text(&err, err.status));
	jobs_open();
	turns_open();
	hub_open();
	(void)kore_timer_add(on_tick, SERVER_TICK_MS, NULL, 0);
	(void)kore_timer_add(on_ready_poll, 1, NULL, KORE_TIMER_ONESHOT);
}

/*
 * Kore has left its loop and would cut every connection now: run it ourselves
 * until requests and answers are done or time is up.
 */
static void
drain(void)
{
	u_int64_t now, end;

	turn_queue_flush();
	is_draining = true;
	if (worker->has_lock)
		kore_platform_disable_accept();
	end = kore_time_ms() + SERVER_DRAIN_MS;
	while ((http_request_count > 0 || turns_running() > 0) &&
	    (now = kore_time_ms()) < end) {
		kore_platform_event_wait(20);
		kore_timer_run(now);
		http_process();
		kore_connection_prune(KORE_CONNECTION_PRUNE_DISCONNECT);
	}
}

void
kore_worker_teardown(void)
{
	drain();
	turns_cancel_local();
	jobs_close();
	turns_close();
	models_forget(NULL);
	shared_store_close(server.shm, worker_store);
	worker_store = NULL;
}
