#include "store/swap.h"

#include <time.h>

#include <ln/log.h>
#include <ln/time.h>

#include "store/fresh.h"
#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

#define RETRY_MS 20
#define KNOCK_MS 1
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
static const char SQL_BACKUP_IN[] =
    "INSERT INTO backup (folder, name, created_ms, bytes, hash, is_encrypted,"
    " verified_ms, verified_how) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_BACKUP_OUT[] =
    "SELECT folder, name, created_ms, bytes, hash, is_encrypted,"
    " verified_ms, verified_how FROM backup ORDER BY id";
static const char SQL_RETIRED_IN[] =
    "INSERT INTO retired_key (hash, retired_ms) VALUES (?1, ?2)";
static const char SQL_RETIRED_OUT[] =
    "SELECT hash, retired_ms FROM retired_key";

static void
pause_ms(long ms)
{
	const struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&ts, NULL);
}

/* --- the audit log goes on, replaced keys stay replaced, and backups that
 * were made before are still known --------------------------------------- */

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
	    LN_OK &&
	    (s = copy_rows(reader, SQL_RETIRED_OUT, fresh, SQL_RETIRED_IN,
	    err)) == LN_OK &&
	    (s = copy_rows(reader, SQL_BACKUP_OUT, fresh, SQL_BACKUP_IN,
	    err)) == LN_OK)
		s = seal(fresh, arg, err);
	return lni_tx_end(fresh, s, err);
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

	/* SQLite's own waiting grows to steps of 100 ms, which a busy writer
	 * starves: his pauses are shorter.  Knock often instead. */
	sqlite3_busy_timeout(live, 0);
	while ((rc = sqlite3_backup_step(b, 0)) == SQLITE_BUSY ||
	    rc == SQLITE_LOCKED) {
		if (ln_time_mono_ms() - start >= busy_ms)
			return ln_fail(err, LN_BUSY, "", "lock of %s",
			    sqlite3_db_filename(live, "main"));
		pause_ms(KNOCK_MS);
	}
	sqlite3_busy_timeout(live, busy_ms);
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
lni_pour(const char *path, sqlite3 *from, int busy_ms,
    enum ln_status (*under_lock)(sqlite3 *reader, void *arg,
    struct ln_error *err), void *arg, bool (*progress)(void *arg,
    int percent), void *progress_arg, struct ln_error *err)
{
	sqlite3 *live = NULL, *reader = NULL;
	sqlite3_backup *b = NULL;
	enum ln_status s;
	int rc;

	if ((s = lni_open_plain(path, false, busy_ms, &live, err)) != LN_OK ||
	    (s = lni_open_plain(path, true, busy_ms, &reader, err)) != LN_OK)
		goto out;
	b = sqlite3_backup_init(live, "main", from, "main");
	if (b == NULL) {
		s = lni_sqlite_fail(live, sqlite3_errcode(live), err);
		goto out;
	}
	if ((s = lock_live(b, live, busy_ms, err)) != LN_OK ||
	    (s = under_lock(reader, arg, err)) != LN_OK)
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
			    "after=swap rc=%d", rc);
	}
	sqlite3_close(live);
	return s;
}

struct import_swap {
	struct ln_store *live, *fresh;
	enum ln_status (*seal)(struct ln_store *, void *, struct ln_error *);
	void *arg;
	char **out_snapshot;
};

static enum ln_status
before_import(sqlite3 *reader, void *arg, struct ln_error *err)
{
	struct import_swap *w = arg;
	enum ln_status s;

	if ((s = lni_snapshot_take(reader, w->live->path, "import",
	    w->live->busy_ms, w->out_snapshot, err)) != LN_OK)
		return s;
	return carry_audit(reader, w->fresh, w->seal, w->arg, err);
}

enum ln_status
lni_swap(struct ln_store *st, struct ln_store *fresh,
    enum ln_status (*seal)(struct ln_store *fresh, void *arg,
    struct ln_error *err), void *arg, bool (*progress)(void *arg,
    int percent), void *progress_arg, char **out_snapshot,
    struct ln_error *err)
{
	struct import_swap w = { st, fresh, seal, arg, out_snapshot };

	*out_snapshot = NULL;
	return lni_pour(st->path, lni_store_db(fresh), st->busy_ms,
	    before_import, &w, progress, progress_arg, err);
}
