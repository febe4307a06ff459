#define _XOPEN_SOURCE 700

#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/embed.h"
#include "store/stmt.h"

struct ln_store *
place_open(const struct place *p, int busy_ms)
{
	const struct ln_store_opts opts = {
		.size = sizeof(opts), .path = p->path,
		.mode = LN_STORE_CREATE, .busy_ms = busy_ms, .keys = p->keys,
	};
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;

	if (ln_store_open(&opts, &st, &err) != LN_OK)
		fail_msg("open %s: %s", p->path, err.detail);
	return st;
}

int
place_setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL || ln_init(NULL) != LN_OK)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/ln-place-XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/test.db", p->folder);
	if (ln_keys_derive("a secret key that only the tests know, 42",
	    &p->keys, NULL) != LN_OK)
		return -1;
	p->store = place_open(p, 1000);
	*state = p;
	return 0;
}

void
place_old(const char *path, int schema, const char *sql)
{
	char stamp[96], *why = NULL;
	sqlite3 *db = NULL;
	int i, rc;

	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, NULL);
	for (i = 0; i < schema && rc == SQLITE_OK; i++)
		rc = sqlite3_exec(db, (const char *)lni_migrations[i].data,
		    NULL, NULL, &why);
	snprintf(stamp, sizeof(stamp),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d",
	    LN_STORE_APPLICATION_ID, schema);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, stamp, NULL, NULL, &why);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, &why);
	if (rc != SQLITE_OK)
		fail_msg("%s: %s", path, why != NULL ? why :
		    sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
place_teardown(void **state)
{
	struct place *p = *state;
	int rc;

	ln_store_close(p->store);
	ln_keys_free(p->keys);
	rc = nftw(p->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return rc;
}

static const char SQL_USER[] =
    "INSERT INTO user(id, username, username_key, created_ms)"
    " VALUES (?1, ?1, ?1, 1)";

void
place_add_user(struct ln_store *st, const char *id)
{
	struct ln_error err = LN_ERROR_INIT;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_USER, &err)) == LN_OK) {
		lni_bind_text(&q, 1, id);
		s = lni_stmt_done(&q, &err);
		lni_stmt_put(&q);
	}
	if (s != LN_OK)
		fail_msg("user %s: %s", id, err.detail);
}

void
place_exec(struct ln_store *st, const char *sql)
{
	struct ln_error err = LN_ERROR_INIT;

	if (lni_exec(st, sql, &err) != LN_OK)
		fail_msg("%s: %s", sql, err.detail);
}

int64_t
place_int(struct ln_store *st, const char *sql)
{
	struct ln_error err = LN_ERROR_INIT;
	struct lni_stmt q;
	enum ln_status s;
	int64_t n = 0;

	if ((s = lni_stmt_get(&q, st, sql, &err)) == LN_OK) {
		if ((s = lni_stmt_row(&q, &err)) == LN_OK)
			n = lni_col_int(&q, 0);
		lni_stmt_put(&q);
	}
	if (s != LN_OK)
		fail_msg("%s: %s", sql, err.detail);
	return n;
}
