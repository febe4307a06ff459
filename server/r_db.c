/* The database out and in. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/transfer.h>

#include "guard.h"
#include "jobs.h"
#include "multipart.h"
#include "reply.h"
#include "routes.h"

struct db_job {
	struct job j;
	char user_id[64];
	unsigned char session[LN_KEY_BYTES];
	char *path;		/* our temporary file, unlinked at the end */
	struct kore_buf *body;	/* import: a small body */
	size_t body_len;
	bool is_multipart;
	char boundary[80];
	bool is_dry_run;
	struct ln_report *report;
	struct ln_data_report *data;
};

static void
db_free(struct job *j)
{
	struct db_job *d = (struct db_job *)j;

	if (d->path != NULL)
		(void)unlink(d->path);
	free(d->path);
	if (d->body != NULL)
		kore_buf_free(d->body);
	ln_report_free(d->report);
	ln_free(d->data);
	free(d);
}

static struct db_job *
db_new(const struct rq *q, void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct db_job *d;
	char id[LN_UUID_SIZE];

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->j.run = run;
	d->j.done = done;
	d->j.free = db_free;
	(void)snprintf(d->user_id, sizeof(d->user_id), "%s", q->user->id);
	memcpy(d->session, q->session, sizeof(d->session));
	ln_uuid(id);
	if (asprintf(&d->path, "%s/%s.db", server.tmp_dir, id) == -1) {
		d->path = NULL;
		db_free(&d->j);
		return NULL;
	}
	return d;
}

static bool
keep_going(void *arg, int percent)
{
	(void)arg;
	(void)percent;
	return !jobs_stopping();
}

static void
export_file_run(struct job *j, struct ln_store *st)
{
	struct db_job *d = (struct db_job *)j;
	struct ln_export_opts opts = { .size = sizeof(opts),
		.progress = keep_going };
	int64_t bytes;

	/* Queueing took time: is the person still an administrator? */
	j->status = guard_again(st, d->session, true, &j->err);
	if (j->status == LN_OK)
		j->status = ln_export(st, d->path, &opts, &bytes, &j->err);
	/* What cannot be put on record does not leave. */
	if (j->status == LN_OK)
		j->status = ln_audit_add(st, "db.export", NULL, LN_OK, NULL,
		    &j->err);
}

struct mapping {
	void *base;
	size_t len;
};

static int
unmap(struct netbuf *nb)
{
	struct mapping *m = nb->extra;

	(void)munmap(m->base, m->len);
	free(m);
	return KORE_RESULT_OK;
}

static int
send_file(struct rq *q, struct job *j, const char *name, const char *type)
{
	const struct db_job *d = (const struct db_job *)j;
	struct mapping *m = NULL;
	struct stat sb;
	int fd;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 || fstat(fd, &sb) == -1 || sb.st_size <= 0 ||
	    (m = malloc(sizeof(*m))) == NULL)
		goto fail;
	m->len = (size_t)sb.st_size;
	m->base = mmap(NULL, m->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m->base == MAP_FAILED)
		goto fail;
	(void)close(fd);
	reply_headers(q, false, false);
	reply_disposition(q, name);
	http_response_header(q->req, "content-type", type);
	q->is_sent = true;
	if (q->req->method == HTTP_METHOD_HEAD) {
		(void)munmap(m->base, m->len);
		http_response_stream(q->req, 200, NULL, m->len, NULL, NULL);
		free(m);
	} else
		http_response_stream(q->req, 200, m->base, m->len, unmap, m);
	return KORE_RESULT_OK;
fail:
	if (fd != -1)
		(void)close(fd);
	free(m);
	return reply_fail(q, LN_IO, NULL);
}

static int
export_file_done(struct rq *q, struct job *j)
{
	return send_file(q, j, "localneural.db", "application/vnd.sqlite3");
}

static int
export_json_done(struct rq *q, struct job *j)
{
	return send_file(q, j, "localneural-data.json",
	    "application/json; charset=utf-8");
}

