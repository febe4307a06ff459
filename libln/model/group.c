#include "model/group.h"

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>
#include <ln/time.h>

#include "model/conversation.h"
#include "store/stmt.h"

#include "base/banned.h"

#define COLUMNS								\
	"SELECT g.id, g.title, g.position,"				\
	" (SELECT count(*) FROM conversation c WHERE c.group_id = g.id"	\
	"  AND c.user_id = g.user_id), g.created_ms"			\
	" FROM conversation_group g WHERE g.user_id = ?1"

static const char SQL_LIST[] =
    COLUMNS " ORDER BY g.position, g.created_ms, g.id LIMIT ?2";
static const char SQL_GET[] = COLUMNS " AND g.id = ?2";

/* Nothing when there are ?5 already. */
static const char SQL_ADD[] =
    "INSERT INTO conversation_group(id, user_id, title, position, created_ms)"
    " SELECT ?2, ?1, ?3, coalesce(max(position), 0) + 1, ?4"
    " FROM conversation_group WHERE user_id = ?1 HAVING count(*) < ?5";

static const char SQL_UPDATE[] =
    "UPDATE conversation_group SET title = coalesce(?3, title),"
    " position = coalesce(?4, position) WHERE id = ?2 AND user_id = ?1";

static const char SQL_DELETE[] =
    "DELETE FROM conversation_group WHERE id = ?2 AND user_id = ?1";

/* One statement: a group that goes meanwhile is not there or not yet gone. */
static const char SQL_ASSIGN[] =
    "UPDATE conversation SET group_id = ?3 WHERE id = ?2 AND user_id = ?1"
    " AND (?3 IS NULL OR EXISTS (SELECT 1 FROM conversation_group"
    "  WHERE id = ?3 AND user_id = ?1))";

const char *const lni_group_sql[] = {
	SQL_LIST, SQL_GET, SQL_ADD, SQL_UPDATE, SQL_DELETE, SQL_ASSIGN,
};
const size_t lni_group_sql_count =
    sizeof(lni_group_sql) / sizeof(lni_group_sql[0]);

static void
clear(struct ln_group *g)
{
	free(g->id);
	free(g->title);
}

void
ln_group_free(struct ln_group *g)
{
	if (g == NULL)
		return;
	clear(g);
	free(g);
}

void
ln_group_list_free(struct ln_group_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		clear(&l->items[i]);
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

/* clear() it also after a failure. */
static enum ln_status
read_row(struct lni_stmt *q, struct ln_group *g, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	g->id = lni_col_dup(q, 0, &s);
	g->title = lni_col_dup(q, 1, &s);
	g->position = lni_col_int(q, 2);
	g->conversation_count = lni_col_int(q, 3);
	g->created_ms = lni_col_int(q, 4);
	if (s != LN_OK)
		return ln_fail(err, s, "", "group row");
	return LN_OK;
}

enum ln_status
ln_group_list(struct ln_store *st, const char *user_id,
    struct ln_group_list *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	out->count = 0;
	out->items = calloc(LN_GROUP_COUNT_MAX, sizeof(*out->items));
	if (out->items == NULL)
		return ln_fail(err, LN_NOMEM, "", "groups");
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, LN_GROUP_COUNT_MAX);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = read_row(&q, &out->items[out->count++], err)) !=
		    LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
out:
	ln_group_list_free(out);
	return s;
}

enum ln_status
ln_group_get(struct ln_store *st, const char *user_id, const char *id,
    struct ln_group **out, struct ln_error *err)
{
	struct ln_group *g;
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	if ((s = lni_stmt_row(&q, err)) != LN_OK)
		goto out;
	if ((g = calloc(1, sizeof(*g))) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "group row");
		goto out;
	}
	if ((s = read_row(&q, g, err)) == LN_OK)
		*out = g;
	else
		ln_group_free(g);
out:
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_group_create(struct ln_store *st, const char *user_id, const char *title,
    struct ln_group **out, struct ln_error *err)
{
	char id[LN_UUID_SIZE];
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_title_check(title, err)) != LN_OK)
		return s;
	ln_uuid(id);
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	lni_bind_text(&q, 3, title);
	lni_bind_int(&q, 4, ln_time_now_ms());
	lni_bind_int(&q, 5, LN_GROUP_COUNT_MAX);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK)
		return s;
	if (lni_changes(st) == 0)
		return ln_fail(err, LN_CONFLICT,
		    "There are as many groups as there can be", "%d",
		    LN_GROUP_COUNT_MAX);
	return ln_group_get(st, user_id, id, out, err);
}

/* Run the bound ${q} and give it back; one row must change. */
static enum ln_status
change_one(struct lni_stmt *q, struct ln_error *err)
{
	struct ln_store *st = q->store;
	enum ln_status s;

	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "", "no such group or conversation");
	return s;
}

enum ln_status
ln_group_update(struct ln_store *st, const char *user_id, const char *id,
    const char *title, const int64_t *position, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if (title != NULL && (s = lni_title_check(title, err)) != LN_OK)
		return s;
	if (position != NULL && (*position < 0 ||
	    *position > LN_GROUP_POSITION_MAX))
		return ln_fail_field(err, LN_INVALID, "position",
		    "This is not a position", "%lld", (long long)*position);
	if ((s = lni_stmt_get(&q, st, SQL_UPDATE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	lni_bind_text(&q, 3, title);
	if (position != NULL)
		lni_bind_int(&q, 4, *position);
	else
		lni_bind_null(&q, 4);
	return change_one(&q, err);
}

enum ln_status
ln_group_delete(struct ln_store *st, const char *user_id, const char *id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_DELETE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	return change_one(&q, err);
}

enum ln_status
ln_group_assign(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *group_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ASSIGN, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	lni_bind_text(&q, 3, group_id);
	return change_one(&q, err);
}
