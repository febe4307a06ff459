#include "people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "model/user.h"

void
people_ok(enum ln_status s, const struct ln_error *err)
{
	if (s != LN_OK)
		fail_msg("%s: %s (%s)", ln_status_token(s),
		    ln_error_text(err, s), err->detail);
}

void
people_add(struct place *p, const char *name, const char *email,
    enum ln_user_role role, const char *hash)
{
	const struct lni_user_new u = {
		.id = name, .username = name, .email = email, .role = role,
		.password_hash = hash, .created_ms = 1700000000000,
	};
	struct ln_error err = LN_ERROR_INIT;

	people_ok(lni_user_add(p->store, &u, &err), &err);
}

static sqlite3 *
own_connection(struct place *p)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

void
people_tamper(struct place *p, const char *sql)
{
	sqlite3 *db = own_connection(p);
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t
people_number(struct place *p, const char *sql, const char *text)
{
	sqlite3 *db = own_connection(p);
	sqlite3_stmt *q = NULL;
	int64_t n;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (text != NULL)
		assert_int_equal(sqlite3_bind_text(q, 1, text, -1,
		    SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}
