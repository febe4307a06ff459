#include "store/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ln/log.h>
#include <ln/time.h>

#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

#define RETRY_MS 20
#define STEP_PAGES 4096		/* 16 MiB between two progress reports */
#define CHECKPOINT_MS 1000	/* best effort: the next writer does it, too */

static const char SQL_AUDIT_IN[] =
    "INSERT INTO audit (id, at_ms, actor_kind, actor_id, address, action,"
    " target, outcome, request_id, detail, mac)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
static const char SQL_AUDIT_OUT[] =
    "SELECT id, at_ms, actor_kind, actor_id, address, action, target,"
    " outcome, request_id, detail, mac FROM audit ORDER BY id";
static const char SQL_HEAD_IN[] =
    "INSERT INTO audit_head (id, last_id, last_mac, mac)"
    " VALUES (?1, ?2, ?3, ?4)";
static const char SQL_HEAD_OUT[] =
    "SELECT id, last_id, last_mac, mac FROM audit_head";

static void
pause_ms(long ms)
{
	const struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&ts, NULL);
}

static enum ln_status
open_plain(const char *path, bool is_reader, int busy_ms, sqlite3 **out,
    struct ln_error *err)
{
	enum ln_status s;
	int rc;

	*out = NULL;
	rc = sqlite3_open_v2(path, out, (is_reader ? SQLITE_OPEN_READONLY :
	    SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(*out, busy_ms);
	if (rc == SQLITE_OK)
		rc = lni_connection_guard(*out);
	if (rc == SQLITE_OK && !is_reader)
		rc = sqlite3_exec(*out, "PRAGMA synchronous=FULL;", NULL,
		    NULL, NULL);
	if (rc == SQLITE_OK)
		return LN_OK;
	s = lni_sqlite_fail(*out, rc, err);
	sqlite3_close(*out);
	*out = NULL;
	return s;
}

/* --- the audit log goes on ------------------------------------------------ */

static enum ln_status
copy_rows(sqlite3 *from, const char *sql_out, struct ln_store *to,
    const char *sql_in, struct ln_error *err)
{
	sqlite3 *db = lni_store_db(to);
	sqlite3 *at = from;
	sqlite3_stmt *r = NULL, *w = NULL;
	enum ln_status s = LN_OK;
	int i, rc;

	rc = sqlite3_prepare_v2(from, sql_out, -1, &r, NULL);
	if (rc == SQLITE_OK) {
		at = db;
		rc = sqlite3_prepare_v2(db, sql_in, -1, &w, NULL);
	}
	while (rc == SQLITE_OK) {
		at = from;
		if ((rc = sqlite3_step(r)) != SQLITE_ROW)
			break;
		at = db;
		rc = SQLITE_OK;
		for (i = 0; i < sqlite3_column_count(r) && rc == SQLITE_OK;
		    i++)
			rc = sqlite3_bind_value(w, i + 1,
			    sqlite3_column_value(r, i));
		if (rc == SQLITE_OK && (rc = sqlite3_step(w)) == SQLITE_DONE)
			rc = sqlite3_reset(w);
	}
	if (rc != SQLITE_DONE)
		s = lni_sqlite_fail(at, rc, err);
	sqlite3_finalize(r);
	sqlite3_finalize(w);
	return s;
}

static enum ln_status
carry_audit(sqlite3 *reader, struct ln_store *fresh,
    enum ln_status (*seal)(struct ln_store *, void *, struct ln_error *),
    void *arg, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(fresh, err)) != LN_OK)
		return s;
	if ((s = copy_rows(reader, SQL_AUDIT_OUT, fresh, SQL_AUDIT_IN,
	    err)) == LN_OK &&
	    (s = copy_rows(reader, SQL_HEAD_OUT, fresh, SQL_HEAD_IN, err)) ==
	    LN_OK)
		s = seal(fresh, arg, err);
	return lni_tx_end(fresh, s, err);
}

/* --- the snapshot --------------------------------------------------------- */

