#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ln/project.h>

#define SEARCH_DEFAULT 5
#define WAIT_MS 200	/* between two looks at what a server reads */

/* Projects: documents that answers may quote. */

static int
fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *name)
{
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such project", "See `lnctl project list`",
		    "%s", name);
	if (s == LN_CONFLICT)
		return ctx_refuse(c, EX_CONFLICT, "conflict",
		    "several projects are called that",
		    "Give the id that `lnctl project list` shows", "%s", name);
	return ctx_fail(c, s, err, NULL, "%s", name);
}

/* The person, and the project that the first word names. */
static int
find(struct ctx *c, struct ln_user **out_user, struct ln_project **out)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	*out_user = NULL;
	*out = NULL;
	if ((rc = ctx_person(c, out_user)) != EX_OK)
		return rc;
	s = ln_project_find(c->st, (*out_user)->id, ctx_word(c, 0), out, &err);
	return s == LN_OK ? EX_OK : fail(c, s, &err, ctx_word(c, 0));
}

static int
project_list(struct ctx *c)
{
	static const struct out_col cols[] = { { "id", OUT_STR, false },
		{ "documents", OUT_INT, false },
		{ "created_at", OUT_TIME, true },
		{ "description", OUT_STR, true }, { "title", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_project_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_project *p;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_project_list(c->st, u->id, &list, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "projects");
	out_list(c->out, "projects", cols);
	for (i = 0; i < list.count; i++) {
		p = list.items[i];
		out_row(c->out, p->id, p->document_count, p->created_ms,
		    p->description, p->title);
	}
	out_list_end(c->out);
	ln_project_list_free(&list);
	return ctx_finish(c);
}

static int
project_create(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_project_create(c->st, u->id, ctx_word(c, 0),
	    ctx_opt(c, O_DESCRIPTION), &p, &err);
	if (s != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", ctx_word(c, 0));
	else {
		out_str(c->out, "result", "created");
		out_str(c->out, "id", p->id);
		out_str(c->out, "title", p->title);
		out_say(c->out, "\"%s\" is created. Add documents with"
		    " `lnctl project add`", p->title);
		rc = ctx_finish(c);
	}
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

static int
project_delete(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = find(c, &u, &p)) != EX_OK || (rc = tty_confirm(c,
	    "Delete \"%s\" and its %lld documents?", p->title,
	    (long long)p->document_count)) != EX_OK)
		goto out;
	if ((s = ln_project_delete(c->st, u->id, p->id, &err)) != LN_OK) {
		rc = fail(c, s, &err, p->title);
		goto out;
	}
	out_str(c->out, "result", "deleted");
	out_str(c->out, "id", p->id);
	out_str(c->out, "title", p->title);
	out_int(c->out, "documents", p->document_count);
	out_say(c->out, "\"%s\" is deleted", p->title);
	rc = ctx_finish(c);
out:
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

/* --- documents ---------------------------------------------------------- */

static const struct out_col document_cols[] = { { "id", OUT_INT, false },
	{ "filename", OUT_STR, false }, { "status", OUT_STR, false },
	{ "bytes", OUT_BYTES, false }, { "chunks", OUT_INT, false },
	{ "pages", OUT_INT, true }, { "type", OUT_STR, true },
	{ "url", OUT_STR, true }, { "created_at", OUT_TIME, true },
	{ "vectors", OUT_STR, true }, { "vectors_reason", OUT_STR, true },
	{ "reason", OUT_STR, false }, { NULL, OUT_STR, false } };

static void
document_row(struct out *o, const struct ln_document *d)
{
	out_row(o, d->id, d->filename, ln_document_state_name(d->state),
	    d->bytes, d->chunk_count, d->page_count, d->type, d->source_url,
	    d->created_ms, ln_vectors_name(d->vectors), d->vectors_reason,
	    d->reason);
}

static int
project_docs(struct ctx *c)
{
	struct ln_document_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = find(c, &u, &p)) != EX_OK)
		goto out;
	if ((s = ln_document_list(c->st, u->id, p->id, &list, &err)) !=
	    LN_OK) {
		rc = fail(c, s, &err, p->title);
		goto out;
	}
	out_list(c->out, "documents", document_cols);
	for (i = 0; i < list.count; i++)
		document_row(c->out, list.items[i]);
	out_list_end(c->out);
	rc = ctx_finish(c);
out:
	ln_document_list_free(&list);
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

static bool
is_stopped(void *arg)
{
	(void)arg;
	return sig_interrupted();
}

static int
store_file(struct ctx *c, const struct ln_user *u, const struct ln_project *p,
    const char *path, int64_t *out_id)
{
	struct ln_buf bytes = LN_BUF_INIT((size_t)LN_DOCUMENT_FILE_MAX + 1);
	struct ln_document_new n = { .size = sizeof(n) };
	const char *slash = strrchr(path, '/');
	struct ln_error err = LN_ERROR_INIT;
	struct ln_document *d = NULL;
	enum ln_status s;
	int e, rc = EX_OK;

	if ((e = file_read(path, (size_t)LN_DOCUMENT_FILE_MAX, &bytes)) != 0) {
		rc = ctx_refuse(c, e == ENOENT ? EX_NOT_FOUND : EX_FAILED,
		    e == ENOENT ? "not_found" : "io", e == EFBIG ?
		    "it is larger than 50 MiB" : strerror(e), "", "%s", path);
		goto out;
	}
	n.filename = slash != NULL ? slash + 1 : path;
	n.bytes = bytes.data;
	n.bytes_count = bytes.len;
	if ((s = ln_document_add(c->st, u->id, p->id, &n, &d, &err)) != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", path);
	else
		*out_id = d->id;
out:
	ln_document_free(d);
	ln_buf_free(&bytes);
	return rc;
}

/*
 * Read what waits in the project.  A server at work may have taken some of it:
 * wait for those until it is done with them.
 */
static int
read_all(struct ctx *c, const struct ln_user *u, const struct ln_project *p,
    const int64_t *ids, size_t count)
{
	static const struct timespec pause = { 0, WAIT_MS * 1000000L };
	const struct ln_document_read r = { .size = sizeof(r),
		.project_id = p->id, .is_stopped = is_stopped };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_document *d = NULL;
	enum ln_document_state state;
	enum ln_status s;
	size_t i;

	for (i = 0; i < count && !sig_interrupted();) {
		s = ln_document_read_next(c->st, &r, &err);
		if (s == LN_CANCELLED)
			break;
		if (s != LN_OK && s != LN_NOT_FOUND)
			return ctx_fail(c, s, &err, "What is stored is read"
			    " by the server, or with the next document",
			    "%s", p->title);
		s = ln_document_get(c->st, u->id, p->id, ids[i], &d, &err);
		if (s != LN_OK)
			return ctx_fail(c, s, &err, NULL, "%s", p->title);
		state = d->state;
		ln_document_free(d);
		d = NULL;
		if (state == LN_DOCUMENT_READY || state == LN_DOCUMENT_FAILED)
			i++;
		else
			nanosleep(&pause, NULL);
	}
	if (sig_interrupted())
		return ctx_refuse(c, EX_INTERRUPTED, "interrupted",
		    "interrupted", "What is stored is read by the server, or"
		    " with the next document", "%s", p->title);
	return EX_OK;
}

static int
tell_added(struct ctx *c, const struct ln_user *u, const struct ln_project *p,
    const int64_t *ids, size_t count)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_document *d = NULL;
	size_t i, failed = 0;
	enum ln_status s;
	int rc;

	out_list(c->out, "documents", document_cols);
	for (i = 0; i < count; i++) {
		s = ln_document_get(c->st, u->id, p->id, ids[i], &d, &err);
		if (s != LN_OK)
			return ctx_fail(c, s, &err, NULL, "%s", p->title);
		document_row(c->out, d);
		if (d->state == LN_DOCUMENT_FAILED)
			failed++;
		ln_document_free(d);
		d = NULL;
	}
	out_list_end(c->out);
	if ((rc = ctx_finish(c)) != EX_OK || failed == 0)
		return rc;
	return ctx_refuse(c, failed == count ? EX_FAILED : EX_PARTIAL,
	    "unreadable", "some documents have no text that can be read",
	    "The reasons stand beside them", "%s", p->title);
}

static int
project_add(struct ctx *c)
{
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	int64_t *ids = NULL;
	size_t i, count = c->args.count - 1;
	int rc;

	if ((rc = find(c, &u, &p)) != EX_OK)
		goto out;
	if ((ids = calloc(count, sizeof(*ids))) == NULL) {
		rc = ctx_fail(c, LN_NOMEM, NULL, NULL, "%s", p->title);
		goto out;
	}
	for (i = 0; i < count; i++) {
		rc = store_file(c, u, p, ctx_word(c, i + 1), &ids[i]);
		if (rc != EX_OK)
			goto out;
	}
	if ((rc = read_all(c, u, p, ids, count)) == EX_OK)
		rc = tell_added(c, u, p, ids, count);
out:
	free(ids);
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

static int
project_search(struct ctx *c)
{
	static const struct out_col cols[] = { { "filename", OUT_STR, false },
		{ "page", OUT_INT, false }, { "line", OUT_INT, false },
		{ "document_id", OUT_INT, true }, { "text", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_project_query q = { .size = sizeof(q), .cfg = c->cfg,
		.is_stopped = is_stopped };
	struct ln_passage_list list = { NULL, 0, LN_NOT_FOUND };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	const struct ln_passage *one;
	enum ln_status s;
	int64_t max;
	size_t i;
	int rc;

	if ((rc = opt_int(c, O_LIMIT, 1, LN_PASSAGE_COUNT_MAX, SEARCH_DEFAULT,
	    &max)) != EX_OK || (rc = find(c, &u, &p)) != EX_OK)
		goto out;
	q.user_id = u->id;
	q.project_id = p->id;
	q.question = ctx_word(c, 1);
	q.max = (size_t)max;
	s = ln_project_search(c->st, &q, &list, &err);
	if (s != LN_OK) {
		rc = fail(c, s, &err, p->title);
		goto out;
	}
	out_list(c->out, "passages", cols);
	for (i = 0; i < list.count; i++) {
		one = &list.items[i];
		out_row(c->out, one->filename, one->page, one->line,
		    one->document_id, one->text);
	}
	out_list_end(c->out);
	rc = ctx_finish(c);
out:
	ln_passage_list_free(&list);
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

/* --- vectors ------------------------------------------------------------ */

struct tally {
	int64_t ready, failed, skipped, waiting;
	char reason[256];	/* of one that failed */
};

static enum ln_status
count_vectors(struct ctx *c, const struct ln_user *u,
    const struct ln_project *p, struct tally *t, struct ln_error *err)
{
	struct ln_document_list list = { NULL, 0 };
	const struct ln_document *d;
	enum ln_status s;
	size_t i;

	*t = (struct tally){ 0 };
	if ((s = ln_document_list(c->st, u->id, p->id, &list, err)) != LN_OK)
		return s;
	for (i = 0; i < list.count; i++) {
		d = list.items[i];
		t->ready += d->vectors == LN_VECTORS_READY;
		t->skipped += d->vectors == LN_VECTORS_SKIPPED;
		t->waiting += d->vectors == LN_VECTORS_WORKING;
		if (d->vectors != LN_VECTORS_FAILED)
			continue;
		t->failed++;
		(void)snprintf(t->reason, sizeof(t->reason), "%s",
		    d->vectors_reason != NULL ? d->vectors_reason : "");
	}
	ln_document_list_free(&list);
	return LN_OK;
}

/* A server at work may have some of them in hand: wait for those. */
static int
embed_all(struct ctx *c, const struct ln_user *u, const struct ln_project *p,
    struct tally *t)
{
	static const struct timespec pause = { 0, WAIT_MS * 1000000L };
	const struct ln_document_embed e = { .size = sizeof(e), .cfg = c->cfg,
		.project_id = p->id, .is_stopped = is_stopped };
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s = LN_OK;

	for (;;) {
		while (s == LN_OK && !sig_interrupted())
			s = ln_document_embed_next(c->st, &e, &err);
		if (sig_interrupted())
			return ctx_refuse(c, EX_INTERRUPTED, "interrupted",
			    "interrupted", "The server goes on with it, or the"
			    " same command", "%s", p->title);
		if (s == LN_NOT_FOUND)
			s = count_vectors(c, u, p, t, &err);
		if (s != LN_OK)
			return ctx_fail(c, s, &err, NULL, "%s", p->title);
		if (t->waiting == 0)
			return EX_OK;
		nanosleep(&pause, NULL);
	}
}

static int
project_reindex(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	struct tally t;
	int rc;

	if ((rc = find(c, &u, &p)) != EX_OK)
		goto out;
	if ((s = ln_project_reindex(c->st, u->id, p->id, &err)) != LN_OK) {
		rc = fail(c, s, &err, p->title);
		goto out;
	}
	if ((rc = embed_all(c, u, p, &t)) != EX_OK)
		goto out;
	out_str(c->out, "id", p->id);
	out_str(c->out, "title", p->title);
	out_int(c->out, "ready", t.ready);
	out_int(c->out, "skipped", t.skipped);
	out_int(c->out, "failed", t.failed);
	if (t.ready + t.skipped + t.failed == 0)
		out_say(c->out, "No embedding model is set, so there is"
		    " nothing to do: documents are found by their words");
	else
		out_say(c->out, "%lld documents are found by their meaning,"
		    " too", (long long)t.ready);
	if ((rc = ctx_finish(c)) == EX_OK && t.failed > 0)
		rc = ctx_refuse(c, EX_UPSTREAM, "upstream", t.reason,
		    "Documents are found by their words. A running server"
		    " tries again by itself", "%s", p->title);
out:
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}

static const enum opt_id opts[] = { O_USER, O_END };
static const enum opt_id create_opts[] = { O_USER, O_DESCRIPTION, O_END };
static const enum opt_id search_opts[] = { O_USER, O_LIMIT, O_END };
static const struct verb verbs[] = {
	{ "list", project_list, opts, "", CMD_STORE_RO,
	    "list the projects of an account" },
	{ "create", project_create, create_opts, "TITLE", CMD_STORE_RW,
	    "make one" },
	{ "delete", project_delete, opts, "PROJECT", CMD_STORE_RW,
	    "delete one and its documents" },
	{ "add", project_add, opts, "PROJECT FILE...",
	    CMD_STORE_RW | CMD_SIGNALS, "add documents and read them" },
	{ "docs", project_docs, opts, "PROJECT", CMD_STORE_RO,
	    "list its documents" },
	{ "search", project_search, search_opts, "PROJECT QUERY",
	    CMD_STORE_RO | CMD_SIGNALS,
	    "find passages in its documents" },
	{ "reindex", project_reindex, opts, "PROJECT",
	    CMD_STORE_RW | CMD_SIGNALS,
	    "embed its documents anew" },
};
const struct noun noun_project = { "project",
	"documents that answers may quote", verbs, nitems(verbs) };
