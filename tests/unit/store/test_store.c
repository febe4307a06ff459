#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/store.h>

#include "store/stmt.h"
#include "store/store.h"

/* Every test gets an empty private folder. */
struct place {
	char folder[64];
	char path[128];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "/tmp/ln-store-XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/data/test.db", p->folder);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "data/test.db", "data/test.db-wal",
		"data/test.db-shm", "data/other.db", "data", "" };
	struct place *p = *state;
	char name[160];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", p->folder, names[i]);
		if (remove(name) != 0 && errno != ENOENT)
			return -1;
	}
	free(p);
	return 0;
}

static enum ln_status
open_as(const struct place *p, enum ln_store_mode mode, int busy_ms,
    struct ln_store **out, struct ln_error *err)
{
	const struct ln_store_opts opts = {
		.size = sizeof(opts), .path = p->path, .mode = mode,
		.busy_ms = busy_ms,
	};

	return ln_store_open(&opts, out, err);
}

static struct ln_store *
must_open(const struct place *p, enum ln_store_mode mode)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;

	if (open_as(p, mode, 100, &st, &err) != LN_OK)
		fail_msg("open: %s", err.detail);
	return st;
}

static int64_t
count_settings(struct ln_store *st)
{
	struct ln_store_info info;

	assert_int_equal(ln_store_info(st, &info, NULL), LN_OK);
	return info.setting_count;
}

static const char SQL_ADD[] = "INSERT INTO setting(name, value) VALUES (?1, ?2)";

