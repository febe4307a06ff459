#include "tell.h"

#include <stdio.h>
#include <stdlib.h>

#include <ln/buf.h>

#include "documents.h"
#include "hub.h"
#include "jobs.h"

#define EVENT_MAX 4096
#define DOCUMENT_MAX ((size_t)32 * 1024)

static void
tell(const struct rq *q, const char *type, const char *conversation_id,
    const char *title)
{
	struct ln_buf b = LN_BUF_INIT(EVENT_MAX);
	struct ln_jw *w;

	if ((w = ln_jw_new()) == NULL)
		return;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", type);
	if (conversation_id != NULL)
		ln_jw_string(w, "session_id", conversation_id);
	if (title != NULL)
		ln_jw_string(w, "title", title);
	if (ln_jw_print(w, false, &b) == LN_OK)
		hub_publish(q->user->id, ln_buf_str(&b), b.len);
	ln_jw_free(w);
	ln_buf_free(&b);
}

void
tell_history(const struct rq *q, const char *conversation_id)
{
	tell(q, "history_changed", conversation_id, NULL);
}

void
tell_title(const struct rq *q, const char *conversation_id,
    const char *title)
{
	tell(q, "title_updated", conversation_id, title);
}

/* --- documents ------------------------------------------------------------ */

/* ${d} NULL: it is gone. */
static bool
print_document(struct ln_buf *b, const char *project_id, int64_t id,
    const struct ln_document *d)
{
	struct ln_jw *w;
	enum ln_status s;

	if ((w = ln_jw_new()) == NULL)
		return false;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "document");
	ln_jw_string(w, "project_id", project_id);
	ln_jw_int(w, "document_id", id);
	if (d != NULL)
		document_json(w, "document", d);
	else
		ln_jw_null(w, "document");
	s = ln_jw_print(w, false, b);
	ln_jw_free(w);
	return s == LN_OK;
}

static void
publish_document(const char *user_id, const char *project_id, int64_t id,
    const struct ln_document *d)
{
	struct ln_buf b = LN_BUF_INIT(DOCUMENT_MAX);

	if (print_document(&b, project_id, id, d))
		hub_publish(user_id, ln_buf_str(&b), b.len);
	ln_buf_free(&b);
}

void
tell_document(const char *user_id, const struct ln_document *d)
{
	publish_document(user_id, d->project_id, d->id, d);
}

void
tell_document_gone(const char *user_id, const char *project_id, int64_t id)
{
	publish_document(user_id, project_id, id, NULL);
}

/* On its way from a thread to the event loop. */
struct news {
	struct job j;
	char user_id[64];
	struct ln_buf json;
};

static void
news_publish(struct job *j)
{
	const struct news *n = (const struct news *)j;

	hub_publish(n->user_id, ln_buf_str(&n->json), n->json.len);
}

static void
news_free(struct job *j)
{
	struct news *n = (struct news *)j;

	ln_buf_free(&n->json);
	free(n);
}

void
tell_document_later(const char *user_id, const struct ln_document *d)
{
	struct news *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return;
	n->j.detached = news_publish;
	n->j.free = news_free;
	n->json = (struct ln_buf)LN_BUF_INIT(DOCUMENT_MAX);
	(void)snprintf(n->user_id, sizeof(n->user_id), "%s", user_id);
	if (print_document(&n->json, d->project_id, d->id, d))
		job_post(&n->j);
	else
		news_free(&n->j);
}
