/* Tools that a model may call, and two of them called by hand. */

#include <stdlib.h>
#include <string.h>

#include <ln/audit.h>
#include <ln/tool.h>

#include "input.h"
#include "jobs.h"
#include "reply.h"
#include "routes.h"

#define PATH_BYTES_MAX 4096
#define QUERY_BYTES_MAX ((size_t)LN_SEARCH_QUERY_MAX * 4)

/* --- definitions ---------------------------------------------------------- */

static void
tool_json(struct ln_jw *w, const struct ln_tool *t)
{
	static const char *const kinds[] = {
		[LN_TOOL_BUILTIN] = "builtin",
		[LN_TOOL_HTTP] = "http",
		[LN_TOOL_BARE] = "bare",
	};
	struct ln_json *definition = NULL;

	/* What another program left here may be no JSON: then it is null. */
	if (ln_json_parse(t->definition, strlen(t->definition), NULL,
	    &definition, NULL) != LN_OK)
		definition = NULL;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "id", t->id);
	ln_jw_string(w, "name", t->name);
	ln_jw_string(w, "description", t->description);
	ln_jw_node(w, "definition", definition);
	ln_jw_string(w, "kind", kinds[t->kind]);
	ln_jw_bool(w, "is_global", t->user_id == NULL);
	ln_jw_bool(w, "enabled", t->is_enabled);
	ln_jw_bool(w, "asks_first", t->asks_first);
	ln_jw_bool(w, "available", t->is_available);
	ln_jw_end(w);
	ln_json_free(definition);
}

int
tools_list(struct rq *q)
{
	struct ln_tool_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_tool_list(worker_store, server.cfg, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list.count; i++)
			tool_json(w, list.items[i]);
		ln_jw_end(w);
	}
	ln_tool_list_free(&list);
	return reply_json(q, 200, w);
}

/* What the body asks for.  ${text} holds a definition that came as JSON. */
struct wish {
	struct ln_tool_change change;
	bool is_enabled, asks_first, is_global, has_global;
	struct ln_buf text;
};

static void
wish_free(struct wish *h)
{
	ln_buf_free(&h->text);
}

/* A definition is an object, or its text. */
static bool
read_definition(struct rq *q, struct wish *h)
{
	const struct ln_json *node = ln_json_get(q->body, "definition");
	struct ln_jw *w;
	enum ln_status s;

	if (node == NULL || ln_json_type(node) == LN_JSON_NULL)
		return true;
	if (ln_json_type(node) == LN_JSON_STRING) {
		h->change.definition = ln_json_string(node);
		return true;
	}
	/* What it is not is told before whether there is such a tool. */
	if (ln_json_type(node) != LN_JSON_OBJECT ||
	    (ln_json_get(node, "name") == NULL &&
	    ln_json_get(node, "function") == NULL)) {
		(void)input_bad(q, "definition");
		return false;
	}
	w = ln_jw_new();
	ln_jw_node(w, NULL, node);
	s = ln_jw_print(w, false, &h->text);
	ln_jw_free(w);
	if (s != LN_OK) {
		(void)reply_fail(q, s, NULL);
		return false;
	}
	h->change.definition = ln_buf_str(&h->text);
	return true;
}

/* False after a refusal was written. */
static bool
read_wish(struct rq *q, struct wish *h)
{
	bool is_given;

	memset(h, 0, sizeof(*h));
	h->change.size = sizeof(h->change);
	h->text = (struct ln_buf)LN_BUF_SECRET_INIT(SERVER_BODY_MAX * 8);
	if (!input_string(q, "name", LN_TOOL_NAME_MAX * 4, &h->change.name) ||
	    !input_string(q, "description", LN_TOOL_DESCRIPTION_MAX * 4,
	    &h->change.description) ||
	    !input_bool(q, "enabled", &h->is_enabled, &is_given))
		return false;
	if (is_given)
		h->change.is_enabled = &h->is_enabled;
	if (!input_bool(q, "asks_first", &h->asks_first, &is_given))
		return false;
	if (is_given)
		h->change.asks_first = &h->asks_first;
	return input_bool(q, "is_global", &h->is_global, &h->has_global) &&
	    read_definition(q, h);
}

static int
reply_tool(struct rq *q, enum ln_status s, struct ln_tool *t,
    const struct ln_error *err)
{
	struct ln_jw *w;

	if (s != LN_OK)
		return reply_fail(q, s, err);
	if ((w = ln_jw_new()) != NULL)
		tool_json(w, t);
	ln_tool_free(t);
	return reply_json(q, 200, w);
}

int
tools_create(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tool *t = NULL;
	struct wish h;
	enum ln_status s;

	if (!read_wish(q, &h)) {
		wish_free(&h);
		return KORE_RESULT_OK;
	}
	s = ln_tool_create(worker_store, server.cfg, h.is_global ? NULL :
	    q->user->id, &h.change, &t, &err);
	wish_free(&h);
	return reply_tool(q, s, t, &err);
}

/*
 * Whose tool the path names: NULL in ${out} for everybody's.  A name in place
 * of an id is only for built-in tools, which have no other.
 */
static enum ln_status
find_scope(struct rq *q, const char **out, bool *out_is_builtin,
    struct ln_error *err)
{
	struct ln_tool *t = NULL;
	enum ln_status s;

