#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <ln/error.h>
#include <ln/log.h>
#include <ln/store.h>

#include "store/embed.h"
#include "store/scratch.h"
#include "store/stmt.h"
#include "store/swap.h"

#include "base/banned.h"

/* A live writer may slip in between copy and swap; then start over. */
#define MIGRATE_TRIES 5

int
ln_store_schema_latest(void)
{
	return (int)lni_migrations_count;
}

static enum ln_status
run(sqlite3 *db, const char *sql, struct ln_error *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? LN_OK : lni_sqlite_fail(db, rc, err);
}

/* Apply the migrations after ${from}, all in one transaction. */
static enum ln_status
apply(sqlite3 *db, int from, struct ln_error *err)
{
	char stamp[96];
	enum ln_status s;
	size_t i;

	if ((s = run(db, "BEGIN IMMEDIATE", err)) != LN_OK)
		return s;
	for (i = (size_t)from; i < lni_migrations_count; i++) {
		s = run(db, (const char *)lni_migrations[i].data, err);
		if (s != LN_OK) {
			ln_log(LN_LOG_ERROR, "store.migrate.fail", "file=%s",
			    lni_migrations[i].name);
			break;
		}
	}
	if (s == LN_OK) {
		/* Pragmas take no parameters; both numbers are ours. */
		snprintf(stamp, sizeof(stamp),
		    "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		    LN_STORE_APPLICATION_ID, ln_store_schema_latest());
		s = run(db, stamp, err);
	}
	if (s == LN_OK)
		s = run(db, "COMMIT", err);
	if (s != LN_OK && sqlite3_get_autocommit(db) == 0)
		(void)!run(db, "ROLLBACK", NULL);
	return s;
}

enum ln_status
lni_migrate_new(sqlite3 *db, struct ln_error *err)
{
	return apply(db, 0, err);
}

/* The first row of ${sql} must be the text "ok", or there must be no row when
 * ${expect_none}. */
static enum ln_status
expect(sqlite3 *db, const char *sql, bool expect_none, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	const char *text;
	int rc;

	rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(q, 0);
		if (expect_none || text == NULL || strcmp(text, "ok") != 0)
			s = ln_fail(err, LN_CORRUPT, "", "%s: %s", sql,
			    text != NULL ? text : "NULL");
	} else if (rc != SQLITE_DONE || !expect_none) {
		s = lni_sqlite_fail(db, rc, err);
	}
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
number(sqlite3 *db, const char *sql, int64_t *out, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	*out = 0;
	rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		s = lni_sqlite_fail(db, rc, err);
	sqlite3_finalize(q);
	return s;
}

/* Changes whenever another connection has committed. */
static enum ln_status
data_version(sqlite3 *db, int64_t *out, struct ln_error *err)
{
	return number(db, "PRAGMA data_version", out, err);
}

struct attempt {
	const char *path;
	sqlite3 *reader;
	int64_t version;	/* of what was copied, as ${reader} counts */
	int busy_ms;
	bool has_raced;
};

/* Nobody writes any more: keep what the live database is, unless somebody
 * wrote after it was copied. */
static enum ln_status
before_migration(sqlite3 *live, void *arg, struct ln_error *err)
{
	struct attempt *a = arg;
	char purpose[32], *snapshot = NULL;
	enum ln_status s;
	int64_t now;

	if ((s = data_version(a->reader, &now, err)) != LN_OK)
		return s;
	if (now != a->version) {
		a->has_raced = true;
		return ln_fail(err, LN_BUSY, "",
		    "%s: written to while migrating", a->path);
	}
	snprintf(purpose, sizeof(purpose), "schema-%d",
	    ln_store_schema_latest());
	s = lni_snapshot_take(live, a->path, purpose, a->busy_ms, &snapshot,
	    err);
	free(snapshot);
	return s;
}

/* Copy, migrate the copy, check it, and pour it into the live database. */
static enum ln_status
migrate_once(struct attempt *a, int from, struct ln_error *err)
{
	char copy_path[LNI_PATH_MAX];
	struct lni_scratch sc = { .fd = -1 };
	sqlite3 *copy = NULL;
	enum ln_status s;

	a->has_raced = false;
	if ((s = lni_scratch_make(a->path, "migrate", &sc, err)) != LN_OK)
		return s;
	if ((s = lni_scratch_file(&sc, LNI_SCRATCH_COPY, copy_path, NULL,
	    err)) != LN_OK ||
	    (s = lni_open_plain(copy_path, false, a->busy_ms, &copy, err)) !=
	    LN_OK ||
	    (s = data_version(a->reader, &a->version, err)) != LN_OK ||
	    (s = lni_backup(copy, a->reader, a->busy_ms, NULL, NULL, err)) !=
	    LN_OK ||
	    (s = apply(copy, from, err)) != LN_OK ||
	    (s = expect(copy, "PRAGMA integrity_check(1)", false, err)) !=
	    LN_OK ||
	    (s = expect(copy, "PRAGMA foreign_key_check", true, err)) != LN_OK)
		goto out;
	s = lni_pour(a->path, copy, a->busy_ms, before_migration, a, NULL,
	    NULL, err);
out:
	sqlite3_close(copy);
	lni_scratch_remove(&sc);
	return s;
}

/* Another program may have done it before we got the lock. */
static enum ln_status
schema_now(sqlite3 *db, int *out, struct ln_error *err)
{
	int64_t n;
	enum ln_status s;

	if ((s = number(db, "PRAGMA user_version", &n, err)) == LN_OK)
		*out = (int)n;
	return s;
}

static enum ln_status
migrate_locked(const char *path, int busy_ms, struct ln_error *err)
{
	struct attempt a = { .path = path, .busy_ms = busy_ms,
		.has_raced = true };
	sqlite3 *live = NULL;
	enum ln_status s;
	int from = 0, i;

	if ((s = lni_open_plain(path, false, busy_ms, &live, err)) != LN_OK)
		goto out;
	/* A file put here by hand may be without a log; the swap wants one. */
	if ((s = run(live, "PRAGMA journal_mode=WAL", err)) != LN_OK ||
	    (s = lni_open_plain(path, true, busy_ms, &a.reader, err)) !=
	    LN_OK ||
	    (s = schema_now(a.reader, &from, err)) != LN_OK ||
	    from >= ln_store_schema_latest())
		goto out;
	for (i = 0; i < MIGRATE_TRIES && a.has_raced; i++)
		s = migrate_once(&a, from, err);
	if (s == LN_OK)
		ln_log(LN_LOG_INFO, "store.migrate", "from=%d to=%d", from,
		    ln_store_schema_latest());
out:
	sqlite3_close(a.reader);
	sqlite3_close(live);
	return s;
}

enum ln_status
lni_migrate_file(const char *path, int busy_ms, struct ln_error *err)
{
	char lock_path[LNI_PATH_MAX];
	enum ln_status s;
	int lock;

	if (snprintf(lock_path, sizeof(lock_path), "%s.migrate.lock", path) >=
	    (int)sizeof(lock_path))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", lock_path,
		    strerror(errno));
	/* The file stays: removing it would let two hold one lock each. */
	if (flock(lock, LOCK_EX | LOCK_NB) != 0)
		s = ln_fail(err, LN_BUSY,
		    "Another program is bringing the database up to date. Try "
		    "again in a moment", "flock %s: %s", lock_path,
		    strerror(errno));
	else
		s = migrate_locked(path, busy_ms, err);
	close(lock);
	return s;
}
