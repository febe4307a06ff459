/* Conversations as files. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/transfer.h>

#include "input.h"
#include "jobs.h"
#include "reply.h"
#include "routes.h"

#define EXPORT_MAX ((size_t)64 * 1024 * 1024)

struct export_job {
	struct job j;
	char user_id[64];
	char id[RQ_PARAM_SIZE];
	int64_t message_id;	/* 0: the conversation */
	char format[8];
	struct ln_buf out;
};

static void
export_free(struct job *j)
{
	struct export_job *e = (struct export_job *)j;

	ln_buf_free(&e->out);
	free(e);
}

static void
export_run(struct job *j, struct ln_store *st)
{
	struct export_job *e = (struct export_job *)j;

	j->status = e->message_id != 0 ?
	    ln_export_message(st, e->user_id, e->message_id, e->format,
	    &e->out, &j->err) :
	    ln_export_conversation(st, e->user_id, e->id, e->format,
	    &e->out, &j->err);
}

static int
export_done(struct rq *q, struct job *j)
{
	const struct export_job *e = (const struct export_job *)j;
	char name[64];

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	(void)snprintf(name, sizeof(name), "%s-%.40s.%s",
	    e->message_id != 0 ? "message" : "conversation", e->id,
	    e->format);
	return reply_attachment(q, strcmp(e->format, "html") == 0 ?
	    "text/html; charset=utf-8" : strcmp(e->format, "json") == 0 ?
	    "application/json; charset=utf-8" :
	    "text/markdown; charset=utf-8", name, ln_buf_str(&e->out),
	    e->out.len);
}

static int
export_start(struct rq *q, int64_t message_id, const char *format)
{
	struct export_job *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	e->j.run = export_run;
	e->j.done = export_done;
	e->j.free = export_free;
	e->out = (struct ln_buf)LN_BUF_INIT(EXPORT_MAX);
	e->message_id = message_id;
	(void)snprintf(e->user_id, sizeof(e->user_id), "%s", q->user->id);
	(void)snprintf(e->id, sizeof(e->id), "%s", q->param[0]);
	(void)snprintf(e->format, sizeof(e->format), "%s", format);
	return job_start(q, &e->j, JOB_WORK);
}

int
session_export(struct rq *q)
{
	char format[8];

	if (!rq_query(q, "format", format, sizeof(format)))
		(void)snprintf(format, sizeof(format), "md");
	if (strcmp(format, "md") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "html") != 0)
		return reply_field(q, 400, "format",
		    "The format must be md, json or html");
	return export_start(q, 0, format);
}

int
message_export(struct rq *q)
{
	char format[8];
	int64_t id;

	if (!rq_query(q, "format", format, sizeof(format)))
		(void)snprintf(format, sizeof(format), "md");
	if (strcmp(format, "md") != 0 && strcmp(format, "json") != 0)
		return reply_field(q, 400, "format",
		    "The format must be md or json");
	if (!input_id(q->param[0], &id))
		return reply_fail(q, LN_NOT_FOUND, NULL);
	return export_start(q, id, format);
}
