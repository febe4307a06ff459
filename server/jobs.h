#ifndef JOBS_H
#define JOBS_H

#include <ln/error.h>
#include <ln/store.h>

#include "api.h"

/*
 * Slow work off the event loop: a few threads a worker, each with its own
 * store handle.  A job outlives its request when the client goes away.
 */

enum job_kind {
	JOB_HASH,	/* passwords: memory-hard, so bounded over all workers */
	JOB_WORK,	/* everything else */
	JOB_TOOL,	/* of models: a slow one keeps no import waiting */
	JOB_READ,	/* documents and pages: some take a minute */
	JOB_MAIL,	/* sending: a slow mail server keeps nobody else waiting */
	JOB_KINDS,
};

/**
 * struct job:
 * First member of a job's own struct.  ${run} executes in a thread and must
 * touch nothing but the job and ${st} (NULL when the database could not be
 * opened: ${status} says why, ${run} is not called).  ${done} continues the
 * request on the event loop with ${status}; without a request ${detached} (may
 * be NULL) is called there instead.  ${free} releases the struct (C library
 * memory), always last.
 */
struct job {
	void (*run)(struct job *j, struct ln_store *st);
	int (*done)(struct rq *q, struct job *j);
	void (*detached)(struct job *j);
	void (*free)(struct job *j);
	enum ln_status status;
	struct ln_error err;

	/* Ours. */
	struct rq *q;
	enum job_kind kind;
	int64_t queued_ms;
	bool is_finished;
	char actor_id[64];
	char address[RQ_ADDR_SIZE + 4];
	char request_id[RQ_ID_SIZE];
	struct job *next;
};

/**
 * jobs_open() / jobs_close():
 * Start / stop the threads of this worker.  The second waits at most two
 * seconds for jobs that look at jobs_stopping().
 */
void jobs_open(void);
void jobs_close(void);
bool jobs_stopping(void);

/**
 * job_start(q, j, kind):
 * Queue ${j} for the request and suspend it.  When the queue is full the job
 * is freed and 503 is sent.  Returns what the handler has to return.
 */
int job_start(struct rq *q, struct job *j, enum job_kind kind);

/**
 * job_start_detached(j, kind):
 * Queue ${j} without a request.  False when the queue is full; the job is
 * then still yours.
 */
bool job_start_detached(struct job *j, enum job_kind kind);

/**
 * job_post(j):
 * From a thread that has more to do: ${detached} is called on the event loop
 * soon, and ${j} freed.
 */
void job_post(struct job *j);

/**
 * job_of(q, j):
 * Say in the audit rows of ${j} who, from where and by which request.
 * job_start does it; a detached job may have it done.
 */
void job_of(const struct rq *q, struct job *j);

/**
 * job_abandon(q):
 * The request goes: whatever is still running ends on its own.
 */
void job_abandon(struct rq *q);

#endif
