/* The text of a file or a page, for a question that is to be asked. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/extract.h>
#include <ln/page.h>

#include "input.h"
#include "jobs.h"
#include "multipart.h"
#include "reply.h"
#include "routes.h"

#define FILE_MAX ((size_t)5 * 1024 * 1024)
#define TEXT_MAX ((size_t)1024 * 1024)
#define NAME_SIZE 256

struct read_job {
	struct job j;
	char name[NAME_SIZE];
	struct kore_buf *body;	/* upload: the file stands in it */
	const void *bytes;
	size_t count;
	struct ln_page page;	/* scrape: its url is what was asked for */
	struct ln_buf text;
	struct ln_extract_result result;
};

static void
read_free(struct job *j)
{
	struct read_job *r = (struct read_job *)j;

	if (r->body != NULL)
		kore_buf_free(r->body);
	ln_page_free(&r->page);
	ln_buf_free(&r->text);
	free(r);
}

static bool
is_stopped(void *arg)
{
	(void)arg;
	return jobs_stopping();
}

static void
extract(struct read_job *r, const void *p, size_t n, const char *charset)
{
	struct ln_extract_opts opts = { .size = sizeof(opts), .bytes = p,
		.bytes_count = n, .name = r->name, .charset = charset,
		.is_stopped = is_stopped };

	r->j.status = ln_extract_text(&opts, TEXT_MAX, &r->text, &r->result,
	    &r->j.err);
}

static struct read_job *
read_new(void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	static const struct ln_page no_page = LN_PAGE_INIT;
	struct read_job *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->j.run = run;
	r->j.done = done;
	r->j.free = read_free;
	r->page = no_page;
	r->text = (struct ln_buf)LN_BUF_INIT(TEXT_MAX +
	    LN_EXTRACT_TEXT_SPARE);
	return r;
}

static void
put_text(struct ln_jw *w, const struct read_job *r)
{
	ln_jw_stringn(w, "content", ln_buf_str(&r->text), r->text.len);
	ln_jw_string(w, "type", ln_extract_type_name(r->result.type));
	ln_jw_bool(w, "is_cut", r->result.is_cut);
}

/* --- a file --------------------------------------------------------------- */

static void
upload_run(struct job *j, struct ln_store *st)
{
	struct read_job *r = (struct read_job *)j;

	(void)st;
	extract(r, r->bytes, r->count, NULL);
}

static int
upload_done(struct rq *q, struct job *j)
{
	const struct read_job *r = (const struct read_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	ln_jw_object(w, NULL);
	ln_jw_string(w, "filename", r->name[0] != '\0' ? r->name :
	    "document");
	put_text(w, r);
	ln_jw_int(w, "size", (int64_t)r->count);
	ln_jw_end(w);
	return reply_json(q, 200, w);
}

int
chat_upload(struct rq *q)
{
	struct http_request *req = q->req;
	struct read_job *r;
	char boundary[80];

	if (!multipart_boundary(rq_header(q, "content-type"), boundary,
	    sizeof(boundary)))
		return reply_error(q, 415, "Send the file as a form");
	if ((r = read_new(upload_run, upload_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (req->http_body == NULL || !multipart_file(req->http_body->data,
	    req->http_body_length, boundary, "file", r->name,
	    sizeof(r->name), &r->bytes, &r->count)) {
		read_free(&r->j);
		return reply_field(q, 400, "file", "The file is missing");
	}
	if (r->count > FILE_MAX) {
		read_free(&r->j);
		return reply_error(q, 413, "A file may have 5 MiB");
	}
	/* The job outlives the request, so it takes the body along. */
	r->body = req->http_body;
	req->http_body = NULL;
	return job_start(q, &r->j, JOB_READ);
}

/* --- a page --------------------------------------------------------------- */

static void
scrape_run(struct job *j, struct ln_store *st)
{
	struct read_job *r = (struct read_job *)j;
	char url[LN_HTTP_URL_SIZE];

	(void)st;
	memcpy(url, r->page.url, sizeof(url));
	j->status = ln_page_fetch(url, ln_config_get(server.cfg,
	    "LOCALNEURAL_ALLOWED_PAGES"), is_stopped, NULL, &r->page, &j->err);
	if (j->status == LN_OK)
		extract(r, ln_buf_str(&r->page.body), r->page.body.len,
		    r->page.charset);
}

static int
scrape_done(struct rq *q, struct job *j)
{
	const struct read_job *r = (const struct read_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	ln_jw_object(w, NULL);
	ln_jw_string(w, "url", r->page.url);
	put_text(w, r);
	ln_jw_end(w);
	return reply_json(q, 200, w);
}

int
url_scrape(struct rq *q)
{
	struct read_job *r;
	const char *url;

	if (!input_string(q, "url", LN_HTTP_URL_SIZE - 1, &url))
		return KORE_RESULT_OK;
	if (url == NULL || *url == '\0')
		return reply_field(q, 400, "url", "The address is missing");
	if ((r = read_new(scrape_run, scrape_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	memcpy(r->page.url, url, strlen(url) + 1);
	return job_start(q, &r->j, JOB_READ);
}
