/* Projects and their documents. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/log.h>
#include <ln/project.h>

#include "documents.h"
#include "guard.h"
#include "input.h"
#include "jobs.h"
#include "multipart.h"
#include "reply.h"
#include "routes.h"
#include "tell.h"

#define TITLE_BYTES_MAX ((size_t)4 * LN_PROJECT_TITLE_MAX)
#define DESCRIPTION_BYTES_MAX ((size_t)4 * LN_PROJECT_DESCRIPTION_MAX)
#define FILES_MAX 20		/* of one request */
#define FILENAME_SIZE 1024
#define LOOK_MS 3000

/* --- projects ------------------------------------------------------------- */

static void
project_json(struct ln_jw *w, const struct ln_project *p)
{
	ln_jw_object(w, NULL);
	ln_jw_string(w, "id", p->id);
	ln_jw_string(w, "title", p->title);
	ln_jw_string(w, "description", p->description);
	ln_jw_int(w, "documents", p->document_count);
	ln_jw_time(w, "created_at", p->created_ms);
	ln_jw_end(w);
}

int
projects_list(struct rq *q)
{
	struct ln_project_list list;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	if ((s = ln_project_list(worker_store, q->user->id, &list, &err)) !=
	    LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list.count; i++)
			project_json(w, list.items[i]);
		ln_jw_end(w);
	}
	ln_project_list_free(&list);
	return reply_json(q, 200, w);
}

static int
reply_project(struct rq *q, enum ln_status s, struct ln_project *p,
    const struct ln_error *err)
{
	struct ln_jw *w;

	if (s != LN_OK)
		return reply_fail(q, s, err);
	if ((w = ln_jw_new()) != NULL)
		project_json(w, p);
	ln_project_free(p);
	return reply_json(q, 200, w);
}

int
projects_create(struct rq *q)
{
	const char *title, *description;
	struct ln_project *p = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (!input_string(q, "title", TITLE_BYTES_MAX, &title) ||
	    !input_string(q, "description", DESCRIPTION_BYTES_MAX,
	    &description))
		return KORE_RESULT_OK;
	s = ln_project_create(worker_store, q->user->id, title, description,
	    &p, &err);
	return reply_project(q, s, p, &err);
}

int
projects_update(struct rq *q)
{
	const char *title, *description;
	struct ln_project *p = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (!input_string(q, "title", TITLE_BYTES_MAX, &title) ||
	    !input_string(q, "description", DESCRIPTION_BYTES_MAX,
	    &description))
		return KORE_RESULT_OK;
	s = ln_project_update(worker_store, q->user->id, q->param[0], title,
	    description, &p, &err);
	return reply_project(q, s, p, &err);
}

/* --- work of a thread ----------------------------------------------------- */

struct project_job {
	struct job j;
	char user_id[64];
	unsigned char session[LN_KEY_BYTES];
	char project_id[RQ_PARAM_SIZE];
	int64_t document_id;	/* 0: the project itself */
	char boundary[80];
	char *path;		/* of a large body, ours to unlink */
	struct kore_buf *body;	/* of a small one */
	size_t body_len;
	struct ln_document *added[FILES_MAX];
	size_t count;
};

static void
project_free(struct job *j)
{
	struct project_job *p = (struct project_job *)j;
	size_t i;

	if (p->path != NULL)
		(void)unlink(p->path);
	free(p->path);
	if (p->body != NULL)
		kore_buf_free(p->body);
	for (i = 0; i < p->count; i++)
		ln_document_free(p->added[i]);
	free(p);
}

static struct project_job *
project_job_new(const struct rq *q,
    void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct project_job *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->j.run = run;
	p->j.done = done;
	p->j.free = project_free;
	(void)snprintf(p->user_id, sizeof(p->user_id), "%s", q->user->id);
	(void)snprintf(p->project_id, sizeof(p->project_id), "%s",
	    q->param[0]);
	memcpy(p->session, q->session, sizeof(p->session));
	return p;
}

