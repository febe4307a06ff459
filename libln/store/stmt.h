#ifndef LNI_STMT_H
#define LNI_STMT_H

#include <sqlite3.h>

#include <ln/buf.h>
#include <ln/error.h>
#include <ln/store.h>

#include "store/tx.h"

/*
 * Statements, for store/ and model/ only (transactions, for service/ too, are
 * in store/tx.h).  A statement is borrowed from the handle's cache by its SQL
 * text, bound, stepped, and always given back.  Bind errors stick and surface
 * at the step.
 *
 * A model file lists its SQL as named constants at the top and registers them
 * for the test that prepares every one of them against a fresh database
 * (tests/unit/model/test_statements.c, which has a line for each file):
 *
 *	const char *const lni_user_sql[] = { SQL_GET, SQL_LIST };
 *	const size_t lni_user_sql_count = 2;	(both declared in its header)
 */

struct lni_stmt {
	struct ln_store *store;
	sqlite3_stmt *handle;
	int bind_rc;
	bool is_cached;
};

/**
 * lni_stmt_get(q, st, sql, err):
 * Borrow the statement for ${sql}, which must be a static string: the cache is
 * keyed by its address and text.  The same SQL may be borrowed twice at a
 * time (the second one is prepared for the occasion).
 */
enum ln_status lni_stmt_get(struct lni_stmt *q, struct ln_store *st,
    const char *sql, struct ln_error *err) LN_USE;

/* Give it back: reset and clear bindings.  Safe on a zeroed or failed one. */
void lni_stmt_put(struct lni_stmt *q);

/* Binding, parameters counted from 1.  Text and blobs are copied.  NULL text
 * binds NULL; _opt_int binds NULL for 0 (absent times). */
void lni_bind_text(struct lni_stmt *q, int i, const char *s);
void lni_bind_textn(struct lni_stmt *q, int i, const char *s, size_t n);
void lni_bind_blob(struct lni_stmt *q, int i, const void *p, size_t n);
void lni_bind_int(struct lni_stmt *q, int i, int64_t v);
void lni_bind_opt_int(struct lni_stmt *q, int i, int64_t v);
void lni_bind_double(struct lni_stmt *q, int i, double v);
void lni_bind_null(struct lni_stmt *q, int i);

/* LN_OK with a row, LN_NOT_FOUND at the end. */
enum ln_status lni_stmt_row(struct lni_stmt *q, struct ln_error *err) LN_USE;

/* Run to the end, ignoring rows.  LN_CONFLICT for a UNIQUE violation,
 * LN_NOT_FOUND for a missing parent (foreign key). */
enum ln_status lni_stmt_done(struct lni_stmt *q, struct ln_error *err) LN_USE;

/* Columns of the current row, counted from 0.  lni_col_text is borrowed until
 * the next step and NULL for NULL; lni_col_dup is yours (NULL for NULL, and
 * LN_NOMEM through ${s} otherwise). */
const char *lni_col_text(struct lni_stmt *q, int i);
const void *lni_col_blob(struct lni_stmt *q, int i, size_t *n);
int64_t lni_col_int(struct lni_stmt *q, int i);
double lni_col_double(struct lni_stmt *q, int i);
bool lni_col_is_null(struct lni_stmt *q, int i);
char *lni_col_dup(struct lni_stmt *q, int i, enum ln_status *s);

/* Get, bind nothing, run, put: for fixed statements. */
enum ln_status lni_exec(struct ln_store *st, const char *sql,
    struct ln_error *err) LN_USE;

/* Rows changed by the last statement; its row id. */
int64_t lni_changes(struct ln_store *st);
int64_t lni_last_id(struct ln_store *st);

/**
 * lni_sqlite_fail(db, rc, err):
 * Map an SQLite result code to our status and record it with its message.
 */
enum ln_status lni_sqlite_fail(sqlite3 *db, int rc, struct ln_error *err);

/* The raw handle, for store/ (backup, check, validate). */
sqlite3 *lni_store_db(struct ln_store *st);

/**
 * lni_connection_guard(db):
 * What every connection of ours gets: foreign keys, defensive, trusted_schema
 * off, no load_extension, cell size checks.  SQLite result code.
 */
int lni_connection_guard(sqlite3 *db);

#endif
