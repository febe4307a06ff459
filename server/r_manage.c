/* The models that the caller's provider keeps: which there are, one more, one
 * less.  For administrators. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/model_admin.h>

#include "guard.h"
#include "input.h"
#include "jobs.h"
#include "models.h"
#include "ostream.h"
#include "reply.h"
#include "routes.h"
#include "upstream.h"
#include "worker.h"

#define PROVIDER_SIZE 64

/* Unlike elsewhere the model itself is what the caller asks about. */
static int
fail(struct rq *q, enum ln_status s, const struct ln_error *err)
{
	if (s == LN_NOT_FOUND || s == LN_INVALID || s == LN_UNSUPPORTED)
		return reply_fail(q, s, err);
	return upstream_fail(q, s, err);
}

/* The caller's provider, or the one called ${provider} when that is not "". */
static enum ln_status
resolve(struct rq *q, const char *provider, struct ln_provider_conf **out,
    struct ln_error *err)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish),
		.request_provider = provider };

	return ln_provider_resolve(worker_store, server.cfg, q->user->id,
	    &wish, out, err);
}

static enum ln_status
resolve_query(struct rq *q, struct ln_provider_conf **out,
    struct ln_error *err)
{
	char provider[PROVIDER_SIZE] = "";

	(void)rq_query(q, "provider", provider, sizeof(provider));
	return resolve(q, provider, out, err);
}

/* --- which there are, and one less ---------------------------------------- */

struct manage_job {
	struct job j;
	struct ln_provider_conf *conf;
	struct ln_model_inventory list;
	char name[LN_MODEL_NAME_MAX + 2];
};

static void
manage_free(struct job *j)
{
	struct manage_job *m = (struct manage_job *)j;

	ln_provider_conf_free(m->conf);
	ln_model_inventory_free(&m->list);
	free(m);
}

static void
list_run(struct job *j, struct ln_store *st)
{
	struct manage_job *m = (struct manage_job *)j;

	(void)st;
	j->status = ln_model_inventory(m->conf, &m->list, &j->err);
}

static void
entry_json(struct ln_jw *w, const struct ln_model_entry *e)
{
	ln_jw_object(w, NULL);
	ln_jw_string(w, "name", e->name);
	ln_jw_int(w, "size", e->bytes);
	ln_jw_time(w, "modified_at", e->modified_ms);
	ln_jw_string(w, "digest", e->digest);
	ln_jw_string(w, "family", e->family);
	ln_jw_string(w, "parameters", e->parameters);
	ln_jw_string(w, "quantization", e->quantization);
	ln_jw_end(w);
}

static int
list_done(struct rq *q, struct job *j)
{
	const struct manage_job *m = (const struct manage_job *)j;
	struct ln_jw *w;
	size_t i;

	if (j->status != LN_OK)
		return fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "provider", m->conf->info->name);
		ln_jw_string(w, "base_url", m->conf->base_url);
		ln_jw_array(w, "models");
		for (i = 0; i < m->list.count; i++)
			entry_json(w, &m->list.items[i]);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	return reply_json(q, 200, w);
}

static void
delete_run(struct job *j, struct ln_store *st)
{
	struct manage_job *m = (struct manage_job *)j;

	j->status = ln_model_delete(st, m->conf, m->name, &j->err);
}

static int
delete_done(struct rq *q, struct job *j)
{
	if (j->status != LN_OK)
		return fail(q, j->status, &j->err);
	models_changed(NULL);
	return reply_success(q);
}

/* The client may go: what was removed is gone all the same. */
static void
delete_detached(struct job *j)
{
	if (j->status == LN_OK)
		models_changed(NULL);
}

static int
start(struct rq *q, struct manage_job *m)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	m->j.free = manage_free;
	if ((s = resolve_query(q, &m->conf, &err)) != LN_OK) {
		manage_free(&m->j);
		return reply_fail(q, s, &err);
	}
	return job_start(q, &m->j, JOB_WORK);
}

int
models_manage(struct rq *q)
{
	struct manage_job *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	m->j.run = list_run;
	m->j.done = list_done;
	return start(q, m);
}

/*
 * The name may hold slashes, encoded or not: it is what the stars of the route
 * took.
 */
int
models_delete(struct rq *q)
{
	const char *star = q->route->path;
	struct ln_error err = LN_ERROR_INIT;
	struct manage_job *m;
	size_t i, n = 0;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	m->j.run = delete_run;
	m->j.done = delete_done;
	m->j.detached = delete_detached;
	for (i = 0; (star = strchr(star, '*')) != NULL && n < sizeof(m->name);
	    i++, star++)
		n += (size_t)snprintf(m->name + n, sizeof(m->name) - n, "%s%s",
		    i > 0 ? "/" : "", q->param[i]);
	if (n >= sizeof(m->name)) {
		free(m);
		return reply_fail(q, ln_fail_field(&err, LN_INVALID, "name",
		    "This is not the name of a model", "%zu bytes", n), &err);
	}
	return start(q, m);
}

