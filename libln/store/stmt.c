#include "store/stmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

#include "base/banned.h"

/*
 * The cache is a small array searched by the address of the SQL text: every
 * statement is a static constant, so its address is its name.
 */
static struct lni_cached *
cache_find(struct ln_store *st, const char *sql)
{
	size_t i;

	for (i = 0; i < st->cache_count; i++) {
		if (st->cache[i].sql == sql && !st->cache[i].is_busy)
			return &st->cache[i];
	}
	return NULL;
}

static bool
cache_knows(const struct ln_store *st, const char *sql)
{
	size_t i;

	for (i = 0; i < st->cache_count; i++) {
		if (st->cache[i].sql == sql)
			return true;
	}
	return false;
}

enum ln_status
lni_stmt_get(struct lni_stmt *q, struct ln_store *st, const char *sql,
    struct ln_error *err)
{
	struct lni_cached *c;
	bool may_cache;
	int rc;

	memset(q, 0, sizeof(*q));
	q->store = st;
	if ((c = cache_find(st, sql)) != NULL) {
		c->is_busy = true;
		q->handle = c->handle;
		q->is_cached = true;
		return LN_OK;
	}
	may_cache = st->cache_count < LNI_STMT_CACHE_MAX &&
	    !cache_knows(st, sql);
	rc = sqlite3_prepare_v3(st->db, sql, -1,
	    may_cache ? SQLITE_PREPARE_PERSISTENT : 0, &q->handle, NULL);
	if (rc != SQLITE_OK) {
		q->handle = NULL;
		return lni_sqlite_fail(st->db, rc, err);
	}
	if (may_cache) {
		c = &st->cache[st->cache_count++];
		c->sql = sql;
		c->handle = q->handle;
		c->is_busy = true;
		q->is_cached = true;
	}
	return LN_OK;
}

void
lni_stmt_put(struct lni_stmt *q)
{
	size_t i;

	if (q->handle == NULL)
		return;
	if (!q->is_cached) {
		sqlite3_finalize(q->handle);
		q->handle = NULL;
		return;
	}
	sqlite3_reset(q->handle);
	sqlite3_clear_bindings(q->handle);
	for (i = 0; i < q->store->cache_count; i++) {
		if (q->store->cache[i].handle == q->handle)
			q->store->cache[i].is_busy = false;
	}
	q->handle = NULL;
}

static void
keep(struct lni_stmt *q, int rc)
{
	if (q->bind_rc == SQLITE_OK)
		q->bind_rc = rc;
}

void
lni_bind_text(struct lni_stmt *q, int i, const char *s)
{
	if (s == NULL)
		lni_bind_null(q, i);
	else
		lni_bind_textn(q, i, s, strlen(s));
}

void
lni_bind_textn(struct lni_stmt *q, int i, const char *s, size_t n)
{
	keep(q, sqlite3_bind_text64(q->handle, i, s, n, SQLITE_TRANSIENT,
	    SQLITE_UTF8));
}

void
lni_bind_blob(struct lni_stmt *q, int i, const void *p, size_t n)
{
	keep(q, sqlite3_bind_blob64(q->handle, i, p, n, SQLITE_TRANSIENT));
}

void
lni_bind_int(struct lni_stmt *q, int i, int64_t v)
{
	keep(q, sqlite3_bind_int64(q->handle, i, v));
}

void
lni_bind_opt_int(struct lni_stmt *q, int i, int64_t v)
{
	if (v == 0)
		lni_bind_null(q, i);
	else
		lni_bind_int(q, i, v);
}

void
lni_bind_double(struct lni_stmt *q, int i, double v)
{
	keep(q, sqlite3_bind_double(q->handle, i, v));
}

void
lni_bind_null(struct lni_stmt *q, int i)
{
	keep(q, sqlite3_bind_null(q->handle, i));
}

static int
step(struct lni_stmt *q)
{
	return q->bind_rc != SQLITE_OK ? q->bind_rc : sqlite3_step(q->handle);
}

enum ln_status
lni_stmt_row(struct lni_stmt *q, struct ln_error *err)
{
	int rc = step(q);

	if (rc == SQLITE_ROW)
		return LN_OK;
	if (rc == SQLITE_DONE)
		return ln_fail(err, LN_NOT_FOUND, "", "no row");
	return lni_sqlite_fail(q->store->db, rc, err);
}