/* Many chunks go with it: not on the event loop. */
static void
delete_run(struct job *j, struct ln_store *st)
{
	struct project_job *p = (struct project_job *)j;

	if ((j->status = guard_again(st, p->session, false, &j->err)) !=
	    LN_OK)
		return;
	j->status = p->document_id == 0 ?
	    ln_project_delete(st, p->user_id, p->project_id, &j->err) :
	    ln_document_delete(st, p->user_id, p->project_id, p->document_id,
	    &j->err);
}

static int
delete_done(struct rq *q, struct job *j)
{
	const struct project_job *p = (const struct project_job *)j;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if (p->document_id != 0)
		tell_document_gone(q->user->id, p->project_id, p->document_id);
	return reply_success(q);
}

static int
start_delete(struct rq *q, int64_t document_id)
{
	struct project_job *p;

	if ((p = project_job_new(q, delete_run, delete_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	p->document_id = document_id;
	return job_start(q, &p->j, JOB_WORK);
}

int
projects_delete(struct rq *q)
{
	return start_delete(q, 0);
}

int
documents_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	char *end;
	long long id;

	errno = 0;
	id = strtoll(q->param[1], &end, 10);
	if (end == q->param[1] || *end != '\0' || errno != 0 || id <= 0)
		return reply_fail(q, ln_fail(&err, LN_NOT_FOUND,
		    "There is no such document", "id"), &err);
	return start_delete(q, id);
}

/* --- documents ------------------------------------------------------------ */

void
document_json(struct ln_jw *w, const char *name, const struct ln_document *d)
{
	ln_jw_object(w, name);
	ln_jw_int(w, "id", d->id);
	ln_jw_string(w, "filename", d->filename);
	ln_jw_int(w, "size", d->bytes);
	ln_jw_int(w, "chunks", d->chunk_count);
	ln_jw_int(w, "pages", d->page_count);
	ln_jw_string(w, "status", ln_document_state_name(d->state));
	ln_jw_string(w, "reason", d->reason);
	ln_jw_string(w, "vectors", ln_vectors_name(d->vectors));
	ln_jw_string(w, "vectors_reason", d->vectors_reason);
	ln_jw_string(w, "type", d->type);
	ln_jw_string(w, "url", d->source_url);
	ln_jw_time(w, "created_at", d->created_ms);
	ln_jw_end(w);
}

static int
reply_documents(struct rq *q, struct ln_document *const *items, size_t count)
{
	struct ln_jw *w;
	size_t i;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < count; i++)
			document_json(w, NULL, items[i]);
		ln_jw_end(w);
	}
	return reply_json(q, 200, w);
}

int
documents_list(struct rq *q)
{
	struct ln_document_list list;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	s = ln_document_list(worker_store, q->user->id, q->param[0], &list,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	rc = reply_documents(q, list.items, list.count);
	ln_document_list_free(&list);
	return rc;
}

static enum ln_status
add_files(struct project_job *p, struct ln_store *st, const void *body,
    size_t n)
{
	char name[FILENAME_SIZE];
	struct ln_document_new d = { .size = sizeof(d), .filename = name };
	enum ln_status s = LN_OK;

	while (p->count < FILES_MAX && s == LN_OK && multipart_nth(body, n,
	    p->boundary, "files", p->count, name, sizeof(name), &d.bytes,
	    &d.bytes_count)) {
		s = ln_document_add(st, p->user_id, p->project_id, &d,
		    &p->added[p->count], &p->j.err);
		if (s == LN_OK)
			p->count++;
	}
	if (s == LN_OK && p->count == 0)
		s = ln_fail_field(&p->j.err, LN_INVALID, "files",
		    "There is no file in the request", "no part named files");
	return s;
}

static enum ln_status
add_mapped(struct project_job *p, struct ln_store *st)
{
	void *base = MAP_FAILED;
	struct stat sb;
	enum ln_status s;
	int fd;

	fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1 && fstat(fd, &sb) == 0 && sb.st_size > 0)
		base = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE,
		    fd, 0);
	if (base == MAP_FAILED) {
		s = ln_fail(&p->j.err, LN_IO, "", "map an upload: errno %d",
		    errno);
	} else {
		s = add_files(p, st, base, (size_t)sb.st_size);
		(void)munmap(base, (size_t)sb.st_size);
	}
	if (fd != -1)
		(void)close(fd);
	return s;
}