/* --- one more ------------------------------------------------------------- */

struct pull {
	struct rq *q;
	struct ln_provider_conf *conf;
	struct ln_model_pull *pull;
	bool is_over;		/* it stands in the audit log */
};

static void
on_gone(void *arg)
{
	const struct pull *p = arg;

	upstream_stop(p->q);
}

/* Append a line to the stream, which begins with the first one. */
static void
send_line(struct pull *p, struct ln_jw *w)
{
	struct ln_buf line = LN_BUF_INIT((size_t)4096);
	struct rq *q = p->q;

	if (ln_jw_print(w, false, &line) != LN_OK)
		goto out;
	ln_buf_puts(&line, "\n");
	if (q->stream == NULL)
		(void)ostream_start(q, "application/x-ndjson; charset=utf-8",
		    on_gone, p);
	/* Without memory for it the last answer comes alone. */
	if (q->stream != NULL && ln_buf_status(&line) == LN_OK)
		(void)ostream_write(q->stream, line.data, line.len);
out:
	ln_jw_free(w);
	ln_buf_free(&line);
}

static void
on_progress(void *arg, const struct ln_pull_progress *g)
{
	struct ln_jw *w;

	/* The end is told when it is one: after the last word of the server. */
	if (g->step == LN_PULL_DONE)
		return;
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	ln_jw_string(w, "status", ln_pull_step_name(g->step));
	if (g->total > 0) {
		ln_jw_int(w, "completed", g->completed);
		ln_jw_int(w, "total", g->total);
	}
	ln_jw_end(w);
	send_line(arg, w);
}

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct pull *pull = arg;

	return !worker_draining() &&
	    ln_model_pull_feed(pull->pull, http_status, p, n);
}

/* Write down how it ended, for the one who asked for it. */
static enum ln_status
settle(struct pull *p, enum ln_status outcome, struct ln_error *err)
{
	p->is_over = true;
	guard_actor(p->q);
	return ln_model_pull_audit(worker_store, p->pull, outcome, err);
}

static int
end_stream(struct pull *p, enum ln_status s, const struct ln_error *err)
{
	struct ln_jw *w = ln_jw_new();
	struct rq *q = p->q;

	ln_jw_object(w, NULL);
	if (s == LN_OK)
		ln_jw_string(w, "status", "success");
	else {
		reply_log(q->id, s, err);
		ln_jw_string(w, "error", ln_error_text(err, s));
	}
	ln_jw_end(w);
	send_line(p, w);
	ostream_end(q->stream);
	return ostream_sleep(q);
}

static int
on_done(struct rq *q, void *arg, enum ln_status s, int http_status,
    const struct ln_error *why)
{
	struct ln_error err = LN_ERROR_INIT, audited = LN_ERROR_INIT;
	struct pull *p = arg;

	s = ln_model_pull_end(p->pull, http_status, s, why, &err);
	if (s == LN_CANCELLED && worker_draining())
		s = ln_fail(&err, LN_BUSY, "The server is restarting. Pull "
		    "again to go on", "draining");
	if (s == LN_OK)
		models_changed(NULL);
	if (settle(p, s, &audited) != LN_OK && s == LN_OK) {
		s = audited.status;
		err = audited;
	}
	if (q->stream != NULL)
		return end_stream(p, s, &err);
	return s == LN_OK ? reply_success(q) : fail(q, s, &err);
}

static void
on_free(void *arg)
{
	struct ln_error err = LN_ERROR_INIT;
	struct pull *p = arg;

	/* The client has gone meanwhile, or it could not begin. */
	if (!p->is_over && worker_store != NULL &&
	    settle(p, LN_CANCELLED, &err) != LN_OK)
		reply_log(p->q->id, err.status, &err);
	ln_model_pull_free(p->pull);
	ln_provider_conf_free(p->conf);
	free(p);
}

static const struct upstream_ops ops = { on_data, on_done, on_free };

int
models_pull(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *name, *provider;
	struct pull *p;
	enum ln_status s;

	if (!input_string(q, "name", LN_MODEL_NAME_MAX, &name) ||
	    !input_string(q, "provider", PROVIDER_SIZE - 1, &provider))
		return KORE_RESULT_OK;
	if (name == NULL)
		return reply_field(q, 400, "name", "A field is missing");
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	p->q = q;
	p->is_over = true;	/* it has not begun */
	if ((s = resolve(q, provider, &p->conf, &err)) == LN_OK)
		s = ln_model_pull_new(p->conf, name, on_progress, p, &p->pull,
		    &err);
	if (s != LN_OK) {
		on_free(p);
		return reply_fail(q, s, &err);
	}
	p->is_over = false;
	return upstream_start(q, ln_model_pull_request(p->pull), &ops, p);
}
