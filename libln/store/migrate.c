#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <ln/error.h>
#include <ln/log.h>
#include <ln/store.h>

#include "store/embed.h"
#include "store/stmt.h"

#include "base/banned.h"

#define PATH_BYTES_MAX 4096	/* PATH_MAX on Linux */
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
data_version(sqlite3 *db, int64_t *out, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	*out = 0;
	rc = sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		s = lni_sqlite_fail(db, rc, err);
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
open_db(const char *path, bool is_new, int busy_ms, sqlite3 **out,
    struct ln_error *err)
{
	enum ln_status s;
	int fd, rc;

	*out = NULL;
	if (is_new) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return ln_fail(err, LN_IO, "", "open %s: %s", path,
			    strerror(errno));
		close(fd);
	}
	rc = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(*out, busy_ms);
	if (rc == SQLITE_OK)
		rc = lni_connection_guard(*out);
	if (rc == SQLITE_OK)
		return LN_OK;
	s = lni_sqlite_fail(*out, rc, err);
	sqlite3_close(*out);
	*out = NULL;
	return s;
}

static void
discard(sqlite3 *db, const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
		"-journal" };
	char name[PATH_BYTES_MAX + 16];
	size_t i;

	sqlite3_close(db);
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
}

/* One attempt: copy, migrate the copy, check it, keep a snapshot, swap. */
static enum ln_status
attempt(sqlite3 *live, const char *path, int busy_ms, int from, bool *out_raced,
    struct ln_error *err)
{
	char copy_path[PATH_BYTES_MAX], snap_path[PATH_BYTES_MAX];
	char id[LN_UUID_SIZE];
	sqlite3 *copy = NULL, *snap = NULL;
	int64_t before = 0, after = 0;
	enum ln_status s;

	*out_raced = false;
	ln_uuid(id);
	if (snprintf(copy_path, sizeof(copy_path), "%s.migrate-%s", path,
	    id) >= (int)sizeof(copy_path) ||
	    snprintf(snap_path, sizeof(snap_path), "%s.before-schema-%d", path,
	    from + 1) >= (int)sizeof(snap_path))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	if ((s = data_version(live, &before, err)) != LN_OK)
		return s;
	if ((s = open_db(copy_path, true, busy_ms, &copy, err)) != LN_OK)
		return s;
	if ((s = lni_backup(copy, live, busy_ms, NULL, NULL, err)) != LN_OK)
		goto out;
	/* A snapshot of an earlier, failed attempt is as good: same schema. */
	if (access(snap_path, F_OK) != 0) {
		if ((s = open_db(snap_path, true, busy_ms, &snap, err)) !=
		    LN_OK)
			goto out;
		s = lni_backup(snap, copy, busy_ms, NULL, NULL, err);
		sqlite3_close(snap);
		if (s != LN_OK) {
			unlink(snap_path);
			goto out;
		}
	}
	if ((s = apply(copy, from, err)) != LN_OK ||
	    (s = expect(copy, "PRAGMA integrity_check(1)", false, err)) !=
	    LN_OK ||
	    (s = expect(copy, "PRAGMA foreign_key_check", true, err)) != LN_OK)
		goto out;
	if ((s = data_version(live, &after, err)) != LN_OK)
		goto out;
	if (before != after) {
		*out_raced = true;
		goto out;
	}
	s = lni_backup(live, copy, busy_ms, NULL, NULL, err);
out:
	discard(copy, copy_path);
	return s;
}

enum ln_status
lni_migrate_file(const char *path, int busy_ms, int from_schema,
    struct ln_error *err)
{
	char lock_path[PATH_BYTES_MAX];
	sqlite3 *live = NULL;
	bool has_raced = true;
	enum ln_status s;
	int lock, i;

	if (snprintf(lock_path, sizeof(lock_path), "%s.migrate.lock", path) >=
	    (int)sizeof(lock_path))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", lock_path,
		    strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		s = ln_fail(err, LN_BUSY,
		    "Another program is bringing the database up to date. Try "
		    "again in a moment", "flock %s: %s", lock_path,
		    strerror(errno));
		goto out;
	}
	if ((s = open_db(path, false, busy_ms, &live, err)) != LN_OK)
		goto out;
	for (i = 0; i < MIGRATE_TRIES && has_raced && s == LN_OK; i++)
		s = attempt(live, path, busy_ms, from_schema, &has_raced, err);
	if (s == LN_OK && has_raced)
		s = ln_fail(err, LN_BUSY, "", "%s: written to while migrating",
		    path);
	if (s == LN_OK)
		ln_log(LN_LOG_INFO, "store.migrate", "from=%d to=%d",
		    from_schema, ln_store_schema_latest());
out:
	sqlite3_close(live);
	unlink(lock_path);
	close(lock);
	return s;
}
