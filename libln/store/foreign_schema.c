#include "store/foreign.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>

#include "store/embed.h"
#include "store/stmt.h"

#include "base/banned.h"

#define NORMAL_SQL_MAX (64 * 1024)

static const char SQL_OBJECTS[] =
    "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema"
    " ORDER BY type, name";
static const char SQL_COLUMNS[] =
    "SELECT name, type, dflt_value, hidden FROM pragma_table_xinfo(?1)";
static const char SQL_SHAPE[] =
    "SELECT wr, strict FROM pragma_table_list(?1) WHERE schema = 'main'";
static const char SQL_FOREIGN[] =
    "SELECT count(*) FROM pragma_foreign_key_list(?1)";
static const char SQL_INDEXES[] =
    "SELECT i.name, i.origin, i.partial,"
    " (SELECT count(*) FROM pragma_index_xinfo(i.name) x"
    "  WHERE x.cid = -2),"
    " (SELECT count(*) FROM pragma_index_xinfo(i.name) x"
    "  WHERE x.cid >= 0 AND upper(x.coll) <> 'BINARY')"
    " FROM pragma_index_list(?1) i";

/* --- one object of the schema --------------------------------------------- */

/* The next word outside strings, quoted names and comments; NULL at the end.
 * Only to recognise keywords: SQLite itself has parsed the text before. */
static const char *
next_word(const char **sql, size_t *len)
{
	const char *p = *sql, *end;
	char close;

	while (*p != '\0') {
		if (*p == '\'' || *p == '"' || *p == '`' || *p == '[') {
			close = *p == '[' ? ']' : *p;
			/* A doubled quote reads as two strings: as good. */
			if ((end = strchr(p + 1, close)) == NULL)
				break;
			p = end + 1;
		} else if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			if ((end = strstr(p + 2, "*/")) == NULL)
				break;
			p = end + 2;
		} else if (isalnum((unsigned char)*p) || *p == '_' ||
		    (unsigned char)*p >= 0x80) {
			for (end = p; isalnum((unsigned char)*end) ||
			    *end == '_' || *end == '$' ||
			    (unsigned char)*end >= 0x80; end++)
				continue;
			*len = (size_t)(end - p);
			*sql = end;
			return p;
		} else {
			p++;
		}
	}
	return NULL;
}

/* Constraints that no pragma tells about. */
static void
find_constraints(struct lni_foreign *f, const char *table, const char *sql)
{
	static const struct {
		const char *word;
		enum lni_finding finding;
	} words[] = {
		{ "check", LNI_F_CHECK_CONSTRAINT },
		{ "collate", LNI_F_COLLATION },
		{ "references", LNI_F_FOREIGN_KEY },
		{ "foreign", LNI_F_FOREIGN_KEY },
		{ "generated", LNI_F_GENERATED_COLUMN },
	};
	const char *p;
	size_t i, len;

	while ((p = next_word(&sql, &len)) != NULL) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strlen(words[i].word) == len &&
			    sqlite3_strnicmp(p, words[i].word, (int)len) == 0)
				lni_find(f->report, words[i].finding, table,
				    1);
		}
	}
}

static bool
is_constant(const char *expr)
{
	static const char *const words[] = { "null", "true", "false" };
	char *end;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (sqlite3_stricmp(expr, words[i]) == 0)
			return true;
	}
	if (expr[0] == '\'') {
		for (i = 1; expr[i] != '\0'; i++) {
			if (expr[i] == '\'' && expr[++i] != '\'')
				break;
		}
		/* The closing quote was the last character. */
		return expr[i] == '\0' && i >= 2 && expr[i - 1] == '\'';
	}
	if (expr[0] == '\0' || strspn(expr, "0123456789+-.eE") != strlen(expr))
		return false;
	(void)strtod(expr, &end);
	return *end == '\0';
}

