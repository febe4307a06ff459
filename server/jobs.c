#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <ln/log.h>
#include <ln/time.h>

#include "reply.h"
#include "shared.h"

#define THREADS_HASH SHARED_HASH_SLOTS
#define THREADS_WORK 2
#define THREADS_TOOL 4
#define THREADS_READ 2
#define THREADS_MAIL 1
#define THREADS \
	(THREADS_HASH + THREADS_WORK + THREADS_TOOL + THREADS_READ + \
	THREADS_MAIL)
#define QUEUE_MAX 64		/* of each kind but JOB_HASH */
#define STACK_BYTES ((size_t)1024 * 1024)
#define CLOSE_WAIT_S 2

struct queue {
	struct job *first, **last;
	size_t count;
	pthread_cond_t wake;
};

/* Kore calls back by the kore_event at the front. */
static struct {
	struct kore_event evt;
} finished_event;

static pthread_t threads[THREADS];
static size_t thread_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue queues[JOB_KINDS];
static struct job *finished_first, **finished_last = &finished_first;
static _Atomic bool is_stopping;
static int finished_fd = -1;

bool
jobs_stopping(void)
{
	return atomic_load(&is_stopping);
}

static void
push(struct queue *qu, struct job *j)
{
	j->next = NULL;
	*qu->last = j;
	qu->last = &j->next;
	qu->count++;
	(void)pthread_cond_signal(&qu->wake);
}

static struct job *
pop(struct queue *qu)
{
	struct job *j;

	if ((j = qu->first) == NULL)
		return NULL;
	if ((qu->first = j->next) == NULL)
		qu->last = &qu->first;
	qu->count--;
	return j;
}

static void
finish(struct job *j)
{
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&lock);
	j->next = NULL;
	*finished_last = j;
	finished_last = &j->next;
	(void)pthread_mutex_unlock(&lock);
	while (write(finished_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

void
job_post(struct job *j)
{
	finish(j);
}

static void
run(struct job *j, struct ln_store *st)
{
	struct ln_actor actor = { "user", NULL, j->address, j->request_id };
	int slot = -1;

	if (j->kind == JOB_HASH) {
		slot = shared_hash_enter(server.shm,
		    j->queued_ms + SHARED_HASH_WAIT_MS);
		(void)atomic_fetch_sub(&server.shm->hash_queue, 1);
		if (slot == -1) {
			j->status = ln_fail(&j->err, LN_BUSY,
			    "The server is busy. Try again in a few seconds",
			    "no hash slot");
			return;
		}
	}
	if (j->actor_id[0] != '\0')
		actor.user_id = j->actor_id;
	ln_store_actor_set(st, &actor);
	j->run(j, st);
	if (slot != -1)
		shared_hash_leave(server.shm, slot);
}

static void *
thread_main(void *arg)
{
	struct queue *qu = arg;
	struct ln_store_opts opts = { .size = sizeof(opts) };
	struct ln_store *st = NULL;
	struct job *j;

	opts.path = server.db_path;
	opts.mode = LN_STORE_RW;
	opts.keys = server.keys;
	for (;;) {
		(void)pthread_mutex_lock(&lock);
		while ((j = pop(qu)) == NULL && !jobs_stopping())
			(void)pthread_cond_wait(&qu->wake, &lock);
		(void)pthread_mutex_unlock(&lock);
		if (j == NULL)
			break;
		/* Opened late, so that idle threads hold no file. */
		if (st == NULL && (j->status = ln_store_open(&opts, &st,
		    &j->err)) != LN_OK) {
			if (j->kind == JOB_HASH)
				(void)atomic_fetch_sub(
				    &server.shm->hash_queue, 1);
		} else
			run(j, st);
		finish(j);
	}
	shared_store_close(server.shm, st);
	return NULL;
}

static void
on_finished(void *arg, int error)
{
	struct job *j, *next;
	uint64_t n;

	(void)arg;
	(void)error;
	if (read(finished_fd, &n, sizeof(n)) == -1)
		return;
	(void)pthread_mutex_lock(&lock);
	j = finished_first;
	finished_first = NULL;
	finished_last = &finished_first;
	(void)pthread_mutex_unlock(&lock);
	for (; j != NULL; j = next) {
		next = j->next;
		j->is_finished = true;
		if (j->q != NULL) {
			http_request_wakeup(j->q->req);
			continue;
		}
		if (j->detached != NULL)
			j->detached(j);
		j->free(j);
	}
}

static enum job_kind
kind_of(size_t thread)
{
	static const size_t counts[JOB_KINDS] = {
		[JOB_HASH] = THREADS_HASH,
		[JOB_WORK] = THREADS_WORK,
		[JOB_TOOL] = THREADS_TOOL,
		[JOB_READ] = THREADS_READ,
		[JOB_MAIL] = THREADS_MAIL,
	};
	int kind = 0;

	while (thread >= counts[kind])
		thread -= counts[kind++];
	return (enum job_kind)kind;
}

void
jobs_open(void)
{
	pthread_attr_t attr;
	size_t i;

	for (i = 0; i < JOB_KINDS; i++) {
		queues[i].last = &queues[i].first;
		if (pthread_cond_init(&queues[i].wake, NULL) != 0)
			fatalx("pthread_cond_init");
	}
	if ((finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		fatalx("eventfd: errno %d", errno);
	finished_event.evt.type = KORE_TYPE_TASK;
	finished_event.evt.handle = on_finished;
	kore_platform_event_level_read(finished_fd, &finished_event);
	if (pthread_attr_init(&attr) != 0 ||
	    pthread_attr_setstacksize(&attr, STACK_BYTES) != 0)
		fatalx("pthread_attr");
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], &attr, thread_main,
		    &queues[kind_of(i)]) != 0)
			fatalx("pthread_create");
		thread_count++;
	}
	(void)pthread_attr_destroy(&attr);
}