static enum ln_status
add_setting(struct ln_store *st, const char *name, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, name);
	lni_bind_text(&q, 2, "x");
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static void
creates_folder_and_file_for_the_owner_only(void **state)
{
	const struct place *p = *state;
	struct ln_store *st;
	struct stat sb;
	char folder[128];

	umask(0);	/* even then */
	st = must_open(p, LN_STORE_CREATE);
	umask(022);
	assert_int_equal(stat(p->path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	snprintf(folder, sizeof(folder), "%s/data", p->folder);
	assert_int_equal(stat(folder, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0700);
	ln_store_close(st);
}

static void
a_missing_database_is_not_made_unasked(void **state)
{
	const struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;

	assert_int_equal(open_as(p, LN_STORE_RW, 0, &st, &err), LN_NOT_FOUND);
	assert_null(st);
	assert_int_equal(open_as(p, LN_STORE_RO, 0, &st, &err), LN_NOT_FOUND);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void
a_new_database_is_sound_and_of_the_latest_schema(void **state)
{
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	struct ln_store_info info;

	assert_int_equal(ln_store_check(st, true, NULL, NULL, NULL), LN_OK);
	assert_int_equal(ln_store_info(st, &info, NULL), LN_OK);
	assert_int_equal(info.schema, ln_store_schema_latest());
	assert_int_equal(info.user_count, 0);
	assert_true(info.page_count > 0);
	ln_store_close(st);
}

static void
write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static void
a_file_that_is_no_database_is_refused_and_untouched(void **state)
{
	static const char text[] = "this is a shopping list, not a database, "
	    "and it is long enough to hold a header of one hundred bytes ...";
	const struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;
	char folder[128], back[sizeof(text)];
	int fd;

	snprintf(folder, sizeof(folder), "%s/data", p->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_file(p->path, text, sizeof(text));
	assert_int_equal(open_as(p, LN_STORE_CREATE, 0, &st, &err),
	    LN_CORRUPT);
	assert_null(st);
	fd = open(p->path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, back, sizeof(back)), sizeof(back));
	close(fd);
	assert_memory_equal(back, text, sizeof(text));
}

static void
a_database_of_another_program_is_refused(void **state)
{
	const struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;
	char folder[128];
	sqlite3 *db;

	snprintf(folder, sizeof(folder), "%s/data", p->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE users(id)", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(open_as(p, LN_STORE_RW, 0, &st, &err), LN_CORRUPT);
	assert_non_null(strstr(ln_error_text(&err, LN_CORRUPT), "db import"));
}

static void
a_newer_database_is_refused(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = must_open(p, LN_STORE_CREATE);
	struct ln_error err = LN_ERROR_INIT;

	assert_int_equal(sqlite3_exec(lni_store_db(st),
	    "PRAGMA user_version=9999", NULL, NULL, NULL), SQLITE_OK);
	ln_store_close(st);
	assert_int_equal(open_as(p, LN_STORE_RW, 0, &st, &err), LN_TOO_NEW);
	assert_int_equal(open_as(p, LN_STORE_RO, 0, &st, &err), LN_TOO_NEW);
}

static enum ln_status
add_two(struct ln_store *st, void *arg, struct ln_error *err)
{
	enum ln_status s;

	if ((s = add_setting(st, "one", err)) != LN_OK)
		return s;
	if ((s = add_setting(st, "two", err)) != LN_OK)
		return s;
	return *(enum ln_status *)arg;
}

static void
a_transaction_is_all_or_nothing(void **state)
{
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	enum ln_status wish = LN_FORBIDDEN;

	assert_int_equal(ln_store_transaction(st, add_two, &wish, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(count_settings(st), 0);
	wish = LN_OK;
	assert_int_equal(ln_store_transaction(st, add_two, &wish, NULL), LN_OK);
	assert_int_equal(count_settings(st), 2);
	assert_int_equal(ln_store_transaction(st, add_two, &wish, NULL),
	    LN_CONFLICT);
	assert_int_equal(count_settings(st), 2);
	ln_store_close(st);
}

static void
a_failed_inner_transaction_leaves_the_outer_one_usable(void **state)
{
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	enum ln_status wish = LN_INVALID;

	assert_int_equal(lni_tx_begin(st, NULL), LN_OK);
	assert_int_equal(add_setting(st, "outer", NULL), LN_OK);
	assert_int_equal(ln_store_transaction(st, add_two, &wish, NULL),
	    LN_INVALID);
	assert_int_equal(lni_tx_end(st, LN_OK, NULL), LN_OK);
	assert_int_equal(count_settings(st), 1);
	ln_store_close(st);
}

static void
a_locked_database_is_reported_as_busy(void **state)
{
	struct ln_store *a = must_open(*state, LN_STORE_CREATE);
	struct ln_store *b = must_open(*state, LN_STORE_RW);

	assert_int_equal(lni_tx_begin(a, NULL), LN_OK);
	assert_int_equal(add_setting(b, "late", NULL), LN_BUSY);
	assert_int_equal(lni_tx_end(a, LN_OK, NULL), LN_OK);
	assert_int_equal(add_setting(b, "late", NULL), LN_OK);
	ln_store_close(b);
	ln_store_close(a);
}

static void
another_handle_sees_that_something_changed(void **state)
{
	struct ln_store *a = must_open(*state, LN_STORE_CREATE);
	struct ln_store *b = must_open(*state, LN_STORE_RO);
	int64_t before, after;

	assert_int_equal(ln_store_version(b, &before, NULL), LN_OK);
	assert_int_equal(add_setting(a, "new", NULL), LN_OK);
	assert_int_equal(ln_store_version(b, &after, NULL), LN_OK);
	assert_int_not_equal(before, after);
	assert_int_equal(ln_store_version(b, &before, NULL), LN_OK);
	assert_int_equal(before, after);
	ln_store_close(b);
	ln_store_close(a);
}

static void
a_read_only_handle_cannot_write(void **state)
{
	struct ln_store *a = must_open(*state, LN_STORE_CREATE);
	struct ln_store *b = must_open(*state, LN_STORE_RO);

	assert_int_equal(add_setting(b, "no", NULL), LN_IO);
	ln_store_close(b);
	ln_store_close(a);
}

static void
the_same_statement_may_be_borrowed_twice(void **state)
{
	static const char SQL[] = "SELECT value FROM setting ORDER BY name";
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	struct lni_stmt outer, inner;
	enum ln_status ok = LN_OK;
	int i;

	assert_int_equal(ln_store_transaction(st, add_two, &ok, NULL), LN_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(lni_stmt_get(&outer, st, SQL, NULL), LN_OK);
		assert_int_equal(lni_stmt_row(&outer, NULL), LN_OK);
		assert_int_equal(lni_stmt_get(&inner, st, SQL, NULL), LN_OK);
		assert_int_equal(lni_stmt_row(&inner, NULL), LN_OK);
		lni_stmt_put(&inner);
		assert_int_equal(lni_stmt_row(&outer, NULL), LN_OK);
		assert_int_equal(lni_stmt_row(&outer, NULL), LN_NOT_FOUND);
		lni_stmt_put(&outer);
	}
	ln_store_close(st);
}

static void
a_killed_writer_leaves_whole_transactions(void **state)
{
	const struct place *p = *state;
	struct ln_store *st;
	int status;
	pid_t pid;

	ln_store_close(must_open(p, LN_STORE_CREATE));
	if ((pid = fork()) == 0) {
		struct ln_store *child = NULL;

		if (open_as(p, LN_STORE_RW, 0, &child, NULL) != LN_OK ||
		    add_setting(child, "durable", NULL) != LN_OK ||
		    lni_tx_begin(child, NULL) != LN_OK ||
		    add_setting(child, "half", NULL) != LN_OK)
			_exit(1);
		kill(getpid(), SIGKILL);
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	st = must_open(p, LN_STORE_RW);
	assert_int_equal(count_settings(st), 1);
	assert_int_equal(ln_store_check(st, true, NULL, NULL, NULL), LN_OK);
	ln_store_close(st);
}

static void
the_audit_log_refuses_edits(void **state)
{
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	sqlite3 *db = lni_store_db(st);

	assert_int_equal(sqlite3_exec(db, "INSERT INTO audit(at_ms, actor_kind,"
	    " action, outcome, mac) VALUES (1, 'shell', 'a', 'ok',"
	    " zeroblob(32))", NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "UPDATE audit SET action='b'",
	    NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL,
	    NULL), SQLITE_OK);
	ln_store_close(st);
}

static void
an_answer_enters_the_search_index_when_it_is_whole(void **state)
{
	static const char SQL[] = "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH ?1";
	static const struct {
		const char *sql;
		const char *word;
		int want;
	} steps[] = {
		{ "INSERT INTO user(id, username, username_key, created_ms)"
		    " VALUES ('u', 'u', 'u', 1);"
		    "INSERT INTO conversation(id, user_id, title, created_ms,"
		    " updated_ms) VALUES ('c', 'u', 't', 1, 1);"
		    "INSERT INTO message(id, conversation_id, role, state,"
		    " content, created_ms) VALUES (1, 'c', 'assistant',"
		    " 'streaming', 'half', 1);", "half", 0 },
		{ "UPDATE message SET content = 'half done' WHERE id = 1",
		    "half", 0 },
		{ "UPDATE message SET content = 'whole', state = 'complete'"
		    " WHERE id = 1", "whole", 1 },
		{ "UPDATE message SET content = 'edited' WHERE id = 1",
		    "whole", 0 },
		{ "SELECT 1", "edited", 1 },
		{ "UPDATE message SET content = 'twice' WHERE id = 1;"
		    "UPDATE message SET content = 'thrice' WHERE id = 1;",
		    "twice", 0 },
		{ "SELECT 1", "thrice", 1 },
		{ "DELETE FROM conversation", "thrice", 0 },
	};
	struct ln_store *st = must_open(*state, LN_STORE_CREATE);
	struct lni_stmt q;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(lni_tx_begin(st, NULL), LN_OK);
		assert_int_equal(sqlite3_exec(lni_store_db(st), steps[i].sql,
		    NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(lni_tx_end(st, LN_OK, NULL), LN_OK);
		assert_int_equal(lni_stmt_get(&q, st, SQL, NULL), LN_OK);
		lni_bind_text(&q, 1, steps[i].word);
		assert_int_equal(lni_stmt_row(&q, NULL), LN_OK);
		if (lni_col_int(&q, 0) != steps[i].want)
			fail_msg("step %zu: %s", i, steps[i].word);
		lni_stmt_put(&q);
	}
	assert_int_equal(ln_store_check(st, true, NULL, NULL, NULL), LN_OK);
	ln_store_close(st);
}

static void
a_copy_replaces_the_live_content_for_every_open_handle(void **state)
{
	const struct place *p = *state;
	struct ln_store *live = must_open(p, LN_STORE_CREATE);
	struct ln_store *reader = must_open(p, LN_STORE_RO);
	char other[160];
	sqlite3 *copy;

	snprintf(other, sizeof(other), "%s/data/other.db", p->folder);
	assert_int_equal(sqlite3_open(other, &copy), SQLITE_OK);
	assert_int_equal(lni_backup(copy, lni_store_db(live), 100, NULL, NULL,
	    NULL), LN_OK);
	assert_int_equal(sqlite3_exec(copy, "INSERT INTO setting(name, value)"
	    " VALUES ('from', 'copy')", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(count_settings(reader), 0);
	assert_int_equal(lni_backup(lni_store_db(live), copy, 100, NULL, NULL,
	    NULL), LN_OK);
	sqlite3_close(copy);
	assert_int_equal(count_settings(reader), 1);
	assert_int_equal(add_setting(live, "after", NULL), LN_OK);
	assert_int_equal(count_settings(reader), 2);
	ln_store_close(reader);
	ln_store_close(live);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(creates_folder_and_file_for_the_owner_only),
		T(a_missing_database_is_not_made_unasked),
		T(a_new_database_is_sound_and_of_the_latest_schema),
		T(a_file_that_is_no_database_is_refused_and_untouched),
		T(a_database_of_another_program_is_refused),
		T(a_newer_database_is_refused),
		T(a_transaction_is_all_or_nothing),
		T(a_failed_inner_transaction_leaves_the_outer_one_usable),
		T(a_locked_database_is_reported_as_busy),
		T(another_handle_sees_that_something_changed),
		T(a_read_only_handle_cannot_write),
		T(the_same_statement_may_be_borrowed_twice),
		T(a_killed_writer_leaves_whole_transactions),
		T(the_audit_log_refuses_edits),
		T(an_answer_enters_the_search_index_when_it_is_whole),
		T(a_copy_replaces_the_live_content_for_every_open_handle),
	};

	if (ln_init(NULL) != LN_OK)
		return 1;
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
