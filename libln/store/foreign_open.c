#include "store/foreign.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ln/buf.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define GIB INT64_C(1073741824)
#define DEADLINE_MS 10000	/* transfer.h: a gigabyte, and at least */
#define MEMORY_MAX (INT64_C(64) * 1024 * 1024)
#define WATCH_STEPS 1000	/* virtual machine steps between two looks */
#define REPORT_MS 100
#define PROBLEMS_MAX 100	/* lines of integrity_check */
#define PROBLEM_TEXT_MAX 400

static const char SQL_LOAD_SCHEMA[] = "SELECT count(*) FROM sqlite_schema";
static const char SQL_INTEGRITY[] = "PRAGMA integrity_check(100)";
static const char SQL_FOREIGN_KEYS[] =
    "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1";

bool
lni_foreign_progress(struct lni_foreign *f, int percent)
{
	int64_t now;

	if (f->is_cancelled)
		return false;
	if (f->opts == NULL || f->opts->progress == NULL)
		return true;
	now = ln_time_mono_ms();
	if (now - f->reported_ms < REPORT_MS)
		return true;
	f->reported_ms = now;
	percent = f->percent_from + (f->percent_to - f->percent_from) *
	    (percent > 100 ? 100 : percent) / 100;
	if (!f->opts->progress(f->opts->progress_arg, percent))
		f->is_cancelled = true;
	return !f->is_cancelled;
}

/*
 * SQLite's own heap limit is one for the whole process, which a server shares
 * with everybody else: so look how much it grew, and stop only this one.
 */
int
lni_foreign_interrupt(void *arg)
{
	struct lni_foreign *f = arg;

	if (ln_time_mono_ms() > f->deadline_ms)
		f->is_late = true;
	if (sqlite3_memory_used() - f->memory_start > MEMORY_MAX)
		f->is_fat = true;
	if (!lni_foreign_progress(f, f->bytes > 0 ?
	    (int)(f->bytes_read * 100 / f->bytes) : 0))
		f->is_cancelled = true;
	return f->is_late || f->is_fat || f->is_cancelled;
}

enum ln_status
lni_foreign_fail(struct lni_foreign *f, int rc, const char *subject,
    struct ln_error *err)
{
	const char *why = f->db != NULL ? sqlite3_errmsg(f->db) :
	    sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_INTERRUPT:
		if (f->is_cancelled)
			return ln_fail(err, LN_CANCELLED, "", "reading");
		lni_find(f->report, f->is_fat ? LNI_F_TOO_MUCH_MEMORY :
		    LNI_F_TOO_SLOW, subject, 1);
		return LN_OK;
	case SQLITE_TOOBIG:
		lni_find(f->report, LNI_F_OVERSIZE_VALUE, subject, 1);
		return LN_OK;
	case SQLITE_CORRUPT:
	case SQLITE_FORMAT:
		lni_find_text(f->report, LNI_F_INTEGRITY, subject, 1, why);
		return LN_OK;
	case SQLITE_NOTADB:
		lni_find(f->report, LNI_F_ENCRYPTED, subject, 1);
		return LN_OK;
	case SQLITE_ERROR:
	case SQLITE_AUTH:
	case SQLITE_SCHEMA:
		lni_find_text(f->report, LNI_F_UNKNOWN_SCHEMA, subject, 1,
		    why);
		return LN_OK;
	default:
		return lni_sqlite_fail(f->db, rc, err);
	}
}

static int
guard(sqlite3 *db)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
	};
	static const struct {
		int id;
		int value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, LNI_VALUE_MAX },
		{ SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 },
		{ SQLITE_LIMIT_COLUMN, 64 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 20 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 4 },
		{ SQLITE_LIMIT_VDBE_OP, 50000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 8 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 8 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		rc = sqlite3_db_config(db, options[i].option,
		    options[i].value, NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db, limits[i].id, limits[i].value);
	return sqlite3_exec(db,
	    "PRAGMA query_only=ON; PRAGMA cell_size_check=ON;"
	    "PRAGMA mmap_size=0; PRAGMA cache_size=-8192;", NULL, NULL, NULL);
}

static enum ln_status
connect(struct lni_foreign *f, const char *path, struct ln_error *err)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct ln_buf uri = LN_BUF_INIT(4 * LNI_PATH_MAX);
	enum ln_status s;
	int rc;

	ln_buf_puts(&uri, "file:");
	/* An empty authority, lest "//host" be read as one. */
	if (path[0] == '/')
		ln_buf_puts(&uri, "//");
	for (; *path != '\0'; path++) {
		if (strchr(safe, *path) != NULL)
			ln_buf_putc(&uri, *path);
		else
			ln_buf_printf(&uri, "%%%02X", (unsigned char)*path);
	}
	ln_buf_puts(&uri, "?mode=ro&immutable=1&cache=private");
	if ((s = ln_buf_status(&uri)) != LN_OK) {
		ln_buf_free(&uri);
		return ln_fail(err, s, "", "foreign uri");
	}
	rc = sqlite3_open_v2(ln_buf_str(&uri), &f->db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	ln_buf_free(&uri);
	if (rc == SQLITE_OK)
		rc = guard(f->db);
	if (rc != SQLITE_OK)
		return lni_foreign_fail(f, rc, NULL, err);
	sqlite3_progress_handler(f->db, WATCH_STEPS, lni_foreign_interrupt, f);
	return LN_OK;
}