/* A name of the second, and a number when that second has one already. */
static enum ln_status
name_snapshot(const char *live_path, char out[LNI_PATH_MAX],
    struct ln_error *err)
{
	char iso[LN_TIME_ISO_SIZE], stamp[LN_TIME_ISO_SIZE];
	size_t i, n = 0;
	int tries, len;

	ln_time_iso(ln_time_now_ms(), iso);
	for (i = 0; iso[i] != '.' && iso[i] != '\0'; i++) {
		if (iso[i] != '-' && iso[i] != ':')
			stamp[n++] = iso[i];
	}
	stamp[n] = '\0';
	for (tries = 1; tries < 1000; tries++) {
		len = tries == 1 ?
		    snprintf(out, LNI_PATH_MAX, "%s.before-import-%sZ",
		    live_path, stamp) :
		    snprintf(out, LNI_PATH_MAX, "%s.before-import-%sZ-%d",
		    live_path, stamp, tries);
		/* Room for ".part" and for SQLite's own suffixes. */
		if (len >= LNI_PATH_MAX - 16)
			return ln_fail(err, LN_INVALID,
			    "The path is too long", "%s", live_path);
		if (access(out, F_OK) != 0)
			return LN_OK;
	}
	return ln_fail(err, LN_IO, "", "too many snapshots: %s", out);
}

static enum ln_status
sync_file(const char *path, struct ln_error *err)
{
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", path,
		    strerror(errno));
	if ((rc = fsync(fd)) != 0)
		ln_fail(err, LN_IO, "", "fsync %s: %s", path,
		    strerror(errno));
	close(fd);
	return rc == 0 ? LN_OK : LN_IO;
}

static enum ln_status
verify(sqlite3 *db, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	const char *text;
	int rc;

	rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) :
	    NULL;
	if (text == NULL)
		s = lni_sqlite_fail(db, rc, err);
	else if (strcmp(text, "ok") != 0)
		s = ln_fail(err, LN_CORRUPT, "", "snapshot: %s", text);
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
write_snapshot(sqlite3 *reader, const char *part, int busy_ms,
    struct ln_error *err)
{
	sqlite3 *db = NULL;
	enum ln_status s;
	int fd, rc;

	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", part,
		    strerror(errno));
	close(fd);
	if ((s = open_plain(part, false, busy_ms, &db, err)) != LN_OK)
		return s;
	if ((s = lni_backup(db, reader, busy_ms, NULL, NULL, err)) != LN_OK)
		goto out;
	/* One file, whole without a log beside it. */
	rc = sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE;"
	    "PRAGMA journal_mode=DELETE;", NULL, NULL, NULL);
	s = rc == SQLITE_OK ? verify(db, err) : lni_sqlite_fail(db, rc, err);
out:
	rc = sqlite3_close(db);
	if (s == LN_OK && rc != SQLITE_OK)
		s = ln_fail(err, LN_INTERNAL, "", "close snapshot: %d", rc);
	return s == LN_OK ? sync_file(part, err) : s;
}

static enum ln_status
take_snapshot(sqlite3 *reader, const char *live_path, int busy_ms, char **out,
    struct ln_error *err)
{
	char path[LNI_PATH_MAX], part[LNI_PATH_MAX];
	enum ln_status s;

