#include "record.h"

#include <stdio.h>
#include <stdlib.h>

#include <ln/audit.h>
#include <ln/log.h>

#include "jobs.h"

struct record_job {
	struct job j;
	const char *action;	/* a literal */
	enum ln_status outcome;
	char about[128];
};

static void
lost(const struct record_job *r, enum ln_status why)
{
	ln_log(LN_LOG_WARN, "audit.fail", "req=%s action=%s why=%s",
	    r->j.request_id, r->action, ln_status_token(why));
}

static void
record_run(struct job *j, struct ln_store *st)
{
	struct record_job *r = (struct record_job *)j;

	j->status = ln_audit_add(st, r->action, NULL, r->outcome, r->about,
	    &j->err);
}

static void
record_finished(struct job *j)
{
	if (j->status != LN_OK)
		lost((struct record_job *)j, j->status);
}

static void
record_free(struct job *j)
{
	free(j);
}

void
record(const struct rq *q, const char *action, enum ln_status outcome)
{
	struct record_job *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return;
	r->j.run = record_run;
	r->j.detached = record_finished;
	r->j.free = record_free;
	r->action = action;
	r->outcome = outcome;
	job_of(q, &r->j);
	(void)snprintf(r->about, sizeof(r->about), "%s %s",
	    http_method_text(q->req->method),
	    q->route != NULL ? q->route->path : "-");
	if (job_start_detached(&r->j, JOB_WORK))
		return;
	lost(r, LN_BUSY);
	free(r);
}
