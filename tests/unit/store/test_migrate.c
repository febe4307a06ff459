/* A database of an earlier schema is brought up to date, or stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/user.h>

#include "place.h"
#include "store/stmt.h"
#include "store/store.h"

#define ROWS								\
	"INSERT INTO user(id, username, username_key, role, password_hash,"	\
	" created_ms) VALUES ('u', 'Ann', 'ann', 'admin', 'x', 1);"	\
	"INSERT INTO conversation(id, user_id, title, created_ms, updated_ms)"	\
	" VALUES ('c', 'u', 'Talk', 1, 1);"				\
	"INSERT INTO audit(at_ms, actor_kind, action, outcome, mac)"	\
	" VALUES (1, 'shell', 'a', 'ok', zeroblob(32));"

/* A place whose database has not been opened yet. */
static int
setup_old(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	ln_store_close(p->store);
	p->store = NULL;
	if (remove(p->path) != 0)
		return -1;
	place_old(p->path, 1, ROWS);
	return 0;
}

static enum ln_status
open_as(const struct place *p, enum ln_store_mode mode, struct ln_store **out)
{
	const struct ln_store_opts opts = { .size = sizeof(opts),
		.path = p->path, .mode = mode, .busy_ms = 50, .keys = p->keys };

	return ln_store_open(&opts, out, NULL);
}

static int64_t
number(const char *path, const char *sql)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* How many names in the folder begin with test.db.${what}; the last of them
 * with its folder in ${out} (may be NULL). */
static int
files(const struct place *p, const char *what, char out[512])
{
	const struct dirent *e;
	char begin[64];
	DIR *d;
	int n = 0;

	snprintf(begin, sizeof(begin), "test.db.%s", what);
	assert_non_null(d = opendir(p->folder));
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, begin, strlen(begin)) != 0)
			continue;
		n++;
		if (out != NULL)
			snprintf(out, 512, "%s/%s", p->folder, e->d_name);
	}
	closedir(d);
	return n;
}

static void
assert_untouched(const struct place *p)
{
	assert_int_equal(number(p->path, "PRAGMA user_version"), 1);
	assert_int_equal(number(p->path, "SELECT count(*) FROM user"), 1);
	assert_int_equal(files(p, "before-", NULL), 0);
	assert_int_equal(files(p, "migrate-", NULL), 0);
}

static void
an_older_database_is_brought_up_to_date_with_everything_in_it(void **state)
{
	struct place *p = *state;
	struct ln_store_info info;
	struct ln_user *u;

	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	assert_int_equal(ln_store_info(p->store, &info, NULL), LN_OK);
	assert_int_equal(info.schema, ln_store_schema_latest());
	assert_true(info.schema > 1);
	assert_int_equal(ln_store_check(p->store, true, NULL, NULL, NULL),
	    LN_OK);
	assert_int_equal(ln_user_find(p->store, "ann", &u, NULL), LN_OK);
	ln_user_free(u);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM conversation"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"),
	    0);
}

