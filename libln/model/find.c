#include "model/find.h"

#include "store/stmt.h"

#include "base/banned.h"

/* See migration 0008. */
#define OWNER_SHIFT 40
#define TITLE_BIT (INT64_C(1) << 39)

static const char SQL_OWNER[] =
    "SELECT number FROM search_owner WHERE user_id = ?1";

/* What stands in search_doc is asked first: it is at hand. */
#define FILTER \
    " AND (?4 IS NULL OR d.role = ?4)" \
    " AND (?5 IS NULL OR d.model = ?5)" \
    " AND (?6 IS NULL OR d.model LIKE ?6 ESCAPE '\\')" \
    " AND d.created_ms >= ?7 AND d.created_ms < ?8" \
    " AND (?9 = 0 OR EXISTS (SELECT 1 FROM conversation c" \
    "  WHERE c.id = coalesce(d.conversation_id, (SELECT m.conversation_id" \
    "   FROM message m WHERE m.id = d.message_id))" \
    "  AND (?10 IS NULL OR c.project_id = ?10)" \
    "  AND (?11 IS NULL OR EXISTS (SELECT 1 FROM conversation_tag t" \
    "   WHERE t.conversation_id = c.id AND t.tag = ?11))" \
    "  AND (?12 IS NULL OR EXISTS (SELECT 1 FROM conversation_tag t" \
    "   WHERE t.conversation_id = c.id AND t.tag = ?12))" \
    "  AND (?13 IS NULL OR EXISTS (SELECT 1 FROM conversation_tag t" \
    "   WHERE t.conversation_id = c.id AND t.tag = ?13))" \
    "  AND (?14 IS NULL OR EXISTS (SELECT 1 FROM conversation_tag t" \
    "   WHERE t.conversation_id = c.id AND t.tag = ?14))))"
#define TEXT \
    "coalesce((SELECT m.content FROM message m WHERE m.id = d.message_id)," \
    " (SELECT c.title FROM conversation c WHERE c.id = d.conversation_id))"

/* The order of the tables is ours: the index first, in its own order. */
static const char SQL_WORDS[] =
    "SELECT d.id, d.created_ms, ln_bm25(message_fts, ?15) FROM message_fts"
    " CROSS JOIN search_doc d ON d.id = message_fts.rowid"
    " WHERE message_fts MATCH ?1 AND message_fts.rowid BETWEEN ?2 AND ?3"
    FILTER " ORDER BY message_fts.rowid DESC";
static const char SQL_PARTS[] =
    "SELECT d.id, d.created_ms, " TEXT " FROM message_fts_tri"
    " CROSS JOIN search_doc d ON d.id = message_fts_tri.rowid"
    " WHERE message_fts_tri MATCH ?1"
    " AND message_fts_tri.rowid BETWEEN ?2 AND ?3"
    FILTER " ORDER BY message_fts_tri.rowid DESC";
static const char SQL_ALL[] =
    "SELECT d.id, d.created_ms, " TEXT " FROM search_doc d"
    " WHERE d.id BETWEEN ?2 AND ?3" FILTER " ORDER BY d.id DESC";

static const char SQL_SAMPLE[] =
    "SELECT coalesce(min(id), 0), count(*) FROM (SELECT id FROM search_doc"
    " WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3)";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM message_fts WHERE message_fts MATCH ?1"
    " AND rowid BETWEEN ?2 AND ?3";

static const char SQL_ROW[] =
    "SELECT d.message_id, c.id, c.title, d.role, coalesce(m.content, c.title),"
    " d.model, d.created_ms, c.archived_ms FROM search_doc d"
    " LEFT JOIN message m ON m.id = d.message_id"
    " JOIN conversation c"
    " ON c.id = coalesce(m.conversation_id, d.conversation_id)"
    " WHERE d.id = ?1 AND c.user_id = ?2";

/* Of the handle: nothing of it is in the file. */
static const char SQL_GROUPS_THERE[] =
    "SELECT 1 FROM temp.sqlite_master WHERE name = 'search_groups'";
static const char SQL_GROUPS_CREATE[] =
    "CREATE VIRTUAL TABLE temp.search_groups USING"
    " fts5vocab(main, message_fts_tri, row)";
static const char SQL_GROUPS[] =
    "SELECT term FROM temp.search_groups WHERE term >= ?1 AND term < ?2"
    " LIMIT ?3";

const char *const lni_find_sql[] = {
	SQL_OWNER, SQL_WORDS, SQL_PARTS, SQL_ALL, SQL_SAMPLE, SQL_COUNT,
	SQL_ROW, SQL_GROUPS_THERE,
};
const size_t lni_find_sql_count =
    sizeof(lni_find_sql) / sizeof(lni_find_sql[0]);

