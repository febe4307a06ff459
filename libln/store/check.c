#include <ln/store.h>

#include <string.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store/search.h"
#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

#define PATH_BYTES_MAX 4096	/* PATH_MAX on Linux */

static const char SQL_QUICK[] = "PRAGMA quick_check(100)";
static const char SQL_FULL[] = "PRAGMA integrity_check(100)";
static const char SQL_FOREIGN[] = "PRAGMA foreign_key_check";
static const char SQL_PAGE_SIZE[] = "PRAGMA page_size";
static const char SQL_PAGE_COUNT[] = "PRAGMA page_count";
static const char SQL_FREE_PAGES[] = "PRAGMA freelist_count";
static const char SQL_SCHEMA[] = "PRAGMA user_version";
static const char SQL_COUNTS[] =
    "SELECT (SELECT count(*) FROM user),"
    " (SELECT count(*) FROM user WHERE role = 'admin'),"
    " (SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL),"
    " (SELECT count(*) FROM conversation),"
    " (SELECT count(*) FROM message),"
    " (SELECT count(*) FROM project),"
    " (SELECT count(*) FROM document),"
    " (SELECT count(*) FROM prompt),"
    " (SELECT count(*) FROM tool),"
    " (SELECT count(*) FROM conversation_tag),"
    " (SELECT count(*) FROM setting),"
    " (SELECT count(*) FROM session),"
    " (SELECT count(*) FROM audit)";

/* Every row of ${sql} is a problem, unless it is the single word "ok". */
static enum ln_status
collect(struct ln_store *st, const char *sql, const char *what,
    void (*fn)(void *arg, const char *problem), void *arg, int *count,
    struct ln_error *err)
{
	char line[512];
	const char *text;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		text = lni_col_text(&q, 0);
		if (text != NULL && strcmp(text, "ok") == 0)
			continue;
		(*count)++;
		snprintf(line, sizeof(line), "%s: %s", what,
		    text != NULL ? text : "?");
		if (fn != NULL)
			fn(arg, line);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_store_check(struct ln_store *st, bool is_full,
    void (*fn)(void *arg, const char *problem), void *arg,
    struct ln_error *err)
{
	enum ln_status s;
	int count = 0;

	s = collect(st, is_full ? SQL_FULL : SQL_QUICK, "integrity", fn, arg,
	    &count, err);
	if (s != LN_OK)
		return s;
	s = collect(st, SQL_FOREIGN, "row without its parent in table", fn,
	    arg, &count, err);
	if (s != LN_OK)
		return s;
	if ((s = lni_search_check(st, is_full, fn, arg, &count, err)) != LN_OK)
		return s;
	if (count > 0)
		return ln_fail(err, LN_CORRUPT, "", "%d problems", count);
	return LN_OK;
}

static enum ln_status
one_int(struct ln_store *st, const char *sql, int64_t *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static int64_t
file_bytes(const char *path, const char *suffix)
{
	char name[PATH_BYTES_MAX + 8];
	struct stat sb;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &sb) == 0 ? (int64_t)sb.st_size : 0;
}

enum ln_status
ln_store_info(struct ln_store *st, struct ln_store_info *out,
    struct ln_error *err)
{
	int64_t schema = 0;
	int64_t *const counts[] = { &out->user_count, &out->admin_count,
		&out->blocked_count, &out->conversation_count,
		&out->message_count, &out->project_count,
		&out->document_count, &out->prompt_count, &out->tool_count,
		&out->tag_count, &out->setting_count, &out->session_count,
		&out->audit_count };
	struct lni_stmt q;
	enum ln_status s;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->file_bytes = file_bytes(st->path, "");
	out->wal_bytes = file_bytes(st->path, "-wal");
	if ((s = one_int(st, SQL_SCHEMA, &schema, err)) != LN_OK ||
	    (s = one_int(st, SQL_PAGE_SIZE, &out->page_bytes, err)) != LN_OK ||
	    (s = one_int(st, SQL_PAGE_COUNT, &out->page_count, err)) !=
	    LN_OK ||
	    (s = one_int(st, SQL_FREE_PAGES, &out->free_page_count, err)) !=
	    LN_OK)
		return s;
	out->schema = (int)schema;
	if ((s = lni_stmt_get(&q, st, SQL_COUNTS, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			*counts[i] = lni_col_int(&q, (int)i);
	}
	lni_stmt_put(&q);
	return s;
}
