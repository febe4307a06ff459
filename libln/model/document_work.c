#include "model/document.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

/* Documents on their way from a file to chunks, see document.h. */

#define IN_HAND " WHERE id = ?1 AND holder = ?2"

static const char SQL_NEXT[] =
    "SELECT " LNI_DOCUMENT_COLUMNS ", p.user_id"
    " FROM document d JOIN project p ON p.id = d.project_id"
    " WHERE d.state = 'queued' AND d.holder IS NULL"
    " AND (?1 IS NULL OR d.project_id = ?1) ORDER BY d.id LIMIT 1";
static const char SQL_HOLD[] =
    "UPDATE document SET state = 'reading', holder = ?2, beat_ms = ?3,"
    " tries = tries + 1, chunk_count = 0 WHERE id = ?1";
static const char SQL_FILE[] =
    "SELECT bytes FROM document_file WHERE document_id = ?1 ORDER BY part";
static const char SQL_CONTENT[] =
    "SELECT content FROM document WHERE id = ?1";
static const char SQL_PUT_BACK[] =
    "UPDATE document SET state = 'queued', holder = NULL, beat_ms = NULL,"
    " tries = max(tries - 1, 0)" IN_HAND;
static const char SQL_END[] =
    "UPDATE document SET state = iif(?3 IS NULL, 'ready', 'failed'),"
    " reason = ?3, type = ?4, chunk_count = ?5, page_count = ?6,"
    " content = iif(?3 IS NULL, '', content),"
    " bytes = iif(bytes = 0, ?7, bytes),"
    " holder = NULL, beat_ms = NULL" IN_HAND;
static const char SQL_DROP_FILE[] =
    "DELETE FROM document_file WHERE document_id = ?1";

/* ?1: signs of life before that are too old. */
#define LEFT								\
	" WHERE state IN ('queued', 'reading') AND holder IS NOT NULL"	\
	" AND beat_ms < ?1"
static const char SQL_ANY_LEFT[] =
    "SELECT 1 FROM document" LEFT " LIMIT 1";
static const char SQL_GIVE_UP[] =
    "UPDATE document SET state = 'failed', holder = NULL, beat_ms = NULL,"
    " reason = 'Reading it was tried several times and never came to an end'"
    LEFT " AND tries >= ?2";
static const char SQL_CUT_OFF[] =
    "UPDATE document SET state = 'failed', holder = NULL, beat_ms = NULL,"
    " reason = 'It did not arrive whole. Upload it again'" LEFT
    " AND content = '' AND bytes > (SELECT coalesce(sum(length(f.bytes)), 0)"
    "  FROM document_file f WHERE f.document_id = document.id)";
static const char SQL_WAIT_AGAIN[] =
    "UPDATE document SET state = 'queued', holder = NULL, beat_ms = NULL"
    LEFT;
static const char SQL_DROP_FILES[] =
    "DELETE FROM document_file WHERE document_id IN"
    " (SELECT id FROM document WHERE state IN ('ready', 'failed'))";
static const char SQL_WAITING[] =
    "SELECT 1 FROM document WHERE state = 'queued' AND holder IS NULL"
    " LIMIT 1";

const char *const lni_document_work_sql[] = { SQL_NEXT, SQL_HOLD, SQL_FILE,
	SQL_CONTENT, SQL_PUT_BACK, SQL_END, SQL_DROP_FILE, SQL_ANY_LEFT,
	SQL_GIVE_UP, SQL_CUT_OFF, SQL_WAIT_AGAIN, SQL_DROP_FILES,
	SQL_WAITING };
const size_t lni_document_work_sql_count =
    sizeof(lni_document_work_sql) / sizeof(lni_document_work_sql[0]);

/* --- in hand -------------------------------------------------------------- */

static enum ln_status
find_next(struct ln_store *st, const char *project_id,
    struct ln_document **out, char **out_user_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_NEXT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    (s = lni_document_from_row(&q, out, err)) == LN_OK) {
		*out_user_id = lni_col_dup(&q, 13, &s);
		if (s != LN_OK)
			s = ln_fail(err, s, "", "owner of a document");
	}
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
hold(struct ln_store *st, int64_t id, const char *holder,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_HOLD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, holder);
	lni_bind_int(&q, 3, ln_time_now_ms());
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_document_take(struct ln_store *st, const char *project_id,
    const char *holder, struct ln_document **out, char **out_user_id,
    struct ln_error *err)
{
	enum ln_status s;

