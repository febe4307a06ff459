/* Conversations ("sessions" on the wire). */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/conversation.h>
#include <ln/text.h>

#include "input.h"
#include "reply.h"
#include "routes.h"
#include "tell.h"

#define TITLE_BYTES_MAX ((size_t)LN_TITLE_MAX * 4)

void
session_tags_json(struct ln_jw *w, const char *tags)
{
	const char *p;
	size_t n;

	ln_jw_array(w, "tags");
	for (p = tags; p != NULL && *p != '\0'; p += *p != '\0') {
		n = strcspn(p, "\x1f");
		if (n > 0)
			ln_jw_stringn(w, NULL, p, n);
		p += n;
	}
	ln_jw_end(w);
}

static void
conversation_json(struct ln_jw *w, const struct ln_conversation *c)
{
	ln_jw_object(w, NULL);
	ln_jw_string(w, "id", c->id);
	ln_jw_string(w, "title", c->title);
	ln_jw_string(w, "model", c->model);
	ln_jw_string(w, "project_id", c->project_id);
	ln_jw_string(w, "project_title", c->project_title);
	ln_jw_bool(w, "archived", c->archived_ms != 0);
	ln_jw_bool(w, "pinned", c->pinned_ms != 0);
	ln_jw_string(w, "group_id", c->group_id);
	ln_jw_int(w, "total_tokens", c->total_tokens);
	session_tags_json(w, c->tags);
	ln_jw_time(w, "updated_at", c->updated_ms);
	ln_jw_end(w);
}

/* The page as the reply; the list is freed. */
static int
reply_list(struct rq *q, struct ln_conversation_list *list)
{
	struct ln_jw *w;
	size_t i;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list->count; i++)
			conversation_json(w, list->items[i]);
	}
	if (list->next != NULL)
		http_response_header(q->req, "x-next-cursor", list->next);
	ln_conversation_list_free(list);
	return reply_json(q, 200, w);
}

/* One page of those that ${f} wants; the rest of it is in the query. */
static int
list_page(struct rq *q, struct ln_conversation_filter *f)
{
	struct ln_conversation_list list;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	char archived[8], before[LN_CURSOR_MAX];

	if (rq_query(q, "archived", archived, sizeof(archived)))
		f->with_archived = strcmp(archived, "1") == 0;
	if (rq_query(q, "before", before, sizeof(before)))
		f->before = before;
	if (!input_query_int(q, "limit", 1, LN_CONVERSATION_PAGE_MAX,
	    &f->limit))
		return KORE_RESULT_OK;
	s = ln_conversation_list(worker_store, q->user->id, f, &list, &err);
	return s == LN_OK ? reply_list(q, &list) : reply_fail(q, s, &err);
}

int
history_list(struct rq *q)
{
	struct ln_conversation_filter f = { .size = sizeof(f) };
	char group_id[RQ_PARAM_SIZE];

	if (rq_query(q, "group_id", group_id, sizeof(group_id)))
		f.group_id = group_id;
	return list_page(q, &f);
}

int
tag_sessions(struct rq *q)
{
	struct ln_conversation_filter f = { .size = sizeof(f),
		.with_archived = true };
	struct ln_error err = LN_ERROR_INIT;
	char *tag = NULL;
	enum ln_status s;
	int rc;

	if ((s = ln_text_tag(q->param[0], &tag, &err)) != LN_OK)
		return reply_fail(q, s, &err);
	f.tag = tag;
	rc = list_page(q, &f);
	ln_free(tag);
	return rc;
}

int
session_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_conversation_delete(worker_store, q->user->id, q->param[0],
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, q->param[0]);
	return reply_success(q);
}

int
bulk_delete(struct rq *q)
{
	const struct ln_json *list = ln_json_get(q->body, "ids"), *n;
	const char *ids[LN_CONVERSATION_DELETE_MAX];
	struct ln_error err = LN_ERROR_INIT;
	size_t count = 0;
	enum ln_status s;

	if (list == NULL || ln_json_type(list) != LN_JSON_ARRAY)
		return input_bad(q, "ids");
	if (ln_json_count(list) > LN_CONVERSATION_DELETE_MAX)
		return reply_field(q, 400, "ids",
		    "At most 500 at a time");
	for (n = ln_json_first(list); n != NULL; n = ln_json_next(n)) {
		if ((ids[count] = ln_json_string(n)) == NULL)
			return input_bad(q, "ids");
		count++;
	}
	s = ln_conversation_delete_all(worker_store, q->user->id, ids, count,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, NULL);
	return reply_success(q);
}