static bool
type_fits(enum lni_col_kind kind, const char *type)
{
	static const char *const text[] = { "TEXT", "VARCHAR", "CHAR", "",
		"JSON", NULL };
	static const char *const number[] = { "INTEGER", "INT", "BIGINT",
		NULL };
	static const char *const flag[] = { "INTEGER", "INT", "BOOLEAN",
		"BOOL", "TEXT", NULL };
	static const char *const stamp[] = { "DATETIME", "TIMESTAMP", "TEXT",
		NULL };
	const char *const *allowed = text;
	size_t len = strcspn(type, "(");
	size_t i;

	switch (kind) {
	case LNI_COL_ROWID:
	case LNI_COL_INT:
		allowed = number;
		break;
	case LNI_COL_FLAG:
		allowed = flag;
		break;
	case LNI_COL_TIME:
		allowed = stamp;
		break;
	case LNI_COL_IGNORED:
		return true;
	case LNI_COL_ID:
	case LNI_COL_NAME:
	case LNI_COL_LINE:
	case LNI_COL_TEXT:
	case LNI_COL_REAL:
	case LNI_COL_BLOB:
		break;
	}
	while (len > 0 && type[len - 1] == ' ')
		len--;
	for (i = 0; allowed[i] != NULL; i++) {
		if (strlen(allowed[i]) == len &&
		    sqlite3_strnicmp(allowed[i], type, (int)len) == 0)
			return true;
	}
	return false;
}

/* --- small queries about one table ---------------------------------------- */

static enum ln_status
ask(struct lni_foreign *f, const char *sql, const char *table,
    void (*fn)(struct lni_foreign *, const char *table, sqlite3_stmt *),
    struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	rc = sqlite3_prepare_v2(f->db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(q)) == SQLITE_ROW)
			fn(f, table, q);
	}
	if (rc != SQLITE_DONE)
		s = lni_foreign_fail(f, rc, table, err);
	sqlite3_finalize(q);
	return s;
}

static size_t
table_number(const struct lni_foreign *f, const char *name)
{
	size_t i;

	for (i = 0; f->tables[i].name != NULL; i++) {
		if (sqlite3_stricmp(f->tables[i].name, name) == 0)
			break;
	}
	return i;
}

static void
on_shape(struct lni_foreign *f, const char *table, sqlite3_stmt *q)
{
	if (sqlite3_column_int(q, 0) != 0 || sqlite3_column_int(q, 1) != 0)
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, table, 1);
}

static void
on_foreign_key(struct lni_foreign *f, const char *table, sqlite3_stmt *q)
{
	if (sqlite3_column_int64(q, 0) > 0)
		lni_find(f->report, LNI_F_FOREIGN_KEY, table,
		    sqlite3_column_int64(q, 0));
}

static void
on_index(struct lni_foreign *f, const char *table, sqlite3_stmt *q)
{
	const char *origin = (const char *)sqlite3_column_text(q, 1);

	if (sqlite3_column_int(q, 2) != 0)
		lni_find(f->report, LNI_F_PARTIAL_INDEX, table, 1);
	if (sqlite3_column_int(q, 3) != 0)
		lni_find(f->report, LNI_F_EXPRESSION_INDEX, table, 1);
	if (sqlite3_column_int(q, 4) != 0)
		lni_find(f->report, LNI_F_COLLATION, table, 1);
	if (origin != NULL && strcmp(origin, "c") == 0)
		lni_find(f->report, LNI_F_INDEX_IGNORED, table, 1);
}

static void
on_known_column(struct lni_foreign *f, size_t t, const char *name,
    const char *type)
{
	const struct lni_table *table = &f->tables[t];
	size_t i;

	for (i = 0; i < table->col_count; i++) {
		if (sqlite3_stricmp(table->cols[i].name, name) != 0)
			continue;
		f->present[t] |= UINT32_C(1) << i;
		if (!type_fits(table->cols[i].kind, type))
			lni_find(f->report, LNI_F_WRONG_TYPE, name, 1);
		return;
	}
	/* These would stand in the way of the real row number. */
	if (f->opts != NULL && f->opts->ignore_unknown &&
	    sqlite3_stricmp(name, "rowid") != 0 &&
	    sqlite3_stricmp(name, "oid") != 0 &&
	    sqlite3_stricmp(name, "_rowid_") != 0)
		lni_find(f->report, LNI_F_IGNORED_COLUMN, name, 1);
	else
		lni_find(f->report, LNI_F_UNKNOWN_COLUMN, name, 1);
}

