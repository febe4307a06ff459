#include "store/legacy.h"

#include <ln/time.h>

#include "base/banned.h"

/*
 * Working tables.  Not temporary ones, which would live in memory: they grow
 * with the file.  Dropped at the end of the same transaction.
 */
static const char SQL_NAMES[] =
    "CREATE TABLE main.import_name (key TEXT NOT NULL PRIMARY KEY,"
    " next INTEGER NOT NULL DEFAULT 2) WITHOUT ROWID";
static const char SQL_SESSIONS[] =
    "CREATE TABLE main.import_session (n INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, owner TEXT, forked_from TEXT, group_id TEXT,"
    " project_id TEXT)";
static const char SQL_SESSION_FORK[] =
    "CREATE INDEX main.import_session_fork ON import_session(forked_from)";
static const char SQL_SESSION_GROUP[] =
    "CREATE INDEX main.import_session_group ON import_session(group_id)";
static const char SQL_SESSION_PROJECT[] =
    "CREATE INDEX main.import_session_project ON import_session(project_id)";
static const char SQL_GROUPS[] =
    "CREATE TABLE main.import_group (id TEXT NOT NULL, owner TEXT NOT NULL,"
    " new_id TEXT NOT NULL, PRIMARY KEY (id, owner)) WITHOUT ROWID";

static enum ln_status
make_tables(struct lni_intake *im, struct ln_error *err)
{
	static const char *const sql[] = { SQL_NAMES, SQL_SESSIONS,
		SQL_SESSION_FORK, SQL_SESSION_GROUP, SQL_SESSION_PROJECT,
		SQL_GROUPS };
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]) && s == LN_OK; i++)
		s = lni_exec(im->to, sql[i], err);
	return s;
}

static enum ln_status
drop_tables(struct lni_intake *im, struct ln_error *err)
{
	static const char *const sql[] = { "DROP TABLE main.import_name",
		"DROP TABLE main.import_session",
		"DROP TABLE main.import_group" };
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]) && s == LN_OK; i++)
		s = lni_exec(im->to, sql[i], err);
	return s;
}

/*
 * Rows without a time get the last one that the file knows, so that the same
 * file always gives the same result.
 */
static void
find_fallback(struct lni_intake *im)
{
	static const char sql[] =
	    "SELECT max(timestamp) FROM main.messages"
	    /* The plus: compare as text, whatever the column's affinity. */
	    " WHERE typeof(timestamp) = 'text' AND +timestamp < '9999'";
	const char *text;
	sqlite3_stmt *q = NULL;
	int64_t ms;

	if ((im->from->present[LNI_LEGACY_MESSAGES] &
	    UINT32_C(1) << LNI_MESSAGES_TIME) == 0)
		return;
	/* Not found for whatever reason: the file's own time will do. */
	if (sqlite3_prepare_v2(im->from->db, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW &&
	    (text = (const char *)sqlite3_column_text(q, 0)) != NULL &&
	    ln_time_parse_local(text, &ms) && ms > 0)
		im->fallback_ms = ms;
	sqlite3_finalize(q);
}

/* Derived or short-lived: counted, not taken. */
static enum ln_status
count_left_out(struct lni_intake *im, size_t table, enum lni_finding f,
    struct ln_error *err)
{
	struct lni_scan sc;
	enum ln_status s;

	if ((s = lni_scan_open(&sc, im->from, table, err)) != LN_OK)
		return s;
	while ((s = lni_scan_next(&sc, err)) == LN_OK)
		continue;
	lni_scan_close(&sc);
	if (im->from->held[table] > 0)
		lni_find(im->report, f, NULL, im->from->held[table]);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_legacy_each(struct lni_intake *im, size_t table,
    enum ln_status (*fn)(struct lni_intake *, const struct lni_value *,
    struct ln_error *), struct ln_error *err)
{
	struct lni_scan sc;
	enum ln_status s;

	if ((s = lni_scan_open(&sc, im->from, table, err)) != LN_OK)
		return s;
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if ((s = fn(im, sc.v, err)) != LN_OK)
			break;
	}
	lni_scan_close(&sc);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

int64_t
lni_legacy_time(struct lni_intake *im, const struct lni_value *v,
    const char *table)
{
	if (!v->is_odd)
		return v->number;
	lni_find(im->report, LNI_F_BAD_TIME, table, 1);
	return im->fallback_ms;
}

const char *
lni_legacy_title(struct lni_intake *im, const struct lni_value *v,
    const char *fallback, const char *table)
{
	if (v->len > 0)
		return v->text;
	lni_find(im->report, LNI_F_MISSING_TITLE, table, 1);
	return fallback;
}

enum ln_status
lni_legacy_take(struct lni_intake *im, struct ln_error *err)
{
	static enum ln_status (*const steps[])(struct lni_intake *,
	    struct ln_error *) = {
		make_tables,
		lni_legacy_users,
		lni_intake_admin,
		lni_legacy_owners,
		lni_legacy_projects,
		lni_legacy_groups,
		lni_legacy_conversations,
		lni_legacy_messages,
		lni_legacy_tags,
		lni_legacy_documents,
		lni_legacy_library,
		lni_legacy_settings,
		drop_tables,
	};
	enum ln_status s = LN_OK;
	size_t i;

	find_fallback(im);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if ((s = steps[i](im, err)) != LN_OK)
			return s;
		if (!lni_foreign_progress(im->from, im->from->bytes > 0 ?
		    (int)(im->from->bytes_read * 100 / im->from->bytes) : 0))
			return ln_fail(err, LN_CANCELLED, "", "intake");
	}
	if ((s = count_left_out(im, LNI_LEGACY_EMBEDDINGS, LNI_F_EMBEDDINGS,
	    err)) != LN_OK)
		return s;
	return count_left_out(im, LNI_LEGACY_RESET_TOKENS, LNI_F_RESET_TOKENS,
	    err);
}