enum ln_status
lni_find_ranges(struct ln_store *st, const char *user_id,
    struct lni_find_range *out_messages, struct lni_find_range *out_titles,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	int64_t base = 0;

	if ((s = lni_stmt_get(&q, st, SQL_OWNER, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		base = lni_col_int(&q, 0) << OWNER_SHIFT;
	lni_stmt_put(&q);
	out_messages->low = base;
	out_messages->high = base + TITLE_BIT - 1;
	out_titles->low = base + TITLE_BIT;
	out_titles->high = base + 2 * TITLE_BIT - 1;
	return s;
}

static void
bind_find(struct lni_stmt *q, const struct lni_find *f)
{
	bool has_place = f->project_id != NULL;
	int i;

	if (f->by != LNI_FIND_ALL)
		lni_bind_text(q, 1, f->expression);
	lni_bind_int(q, 2, f->range.low);
	lni_bind_int(q, 3, f->range.high);
	lni_bind_text(q, 4, f->role);
	lni_bind_text(q, 5, f->model);
	lni_bind_text(q, 6, f->model_like);
	lni_bind_int(q, 7, f->from_ms != 0 ? f->from_ms : INT64_MIN);
	lni_bind_int(q, 8, f->to_ms != 0 ? f->to_ms : INT64_MAX);
	lni_bind_text(q, 10, f->project_id);
	for (i = 0; i < LNI_FIND_TAGS; i++) {
		lni_bind_text(q, 11 + i, f->tags[i]);
		has_place = has_place || f->tags[i] != NULL;
	}
	lni_bind_int(q, 9, has_place);
	if (f->by == LNI_FIND_WORDS)
		lni_bind_blob(q, 15, f->weights,
		    f->weight_count * sizeof(*f->weights));
}

enum ln_status
lni_find_run(struct ln_store *st, const struct lni_find *find,
    lni_found_fn *fn, void *arg, struct ln_error *err)
{
	static const char *const sql[] = {
		[LNI_FIND_WORDS] = SQL_WORDS, [LNI_FIND_PARTS] = SQL_PARTS,
		[LNI_FIND_ALL] = SQL_ALL,
	};
	struct lni_found found = { .text = NULL };
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql[find->by], err)) != LN_OK)
		return s;
	bind_find(&q, find);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		found.id = lni_col_int(&q, 0);
		found.created_ms = lni_col_int(&q, 1);
		if (find->by == LNI_FIND_WORDS)
			found.rank = lni_col_double(&q, 2);
		else
			found.text = lni_col_blob(&q, 2, &found.text_len);
		if ((s = fn(arg, &found, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_find_sample(struct ln_store *st, const struct lni_find_range *range,
    int64_t max, struct lni_find_range *out, int64_t *out_count,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = *range;
	*out_count = 0;
	if ((s = lni_stmt_get(&q, st, SQL_SAMPLE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, range->low);
	lni_bind_int(&q, 2, range->high);
	lni_bind_int(&q, 3, max);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		out->low = lni_col_int(&q, 0);
		*out_count = lni_col_int(&q, 1);
	}
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_find_count(struct ln_store *st, const char *expression,
    const struct lni_find_range *range, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_COUNT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, expression);
	lni_bind_int(&q, 2, range->low);
	lni_bind_int(&q, 3, range->high);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
make_groups(struct ln_store *st, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_GROUPS_THERE, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? lni_exec(st, SQL_GROUPS_CREATE, err) : s;
}

enum ln_status
lni_find_groups(struct ln_store *st, const char *prefix, const char *next,
    int64_t max, enum ln_status (*fn)(void *arg, const char *group),
    void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	const char *group;

	if ((s = make_groups(st, err)) != LN_OK ||
	    (s = lni_stmt_get(&q, st, SQL_GROUPS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, prefix);
	lni_bind_text(&q, 2, next);
	lni_bind_int(&q, 3, max);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((group = lni_col_text(&q, 0)) == NULL)
			s = ln_fail(err, LN_NOMEM, "", "search group");
		else if ((s = fn(arg, group)) != LN_OK)
			(void)ln_fail(err, s, "", "search group");
		if (s != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_find_row(struct ln_store *st, const char *user_id, int64_t id,
    enum ln_status (*fn)(void *arg, const struct lni_find_row *r,
    struct ln_error *err), void *arg, struct ln_error *err)
{
	struct lni_find_row r;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ROW, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		r.message_id = lni_col_int(&q, 0);
		r.conversation_id = lni_col_text(&q, 1);
		r.conversation_title = lni_col_text(&q, 2);
		r.role = lni_col_text(&q, 3);
		r.text = lni_col_text(&q, 4);
		r.model = lni_col_text(&q, 5);
		r.created_ms = lni_col_int(&q, 6);
		r.is_archived = !lni_col_is_null(&q, 7);
		if (r.conversation_id == NULL ||
		    r.conversation_title == NULL || r.text == NULL)
			s = ln_fail(err, LN_NOMEM, "", "search row");
		else
			s = fn(arg, &r, err);
	}
	lni_stmt_put(&q);
	return s;
}