static void
add_run(struct job *j, struct ln_store *st)
{
	struct project_job *p = (struct project_job *)j;

	if ((j->status = guard_again(st, p->session, false, &j->err)) !=
	    LN_OK)
		return;
	j->status = p->path != NULL ? add_mapped(p, st) :
	    add_files(p, st, p->body->data, p->body_len);
}

static int
add_done(struct rq *q, struct job *j)
{
	const struct project_job *p = (const struct project_job *)j;
	size_t i;

	if (p->count > 0)
		documents_soon();
	for (i = 0; i < p->count; i++)
		tell_document(q->user->id, p->added[i]);
	/* What arrived before the one that did not is in the list. */
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	return reply_documents(q, p->added, p->count);
}

int
documents_add(struct rq *q)
{
	struct http_request *req = q->req;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *project;
	struct project_job *p;
	char boundary[80];
	enum ln_status s;

	if (!multipart_boundary(rq_header(q, "content-type"), boundary,
	    sizeof(boundary)))
		return reply_error(q, 415,
		    "The body must be multipart/form-data");
	s = ln_project_get(worker_store, q->user->id, q->param[0], &project,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	ln_project_free(project);
	if (req->http_body_length == 0)
		return reply_field(q, 400, "files",
		    "There is no file in the request");
	if ((p = project_job_new(q, add_run, add_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	memcpy(p->boundary, boundary, sizeof(boundary));
	/* The job outlives the request, so it takes the body along. */
	if (req->http_body_path != NULL) {
		if (asprintf(&p->path, "%s/%s.documents", server.tmp_dir,
		    q->id) == -1)
			p->path = NULL;
		if (p->path == NULL ||
		    rename(req->http_body_path, p->path) == -1) {
			project_free(&p->j);
			return reply_fail(q, LN_IO, NULL);
		}
	} else {
		p->body = req->http_body;
		p->body_len = req->http_body_length;
		req->http_body = NULL;
	}
	return job_start(q, &p->j, JOB_WORK);
}

/* --- reading -------------------------------------------------------------- */

static bool is_reading;		/* of this worker */
static int64_t look_ms;

static bool
is_stopped(void *arg)
{
	(void)arg;
	return jobs_stopping();
}

static void
on_change(void *arg, const char *user_id, const struct ln_document *d)
{
	(void)arg;
	tell_document_later(user_id, d);
}

static void
read_run(struct job *j, struct ln_store *st)
{
	const struct ln_document_read r = { .size = sizeof(r),
		.is_stopped = is_stopped, .on_change = on_change };
	const struct ln_document_embed e = { .size = sizeof(e),
		.cfg = server.cfg, .is_stopped = is_stopped,
		.on_change = on_change };
	const struct ln_actor actor = { "system", NULL, NULL, NULL };
	bool is_waiting;

	ln_store_actor_set(st, &actor);
	j->status = ln_document_sweep(st, &is_waiting, &j->err);
	/* Vectors can wait: words find a document as soon as it was read. */
	while (j->status == LN_OK && !jobs_stopping()) {
		while (j->status == LN_OK && is_waiting && !jobs_stopping())
			j->status = ln_document_read_next(st, &r, &j->err);
		if (j->status == LN_OK || j->status == LN_NOT_FOUND)
			j->status = ln_document_embed_next(st, &e, &j->err);
		is_waiting = true;
	}
}

static void
read_over(struct job *j)
{
	is_reading = false;
	if (j->status != LN_OK && j->status != LN_NOT_FOUND &&
	    j->status != LN_CANCELLED)
		server_log_detail("documents.read", &j->err);
}

static void
read_free(struct job *j)
{
	free(j);
}

void
documents_soon(void)
{
	look_ms = 0;
}

void
documents_tick(int64_t now_ms)
{
	struct job *j;

	if (is_reading || now_ms < look_ms)
		return;
	look_ms = now_ms + LOOK_MS;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return;		/* the next look is soon enough */
	j->run = read_run;
	j->detached = read_over;
	j->free = read_free;
	if (job_start_detached(j, JOB_WORK))
		is_reading = true;
	else
		free(j);
}