static void
on_column(struct lni_foreign *f, const char *table, sqlite3_stmt *q)
{
	const char *name = (const char *)sqlite3_column_text(q, 0);
	const char *type = (const char *)sqlite3_column_text(q, 1);
	const char *value = (const char *)sqlite3_column_text(q, 2);
	const char *collation = NULL;
	size_t t = table_number(f, table);

	if (name == NULL || type == NULL) {
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, table, 1);
		return;
	}
	if (sqlite3_column_int(q, 3) != 0)
		lni_find(f->report, LNI_F_GENERATED_COLUMN, table, 1);
	if (value != NULL && !is_constant(value))
		lni_find(f->report, LNI_F_DEFAULT_EXPRESSION, table, 1);
	if (sqlite3_table_column_metadata(f->db, "main", table, name, NULL,
	    &collation, NULL, NULL, NULL) != SQLITE_OK ||
	    (collation != NULL && sqlite3_stricmp(collation, "BINARY") != 0))
		lni_find(f->report, LNI_F_COLLATION, table, 1);
	if (f->tables[t].name != NULL)
		on_known_column(f, t, name, type);
}

static bool
is_internal(const char *name)
{
	return strcmp(name, "sqlite_sequence") == 0 ||
	    strcmp(name, "sqlite_stat1") == 0 ||
	    strcmp(name, "sqlite_stat2") == 0 ||
	    strcmp(name, "sqlite_stat3") == 0 ||
	    strcmp(name, "sqlite_stat4") == 0;
}

static enum ln_status
examine_table(struct lni_foreign *f, const char *name, struct ln_error *err)
{
	enum ln_status s;

	if (f->tables[table_number(f, name)].name == NULL)
		lni_find(f->report, f->opts != NULL &&
		    f->opts->ignore_unknown ? LNI_F_IGNORED_TABLE :
		    LNI_F_UNKNOWN_TABLE, name, 1);
	if ((s = ask(f, SQL_SHAPE, name, on_shape, err)) != LN_OK ||
	    (s = ask(f, SQL_COLUMNS, name, on_column, err)) != LN_OK ||
	    (s = ask(f, SQL_FOREIGN, name, on_foreign_key, err)) != LN_OK)
		return s;
	return ask(f, SQL_INDEXES, name, on_index, err);
}

/* --- the legacy program's schema ------------------------------------------ */

/* First what may not be there at all, before anything asks SQLite to think
 * about it: a view is expanded when a pragma lists it. */
static void
on_object(struct lni_foreign *f, sqlite3_stmt *q)
{
	const char *type = (const char *)sqlite3_column_text(q, 0);
	const char *name = (const char *)sqlite3_column_text(q, 1);
	const char *sql = (const char *)sqlite3_column_text(q, 4);

	if (type == NULL || name == NULL)
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, NULL, 1);
	else if (strcmp(type, "trigger") == 0)
		lni_find(f->report, LNI_F_TRIGGER, name, 1);
	else if (strcmp(type, "view") == 0)
		lni_find(f->report, LNI_F_VIEW, name, 1);
	else if (sqlite3_column_int64(q, 3) <= 0)
		lni_find(f->report, LNI_F_VIRTUAL_TABLE, name, 1);
	else if (strcmp(type, "table") == 0 && !is_internal(name))
		find_constraints(f, name, sql != NULL ? sql : "");
	else if (strcmp(type, "table") != 0 && strcmp(type, "index") != 0)
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, name, 1);
}

static void
find_missing(struct lni_foreign *f)
{
	const struct lni_table *table;
	size_t t, i;
	bool has_any = false;

	for (t = 0; f->tables[t].name != NULL; t++) {
		table = &f->tables[t];
		if (f->present[t] == 0) {
			lni_find(f->report, LNI_F_MISSING_TABLE, table->name,
			    1);
			continue;
		}
		has_any = true;
		for (i = 0; i < table->col_count; i++) {
			if ((f->present[t] & UINT32_C(1) << i) != 0 ||
			    table->cols[i].kind == LNI_COL_IGNORED)
				continue;
			lni_find(f->report, table->cols[i].since != 0 ?
			    LNI_F_MISSING_COLUMN : LNI_F_OLD_COLUMNS,
			    table->cols[i].name, 1);
		}
	}
	if (!has_any)
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, NULL, 1);
}