static enum ln_status
write_piece(void *arg, const char *p, size_t n, struct ln_error *err)
{
	const int *fd = arg;
	ssize_t w;

	if (jobs_stopping())
		return ln_fail(err, LN_CANCELLED, "", "the server stops");
	while (n > 0) {
		w = write(*fd, p, n);
		if (w == -1 && errno != EINTR)
			return ln_fail(err, LN_IO, "", "write: errno %d",
			    errno);
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return LN_OK;
}

static void
export_json_run(struct job *j, struct ln_store *st)
{
	struct db_job *d = (struct db_job *)j;
	int fd;

	fd = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1) {
		j->status = ln_fail(&j->err, LN_IO, "", "open: errno %d",
		    errno);
		return;
	}
	j->status = ln_export_user(st, d->user_id, write_piece, &fd, &j->err);
	if (close(fd) == -1 && j->status == LN_OK)
		j->status = ln_fail(&j->err, LN_IO, "", "close: errno %d",
		    errno);
	if (j->status == LN_OK)
		j->status = ln_audit_add(st, "user.export", d->user_id, LN_OK,
		    NULL, &j->err);
}

int
db_export(struct rq *q)
{
	struct db_job *d;
	char format[8];
	bool is_json;

	is_json = q->user->role != LN_USER_ROLE_ADMIN || q->user->is_blocked ||
	    (rq_query(q, "format", format, sizeof(format)) &&
	    strcmp(format, "json") == 0);
	d = is_json ? db_new(q, export_json_run, export_json_done) :
	    db_new(q, export_file_run, export_file_done);
	if (d == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	return job_start(q, &d->j, JOB_WORK);
}

static enum ln_status
write_file(const char *path, const void *p, size_t n, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	ssize_t w;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return ln_fail(err, LN_IO, "", "open: errno %d", errno);
	while (n > 0 && s == LN_OK) {
		w = write(fd, p, n);
		if (w == -1 && errno != EINTR)
			s = ln_fail(err, LN_IO, "", "write: errno %d", errno);
		else if (w > 0) {
			p = (const char *)p + w;
			n -= (size_t)w;
		}
	}
	if (close(fd) == -1 && s == LN_OK)
		s = ln_fail(err, LN_IO, "", "close: errno %d", errno);
	return s;
}

/* Replace the body in d->path by the part of it that is the file. */
static enum ln_status
unwrap_file(struct db_job *d)
{
	const void *part;
	struct stat sb;
	char *inner = NULL;
	void *base = MAP_FAILED;
	enum ln_status s;
	size_t n, len = 0;
	int fd;

	s = ln_fail(&d->j.err, LN_IO, "", "map %s", d->path);
	fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 || fstat(fd, &sb) == -1 || sb.st_size <= 0)
		goto out;
	len = (size_t)sb.st_size;
	base = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		goto out;
	if (!multipart_part(base, len, d->boundary, "file", &part, &n)) {
		s = ln_fail(&d->j.err, LN_INVALID, "There is no part named file",
		    "multipart");
		goto out;
	}
	if (asprintf(&inner, "%s.part", d->path) == -1) {
		inner = NULL;
		s = ln_fail(&d->j.err, LN_NOMEM, "", "asprintf");
		goto out;
	}
	s = write_file(inner, part, n, &d->j.err);
	(void)unlink(d->path);
	free(d->path);
	d->path = inner;
out:
	if (base != MAP_FAILED)
		(void)munmap(base, len);
	if (fd != -1)
		(void)close(fd);
	return s;
}

static enum ln_status
unwrap(struct db_job *d)
{
	const void *part;
	size_t n;

	if (d->body == NULL)
		return d->is_multipart ? unwrap_file(d) : LN_OK;
	part = d->body->data;
	n = d->body_len;
	if (d->is_multipart && !multipart_part(d->body->data, d->body_len,
	    d->boundary, "file", &part, &n))
		return ln_fail(&d->j.err, LN_INVALID, "There is no part named file",
		    "multipart");
	return write_file(d->path, part, n, &d->j.err);
}

/* What the audit log keeps of a refusal: the codes of the findings. */
static void
audit_refusal(struct db_job *d, struct ln_store *st)
{
	char codes[512];
	struct ln_error err = LN_ERROR_INIT;
	size_t i, n;

	n = 0;
	codes[0] = '\0';
	for (i = 0; d->report != NULL && i < d->report->finding_count &&
	    n < sizeof(codes) - 80; i++)
		if (d->report->findings[i].level == LN_FINDING_ERROR)
			n += (size_t)snprintf(codes + n, sizeof(codes) - n,
			    "%s%.64s", n > 0 ? "," : "",
			    d->report->findings[i].code);
	if (ln_audit_add(st, "db.import", NULL, LN_INVALID, codes, &err) !=
	    LN_OK)
		reply_log(d->j.request_id, err.status, &err);
}

