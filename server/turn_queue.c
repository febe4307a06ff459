#include "turn_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <ln/time.h>

#define QUEUE_MAX 1024
#define FLUSH_MS 1	/* after everything that the loop has read by then */
/* Another worker may hold the database: how often, and how long, to ask. */
#define RETRY_MS 20
#define PATIENCE_MS 10000

struct ask {
	char user_id[64];
	uint32_t serial;
	struct ln_json *body;
	enum turn_kind kind;
	turn_queue_fn *failed;
	int64_t queued_ms;
	TAILQ_ENTRY(ask) entry;
};

static TAILQ_HEAD(ask_queue, ask) queue = TAILQ_HEAD_INITIALIZER(queue);
static size_t queue_count;
static struct kore_timer *flush_timer;

static void
on_flush(void *arg, u_int64_t unused)
{
	(void)arg;
	(void)unused;
	flush_timer = NULL;	/* one-shot: Kore frees it */
	turn_queue_flush();
}

static void
arm(u_int64_t ms)
{
	if (flush_timer == NULL && queue_count > 0)
		flush_timer = kore_timer_add(on_flush, ms, NULL,
		    KORE_TIMER_ONESHOT);
}

static void
ask_free(struct ask *a)
{
	ln_json_free(a->body);
	free(a);
}

bool
turn_queue_add(const struct hub_client *cl, struct ln_json *body,
    enum turn_kind kind, turn_queue_fn *failed)
{
	struct ask *a;

	if (queue_count >= QUEUE_MAX || (a = calloc(1, sizeof(*a))) == NULL)
		return false;
	(void)snprintf(a->user_id, sizeof(a->user_id), "%s", cl->user_id);
	a->serial = cl->serial;
	a->body = body;
	a->kind = kind;
	a->failed = failed;
	a->queued_ms = ln_time_mono_ms();
	TAILQ_INSERT_TAIL(&queue, a, entry);
	queue_count++;
	arm(FLUSH_MS);
	return true;
}

/* Those that are to be asked again, in ${later}. */
static void
begin_some(struct ask_queue *later)
{
	struct turn_request rqs[TURN_BATCH_MAX];
	struct ask *asks[TURN_BATCH_MAX];
	struct ln_actor actor = { "user", NULL, NULL, "ws" };
	const int64_t now_ms = ln_time_mono_ms();
	size_t i, n = 0;

	while (n < TURN_BATCH_MAX && (asks[n] = TAILQ_FIRST(&queue)) != NULL) {
		TAILQ_REMOVE(&queue, asks[n], entry);
		queue_count--;
		rqs[n] = (struct turn_request){
			.user_id = asks[n]->user_id, .body = asks[n]->body,
			.kind = asks[n]->kind,
		};
		n++;
	}
	ln_store_actor_set(worker_store, &actor);
	turn_start_all(rqs, n);
	for (i = 0; i < n; i++) {
		if (rqs[i].status == LN_BUSY &&
		    now_ms - asks[i]->queued_ms < PATIENCE_MS) {
			TAILQ_INSERT_TAIL(later, asks[i], entry);
			continue;
		}
		if (rqs[i].status != LN_OK)
			asks[i]->failed(asks[i]->serial, asks[i]->body,
			    rqs[i].status, &rqs[i].error);
		ask_free(asks[i]);
	}
}

void
turn_queue_flush(void)
{
	struct ask_queue later = TAILQ_HEAD_INITIALIZER(later);
	struct ask *a;

	while (!TAILQ_EMPTY(&queue))
		begin_some(&later);
	while ((a = TAILQ_FIRST(&later)) != NULL) {
		TAILQ_REMOVE(&later, a, entry);
		TAILQ_INSERT_TAIL(&queue, a, entry);
		queue_count++;
	}
	arm(RETRY_MS);
}