	*out = NULL;
	*out_user_id = NULL;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = find_next(st, project_id, out, out_user_id, err)) == LN_OK)
		s = hold(st, (*out)->id, holder, err);
	if ((s = lni_tx_end(st, s, err)) == LN_OK) {
		(*out)->state = LN_DOCUMENT_READING;
		(*out)->chunk_count = 0;
		return LN_OK;
	}
	ln_document_free(*out);
	ln_free(*out_user_id);
	*out = NULL;
	*out_user_id = NULL;
	return s;
}

enum ln_status
lni_document_file(struct ln_store *st, int64_t id, struct ln_buf *out,
    struct ln_error *err)
{
	const void *bytes;
	struct lni_stmt q;
	enum ln_status s;
	size_t n;

	if ((s = lni_stmt_get(&q, st, SQL_FILE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((bytes = lni_col_blob(&q, 0, &n)) != NULL)
			ln_buf_put(out, bytes, n);
		if ((s = ln_buf_status(out)) != LN_OK) {
			(void)ln_fail(err, s, "", "file of a document");
			break;
		}
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_document_content(struct ln_store *st, int64_t id, char **out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_CONTENT, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out = lni_col_dup(&q, 0, &s);
		if (s != LN_OK)
			s = ln_fail(err, s, "", "text of a document");
	}
	lni_stmt_put(&q);
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
		s = ln_fail(err, LN_CANCELLED,
		    "The document was deleted meanwhile", "document %lld",
		    (long long)id);
	return s;
}

enum ln_status
lni_document_put_back(struct ln_store *st, int64_t id, const char *holder,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PUT_BACK, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, holder);
	return held_done(st, &q, id, err);
}

static enum ln_status
drop_file(struct ln_store *st, int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_DROP_FILE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_document_end(struct ln_store *st, int64_t id, const char *holder,
    const struct lni_document_end *end, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_END, err)) == LN_OK) {
		lni_bind_int(&q, 1, id);
		lni_bind_text(&q, 2, holder);
		lni_bind_text(&q, 3, end->reason);
		lni_bind_text(&q, 4, end->type);
		lni_bind_int(&q, 5, end->chunk_count);
		lni_bind_int(&q, 6, end->page_count);
		lni_bind_int(&q, 7, end->bytes);
		s = held_done(st, &q, id, err);
	}
	if (s == LN_OK)
		s = drop_file(st, id, err);
	return lni_tx_end(st, s, err);
}

/* --- left behind ---------------------------------------------------------- */

static enum ln_status
is_any(struct ln_store *st, const char *sql, int64_t before, bool *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = false;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	if (before > 0)
		lni_bind_int(&q, 1, before);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	*out = s == LN_OK;
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
sort(struct ln_store *st, const char *sql, int64_t before,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, before);
	if (sql == SQL_GIVE_UP)
		lni_bind_int(&q, 2, LN_DOCUMENT_TRIES);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
sort_all(struct ln_store *st, int64_t before, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = sort(st, SQL_GIVE_UP, before, err)) == LN_OK &&
	    (s = sort(st, SQL_CUT_OFF, before, err)) == LN_OK &&
	    (s = sort(st, SQL_WAIT_AGAIN, before, err)) == LN_OK)
		s = lni_exec(st, SQL_DROP_FILES, err);
	return lni_tx_end(st, s, err);
}

enum ln_status
ln_document_sweep(struct ln_store *st, bool *out_waiting,
    struct ln_error *err)
{
	int64_t before = ln_time_now_ms() - LN_DOCUMENT_DEAD_MS;
	enum ln_status s;
	bool is_left;

	*out_waiting = false;
	/* Most of the time there is nothing, and that needs no lock. */
	if ((s = is_any(st, SQL_ANY_LEFT, before, &is_left, err)) != LN_OK)
		return s;
	if (is_left && (s = sort_all(st, before, err)) != LN_OK)
		return s;
	return is_any(st, SQL_WAITING, 0, out_waiting, err);
}
