#include "model/chunk.h"

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_ADD[] =
    "INSERT INTO chunk(document_id, position, page, line, overlap, text)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char SQL_INDEX[] =
    "INSERT INTO chunk_fts(rowid, text) VALUES (?1, ?2)";
static const char SQL_REMOVE[] =
    "DELETE FROM chunk WHERE id IN"
    " (SELECT id FROM chunk WHERE document_id = ?1 LIMIT ?2)";
/* The texts of the best alone are read. */
static const char SQL_SEARCH[] =
    "WITH best(id, score) AS MATERIALIZED ("
    "  SELECT c.id, -bm25(chunk_fts) AS score FROM chunk_fts"
    "  JOIN chunk c ON c.id = chunk_fts.rowid"
    "  JOIN document d ON d.id = c.document_id"
    "  JOIN project p ON p.id = d.project_id"
    "  WHERE chunk_fts MATCH ?3 AND p.id = ?2 AND p.user_id = ?1"
    "  AND d.state = 'ready' ORDER BY score DESC, c.id LIMIT ?4)"
    " SELECT c.id, d.id, d.filename, d.source_url, c.text, c.page, c.line,"
    " best.score FROM best JOIN chunk c ON c.id = best.id"
    " JOIN document d ON d.id = c.document_id"
    " ORDER BY best.score DESC, c.id";

static const char SQL_GET[] =
    "SELECT c.id, d.id, d.filename, d.source_url, c.text, c.page, c.line, 0"
    " FROM chunk c JOIN document d ON d.id = c.document_id"
    " JOIN project p ON p.id = d.project_id"
    " WHERE c.id = ?3 AND p.id = ?2 AND p.user_id = ?1";

const char *const lni_chunk_sql[] = { SQL_ADD, SQL_INDEX, SQL_REMOVE,
	SQL_SEARCH, SQL_GET };
const size_t lni_chunk_sql_count =
    sizeof(lni_chunk_sql) / sizeof(lni_chunk_sql[0]);

enum ln_status
lni_chunk_add(struct ln_store *st, int64_t document_id, int64_t position,
    const struct lni_chunk *c, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, document_id);
	lni_bind_int(&q, 2, position);
	lni_bind_opt_int(&q, 3, c->page);
	lni_bind_opt_int(&q, 4, c->line);
	lni_bind_int(&q, 5, (int64_t)c->overlap);
	lni_bind_textn(&q, 6, c->text, c->length);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK || (s = lni_stmt_get(&q, st, SQL_INDEX, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, lni_last_id(st));
	lni_bind_textn(&q, 2, c->text, c->length);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_chunk_remove(struct ln_store *st, int64_t document_id, int64_t max,
    int64_t *out_count, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, document_id);
	lni_bind_int(&q, 2, max);
	if ((s = lni_stmt_done(&q, err)) == LN_OK)
		*out_count = lni_changes(st);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
visit(struct lni_stmt *q, lni_chunk_hit_fn *fn, void *arg,
    struct ln_error *err)
{
	const struct lni_chunk_hit hit = {
		.id = lni_col_int(q, 0),
		.document_id = lni_col_int(q, 1),
		.filename = lni_col_text(q, 2),
		.source_url = lni_col_text(q, 3),
		.text = lni_col_text(q, 4),
		.page = lni_col_int(q, 5),
		.line = lni_col_int(q, 6),
		.score = lni_col_double(q, 7),
	};

	if (hit.filename == NULL || hit.text == NULL)
		return ln_fail(err, LN_NOMEM, "", "chunk row");
	return fn(arg, &hit, err);
}

enum ln_status
lni_chunk_search(struct ln_store *st, const char *user_id,
    const char *project_id, const char *query, int64_t limit,
    lni_chunk_hit_fn *fn, void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SEARCH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	lni_bind_text(&q, 3, query);
	lni_bind_int(&q, 4, limit);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = visit(&q, fn, arg, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_chunk_get(struct ln_store *st, const char *user_id,
    const char *project_id, int64_t id, lni_chunk_hit_fn *fn, void *arg,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	lni_bind_int(&q, 3, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = visit(&q, fn, arg, err);
	lni_stmt_put(&q);
	return s;
}