/* Not in terms of lni_stmt_row: a missing parent is LN_NOT_FOUND, too. */
enum ln_status
lni_stmt_done(struct lni_stmt *q, struct ln_error *err)
{
	int rc;

	while ((rc = step(q)) == SQLITE_ROW)
		continue;
	if (rc == SQLITE_DONE)
		return LN_OK;
	return lni_sqlite_fail(q->store->db, rc, err);
}

const char *
lni_col_text(struct lni_stmt *q, int i)
{
	return (const char *)sqlite3_column_text(q->handle, i);
}

const void *
lni_col_blob(struct lni_stmt *q, int i, size_t *n)
{
	const void *p = sqlite3_column_blob(q->handle, i);

	*n = (size_t)sqlite3_column_bytes(q->handle, i);
	return p;
}

int64_t
lni_col_int(struct lni_stmt *q, int i)
{
	return sqlite3_column_int64(q->handle, i);
}

double
lni_col_double(struct lni_stmt *q, int i)
{
	return sqlite3_column_double(q->handle, i);
}

bool
lni_col_is_null(struct lni_stmt *q, int i)
{
	return sqlite3_column_type(q->handle, i) == SQLITE_NULL;
}

char *
lni_col_dup(struct lni_stmt *q, int i, enum ln_status *s)
{
	const char *text;
	char *copy;

	if (lni_col_is_null(q, i))
		return NULL;
	if ((text = lni_col_text(q, i)) == NULL ||
	    (copy = strdup(text)) == NULL) {
		*s = LN_NOMEM;
		return NULL;
	}
	return copy;
}

enum ln_status
lni_exec(struct ln_store *st, const char *sql, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

int64_t
lni_changes(struct ln_store *st)
{
	return sqlite3_changes64(st->db);
}

int64_t
lni_last_id(struct ln_store *st)
{
	return sqlite3_last_insert_rowid(st->db);
}

enum ln_status
lni_sqlite_fail(sqlite3 *db, int rc, struct ln_error *err)
{
	const char *why = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	int extended = db != NULL ? sqlite3_extended_errcode(db) : rc;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ln_fail(err, LN_BUSY, "", "sqlite %d: %s", extended,
		    why);
	case SQLITE_NOMEM:
		return ln_fail(err, LN_NOMEM, "", "sqlite %d: %s", extended,
		    why);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ln_fail(err, LN_CORRUPT, "", "sqlite %d: %s", extended,
		    why);
	case SQLITE_IOERR:
		if (db == NULL || sqlite3_system_errno(db) != ENOSPC)
			return ln_fail(err, LN_IO, "", "sqlite %d: %s",
			    extended, why);
		__attribute__((fallthrough));
	case SQLITE_FULL:
		return ln_fail(err, LN_IO,
		    "The disk is full. Free some space and try again",
		    "sqlite %d: %s", extended, why);
	case SQLITE_READONLY:
		return ln_fail(err, LN_IO,
		    "The database cannot be written. Check its permissions",
		    "sqlite %d: %s", extended, why);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return ln_fail(err, LN_IO,
		    "The database cannot be opened. Check its permissions",
		    "sqlite %d: %s", extended, why);
	case SQLITE_TOOBIG:
		return ln_fail(err, LN_TOO_LARGE, "", "sqlite %d: %s",
		    extended, why);
	case SQLITE_INTERRUPT:
		return ln_fail(err, LN_CANCELLED, "", "sqlite %d: %s",
		    extended, why);
	case SQLITE_CONSTRAINT:
		if (extended == SQLITE_CONSTRAINT_UNIQUE ||
		    extended == SQLITE_CONSTRAINT_PRIMARYKEY)
			return ln_fail(err, LN_CONFLICT, "", "sqlite %d: %s",
			    extended, why);
		if (extended == SQLITE_CONSTRAINT_FOREIGNKEY)
			return ln_fail(err, LN_NOT_FOUND, "", "sqlite %d: %s",
			    extended, why);
		return ln_fail(err, LN_INVALID, "", "sqlite %d: %s", extended,
		    why);
	default:
		return ln_fail(err, LN_INTERNAL, "", "sqlite %d: %s", extended,
		    why);
	}
}