	if ((s = name_snapshot(live_path, path, err)) != LN_OK)
		return s;
	snprintf(part, sizeof(part), "%.*s.part", LNI_PATH_MAX - 16, path);
	/* Left by a killed run: it has no other name. */
	lni_unlink_database(part);
	if ((s = write_snapshot(reader, part, busy_ms, err)) != LN_OK)
		goto fail;
	if (rename(part, path) != 0) {
		s = ln_fail(err, LN_IO, "", "rename %s: %s", part,
		    strerror(errno));
		goto fail;
	}
	if ((s = lni_sync_folder(path, err)) != LN_OK)
		return s;
	if ((*out = strdup(path)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "take_snapshot");
	return LN_OK;
fail:
	lni_unlink_database(part);
	return s;
}

/* --- the swap ------------------------------------------------------------- */

/* A backup step of no pages takes the write lock of the live database, and
 * nothing else: from here to the last step nobody can write what would be
 * neither in the snapshot nor in the new content. */
static enum ln_status
lock_live(sqlite3_backup *b, sqlite3 *live, int busy_ms, struct ln_error *err)
{
	int64_t start = ln_time_mono_ms();
	int rc;

	while ((rc = sqlite3_backup_step(b, 0)) == SQLITE_BUSY ||
	    rc == SQLITE_LOCKED) {
		if (ln_time_mono_ms() - start >= busy_ms)
			return ln_fail(err, LN_BUSY, "", "lock of %s",
			    sqlite3_db_filename(live, "main"));
		pause_ms(RETRY_MS);
	}
	return rc == SQLITE_OK || rc == SQLITE_DONE ? LN_OK :
	    lni_sqlite_fail(live, rc, err);
}

static enum ln_status
pour(sqlite3_backup *b, sqlite3 *live, int busy_ms,
    bool (*progress)(void *arg, int percent), void *arg, struct ln_error *err)
{
	int64_t waited_since = 0;
	int rc, total, percent = 0;

	for (;;) {
		rc = sqlite3_backup_step(b, STEP_PAGES);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
			if (waited_since == 0)
				waited_since = ln_time_mono_ms();
			if (ln_time_mono_ms() - waited_since >= busy_ms)
				return ln_fail(err, LN_BUSY, "",
				    "swap at %d%%", percent);
			pause_ms(RETRY_MS);
			continue;
		}
		waited_since = 0;
		if (rc == SQLITE_DONE)
			return LN_OK;
		if (rc != SQLITE_OK)
			return lni_sqlite_fail(live, rc, err);
		total = sqlite3_backup_pagecount(b);
		percent = total > 0 ? (int)(100 -
		    (int64_t)sqlite3_backup_remaining(b) * 100 / total) : 100;
		/* 85 to 99 of the whole. */
		if (progress != NULL &&
		    !progress(arg, 85 + percent * 14 / 100))
			return ln_fail(err, LN_CANCELLED, "", "swap");
	}
}

enum ln_status
lni_swap(struct ln_store *st, struct ln_store *fresh,
    enum ln_status (*seal)(struct ln_store *fresh, void *arg,
    struct ln_error *err), void *arg, bool (*progress)(void *arg,
    int percent), void *progress_arg, char **out_snapshot,
    struct ln_error *err)
{
	sqlite3 *live = NULL, *reader = NULL;
	sqlite3_backup *b = NULL;
	int busy_ms = st->busy_ms;
	enum ln_status s;
	int rc;

	*out_snapshot = NULL;
	if ((s = open_plain(st->path, false, busy_ms, &live, err)) != LN_OK ||
	    (s = open_plain(st->path, true, busy_ms, &reader, err)) != LN_OK)
		goto out;
	b = sqlite3_backup_init(live, "main", lni_store_db(fresh), "main");
	if (b == NULL) {
		s = lni_sqlite_fail(live, sqlite3_errcode(live), err);
		goto out;
	}
	if ((s = lock_live(b, live, busy_ms, err)) != LN_OK ||
	    (s = take_snapshot(reader, st->path, busy_ms, out_snapshot,
	    err)) != LN_OK ||
	    (s = carry_audit(reader, fresh, seal, arg, err)) != LN_OK)
		goto out;
	s = pour(b, live, busy_ms, progress, progress_arg, err);
out:
	/* Commits what was poured whole, undoes all else. */
	rc = sqlite3_backup_finish(b);
	if (s == LN_OK && rc != SQLITE_OK)
		s = lni_sqlite_fail(live, rc, err);
	sqlite3_close(reader);
	if (s == LN_OK) {
		sqlite3_busy_timeout(live, CHECKPOINT_MS);
		rc = sqlite3_wal_checkpoint_v2(live, "main",
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		if (rc != SQLITE_OK)
			ln_log(LN_LOG_INFO, "store.checkpoint",
			    "after=import rc=%d", rc);
	}
	sqlite3_close(live);
	return s;
}