static void
the_schema_is_the_one_of_a_new_database(void **state)
{
	static const char sql[] = "SELECT count(*) FROM"
	    " (SELECT type, name, sql FROM main.sqlite_schema EXCEPT"
	    "  SELECT type, name, sql FROM fresh.sqlite_schema)";
	static const char back[] = "SELECT count(*) FROM"
	    " (SELECT type, name, sql FROM fresh.sqlite_schema EXCEPT"
	    "  SELECT type, name, sql FROM main.sqlite_schema)";
	struct place *p = *state;
	struct place fresh = { .folder = "" };
	char attach[256];

	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	snprintf(fresh.path, sizeof(fresh.path), "%.64s/fresh.db", p->folder);
	ln_store_close(place_open(&fresh, 100));
	snprintf(attach, sizeof(attach), "ATTACH '%s' AS fresh", fresh.path);
	assert_int_equal(sqlite3_exec(lni_store_db(p->store), attach, NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(place_int(p->store, sql), 0);
	assert_int_equal(place_int(p->store, back), 0);
}

/* How the names of snapshots begin, behind that of the database. */
static const char *
before_latest(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "before-schema-%d-",
	    ln_store_schema_latest());
	return name;
}

static void
what_it_was_is_kept_beside_it(void **state)
{
	struct place *p = *state;
	char path[512];
	struct stat sb;

	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	assert_int_equal(files(p, before_latest(), path), 1);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(number(path, "PRAGMA user_version"), 1);
	assert_int_equal(number(path, "SELECT count(*) FROM conversation"), 1);
	assert_int_equal(files(p, "migrate-", NULL), 0);
}

static void
an_earlier_snapshot_does_not_stand_for_a_later_one(void **state)
{
	struct place *p = *state;
	char path[512];
	int fd;

	/* As a run left it that was killed while it copied. */
	snprintf(path, sizeof(path), "%s.before-schema-%d", p->path,
	    ln_store_schema_latest());
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	assert_int_equal(files(p, before_latest(), path), 1);
	assert_int_equal(number(path, "SELECT count(*) FROM user"), 1);
}

static void
it_happens_once(void **state)
{
	struct place *p = *state;

	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	/* A program that had read the old number before. */
	assert_int_equal(lni_migrate_file(p->path, 50, NULL), LN_OK);
	assert_int_equal(files(p, before_latest(), NULL), 1);
	assert_int_equal(ln_store_check(p->store, true, NULL, NULL, NULL),
	    LN_OK);
}

static void
while_another_program_does_it_the_database_is_busy(void **state)
{
	struct place *p = *state;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s.migrate.lock", p->path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_BUSY);
	assert_untouched(p);
	close(fd);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
}

static void
nobody_s_writing_is_lost(void **state)
{
	struct place *p = *state;
	sqlite3 *writer = NULL;

	assert_int_equal(sqlite3_open(p->path, &writer), SQLITE_OK);
	assert_int_equal(sqlite3_exec(writer, "PRAGMA journal_mode=WAL;"
	    "BEGIN IMMEDIATE; UPDATE conversation SET title = 'New'", NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_BUSY);
	assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(writer);
	assert_untouched(p);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	assert_int_equal(place_int(p->store,
	    "SELECT title = 'New' FROM conversation"), 1);
}

static void
a_migration_that_fails_leaves_the_database_as_it_was(void **state)
{
	struct place *p = *state;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE mail_limit(x)", NULL,
	    NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_not_equal(open_as(p, LN_STORE_RW, &p->store), LN_OK);
	assert_untouched(p);
	assert_int_equal(number(p->path, "SELECT count(*) FROM sqlite_schema"
	    " WHERE name = 'outbox'"), 0);
}

static void
a_damaged_one_is_not_replaced(void **state)
{
	struct place *p = *state;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA foreign_keys=OFF;"
	    "UPDATE conversation SET user_id = 'nobody'", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(open_as(p, LN_STORE_RW, &p->store), LN_CORRUPT);
	assert_untouched(p);
}

static void
a_reader_does_not_migrate(void **state)
{
	struct place *p = *state;

	assert_int_equal(open_as(p, LN_STORE_RO, &p->store), LN_UNSUPPORTED);
	assert_untouched(p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_old, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_older_database_is_brought_up_to_date_with_everything_in_it),
		T(the_schema_is_the_one_of_a_new_database),
		T(what_it_was_is_kept_beside_it),
		T(an_earlier_snapshot_does_not_stand_for_a_later_one),
		T(it_happens_once),
		T(while_another_program_does_it_the_database_is_busy),
		T(nobody_s_writing_is_lost),
		T(a_migration_that_fails_leaves_the_database_as_it_was),
		T(a_damaged_one_is_not_replaced),
		T(a_reader_does_not_migrate),
	};

	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
