#include "transfer/kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <ln/buf.h>
#include <ln/password.h>

#include "store/stmt.h"

static const char SQL_BOSS[] =
    "INSERT INTO user (id, username, username_key, email, email_key, role,"
    " password_hash, created_ms) VALUES ('boss-id', 'boss', 'boss',"
    " 'boss@local.test', 'boss@local.test', 'admin', ?1, 1)";

char *
kit_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *bytes;
	long size;

	if (f == NULL)
		fail_msg("open %s", path);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size >= 0);
	rewind(f);
	bytes = malloc((size_t)size + 1);
	assert_non_null(bytes);
	*n = fread(bytes, 1, (size_t)size, f);
	bytes[*n] = '\0';
	fclose(f);
	return bytes;
}

const char *
kit_file(struct place *p, const void *bytes, size_t n)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/given.db", p->folder);
	unlink(path);
	f = fopen(path, "wb");
	assert_non_null(f);
	if (n > 0)
		assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

void
kit_sql(const char *path, const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* Nobody pulls the plug on a test file. */
	assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL,
	    NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

const char *
kit_legacy(struct place *p, const char *fixture, const char *sql)
{
	const char *folder = getenv("LN_FIXTURES"), *path;
	char from[512];
	char *bytes;
	size_t n;

	snprintf(from, sizeof(from), "%s/%s", folder != NULL ? folder :
	    "tests/fixtures", fixture);
	bytes = kit_read(from, &n);
	path = kit_file(p, bytes, n);
	free(bytes);
	if (sql != NULL)
		kit_sql(path, sql);
	return path;
}

static void
dump_table(sqlite3 *db, const char *table, struct ln_buf *b)
{
	char sql[128];
	sqlite3_stmt *q;
	const char *text;
	int i, type;

	snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\" ORDER BY 1, 2",
	    table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL),
	    SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		ln_buf_puts(b, table);
		for (i = 0; i < sqlite3_column_count(q); i++) {
			type = sqlite3_column_type(q, i);
			text = (const char *)sqlite3_column_text(q, i);
			ln_buf_printf(b, "|%d:%s", type,
			    text != NULL ? text : "");
		}
		ln_buf_puts(b, "\n");
	}
	sqlite3_finalize(q);
}

char *
kit_dump(const char *path)
{
	static const char *const tables[] = { "user", "user_picture",
		"setting", "user_setting", "project", "document",
		"conversation_group", "conversation", "conversation_tag",
		"message", "message_image", "tool_run", "prompt", "tool" };
	struct ln_buf b = LN_BUF_INIT(16 * 1024 * 1024);
	sqlite3 *db;
	char *text;
	size_t i;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY,
	    NULL), SQLITE_OK);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		dump_table(db, tables[i], &b);
	sqlite3_close(db);
	assert_int_equal(ln_buf_status(&b), LN_OK);
	text = ln_buf_steal(&b);
	assert_non_null(text);
	return text;
}

struct ln_report *
kit_import(struct place *p, const char *path,
    const struct ln_transfer_opts *opts, enum ln_status status)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_report *r = NULL;
	enum ln_status s;

	s = ln_import(p->store, path, opts, &r, &err);
	if (s != status)
		fail_msg("import gave %s: %s: %s", ln_status_token(s),
		    ln_error_text(&err, s), err.detail);
	return r;
}

struct ln_report *
kit_validate(const char *path, const struct ln_transfer_opts *opts)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_report *r = NULL;

	if (ln_validate(path, opts, &r, &err) != LN_OK)
		fail_msg("validate: %s: %s", ln_error_text(&err,
		    err.status), err.detail);
	assert_non_null(r);
	return r;
}

const struct ln_finding *
kit_find(const struct ln_report *r, const char *code)
{
	size_t i;

	for (i = 0; i < r->finding_count; i++) {
		if (strcmp(r->findings[i].code, code) == 0)
			return &r->findings[i];
	}
	return NULL;
}

int64_t
kit_count(const struct ln_report *r, const char *code)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < r->finding_count; i++) {
		if (strcmp(r->findings[i].code, code) == 0)
			n += r->findings[i].count;
	}
	return n;
}

const char *
kit_boss(struct place *p)
{
	char hash[LN_PASSWORD_HASH_SIZE];
	struct lni_stmt q;

	ln_password_small(true);
	assert_int_equal(ln_password_hash(KIT_BOSS_PASSWORD, hash, NULL),
	    LN_OK);
	assert_int_equal(lni_stmt_get(&q, p->store, SQL_BOSS, NULL), LN_OK);
	lni_bind_text(&q, 1, hash);
	assert_int_equal(lni_stmt_done(&q, NULL), LN_OK);
	lni_stmt_put(&q);
	return "boss-id";
}

size_t
kit_entries(const struct place *p, const char *prefix)
{
	DIR *d = opendir(p->folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

int64_t
kit_int(const char *path, const char *sql)
{
	sqlite3_stmt *q;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY,
	    NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}