	*out = NULL;
	*out_is_builtin = false;
	s = ln_tool_get(worker_store, server.cfg, q->user->id, q->param[0], &t,
	    err);
	if (s != LN_OK)
		return s;
	if (strcmp(t->id, q->param[0]) != 0)
		s = ln_fail(err, LN_NOT_FOUND, "There is no such tool",
		    "a name for an id");
	else if (t->user_id != NULL || q->user->role != LN_USER_ROLE_ADMIN)
		*out = q->user->id;
	*out_is_builtin = t->kind == LN_TOOL_BUILTIN;
	ln_tool_free(t);
	return s;
}

int
tools_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tool *t = NULL;
	const char *scope;
	bool is_builtin;
	struct wish h;
	enum ln_status s;

	if (!read_wish(q, &h)) {
		wish_free(&h);
		return KORE_RESULT_OK;
	}
	if ((s = find_scope(q, &scope, &is_builtin, &err)) == LN_OK) {
		/* An administrator's own switches of a built-in tool. */
		if (is_builtin && h.has_global)
			scope = h.is_global ? NULL : q->user->id;
		s = ln_tool_update(worker_store, server.cfg, scope,
		    q->param[0], &h.change, &t, &err);
	}
	wish_free(&h);
	return reply_tool(q, s, t, &err);
}

int
tools_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *scope;
	bool is_builtin;
	enum ln_status s;

	if ((s = find_scope(q, &scope, &is_builtin, &err)) != LN_OK ||
	    (s = ln_tool_delete(worker_store, scope, q->param[0], &err)) !=
	    LN_OK)
		return reply_fail(q, s, &err);
	return reply_success(q);
}

/* --- called by hand ------------------------------------------------------- */

struct hand_job {
	struct job j;
	char *input;		/* query or path */
	struct ln_search_list list;
	struct ln_tool_file file;
};

static void
hand_free(struct job *j)
{
	struct hand_job *h = (struct hand_job *)j;

	free(h->input);
	ln_search_list_free(&h->list);
	ln_tool_file_free(&h->file);
	free(h);
}

/* A run by hand is a run: it stands in the audit log, whatever came of it. */
static void
audit(struct job *j, struct ln_store *st, const char *detail)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_audit_add(st, "tool.run", NULL, j->status, detail, &err);
	if (s != LN_OK && j->status == LN_OK) {
		j->status = s;
		j->err = err;
	}
}

static void
search_run(struct job *j, struct ln_store *st)
{
	struct hand_job *h = (struct hand_job *)j;

	j->status = ln_tool_web_search(server.cfg, h->input, NULL, &h->list,
	    &j->err);
	audit(j, st, "tool=web_search by=hand");
}

static int
search_done(struct rq *q, struct job *j)
{
	const struct hand_job *h = (const struct hand_job *)j;
	struct ln_jw *w;
	size_t i;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	ln_jw_object(w, NULL);
	ln_jw_array(w, "results");
	for (i = 0; i < h->list.count; i++) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "title", h->list.items[i].title);
		ln_jw_string(w, "url", h->list.items[i].url);
		ln_jw_string(w, "snippet", h->list.items[i].snippet);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_jw_end(w);
	return reply_json(q, 200, w);
}

static void
read_run(struct job *j, struct ln_store *st)
{
	struct hand_job *h = (struct hand_job *)j;
	struct ln_buf detail = LN_BUF_INIT(PATH_BYTES_MAX + 100);

	j->status = ln_tool_read_file(server.cfg, h->input, &h->file, &j->err);
	ln_buf_printf(&detail, "tool=read_file by=hand path=%s", h->input);
	audit(j, st, ln_buf_str(&detail));
	ln_buf_free(&detail);
}

static int
read_done(struct rq *q, struct job *j)
{
	const struct hand_job *h = (const struct hand_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	ln_jw_object(w, NULL);
	ln_jw_stringn(w, "content", h->file.content, h->file.length);
	ln_jw_string(w, "path", h->file.path);
	ln_jw_int(w, "size", h->file.bytes);
	ln_jw_bool(w, "is_cut", (int64_t)h->file.length < h->file.bytes);
	ln_jw_end(w);
	return reply_json(q, 200, w);
}

static int
start(struct rq *q, const char *input,
    void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct hand_job *h;

	if ((h = calloc(1, sizeof(*h))) == NULL ||
	    (h->input = strdup(input)) == NULL) {
		free(h);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	h->j.run = run;
	h->j.done = done;
	h->j.free = hand_free;
	return job_start(q, &h->j, JOB_TOOL);
}

int
websearch(struct rq *q)
{
	const char *query;

	if (!input_string(q, "query", QUERY_BYTES_MAX, &query))
		return KORE_RESULT_OK;
	if (query == NULL || *query == '\0')
		return reply_field(q, 400, "query",
		    "A search has 1 to 400 characters");
	return start(q, query, search_run, search_done);
}

int
file_read(struct rq *q)
{
	const char *path;

	if (!input_string(q, "path", PATH_BYTES_MAX, &path))
		return KORE_RESULT_OK;
	if (path == NULL || *path == '\0')
		return reply_field(q, 400, "path", "The path is missing");
	return start(q, path, read_run, read_done);
}
