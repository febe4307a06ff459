#include "model/tool.h"

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>

#include "store/stmt.h"

#include "base/banned.h"

#define CONTEXT_MAX 320		/* "tool:<id>:headers", an id of 64 characters */

#define COLUMNS								\
	"SELECT id, user_id, name, description, definition, is_enabled,"	\
	" asks_first, created_ms FROM tool"

static const char SQL_LIST[] =
    COLUMNS " WHERE user_id = ?1 OR user_id IS NULL"
    " ORDER BY user_id IS NULL, name, id";
static const char SQL_GET[] =
    COLUMNS " WHERE (user_id = ?1 OR user_id IS NULL) AND"
    " (id = ?2 OR name = ?2)"
    " ORDER BY id <> ?2, user_id IS NULL LIMIT 1";
static const char SQL_ADD[] =
    "INSERT INTO tool(id, user_id, name, description, definition, is_enabled,"
    " asks_first, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_SET[] =
    "UPDATE tool SET name = ?2, description = ?3, definition = ?4,"
    " is_enabled = ?5, asks_first = ?6 WHERE id = ?1";
static const char SQL_REMOVE[] = "DELETE FROM tool WHERE id = ?1";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM tool WHERE user_id = ?1";
static const char SQL_COUNT_SHARED[] =
    "SELECT count(*) FROM tool WHERE user_id IS NULL";
static const char SQL_HEADERS[] =
    "SELECT sealed_headers FROM tool WHERE id = ?1";
static const char SQL_HEADERS_SET[] =
    "UPDATE tool SET sealed_headers = ?2 WHERE id = ?1";
/* One sealed value after another. */
static const char SQL_SEALED[] =
    "SELECT id FROM tool WHERE sealed_headers IS NOT NULL AND id > ?1"
    " ORDER BY id LIMIT 1";

const char *const lni_tool_sql[] = { SQL_LIST, SQL_GET, SQL_ADD, SQL_SET,
	SQL_REMOVE, SQL_COUNT, SQL_COUNT_SHARED, SQL_HEADERS, SQL_HEADERS_SET,
	SQL_SEALED };
const size_t lni_tool_sql_count =
    sizeof(lni_tool_sql) / sizeof(lni_tool_sql[0]);

void
ln_tool_free(struct ln_tool *t)
{
	if (t == NULL)
		return;
	free(t->id);
	free(t->user_id);
	free(t->name);
	free(t->description);
	free(t->definition);
	free(t);
}

void
ln_tool_list_free(struct ln_tool_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_tool_free(l->items[i]);
	free(l->items);
	*l = (struct ln_tool_list){ NULL, 0 };
}

enum ln_status
lni_tool_list_add(struct ln_tool_list *l, struct ln_tool *t,
    struct ln_error *err)
{
	struct ln_tool **items;

	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL) {
		ln_tool_free(t);
		return ln_fail(err, LN_NOMEM, "", "%zu tools", l->count);
	}
	l->items = items;
	l->items[l->count++] = t;
	return LN_OK;
}

static enum ln_status
from_row(struct lni_stmt *q, struct ln_tool **out, struct ln_error *err)
{
	struct ln_tool *t;
	enum ln_status s = LN_OK;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool");
	t->id = lni_col_dup(q, 0, &s);
	t->user_id = lni_col_dup(q, 1, &s);
	t->name = lni_col_dup(q, 2, &s);
	t->description = lni_col_dup(q, 3, &s);
	t->definition = lni_col_dup(q, 4, &s);
	t->kind = LN_TOOL_BARE;
	t->is_enabled = lni_col_int(q, 5) != 0;
	t->is_available = true;
	t->asks_first = lni_col_int(q, 6) != 0;
	t->created_ms = lni_col_int(q, 7);
	if (s != LN_OK) {
		ln_tool_free(t);
		return ln_fail(err, s, "", "tool");
	}
	*out = t;
	return LN_OK;
}

enum ln_status
lni_tool_rows(struct ln_store *st, const char *user_id,
    struct ln_tool_list *out, struct ln_error *err)
{
	struct lni_stmt q;
	struct ln_tool *t;
	enum ln_status s;

