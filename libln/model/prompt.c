#include "model/prompt.h"

#include <stdlib.h>

#include "store/stmt.h"

#include "base/banned.h"

#define COLUMNS "SELECT id, user_id, title, content, created_ms FROM prompt"
#define VISIBLE "(user_id = ?1 OR user_id IS NULL)"

static const char SQL_LIST[] =
    COLUMNS " WHERE " VISIBLE " ORDER BY user_id IS NULL, title, id";
static const char SQL_GET[] = COLUMNS " WHERE " VISIBLE " AND id = ?2";
static const char SQL_NAMED[] =
    COLUMNS " WHERE " VISIBLE " AND title = ?2"
    " ORDER BY user_id IS NULL, id LIMIT 1";
static const char SQL_ADD[] =
    "INSERT INTO prompt(user_id, title, content, created_ms)"
    " VALUES (?1, ?2, ?3, ?4)";
static const char SQL_SET[] =
    "UPDATE prompt SET title = ?2, content = ?3 WHERE id = ?1";
static const char SQL_REMOVE[] = "DELETE FROM prompt WHERE id = ?1";
static const char SQL_TAKEN[] =
    "SELECT EXISTS (SELECT 1 FROM prompt WHERE user_id IS ?1 AND title = ?2"
    " AND id <> ?3)";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM prompt WHERE user_id IS ?1";

const char *const lni_prompt_sql[] = { SQL_LIST, SQL_GET, SQL_NAMED, SQL_ADD,
	SQL_SET, SQL_REMOVE, SQL_TAKEN, SQL_COUNT };
const size_t lni_prompt_sql_count =
    sizeof(lni_prompt_sql) / sizeof(lni_prompt_sql[0]);

void
ln_prompt_free(struct ln_prompt *p)
{
	if (p == NULL)
		return;
	free(p->user_id);
	free(p->title);
	free(p->content);
	free(p);
}

void
ln_prompt_list_free(struct ln_prompt_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_prompt_free(l->items[i]);
	free(l->items);
	*l = (struct ln_prompt_list){ NULL, 0 };
}

static enum ln_status
from_row(struct lni_stmt *q, struct ln_prompt **out, struct ln_error *err)
{
	struct ln_prompt *p;
	enum ln_status s = LN_OK;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "prompt");
	p->id = lni_col_int(q, 0);
	p->user_id = lni_col_dup(q, 1, &s);
	p->title = lni_col_dup(q, 2, &s);
	p->content = lni_col_dup(q, 3, &s);
	p->created_ms = lni_col_int(q, 4);
	if (s != LN_OK) {
		ln_prompt_free(p);
		return ln_fail(err, s, "", "prompt");
	}
	*out = p;
	return LN_OK;
}

static enum ln_status
append(struct ln_prompt_list *l, struct ln_prompt *p, struct ln_error *err)
{
	struct ln_prompt **items;

	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL) {
		ln_prompt_free(p);
		return ln_fail(err, LN_NOMEM, "", "%zu prompts", l->count);
	}
	l->items = items;
	l->items[l->count++] = p;
	return LN_OK;
}

enum ln_status
lni_prompt_rows(struct ln_store *st, const char *user_id,
    struct ln_prompt_list *out, struct ln_error *err)
{
	struct ln_prompt *p;
	struct lni_stmt q;
	enum ln_status s;

	*out = (struct ln_prompt_list){ NULL, 0 };
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = from_row(&q, &p, err)) != LN_OK ||
		    (s = append(out, p, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	ln_prompt_list_free(out);
	return s;
}

/* The one row of a statement whose parameters are bound. */
static enum ln_status
one(struct lni_stmt *q, struct ln_prompt **out, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_stmt_row(q, err)) == LN_OK)
		s = from_row(q, out, err);
	lni_stmt_put(q);
	if (s == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no such prompt", "prompt");
	return s;
}

enum ln_status
lni_prompt_row(struct ln_store *st, const char *user_id, int64_t id,
    struct ln_prompt **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, id);
	return one(&q, out, err);
}

enum ln_status
lni_prompt_named(struct ln_store *st, const char *user_id, const char *title,
    struct ln_prompt **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_NAMED, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, title);
	return one(&q, out, err);
}

enum ln_status
lni_prompt_row_add(struct ln_store *st, const char *user_id,
    const char *title, const char *content, int64_t created_ms,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_id = 0;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, title);
	lni_bind_text(&q, 3, content);
	lni_bind_int(&q, 4, created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK)
		*out_id = lni_last_id(st);
	return s;
}

enum ln_status
lni_prompt_row_set(struct ln_store *st, int64_t id, const char *title,
    const char *content, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, title);
	lni_bind_text(&q, 3, content);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_prompt_row_remove(struct ln_store *st, int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_prompt_is_taken(struct ln_store *st, const char *user_id,
    const char *title, int64_t but_id, bool *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = false;
	if ((s = lni_stmt_get(&q, st, SQL_TAKEN, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, title);
	lni_bind_int(&q, 3, but_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0) != 0;
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_prompt_row_count(struct ln_store *st, const char *user_id, int64_t *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_COUNT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}
