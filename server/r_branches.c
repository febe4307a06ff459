/* Forks of conversations and the trees they make. */

#include <stdio.h>
#include <stdlib.h>

#include <ln/branch.h>

#include "input.h"
#include "jobs.h"
#include "reply.h"
#include "routes.h"
#include "tell.h"

struct fork_job {
	struct job j;
	char user_id[64];
	char id[RQ_PARAM_SIZE];
	int64_t message_id;
	struct ln_conversation *fork;
};

static void
fork_free(struct job *j)
{
	struct fork_job *f = (struct fork_job *)j;

	ln_conversation_free(f->fork);
	free(f);
}

static void
fork_run(struct job *j, struct ln_store *st)
{
	struct fork_job *f = (struct fork_job *)j;

	j->status = ln_conversation_fork(st, f->user_id, f->id, f->message_id,
	    &f->fork, &j->err);
}

static int
fork_done(struct rq *q, struct job *j)
{
	const struct fork_job *f = (const struct fork_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	tell_history(q, f->fork->id);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_string(w, "session_id", f->fork->id);
		ln_jw_string(w, "title", f->fork->title);
	}
	return reply_json(q, 200, w);
}

int
session_fork(struct rq *q)
{
	struct fork_job *f;
	int64_t message_id;
	bool is_given;

	if (!input_int(q, "message_id", &message_id, &is_given))
		return KORE_RESULT_OK;
	if (!is_given)
		return reply_field(q, 400, "message_id",
		    "A message is required");
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	f->j.run = fork_run;
	f->j.done = fork_done;
	f->j.free = fork_free;
	f->message_id = message_id;
	(void)snprintf(f->user_id, sizeof(f->user_id), "%s", q->user->id);
	(void)snprintf(f->id, sizeof(f->id), "%s", q->param[0]);
	return job_start(q, &f->j, JOB_WORK);
}

int
session_branches(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_branch *b;
	struct ln_branch_list l;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_branch_list(worker_store, q->user->id, q->param[0], &l, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < l.count; i++) {
			b = &l.items[i];
			ln_jw_object(w, NULL);
			ln_jw_string(w, "id", b->id);
			ln_jw_string(w, "title", b->title);
			ln_jw_string(w, "parent_id", b->parent_id);
			if (b->message_id != 0)
				ln_jw_int(w, "message_id", b->message_id);
			else
				ln_jw_null(w, "message_id");
			ln_jw_int(w, "depth", b->depth);
			ln_jw_time(w, "updated_at", b->updated_ms);
			ln_jw_end(w);
		}
	}
	ln_branch_list_free(&l);
	return reply_json(q, 200, w);
}
