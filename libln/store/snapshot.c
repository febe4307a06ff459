#include "store/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ln/time.h>

#include "store/scratch.h"
#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

enum ln_status
lni_open_plain(const char *path, bool is_reader, int busy_ms, sqlite3 **out,
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

/* A name of the second, and a number when that second has one already. */
static enum ln_status
name_snapshot(const char *live_path, const char *purpose,
    char out[LNI_PATH_MAX], struct ln_error *err)
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
		    snprintf(out, LNI_PATH_MAX, "%s.before-%s-%sZ",
		    live_path, purpose, stamp) :
		    snprintf(out, LNI_PATH_MAX, "%s.before-%s-%sZ-%d",
		    live_path, purpose, stamp, tries);
		/* Room for SQLite's own suffixes. */
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
	int rc;

	if ((s = lni_open_plain(part, false, busy_ms, &db, err)) != LN_OK)
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

enum ln_status
lni_snapshot_take(sqlite3 *reader, const char *live_path, const char *purpose,
    int busy_ms, char **out, struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char path[LNI_PATH_MAX], part[LNI_PATH_MAX];
	enum ln_status s;

	*out = NULL;
	if ((s = name_snapshot(live_path, purpose, path, err)) != LN_OK ||
	    (s = lni_scratch_make(live_path, "snapshot", &sc, err)) != LN_OK)
		return s;
	if ((s = lni_scratch_file(&sc, LNI_SCRATCH_COPY, part, NULL, err)) !=
	    LN_OK || (s = write_snapshot(reader, part, busy_ms, err)) !=
	    LN_OK || (s = lni_publish(part, path, err)) != LN_OK)
		goto out;
	if ((*out = strdup(path)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "lni_snapshot_take");
out:
	lni_scratch_remove(&sc);
	return s;
}
