#include "model/vector.h"

#include <stdlib.h>

#include <ln/time.h>

#include "store/stmt.h"
#include "text/vector.h"

#include "base/banned.h"

/* Which model embeds for the owner of a project p. */
#define MODEL_OF							\
	" LEFT JOIN user_setting u ON u.user_id = p.user_id"		\
	"  AND u.name = 'embedding_model'"				\
	" LEFT JOIN setting s ON s.name = 'embedding_model'"
#define MODEL "coalesce(u.value, s.value)"

/* Most of the time nobody has one, and that costs nothing. */
static const char SQL_ANY_MODEL[] =
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM setting"
    "  WHERE name = 'embedding_model')"
    " OR EXISTS (SELECT 1 FROM user_setting WHERE name = 'embedding_model')";
static const char SQL_NEXT[] =
    "SELECT d.id, d.chunk_count, d.project_id, p.user_id, " MODEL ","
    " u.value IS NOT NULL, iif(v.model = " MODEL ", v.tries, 0)"
    " FROM document d JOIN project p ON p.id = d.project_id" MODEL_OF
    " LEFT JOIN document_vector v ON v.document_id = d.id"
    " WHERE d.state = 'ready' AND " MODEL " <> ''"
    " AND (?1 IS NULL OR d.project_id = ?1)"
    " AND (v.document_id IS NULL OR v.model <> " MODEL " OR v.due_ms <= ?2)"
    " AND NOT EXISTS (SELECT 1 FROM document_vector f"
    "  JOIN document fd ON fd.id = f.document_id"
    "  JOIN project fp ON fp.id = fd.project_id"
    "  WHERE f.state = 'failed' AND f.due_ms > ?2 AND f.model = " MODEL
    "  AND fp.user_id = p.user_id)"
    " ORDER BY coalesce(v.due_ms, 0), d.id LIMIT 1";
static const char SQL_TAKE[] =
    "INSERT INTO document_vector(document_id, model, state, holder, due_ms,"
    " tries) VALUES (?1, ?2, 'working', ?3, ?4, ?5)"
    " ON CONFLICT (document_id) DO UPDATE SET model = excluded.model,"
    " state = 'working', reason = NULL, holder = excluded.holder,"
    " due_ms = excluded.due_ms, tries = excluded.tries";
static const char SQL_HOLD[] =
    "UPDATE document_vector SET due_ms = ?3"
    " WHERE document_id = ?1 AND holder = ?2";
static const char SQL_END[] =
    "UPDATE document_vector SET state = ?3, reason = ?4, due_ms = ?5,"
    " holder = NULL, tries = iif(?3 = 'failed', tries + 1, 0)"
    " WHERE document_id = ?1 AND holder = ?2";
static const char SQL_MISSING[] =
    "SELECT c.id, c.text FROM chunk c"
    " LEFT JOIN chunk_vector v ON v.chunk_id = c.id AND v.model = ?2"
    " WHERE c.document_id = ?1 AND v.chunk_id IS NULL"
    " ORDER BY c.position LIMIT ?3";
static const char SQL_PUT[] =
    "INSERT INTO chunk_vector(chunk_id, model, dimension, vector)"
    " SELECT id, ?2, ?3, ?4 FROM chunk WHERE id = ?1"
    " ON CONFLICT (chunk_id) DO UPDATE SET model = excluded.model,"
    " dimension = excluded.dimension, vector = excluded.vector";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM document d JOIN chunk c ON c.document_id = d.id"
    " JOIN chunk_vector v ON v.chunk_id = c.id"
    " WHERE d.project_id = ?1 AND v.model = ?2";
static const char SQL_FORGET[] =
    "DELETE FROM chunk_vector WHERE chunk_id IN (SELECT c.id FROM document d"
    " JOIN chunk c ON c.document_id = d.id WHERE d.project_id = ?1)";
static const char SQL_FORGET_STATE[] =
    "DELETE FROM document_vector WHERE document_id IN"
    " (SELECT id FROM document WHERE project_id = ?1)";
static const char SQL_EACH[] =
    "SELECT v.chunk_id, v.vector FROM project p"
    " JOIN document d ON d.project_id = p.id"
    " JOIN chunk c ON c.document_id = d.id"
    " JOIN chunk_vector v ON v.chunk_id = c.id"
    " WHERE p.id = ?2 AND p.user_id = ?1 AND d.state = 'ready'"
    " AND v.model = ?3 AND v.dimension = ?4 LIMIT ?5";

const char *const lni_vector_sql[] = { SQL_ANY_MODEL, SQL_NEXT, SQL_TAKE,
	SQL_HOLD, SQL_END, SQL_MISSING, SQL_PUT, SQL_COUNT, SQL_FORGET,
	SQL_FORGET_STATE, SQL_EACH };
const size_t lni_vector_sql_count =
    sizeof(lni_vector_sql) / sizeof(lni_vector_sql[0]);

/* --- in hand -------------------------------------------------------------- */

void
lni_vector_task_clear(struct lni_vector_task *t)
{
	free(t->project_id);
	free(t->user_id);
	free(t->model);
	*t = (struct lni_vector_task){ 0 };
}