static enum ln_status
legacy_schema(struct lni_foreign *f, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	const char *type, *name;
	int rc;

	rc = sqlite3_prepare_v2(f->db, SQL_OBJECTS, -1, &q, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(q)) == SQLITE_ROW)
			on_object(f, q);
	}
	if (rc != SQLITE_DONE)
		s = lni_foreign_fail(f, rc, NULL, err);
	if (s != LN_OK || lni_report_has_error(f->report))
		goto out;
	sqlite3_reset(q);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && s == LN_OK) {
		type = (const char *)sqlite3_column_text(q, 0);
		name = (const char *)sqlite3_column_text(q, 1);
		if (type != NULL && name != NULL &&
		    strcmp(type, "table") == 0 && !is_internal(name))
			s = examine_table(f, name, err);
	}
	if (s == LN_OK && rc != SQLITE_DONE)
		s = lni_foreign_fail(f, rc, NULL, err);
	find_missing(f);
out:
	sqlite3_finalize(q);
	return s;
}

/* --- our own schema ------------------------------------------------------- */

/* White space is the only freedom; SQLite versions differ in nothing else. */
static void
put_normal(struct ln_buf *b, const char *s)
{
	bool is_gap = false;

	for (; s != NULL && *s != '\0'; s++) {
		if (isspace((unsigned char)*s)) {
			is_gap = true;
			continue;
		}
		if (is_gap)
			ln_buf_putc(b, ' ');
		is_gap = false;
		ln_buf_putc(b, *s);
	}
	ln_buf_putc(b, '\x1f');
}

/* One line an object, in order; statistics tables left out. */
static int
describe(sqlite3 *db, struct ln_buf *out)
{
	sqlite3_stmt *q = NULL;
	const char *name;
	int rc;

	rc = sqlite3_prepare_v2(db, SQL_OBJECTS, -1, &q, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(q)) != SQLITE_ROW)
			break;
		name = (const char *)sqlite3_column_text(q, 1);
		if (name != NULL && strncmp(name, "sqlite_stat", 11) == 0 &&
		    is_internal(name))
			continue;
		put_normal(out, (const char *)sqlite3_column_text(q, 0));
		put_normal(out, name);
		put_normal(out, (const char *)sqlite3_column_text(q, 2));
		put_normal(out, (const char *)sqlite3_column_text(q, 4));
		ln_buf_putc(out, '\n');
	}
	sqlite3_finalize(q);
	return rc;
}

static enum ln_status
our_schema(struct lni_foreign *f, struct ln_error *err)
{
	struct ln_buf theirs = LN_BUF_INIT(8 * NORMAL_SQL_MAX);
	struct ln_buf ours = LN_BUF_INIT(8 * NORMAL_SQL_MAX);
	sqlite3 *db = NULL;
	enum ln_status s = LN_OK;
	size_t t, i;
	int rc;

	rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
	for (i = 0; rc == SQLITE_OK && i < (size_t)f->report->schema; i++)
		rc = sqlite3_exec(db, (const char *)lni_migrations[i].data,
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = describe(db, &ours);
	if (rc != SQLITE_DONE) {
		s = lni_sqlite_fail(db, rc, err);
		goto out;
	}
	if ((rc = describe(f->db, &theirs)) != SQLITE_DONE) {
		s = lni_foreign_fail(f, rc, NULL, err);
		goto out;
	}
	if (ln_buf_status(&ours) != LN_OK ||
	    ln_buf_status(&theirs) == LN_NOMEM) {
		s = ln_fail(err, LN_NOMEM, "", "schema text");
		goto out;
	}
	if (ours.len != theirs.len ||
	    memcmp(ours.data, theirs.data, ours.len) != 0)
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, NULL, 1);
	for (t = 0; f->tables[t].name != NULL; t++) {
		for (i = 0; f->tables[t].since <= f->report->schema &&
		    i < f->tables[t].col_count; i++) {
			if (f->tables[t].cols[i].since <= f->report->schema)
				f->present[t] |= UINT32_C(1) << i;
		}
	}
out:
	sqlite3_close(db);
	ln_buf_free(&ours);
	ln_buf_free(&theirs);
	return s;
}

enum ln_status
lni_foreign_schema(struct lni_foreign *f, struct ln_error *err)
{
	return f->report->kind == LN_REPORT_OURS ? our_schema(f, err) :
	    legacy_schema(f, err);
}
