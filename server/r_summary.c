/* POST /api/summarize/<sid>.  The conversation is read in a thread; the model
 * is asked on the event loop. */

#include <stdio.h>
#include <stdlib.h>

#include <ln/summary.h>

#include "input.h"
#include "jobs.h"
#include "reply.h"
#include "routes.h"
#include "upstream.h"

#define MODEL_MAX 512

struct summary_job {
	struct job j;
	char user_id[64];
	char conversation_id[RQ_PARAM_SIZE];
	char model[MODEL_MAX + 1];
	struct ln_summary *summary;
};

static void
job_free(struct job *j)
{
	struct summary_job *sj = (struct summary_job *)j;

	ln_summary_free(sj->summary);
	free(sj);
}

static void
run(struct job *j, struct ln_store *st)
{
	struct summary_job *sj = (struct summary_job *)j;
	const struct ln_summary_opts opts = {
		.size = sizeof(opts), .user_id = sj->user_id,
		.conversation_id = sj->conversation_id,
		.model = sj->model[0] != '\0' ? sj->model : NULL,
	};

	j->status = ln_summary_begin(st, server.cfg, &opts, &sj->summary,
	    &j->err);
}

static int
reply(struct rq *q, const struct ln_summary *summary)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *text;
	struct ln_jw *w;
	enum ln_status s;

	if ((s = ln_summary_text(summary, &text, &err)) != LN_OK)
		return upstream_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "summary", text);
		ln_jw_string(w, "model", ln_summary_model(summary));
		ln_jw_bool(w, "is_extract", ln_summary_is_extract(summary));
	}
	return reply_json(q, 200, w);
}

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	ln_summary_feed(arg, http_status, p, n);
	return true;
}

static int
on_done(struct rq *q, void *arg, enum ln_status s, int http_status,
    const struct ln_error *err)
{
	ln_summary_upstream_end(arg, http_status, s, err);
	return reply(q, arg);
}

static void
on_free(void *arg)
{
	ln_summary_free(arg);
}

static const struct upstream_ops ops = { on_data, on_done, on_free };

static int
done(struct rq *q, struct job *j)
{
	struct summary_job *sj = (struct summary_job *)j;
	struct ln_summary *summary = sj->summary;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if (ln_summary_request(summary) == NULL)
		return reply(q, summary);
	sj->summary = NULL;
	return upstream_start(q, ln_summary_request(summary), &ops, summary);
}

int
session_summarize(struct rq *q)
{
	struct summary_job *sj;
	const char *model;

	if (!input_string(q, "model", MODEL_MAX, &model))
		return KORE_RESULT_OK;
	if ((sj = calloc(1, sizeof(*sj))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	sj->j.run = run;
	sj->j.done = done;
	sj->j.free = job_free;
	(void)snprintf(sj->user_id, sizeof(sj->user_id), "%s", q->user->id);
	(void)snprintf(sj->conversation_id, sizeof(sj->conversation_id), "%s",
	    q->param[0]);
	if (model != NULL)
		(void)snprintf(sj->model, sizeof(sj->model), "%s", model);
	return job_start(q, &sj->j, JOB_WORK);
}