void
jobs_close(void)
{
	struct timespec until;
	size_t i;

	atomic_store(&is_stopping, true);
	(void)pthread_mutex_lock(&lock);
	for (i = 0; i < JOB_KINDS; i++)
		(void)pthread_cond_broadcast(&queues[i].wake);
	(void)pthread_mutex_unlock(&lock);
	if (clock_gettime(CLOCK_REALTIME, &until) == -1)
		return;
	until.tv_sec += CLOSE_WAIT_S;
	for (i = 0; i < thread_count; i++)
		if (pthread_timedjoin_np(threads[i], NULL, &until) != 0)
			ln_log(LN_LOG_WARN, "jobs.left", "thread=%zu", i);
}

bool
job_start_detached(struct job *j, enum job_kind kind)
{
	bool is_full;

	j->kind = kind;
	j->queued_ms = ln_time_mono_ms();
	if (kind == JOB_HASH &&
	    atomic_fetch_add(&server.shm->hash_queue, 1) >=
	    SHARED_HASH_QUEUE) {
		(void)atomic_fetch_sub(&server.shm->hash_queue, 1);
		return false;
	}
	(void)pthread_mutex_lock(&lock);
	is_full = kind != JOB_HASH && queues[kind].count >= QUEUE_MAX;
	if (!is_full)
		push(&queues[kind], j);
	(void)pthread_mutex_unlock(&lock);
	return !is_full;
}

static int
resume(struct rq *q)
{
	struct job *j = q->job;
	int rc;

	if (!j->is_finished)
		return rq_sleep(q, resume);
	if (q->floor_ms > 0 && rq_wait(q))
		return rq_sleep(q, resume);
	q->job = NULL;	/* done() may start the next one */
	rc = j->done(q, j);
	j->free(j);
	return rc;
}

void
job_of(const struct rq *q, struct job *j)
{
	if (q->user != NULL)
		(void)snprintf(j->actor_id, sizeof(j->actor_id), "%s",
		    q->user->id);
	(void)snprintf(j->address, sizeof(j->address), "%s", q->prefix);
	(void)snprintf(j->request_id, sizeof(j->request_id), "%s", q->id);
}

int
job_start(struct rq *q, struct job *j, enum job_kind kind)
{
	struct ln_error err = LN_ERROR_INIT;

	j->q = q;
	job_of(q, j);
	if (!job_start_detached(j, kind)) {
		j->free(j);
		return reply_fail(q, ln_fail(&err, LN_BUSY,
		    "The server is busy. Try again in a few seconds",
		    "queue full"), &err);
	}
	q->job = j;
	return rq_sleep(q, resume);
}

void
job_abandon(struct rq *q)
{
	struct job *j;

	if ((j = q->job) == NULL)
		return;
	q->job = NULL;
	if (j->is_finished)
		j->free(j);
	else
		j->q = NULL;
}
