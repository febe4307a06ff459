/* What a person has asked and got. */

#include <stdio.h>
#include <stdlib.h>

#include <ln/stats.h>
#include <ln/time.h>

#include "jobs.h"
#include "reply.h"
#include "routes.h"

struct stats_job {
	struct job j;
	char user_id[64];
	struct ln_stats stats;
};

static void
stats_free(struct job *j)
{
	struct stats_job *t = (struct stats_job *)j;

	ln_stats_clear(&t->stats);
	free(t);
}

static void
stats_run(struct job *j, struct ln_store *st)
{
	struct stats_job *t = (struct stats_job *)j;

	j->status = ln_stats_get(st, t->user_id, ln_time_now_ms(), &t->stats,
	    &j->err);
}

static void
stats_json(struct ln_jw *w, const struct ln_stats *t)
{
	char date[LN_TIME_ISO_SIZE];
	size_t i;

	ln_jw_object(w, NULL);
	ln_jw_int(w, "session_count", t->totals.conversation_count);
	ln_jw_int(w, "message_count", t->totals.message_count);
	ln_jw_int(w, "total_tokens", t->totals.total_tokens);
	ln_jw_array(w, "models");
	for (i = 0; i < t->model_count; i++) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "model", t->models[i].model);
		ln_jw_int(w, "answers", t->models[i].answer_count);
		ln_jw_int(w, "tokens", t->models[i].tokens);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_jw_array(w, "days");
	for (i = 0; i < LN_STATS_DAYS; i++) {
		ln_jw_object(w, NULL);
		/* "2026-01-31" of the whole. */
		ln_jw_stringn(w, "date",
		    ln_time_iso(t->days[i].start_ms, date), 10);
		ln_jw_int(w, "messages", t->days[i].message_count);
		ln_jw_int(w, "tokens", t->days[i].tokens);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static int
stats_done(struct rq *q, struct job *j)
{
	const struct stats_job *t = (const struct stats_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL)
		stats_json(w, &t->stats);
	return reply_json(q, 200, w);
}

int
stats_show(struct rq *q)
{
	struct stats_job *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	t->j.run = stats_run;
	t->j.done = stats_done;
	t->j.free = stats_free;
	(void)snprintf(t->user_id, sizeof(t->user_id), "%s", q->user->id);
	return job_start(q, &t->j, JOB_WORK);
}