static void
import_run(struct job *j, struct ln_store *st)
{
	struct db_job *d = (struct db_job *)j;
	struct ln_transfer_opts opts = { .size = sizeof(opts),
		.progress = keep_going };

	if ((j->status = guard_again(st, d->session, true,
	    &j->err)) != LN_OK || (j->status = unwrap(d)) != LN_OK)
		return;
	opts.is_dry_run = d->is_dry_run;
	opts.keep_admin_id = d->user_id;
	opts.allowed_endpoints = ln_config_get(server.cfg,
	    "LOCALNEURAL_ALLOWED_ENDPOINTS");
	if (d->is_dry_run)
		j->status = ln_validate(d->path, &opts, &d->report, &j->err);
	else
		j->status = ln_import(st, d->path, &opts, &d->report,
		    &j->err);
	if (j->status == LN_OK && !d->report->is_importable)
		j->status = ln_fail(&j->err, LN_INVALID,
		    "Invalid database file", "see the audit log");
	/* ln_import writes the refusal of a file to the log itself. */
	if (j->status == LN_INVALID && (d->is_dry_run || d->report == NULL))
		audit_refusal(d, st);
}

static int
import_done(struct rq *q, struct job *j)
{
	const struct db_job *d = (const struct db_job *)j;
	struct ln_jw *w;

	if (j->status == LN_INVALID || j->status == LN_CORRUPT ||
	    j->status == LN_TOO_NEW) {
		reply_log(q->id, j->status, &j->err);
		return reply_error(q, 400, "Invalid database file");
	}
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_report_json(d->report, w);
	}
	return reply_json(q, 200, w);
}

/* A job that has taken the body along: it outlives the request. */
static struct db_job *
take_body(struct rq *q, void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct http_request *req = q->req;
	struct db_job *d;
	char dry[8];

	if ((d = db_new(q, run, done)) == NULL)
		return NULL;
	d->is_dry_run = rq_query(q, "dry_run", dry, sizeof(dry)) &&
	    strcmp(dry, "1") == 0;
	d->is_multipart = multipart_boundary(rq_header(q, "content-type"),
	    d->boundary, sizeof(d->boundary));
	if (req->http_body_path != NULL) {
		if (rename(req->http_body_path, d->path) == -1) {
			db_free(&d->j);
			return NULL;
		}
	} else {
		d->body = req->http_body;
		d->body_len = req->http_body_length;
		req->http_body = NULL;
	}
	return d;
}

int
db_import(struct rq *q)
{
	struct db_job *d;

	if (q->req->http_body_length == 0)
		return reply_error(q, 400, "Invalid database file");
	if ((d = take_body(q, import_run, import_done)) == NULL)
		return reply_fail(q, LN_IO, NULL);
	return job_start(q, &d->j, JOB_WORK);
}

/* --- one person's data ---------------------------------------------------- */

static void
data_run(struct job *j, struct ln_store *st)
{
	struct db_job *d = (struct db_job *)j;
	const struct ln_data_opts opts = { .size = sizeof(opts),
		.is_dry_run = d->is_dry_run, .progress = keep_going };

	if ((j->status = guard_again(st, d->session, false, &j->err)) ==
	    LN_OK && (j->status = unwrap(d)) == LN_OK)
		j->status = ln_data_import(st, server.cfg, d->user_id,
		    d->path, &opts, &d->data, &j->err);
}

static int
data_done(struct rq *q, struct job *j)
{
	const struct db_job *d = (const struct db_job *)j;
	struct ln_jw *w;

	if (j->status == LN_TOO_NEW) {
		reply_log(q->id, j->status, &j->err);
		return reply_error(q, 400,
		    "The export is of a later version than this program");
	}
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_bool(w, "dry_run", d->is_dry_run);
		ln_data_report_json(d->data, w);
	}
	return reply_json(q, 200, w);
}

int
data_import(struct rq *q)
{
	struct db_job *d;

	if (q->req->http_body_length == 0)
		return reply_error(q, 400, "The file is missing");
	if ((d = take_body(q, data_run, data_done)) == NULL)
		return reply_fail(q, LN_IO, NULL);
	return job_start(q, &d->j, JOB_WORK);
}