/* The whole schema is parsed here, under the eyes of the watch. */
static enum ln_status
load_schema(struct lni_foreign *f, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	rc = sqlite3_prepare_v2(f->db, SQL_LOAD_SCHEMA, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		if (sqlite3_column_int64(q, 0) > 500)
			lni_find(f->report, LNI_F_SCHEMA_TOO_LARGE, NULL, 1);
	} else if ((rc & 0xff) == SQLITE_TOOBIG) {
		lni_find(f->report, LNI_F_SCHEMA_TOO_LARGE, NULL, 1);
	} else {
		s = lni_foreign_fail(f, rc, NULL, err);
	}
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
check_integrity(struct lni_foreign *f, struct ln_error *err)
{
	struct ln_buf text = LN_BUF_INIT(PROBLEM_TEXT_MAX);
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	const char *line;
	int count = 0, rc;

	rc = sqlite3_prepare_v2(f->db, SQL_INTEGRITY, -1, &q, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(q)) != SQLITE_ROW)
			break;
		line = (const char *)sqlite3_column_text(q, 0);
		if (line == NULL || strcmp(line, "ok") == 0)
			continue;
		if (count++ > 0)
			ln_buf_puts(&text, "; ");
		/* Past the buffer's end the rest is only counted. */
		ln_buf_puts(&text, line);
	}
	if (rc != SQLITE_DONE)
		s = lni_foreign_fail(f, rc, NULL, err);
	if (count > 0)
		lni_find_text(f->report, LNI_F_INTEGRITY, NULL, count,
		    ln_buf_str(&text));
	ln_buf_free(&text);
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
check_foreign_keys(struct lni_foreign *f, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	rc = sqlite3_prepare_v2(f->db, SQL_FOREIGN_KEYS, -1, &q, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(q)) == SQLITE_ROW)
			lni_find(f->report, LNI_F_ORPHAN_ROWS,
			    (const char *)sqlite3_column_text(q, 0),
			    sqlite3_column_int64(q, 1));
	}
	if (rc != SQLITE_DONE)
		s = lni_foreign_fail(f, rc, NULL, err);
	sqlite3_finalize(q);
	return s;
}

void
lni_foreign_phase(struct lni_foreign *f, int factor, int percent_from,
    int percent_to)
{
	int64_t ms = f->bytes * DEADLINE_MS / GIB;

	f->percent_from = percent_from;
	f->percent_to = percent_to;
	if (f->opts != NULL && f->opts->deadline_ms > 0) {
		if (f->deadline_ms == 0)
			f->deadline_ms = ln_time_mono_ms() +
			    f->opts->deadline_ms;
		return;
	}
	if (ms < DEADLINE_MS)
		ms = DEADLINE_MS;
	f->deadline_ms = ln_time_mono_ms() + ms * factor;
}

enum ln_status
lni_foreign_watch(struct lni_foreign *f, struct ln_error *err)
{
	if (ln_time_mono_ms() > f->deadline_ms && !f->is_late) {
		f->is_late = true;
		lni_find(f->report, LNI_F_TOO_SLOW, NULL, 1);
	}
	if (!lni_foreign_progress(f, f->bytes > 0 ?
	    (int)(f->bytes_read * 100 / f->bytes) : 0))
		return ln_fail(err, LN_CANCELLED, "", "reading");
	return LN_OK;
}

enum ln_status
lni_foreign_open(const char *path, const struct ln_transfer_opts *opts,
    struct lni_scratch *sc, struct ln_report *report, struct lni_foreign *f,
    struct ln_error *err)
{
	char copy[LNI_PATH_MAX];
	enum ln_status s;

	memset(f, 0, sizeof(*f));
	f->report = report;
	f->opts = opts;
	f->memory_start = sqlite3_memory_used();
	f->percent_to = 10;
	if ((s = lni_foreign_copy(path, sc, copy, f, err)) != LN_OK ||
	    lni_report_has_error(report))
		return s;
	f->tables = report->kind == LN_REPORT_OURS ? lni_our_tables :
	    lni_legacy_tables;
	lni_foreign_phase(f, 1, 10, 30);
	if ((s = connect(f, copy, err)) != LN_OK ||
	    lni_report_has_error(report))
		return s;
	/* It stays readable through the open handle only. */
	unlink(copy);
	if ((s = load_schema(f, err)) != LN_OK || lni_report_has_error(report))
		return s;
	if ((s = lni_foreign_schema(f, err)) != LN_OK ||
	    lni_report_has_error(report))
		return s;
	if ((s = check_integrity(f, err)) != LN_OK ||
	    lni_report_has_error(report))
		return s;
	if (report->kind == LN_REPORT_OURS)
		return check_foreign_keys(f, err);
	return LN_OK;
}

void
lni_foreign_close(struct lni_foreign *f)
{
	sqlite3_close(f->db);
	f->db = NULL;
}