static enum ln_status
find_next(struct ln_store *st, const char *project_id,
    struct lni_vector_task *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_NEXT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	lni_bind_int(&q, 2, ln_time_now_ms());
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		out->document_id = lni_col_int(&q, 0);
		out->chunk_count = lni_col_int(&q, 1);
		out->project_id = lni_col_dup(&q, 2, &s);
		out->user_id = lni_col_dup(&q, 3, &s);
		out->model = lni_col_dup(&q, 4, &s);
		out->is_own_model = lni_col_int(&q, 5) != 0;
		out->tries = lni_col_int(&q, 6);
		if (s != LN_OK)
			s = ln_fail(err, s, "", "document without vectors");
	}
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
take(struct ln_store *st, const struct lni_vector_task *t,
    const char *holder, int64_t due_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TAKE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, t->document_id);
	lni_bind_text(&q, 2, t->model);
	lni_bind_text(&q, 3, holder);
	lni_bind_int(&q, 4, due_ms);
	lni_bind_int(&q, 5, t->tries);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
has_model(struct ln_store *st, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ANY_MODEL, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_vector_take(struct ln_store *st, const char *project_id,
    const char *holder, int64_t due_ms, struct lni_vector_task *out,
    struct ln_error *err)
{
	enum ln_status s;

	*out = (struct lni_vector_task){ 0 };
	/* Looking needs no lock; who then takes it looks again. */
	if ((s = has_model(st, err)) != LN_OK ||
	    (s = find_next(st, project_id, out, err)) != LN_OK)
		return s;
	lni_vector_task_clear(out);
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = find_next(st, project_id, out, err)) == LN_OK)
		s = take(st, out, holder, due_ms, err);
	if ((s = lni_tx_end(st, s, err)) != LN_OK)
		lni_vector_task_clear(out);
	return s;
}

static enum ln_status
held_done(struct ln_store *st, struct lni_stmt *q, int64_t id,
    struct ln_error *err)
{
	enum ln_status s;

	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail(err, LN_CANCELLED, "",
		    "vectors of document %lld are in other hands",
		    (long long)id);
	return s;
}

enum ln_status
lni_vector_hold(struct ln_store *st, int64_t document_id, const char *holder,
    int64_t due_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_HOLD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, document_id);
	lni_bind_text(&q, 2, holder);
	lni_bind_int(&q, 3, due_ms);
	return held_done(st, &q, document_id, err);
}

enum ln_status
lni_vector_end(struct ln_store *st, int64_t document_id, const char *holder,
    enum ln_vectors state, const char *reason, int64_t due_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_END, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, document_id);
	lni_bind_text(&q, 2, holder);
	lni_bind_text(&q, 3, ln_vectors_name(state));
	lni_bind_text(&q, 4, reason);
	lni_bind_opt_int(&q, 5, due_ms);
	return held_done(st, &q, document_id, err);
}

/* --- vectors -------------------------------------------------------------- */

enum ln_status
lni_vector_missing(struct ln_store *st, int64_t document_id,
    const char *model, struct lni_vector_chunk *out, size_t max,
    size_t *out_count, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_stmt_get(&q, st, SQL_MISSING, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, document_id);
	lni_bind_text(&q, 2, model);
	lni_bind_int(&q, 3, (int64_t)max);
	while (*out_count < max && (s = lni_stmt_row(&q, err)) == LN_OK) {
		out[*out_count].id = lni_col_int(&q, 0);
		out[*out_count].text = lni_col_dup(&q, 1, &s);
		if (s != LN_OK) {
			s = ln_fail(err, s, "", "chunk to embed");
			break;
		}
		(*out_count)++;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_vector_put(struct ln_store *st, int64_t chunk_id, const char *model,
    const unsigned char *packed, size_t dimension, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PUT, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, chunk_id);
	lni_bind_text(&q, 2, model);
	lni_bind_int(&q, 3, (int64_t)dimension);
	lni_bind_blob(&q, 4, packed, dimension * LNI_VECTOR_NUMBER_BYTES);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_vector_count(struct ln_store *st, const char *project_id,
    const char *model, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_COUNT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	lni_bind_text(&q, 2, model);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
forget(struct ln_store *st, const char *sql, const char *project_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_vector_forget(struct ln_store *st, const char *project_id,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = forget(st, SQL_FORGET, project_id, err)) != LN_OK)
		return s;
	return forget(st, SQL_FORGET_STATE, project_id, err);
}

enum ln_status
lni_vector_each(struct ln_store *st, const char *user_id,
    const char *project_id, const char *model, size_t dimension,
    int64_t limit, lni_vector_fn *fn, void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	const void *packed;
	enum ln_status s;
	size_t n;

	if ((s = lni_stmt_get(&q, st, SQL_EACH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	lni_bind_text(&q, 3, model);
	lni_bind_int(&q, 4, (int64_t)dimension);
	lni_bind_int(&q, 5, limit);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		packed = lni_col_blob(&q, 1, &n);
		if (packed != NULL && n == dimension * LNI_VECTOR_NUMBER_BYTES)
			fn(arg, lni_col_int(&q, 0), packed);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
