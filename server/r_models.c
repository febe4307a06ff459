/* Which models the caller's provider offers. */

#include <stdlib.h>

#include <ln/log.h>
#include <ln/provider.h>

#include "jobs.h"
#include "reply.h"
#include "routes.h"

struct models_job {
	struct job j;
	struct ln_provider_conf *conf;
	struct ln_model_list list;
	bool is_stale;
	bool is_plain;		/* the names alone */
};

static void
models_free(struct job *j)
{
	struct models_job *m = (struct models_job *)j;

	ln_provider_conf_free(m->conf);
	ln_model_list_free(&m->list);
	free(m);
}

static void
models_run(struct job *j, struct ln_store *st)
{
	struct models_job *m = (struct models_job *)j;

	(void)st;
	j->status = ln_provider_models(m->conf, &m->list, &j->err);
}

static int
models_done(struct rq *q, struct job *j)
{
	struct models_job *m = (struct models_job *)j;
	struct ln_jw *w;
	size_t i;

	/* A provider that is down is not an error of the page. */
	if (j->status != LN_OK) {
		reply_log(q->id, j->status, &j->err);
		m->is_stale = true;
	}
	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (m->is_plain)
		ln_jw_array(w, NULL);
	else {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "models");
	}
	for (i = 0; i < m->list.count; i++) {
		if (m->is_plain) {
			ln_jw_string(w, NULL, m->list.names[i]);
			continue;
		}
		ln_jw_object(w, NULL);
		ln_jw_string(w, "name", m->list.names[i]);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	if (!m->is_plain)
		ln_jw_bool(w, "stale", m->is_stale);
	return reply_json(q, 200, w);
}

static int
start(struct rq *q, bool is_plain)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	struct ln_error err = LN_ERROR_INIT;
	struct models_job *m;
	enum ln_status s;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	m->j.run = models_run;
	m->j.done = models_done;
	m->j.free = models_free;
	m->is_plain = is_plain;
	s = ln_provider_resolve(worker_store, server.cfg, q->user->id, &wish,
	    &m->conf, &err);
	if (s != LN_OK) {
		models_free(&m->j);
		return reply_fail(q, s, &err);
	}
	return job_start(q, &m->j, JOB_WORK);
}

int
provider_models(struct rq *q)
{
	return start(q, true);
}

int
models_list(struct rq *q)
{
	return start(q, false);
}