int
session_rename(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *title;
	enum ln_status s;

	if (!input_string(q, "title", TITLE_BYTES_MAX, &title))
		return KORE_RESULT_OK;
	if (title == NULL)
		return reply_field(q, 400, "title", "A title is required");
	s = ln_conversation_rename(worker_store, q->user->id, q->param[0],
	    title, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_title(q, q->param[0], title);
	return reply_success(q);
}

/* Pin and archive: a value, or the opposite of what is. */
static int
toggle(struct rq *q, const char *name, bool (*is_set)(
    const struct ln_conversation *), enum ln_status (*set)(struct ln_store *,
    const char *, const char *, bool, struct ln_error *))
{
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	bool value = false, is_given;

	if (!input_bool(q, name, &value, &is_given))
		return KORE_RESULT_OK;
	if (!is_given) {
		s = ln_conversation_get(worker_store, q->user->id,
		    q->param[0], &c, &err);
		if (s != LN_OK)
			return reply_fail(q, s, &err);
		value = !is_set(c);
		ln_conversation_free(c);
	}
	s = set(worker_store, q->user->id, q->param[0], value, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, q->param[0]);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_bool(w, name, value);
	}
	return reply_json(q, 200, w);
}

static bool
is_pinned(const struct ln_conversation *c)
{
	return c->pinned_ms != 0;
}

static bool
is_archived(const struct ln_conversation *c)
{
	return c->archived_ms != 0;
}

int
session_pin(struct rq *q)
{
	return toggle(q, "pinned", is_pinned, ln_conversation_pin);
}

int
session_archive(struct rq *q)
{
	return toggle(q, "archived", is_archived, ln_conversation_archive);
}

int
session_config_show(struct rq *q)
{
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;

	s = ln_conversation_get(worker_store, q->user->id, q->param[0], &c,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "system_prompt", c->system_prompt);
		ln_jw_string(w, "model", c->model);
		if (c->has_temperature)
			ln_jw_number(w, "temperature", c->temperature);
		else
			ln_jw_null(w, "temperature");
		ln_jw_string(w, "project_id", c->project_id);
	}
	ln_conversation_free(c);
	return reply_json(q, 200, w);
}

/* One change, all or nothing. */
struct config_change {
	const struct rq *q;
	const char *model, *prompt, *project_id;
	const double *temperature;
	bool has_project;
};

static enum ln_status
config_apply(struct ln_store *st, void *arg, struct ln_error *err)
{
	const struct config_change *c = arg;
	const char *user_id = c->q->user->id, *id = c->q->param[0];
	enum ln_status s = LN_OK;

	if (c->has_project)
		s = ln_conversation_move(st, user_id, id, c->project_id, err);
	if (s == LN_OK)
		s = ln_conversation_configure(st, user_id, id, c->model,
		    c->prompt, c->temperature, err);
	return s;
}

int
session_config_update(struct rq *q)
{
	const struct ln_json *n = ln_json_get(q->body, "temperature");
	struct config_change c = { .q = q };
	struct ln_error err = LN_ERROR_INIT;
	double temperature = 0;
	bool is_given;
	enum ln_status s;

	if (!input_string(q, "model", 512, &c.model) ||
	    !input_string(q, "system_prompt", SERVER_BODY_MAX, &c.prompt) ||
	    !input_string(q, "project_id", RQ_PARAM_SIZE, &c.project_id) ||
	    !input_number(q, "temperature", &temperature, &is_given))
		return KORE_RESULT_OK;
	/* Null and "" take it out of its project. */
	c.has_project = ln_json_get(q->body, "project_id") != NULL;
	if (c.project_id != NULL && c.project_id[0] == '\0')
		c.project_id = NULL;
	/* An explicit null clears it. */
	if (n != NULL && !is_given) {
		temperature = (double)NAN;
		is_given = true;
	}
	c.temperature = is_given ? &temperature : NULL;
	s = ln_store_transaction(worker_store, config_apply, &c, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if (c.has_project)
		tell_history(q, q->param[0]);
	return session_config_show(q);
}
