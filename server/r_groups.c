/* Groups and tags of conversations. */

#include <string.h>

#include <ln/conversation.h>
#include <ln/group.h>
#include <ln/tag.h>

#include "input.h"
#include "reply.h"
#include "routes.h"
#include "tell.h"

#define TITLE_BYTES_MAX ((size_t)LN_TITLE_MAX * 4)
#define TAG_BYTES_MAX ((size_t)1024)	/* as typed, with blanks */

static void
group_json(struct ln_jw *w, const struct ln_group *g)
{
	ln_jw_object(w, NULL);
	ln_jw_string(w, "id", g->id);
	ln_jw_string(w, "title", g->title);
	ln_jw_int(w, "position", g->position);
	ln_jw_int(w, "session_count", g->conversation_count);
	ln_jw_time(w, "created_at", g->created_ms);
	ln_jw_end(w);
}

int
groups_list(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_group_list list;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_group_list(worker_store, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list.count; i++)
			group_json(w, &list.items[i]);
	}
	ln_group_list_free(&list);
	return reply_json(q, 200, w);
}

/* The group as the reply; it is freed. */
static int
reply_group(struct rq *q, struct ln_group *g)
{
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL)
		group_json(w, g);
	ln_group_free(g);
	return reply_json(q, 200, w);
}

int
groups_create(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_group *g = NULL;
	const char *title;
	enum ln_status s;

	if (!input_string(q, "title", TITLE_BYTES_MAX, &title))
		return KORE_RESULT_OK;
	if (title == NULL)
		return reply_field(q, 400, "title", "A title is required");
	s = ln_group_create(worker_store, q->user->id, title, &g, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, NULL);
	return reply_group(q, g);
}

int
groups_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_group *g = NULL;
	const char *title;
	int64_t position;
	bool is_given;
	enum ln_status s;

	if (!input_string(q, "title", TITLE_BYTES_MAX, &title) ||
	    !input_int(q, "position", &position, &is_given))
		return KORE_RESULT_OK;
	if (title == NULL && !is_given)
		return reply_field(q, 400, "title", "A title is required");
	if ((s = ln_group_update(worker_store, q->user->id, q->param[0],
	    title, is_given ? &position : NULL, &err)) != LN_OK ||
	    (s = ln_group_get(worker_store, q->user->id, q->param[0], &g,
	    &err)) != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, NULL);
	return reply_group(q, g);
}

int
groups_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_group_delete(worker_store, q->user->id, q->param[0], &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, NULL);
	return reply_success(q);
}

int
session_group(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *id, *group_id;
	enum ln_status s;

	if (!input_string(q, "session_id", RQ_PARAM_SIZE, &id) ||
	    !input_string(q, "group_id", RQ_PARAM_SIZE, &group_id))
		return KORE_RESULT_OK;
	if (id == NULL)
		return reply_field(q, 400, "session_id",
		    "A session is required");
	/* A null says "none"; saying nothing is a slip. */
	if (ln_json_get(q->body, "group_id") == NULL)
		return reply_field(q, 400, "group_id",
		    "A group, or null, is required");
	s = ln_group_assign(worker_store, q->user->id, id, group_id, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, id);
	return reply_success(q);
}

/* --- tags ---------------------------------------------------------------- */

int
tags_list(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tag_list list;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_tag_list(worker_store, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list.count; i++) {
			ln_jw_object(w, NULL);
			ln_jw_string(w, "tag", list.items[i].tag);
			ln_jw_int(w, "count",
			    list.items[i].conversation_count);
			ln_jw_end(w);
		}
	}
	ln_tag_list_free(&list);
	return reply_json(q, 200, w);
}

int
tags_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	int64_t count;

	s = ln_tag_forget(worker_store, q->user->id, q->param[0], &count,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if (count > 0)
		tell_history(q, NULL);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_int(w, "removed", count);
	}
	return reply_json(q, 200, w);
}

/* {status, tags[]} of the conversation in the path. */
static int
reply_tags(struct rq *q)
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
		ln_jw_string(w, "status", "success");
		session_tags_json(w, c->tags);
	}
	ln_conversation_free(c);
	return reply_json(q, 200, w);
}

int
session_tags_list(struct rq *q)
{
	return reply_tags(q);
}

int
session_tags_add(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *tag;
	enum ln_status s;

	if (!input_string(q, "tag", TAG_BYTES_MAX, &tag))
		return KORE_RESULT_OK;
	if (tag == NULL)
		return reply_field(q, 400, "tag", "A tag is required");
	s = ln_tag_add(worker_store, q->user->id, q->param[0], tag, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, q->param[0]);
	return reply_tags(q);
}

int
session_tags_remove(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_tag_remove(worker_store, q->user->id, q->param[0], q->param[1],
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	tell_history(q, q->param[0]);
	return reply_tags(q);
}