	*out = (struct ln_tool_list){ NULL, 0 };
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = from_row(&q, &t, err)) != LN_OK ||
		    (s = lni_tool_list_add(out, t, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	ln_tool_list_free(out);
	return s;
}

enum ln_status
lni_tool_row(struct ln_store *st, const char *user_id, const char *id,
    struct ln_tool **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = from_row(&q, out, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no such tool", "tool %.64s", id);
	return s;
}

enum ln_status
lni_tool_row_add(struct ln_store *st, const struct ln_tool *t,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, t->id);
	lni_bind_text(&q, 2, t->user_id);
	lni_bind_text(&q, 3, t->name);
	lni_bind_text(&q, 4, t->description);
	lni_bind_text(&q, 5, t->definition);
	lni_bind_int(&q, 6, t->is_enabled);
	lni_bind_int(&q, 7, t->asks_first);
	lni_bind_int(&q, 8, t->created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_row_set(struct ln_store *st, const struct ln_tool *t,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, t->id);
	lni_bind_text(&q, 2, t->name);
	lni_bind_text(&q, 3, t->description);
	lni_bind_text(&q, 4, t->definition);
	lni_bind_int(&q, 5, t->is_enabled);
	lni_bind_int(&q, 6, t->asks_first);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_row_remove(struct ln_store *st, const char *id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_row_count(struct ln_store *st, const char *user_id, int64_t *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, user_id != NULL ? SQL_COUNT :
	    SQL_COUNT_SHARED, err)) != LN_OK)
		return s;
	if (user_id != NULL)
		lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

/* --- sealed headers ------------------------------------------------------- */

/* What a sealed value is bound to: nobody can move it to another row. */
static enum ln_status
seal_context(struct ln_buf *b, const char *id, struct ln_error *err)
{
	ln_buf_printf(b, "tool:%s:headers", id);
	if (ln_buf_status(b) != LN_OK)
		return ln_fail(err, ln_buf_status(b), "", "tool context");
	return LN_OK;
}

static enum ln_status
need_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "the headers of a tool need keys");
	return LN_OK;
}

static enum ln_status
stored(struct ln_store *st, const char *id, char **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_HEADERS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out = lni_col_dup(&q, 0, &s);
		if (s != LN_OK)
			s = ln_fail(err, s, "", "headers of a tool");
	}
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
store(struct ln_store *st, const char *id, const char *sealed,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_HEADERS_SET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, sealed);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_headers(struct ln_store *st, const char *id, char **out,
    struct ln_error *err)
{
	struct ln_buf context = LN_BUF_INIT(CONTEXT_MAX);
	const struct ln_keys *keys;
	char *sealed = NULL;
	enum ln_status s;

	*out = NULL;
	if ((s = stored(st, id, &sealed, err)) != LN_OK || sealed == NULL)
		return s;
	if ((s = need_keys(st, &keys, err)) == LN_OK &&
	    (s = seal_context(&context, id, err)) == LN_OK &&
	    (s = ln_unseal(keys, ln_buf_str(&context), sealed, out, err)) ==
	    LN_BAD_KEY)
		s = ln_fail(err, s, "The headers of this tool were sealed with "
		    "another SECRET_KEY. Set them again", "tool %s", id);
	ln_free(sealed);
	ln_buf_free(&context);
	return s;
}

static enum ln_status
seal_with(struct ln_store *st, const struct ln_keys *keys, const char *id,
    const char *json, struct ln_error *err)
{
	struct ln_buf context = LN_BUF_INIT(CONTEXT_MAX);
	char *sealed = NULL;
	enum ln_status s;

	if ((s = seal_context(&context, id, err)) == LN_OK &&
	    (s = ln_seal(keys, ln_buf_str(&context), json, &sealed, err)) ==
	    LN_OK)
		s = store(st, id, sealed, err);
	ln_free(sealed);
	ln_buf_free(&context);
	return s;
}

enum ln_status
lni_tool_headers_set(struct ln_store *st, const char *id, const char *json,
    struct ln_error *err)
{
	const struct ln_keys *keys;
	enum ln_status s;

	if (json == NULL)
		return store(st, id, NULL, err);
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	return seal_with(st, keys, id, json, err);
}

/* The first tool behind ${id} with sealed headers; ${id} is replaced. */
static enum ln_status
next_sealed(struct ln_store *st, char **id, struct ln_error *err)
{
	struct lni_stmt q;
	char *next = NULL;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SEALED, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, *id != NULL ? *id : "");
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		next = lni_col_dup(&q, 0, &s);
		if (s != LN_OK)
			s = ln_fail(err, s, "", "sealed tool");
	}
	lni_stmt_put(&q);
	if (s == LN_OK) {
		ln_free(*id);
		*id = next;
	}
	return s;
}

enum ln_status
lni_tool_reseal(struct ln_store *st, const struct ln_keys *to,
    int64_t *out_count, struct ln_error *err)
{
	char *id = NULL, *plain = NULL;
	enum ln_status s;

	*out_count = 0;
	while ((s = next_sealed(st, &id, err)) == LN_OK) {
		s = lni_tool_headers(st, id, &plain, err);
		if (s == LN_BAD_KEY || s == LN_INVALID)
			s = ln_fail(err, LN_BAD_KEY, "The headers of a tool "
			    "cannot be opened with the present SECRET_KEY. "
			    "Set them again or delete that tool first",
			    "tool %s", id);
		if (s == LN_OK)
			s = seal_with(st, to, id, plain, err);
		ln_wipe_free(plain);
		plain = NULL;
		if (s != LN_OK)
			break;
		(*out_count)++;
	}
	ln_free(id);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
