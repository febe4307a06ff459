/* Which models the caller's provider offers. */

#include <stdlib.h>
#include <string.h>

#include <ln/log.h>
#include <ln/provider.h>
#include <ln/time.h>

#include "jobs.h"
#include "models.h"
#include "reply.h"
#include "routes.h"

struct models_job {
	struct job j;
	struct ln_provider_conf *conf;
	struct ln_model_list list;
	char user_id[64];
	uint64_t generation;
	bool is_plain;		/* the names alone */
};

/* Counts the choices that made what was asked before worthless. */
static uint64_t generation;

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
reply(struct rq *q, char *const *names, size_t count, bool is_plain,
    bool is_stale)
{
	struct ln_jw *w;
	size_t i;

	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (is_plain)
		ln_jw_array(w, NULL);
	else {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "models");
	}
	for (i = 0; i < count; i++) {
		if (is_plain) {
			ln_jw_string(w, NULL, names[i]);
			continue;
		}
		ln_jw_object(w, NULL);
		ln_jw_string(w, "name", names[i]);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	if (!is_plain)
		ln_jw_bool(w, "stale", is_stale);
	return reply_json(q, 200, w);
}

/*
 * The provider could not be asked, which is no error of the page: what it said
 * before, else the models that it is known for.
 */
static void
fall_back(struct models_job *m, int64_t now_ms)
{
	const struct models_entry *e = models_find(m->user_id, m->conf,
	    now_ms);
	const char *const *known = m->conf->info->models;
	size_t i, n = 0;

	ln_model_list_free(&m->list);
	if (e != NULL)
		n = e->list.count;
	else
		while (known != NULL && known[n] != NULL)
			n++;
	if (n == 0 || (m->list.names = calloc(n, sizeof(char *))) == NULL)
		return;
	for (i = 0; i < n; i++) {
		m->list.names[i] = strdup(e != NULL ? e->list.names[i] :
		    known[i]);
		if (m->list.names[i] == NULL)
			return;
		m->list.count++;
	}
}

/* Keep what came, unless the person has chosen anew meanwhile. */
static bool
settle(struct models_job *m, const char *request_id)
{
	int64_t now_ms = ln_time_mono_ms();
	bool is_stale = m->j.status != LN_OK;
	struct models_entry *e;

	if (is_stale) {
		reply_log(request_id, m->j.status, &m->j.err);
		fall_back(m, now_ms);
	}
	if (m->generation == generation)
		models_keep(m->user_id, m->conf, &m->list, is_stale, now_ms);
	else if ((e = models_find(m->user_id, m->conf, now_ms)) != NULL)
		e->is_asking = false;
	return is_stale;
}

static int
models_done(struct rq *q, struct job *j)
{
	struct models_job *m = (struct models_job *)j;
	bool is_stale = settle(m, q->id);

	return reply(q, m->list.names, m->list.count, m->is_plain, is_stale);
}

static void
models_detached(struct job *j)
{
	(void)settle((struct models_job *)j, "-");
}

static struct models_job *
job_new(struct rq *q, bool is_plain)
{
	struct models_job *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->j.run = models_run;
	m->j.done = models_done;
	m->j.detached = models_detached;
	m->j.free = models_free;
	(void)snprintf(m->user_id, sizeof(m->user_id), "%s", q->user->id);
	m->generation = generation;
	m->is_plain = is_plain;
	return m;
}

/* Answer with what is known; ask anew behind it when that is old. */
static int
reply_known(struct rq *q, struct models_job *m, struct models_entry *e)
{
	int rc;

	rc = reply(q, e->list.names, e->list.count, m->is_plain, e->is_stale);
	if (models_is_due(e, ln_time_mono_ms())) {
		e->is_asking = true;
		job_of(q, &m->j);
		if (job_start_detached(&m->j, JOB_WORK))
			return rc;
		e->is_asking = false;
	}
	models_free(&m->j);
	return rc;
}

static int
start(struct rq *q, bool is_plain)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	struct ln_error err = LN_ERROR_INIT;
	struct models_entry *e;
	struct models_job *m;
	enum ln_status s;
	int rc;

	if ((m = job_new(q, is_plain)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	s = ln_provider_resolve(worker_store, server.cfg, q->user->id, &wish,
	    &m->conf, &err);
	if (s != LN_OK) {
		models_free(&m->j);
		return reply_fail(q, s, &err);
	}
	if (m->conf->base_url == NULL) {	/* it has none, and says so */
		rc = reply(q, NULL, 0, is_plain, false);
		models_free(&m->j);
		return rc;
	}
	if ((e = models_find(q->user->id, m->conf, ln_time_mono_ms())) != NULL)
		return reply_known(q, m, e);
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

void
models_changed(const char *user_id)
{
	generation++;
	models_forget(user_id);
}
