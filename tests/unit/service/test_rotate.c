/* Replacing SECRET_KEY: file and database change together, whatever happens
 * in between. */
#define _GNU_SOURCE		/* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <ln/audit.h>
#include <ln/auth.h>
#include <ln/log.h>
#include <ln/rotate.h>
#include <ln/session.h>
#include <ln/setting.h>

#include "people.h"

#define OLD "a secret key that only the tests know, 42"	/* place.c */
#define BEFORE "# ours\r\nLOCALNEURAL_LOG_LEVEL=error # quiet\n\n  SECRET_KEY = '"
#define AFTER "'\t# keep it\nUNKNOWN=\"a b\"\n#SECRET_KEY=none"

struct env {
	struct place *p;
	char path[160];
	struct ln_config *cfg;
};

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static char *
read_file(const char *path)
{
	static char text[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static bool
exists(const struct env *e, const char *suffix)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", e->path, suffix);
	return access(path, F_OK) == 0;
}

static void
load(struct env *e)
{
	struct ln_error err = LN_ERROR_INIT;

	ln_config_free(e->cfg);
	people_ok(ln_config_load(e->path, &e->cfg, &err), &err);
	people_ok(ln_config_set(e->cfg, "LOCALNEURAL_DB", e->p->path, &err),
	    &err);
}

/* The handle as a program opens it that has just read the file. */
static enum ln_status
reopen(struct env *e)
{
	struct ln_store_opts opts = { .size = sizeof(opts),
		.path = e->p->path, .mode = LN_STORE_RW };
	struct ln_error err = LN_ERROR_INIT;
	char *secret = NULL;

	ln_store_close(e->p->store);
	e->p->store = NULL;
	ln_keys_free(e->p->keys);
	load(e);
	people_ok(ln_config_secret(e->cfg, "SECRET_KEY", &secret, &err), &err);
	people_ok(ln_keys_derive(secret, &e->p->keys, &err), &err);
	ln_wipe_free(secret);
	opts.keys = e->p->keys;
	return ln_store_open(&opts, &e->p->store, &err);
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	struct ln_error err = LN_ERROR_INIT;
	void *place;

	if (e == NULL || place_setup(&place) != 0)
		return -1;
	e->p = place;
	snprintf(e->path, sizeof(e->path), "%s/.env", e->p->folder);
	write_file(e->path, BEFORE OLD AFTER);
	load(e);
	people_add(e->p, "ann", NULL, LN_USER_ROLE_USER, NULL);
	people_ok(ln_setting_set(e->p->store, NULL, "api_key", "sk-instance",
	    &err), &err);
	people_ok(ln_setting_set(e->p->store, "ann", "api_key", "sk-\xff-ann",
	    &err), &err);
	people_ok(ln_setting_set(e->p->store, "ann", "theme", "dark", &err),
	    &err);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;
	void *place = e->p;
	int rc = place_teardown(&place);

	ln_config_free(e->cfg);
	free(e);
	return rc;
}

static void
rotate(struct env *e, struct ln_rotate_report *r)
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_rotate_secret(e->p->store, e->cfg, NULL, NULL, r, &err),
	    &err);
}

static enum ln_status
refused(struct env *e)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_rotate_report r;

	return ln_rotate_secret(e->p->store, e->cfg, NULL, NULL, &r, &err);
}

/* File and database go together: everything sealed opens, the log holds. */
static void
expect_pair(struct env *e)
{
	int64_t bad, count;
	char *key = NULL;

	assert_int_equal(reopen(e), LN_OK);
	assert_int_equal(ln_setting_get(e->p->store, NULL, "api_key", &key,
	    NULL), LN_OK);
	assert_string_equal(key, "sk-instance");
	ln_wipe_free(key);
	assert_int_equal(ln_setting_get(e->p->store, "ann", "api_key", &key,
	    NULL), LN_OK);
	assert_string_equal(key, "sk-\xff-ann");
	ln_wipe_free(key);
	assert_int_equal(ln_audit_verify(e->p->store, &bad, &count, NULL),
	    LN_OK);
	assert_int_equal(ln_audit_add(e->p->store, "test", NULL, LN_OK, NULL,
	    NULL), LN_OK);
	assert_int_equal(ln_audit_verify(e->p->store, &bad, &count, NULL),
	    LN_OK);
	assert_false(exists(e, ".rotate"));
	assert_false(exists(e, ".new"));
}

static void
expect_nothing_changed(struct env *e)
{
	assert_string_equal(read_file(e->path), BEFORE OLD AFTER);
	expect_pair(e);
	assert_int_equal(place_int(e->p->store, "SELECT count(*) FROM audit"
	    " WHERE action = 'secret.rotate'"), 0);
}

static void
every_byte_of_the_file_stays_but_the_key(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	const char *now;
	struct stat sb;
	size_t n;

	rotate(e, &r);
	now = read_file(e->path);
	n = strlen(BEFORE) - 1;		/* the quotes go with the value */
	assert_memory_equal(now, BEFORE, n);
	assert_null(strstr(now, OLD));
	assert_string_equal(now + n + 64, &AFTER[1]);
	assert_int_equal(stat(e->path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	expect_pair(e);
}

/* Whether the bytes of ${text} are anywhere in the database's files. */
static bool
is_on_disk(const struct env *e, const char *text)
{
	static const char *const suffixes[] = { "", "-wal" };
	char path[256], *bytes;
	bool is_there = false;
	struct stat sb;
	size_t i;
	int fd;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", e->p->path, suffixes[i]);
		if ((fd = open(path, O_RDONLY)) < 0)
			continue;
		assert_int_equal(fstat(fd, &sb), 0);
		bytes = malloc((size_t)sb.st_size + 1);
		assert_non_null(bytes);
		assert_int_equal(read(fd, bytes, (size_t)sb.st_size),
		    sb.st_size);
		is_there |= memmem(bytes, (size_t)sb.st_size, text,
		    strlen(text)) != NULL;
		free(bytes);
		close(fd);
	}
	return is_there;
}

static void
sealed_text(struct env *e, char *out, size_t size)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(e->p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT value FROM"
	    " user_setting WHERE name = 'api_key'", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	snprintf(out, size, "%s", (const char *)sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	sqlite3_close(db);
}

static void
api_keys_are_sealed_anew_and_the_old_seals_are_gone(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	char old[256], new[256];

	sealed_text(e, old, sizeof(old));
	assert_true(is_on_disk(e, old));
	rotate(e, &r);
	assert_int_equal(r.key_count, 2);
	assert_false(is_on_disk(e, old));
	sealed_text(e, new, sizeof(new));
	assert_string_not_equal(old, new);
	assert_true(is_on_disk(e, new));
	expect_pair(e);
}

static void
sign_ins_reset_links_and_waiting_mails_end(void **state)
{
	char cookie[LN_SESSION_COOKIE_SIZE], token[LN_RESET_TOKEN_SIZE];
	struct env *e = *state;
	struct ln_rotate_report r;
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_session_create(e->p->store, "ann", NULL, NULL, cookie,
	    &err), &err);
	people_ok(ln_auth_reset_issue(e->p->store, "ann", 60000, token, &err),
	    &err);
	people_tamper(e->p, "INSERT INTO outbox(kind, user_id, address_hash,"
	    " created_ms, next_try_ms) VALUES ('reset', 'ann', zeroblob(32),"
	    " 1, 1); INSERT INTO mail_limit(kind, address_hash, at_ms)"
	    " VALUES ('reset', zeroblob(32), 1)");
	rotate(e, &r);
	assert_int_equal(r.session_count, 1);
	assert_int_equal(r.token_count, 1);
	assert_int_equal(r.mail_count, 1);
	expect_pair(e);
	assert_int_equal(place_int(e->p->store, "SELECT (SELECT count(*) FROM"
	    " outbox) + (SELECT count(*) FROM mail_limit)"), 0);
	assert_int_equal(place_int(e->p->store,
	    "SELECT count(*) FROM session"), 0);
	assert_int_equal(place_int(e->p->store,
	    "SELECT count(*) FROM reset_token"), 0);
}

static void
the_log_holds_under_the_new_key_and_tells_of_it(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	struct ln_audit_list l;
	int64_t count;

	count = place_int(e->p->store, "SELECT count(*) FROM audit");
	rotate(e, &r);
	assert_int_equal(r.audit_first_bad, 0);
	assert_int_equal(r.audit_count, count + 1);
	assert_int_equal(reopen(e), LN_OK);
	assert_int_equal(ln_audit_list(e->p->store, 0, 1, &l, NULL), LN_OK);
	assert_string_equal(l.items[0]->action, "secret.rotate");
	assert_string_equal(l.items[0]->detail,
	    "api_keys=2 sessions=0 reset_links=0");
	ln_audit_list_free(&l);
	expect_pair(e);
}

static void
the_log_is_append_only_again_and_the_schema_is_ours(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	struct place fresh = { .folder = "" };
	char attach[256];
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;

	rotate(e, &r);
	snprintf(fresh.path, sizeof(fresh.path), "%.64s/fresh.db",
	    e->p->folder);
	ln_store_close(place_open(&fresh, 100));
	assert_int_equal(sqlite3_open(e->p->path, &db), SQLITE_OK);
	snprintf(attach, sizeof(attach), "ATTACH '%s' AS fresh", fresh.path);
	assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM"
	    " (SELECT type, name, sql FROM main.sqlite_schema EXCEPT"
	    "  SELECT type, name, sql FROM fresh.sqlite_schema))"
	    " + (SELECT count(*) FROM fresh.sqlite_schema)"
	    " - (SELECT count(*) FROM main.sqlite_schema)", -1, &q, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(q, 0), 0);
	sqlite3_finalize(q);
	assert_int_equal(sqlite3_exec(db, "UPDATE audit SET detail = 'x'",
	    NULL, NULL, NULL), SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL,
	    NULL), SQLITE_CONSTRAINT);
	sqlite3_close(db);
}

static void
a_break_in_the_log_is_not_signed_away(void **state)
{
	static const struct {
		const char *what;
		const char *sql;
		int64_t bad;
	} rows[] = {
		{ "edited", "UPDATE audit SET detail = 'x' WHERE id = 3", 3 },
		{ "taken out", "DELETE FROM audit WHERE id = 3", 4 },
		{ "the end cut off", "DELETE FROM audit WHERE id >= 5", 5 },
		{ "the head removed", "DELETE FROM audit_head", 7 },
		{ "the head bent", "UPDATE audit_head SET last_id = 5", 7 },
	};
	int64_t bad, count;
	struct ln_rotate_report r;
	struct env *e;
	size_t i;
	int n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(setup(state), 0);
		e = *state;
		for (n = 0; n < 4; n++)
			assert_int_equal(ln_audit_add(e->p->store, "test",
			    NULL, LN_OK, NULL, NULL), LN_OK);
		people_tamper(e->p, "DROP TRIGGER audit_no_delete; DROP TRIGGER"
		    " audit_no_update;");
		people_tamper(e->p, rows[i].sql);
		people_tamper(e->p, "CREATE TRIGGER audit_no_update BEFORE"
		    " UPDATE ON audit BEGIN SELECT raise(ABORT, 'x'); END");
		assert_int_equal(ln_audit_verify(e->p->store, &bad, &count,
		    NULL), LN_CORRUPT);
		assert_int_equal(bad, rows[i].bad);
		rotate(e, &r);
		assert_int_equal(r.audit_first_bad, rows[i].bad);
		assert_int_equal(reopen(e), LN_OK);
		assert_int_equal(ln_audit_add(e->p->store, "later", NULL,
		    LN_OK, NULL, NULL), LN_OK);
		if (ln_audit_verify(e->p->store, &bad, &count, NULL) !=
		    LN_CORRUPT || bad < rows[i].bad)
			fail_msg("%s: healed, or broken earlier: %lld",
			    rows[i].what, (long long)bad);
		assert_int_equal(teardown(state), 0);
	}
}

static void
who_still_holds_the_old_key_writes_nothing(void **state)
{
	struct env *e = *state;
	struct ln_store *old = place_open(e->p, 1000), *late = NULL;
	struct ln_store_opts opts = { .size = sizeof(opts),
		.path = e->p->path, .mode = LN_STORE_RW,
		.keys = e->p->keys };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_rotate_report r;
	int64_t bad, count;
	char *key = NULL;

	rotate(e, &r);
	assert_int_equal(ln_audit_add(old, "test", NULL, LN_OK, NULL, &err),
	    LN_BAD_KEY);
	assert_int_equal(ln_setting_set(old, "ann", "api_key", "sk-new", NULL),
	    LN_BAD_KEY);
	assert_int_equal(ln_setting_get(old, "ann", "api_key", &key, NULL),
	    LN_BAD_KEY);
	assert_int_equal(ln_audit_verify(old, &bad, &count, NULL),
	    LN_BAD_KEY);
	assert_int_equal(ln_rotate_secret(old, e->cfg, NULL, NULL, &r, NULL),
	    LN_BAD_KEY);
	assert_int_equal(ln_store_open(&opts, &late, &err), LN_BAD_KEY);
	assert_string_equal(ln_error_text(&err, LN_BAD_KEY),
	    "This SECRET_KEY was replaced by another one");
	ln_store_close(old);
	expect_pair(e);
}

static void
a_key_that_is_not_the_one_of_the_database_is_not_replaced(void **state)
{
	struct env *e = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_rotate_report r;

	write_file(e->path, BEFORE "another secret of another instance, 43"
	    AFTER);
	assert_int_equal(reopen(e), LN_OK);
	assert_int_equal(ln_rotate_secret(e->p->store, e->cfg, NULL, NULL, &r,
	    &err), LN_BAD_KEY);
	assert_string_equal(ln_error_text(&err, LN_BAD_KEY),
	    "A stored API key cannot be opened with the present SECRET_KEY. "
	    "Set or clear that key first");
	people_tamper(e->p, "DELETE FROM setting; DELETE FROM user_setting");
	assert_int_equal(refused(e), LN_BAD_KEY);
	assert_false(exists(e, ".rotate"));
	/* Both are put back together: nothing was touched. */
	write_file(e->path, BEFORE OLD AFTER);
	assert_int_equal(reopen(e), LN_OK);
	rotate(e, &r);
	assert_int_equal(r.audit_first_bad, 0);
}

static void
a_running_server_is_in_the_way(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	int lock;

	assert_int_equal(ln_store_lock(e->p->path, &lock, NULL), LN_OK);
	assert_int_equal(refused(e), LN_FORBIDDEN);
	expect_nothing_changed(e);
	close(lock);
	rotate(e, &r);
}

static void
a_key_in_the_environment_is_not_replaced(void **state)
{
	struct env *e = *state;

	setenv("SECRET_KEY", OLD, 1);
	load(e);
	assert_int_equal(refused(e), LN_FORBIDDEN);
	unsetenv("SECRET_KEY");
	expect_nothing_changed(e);
}

static void
a_key_in_a_file_of_its_own_is_replaced_there(void **state)
{
	struct env *e = *state;
	struct ln_rotate_report r;
	char path[256], text[512], *file = NULL;

	snprintf(path, sizeof(path), "%s/secret", e->p->folder);
	write_file(path, OLD);
	snprintf(text, sizeof(text), "SECRET_KEY_FILE=secret\n");
	write_file(e->path, text);
	assert_int_equal(reopen(e), LN_OK);
	assert_int_equal(ln_rotate_file(e->cfg, &file, NULL), LN_OK);
	assert_string_equal(file, path);
	ln_free(file);
	rotate(e, &r);
	assert_string_equal(read_file(e->path), text);
	assert_int_equal(strlen(read_file(path)), 65);
	expect_pair(e);
}

static void
what_cannot_be_replaced_is_found_out_first(void **state)
{
	struct env *e = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s.new", e->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(refused(e), LN_IO);
	assert_int_equal(rmdir(path), 0);
	expect_nothing_changed(e);
}

static void
die(void *arg, enum ln_rotate_step step)
{
	if (*(enum ln_rotate_step *)arg == step)
		(void)kill(getpid(), SIGKILL);
}

static void
killed_at_any_step_file_and_database_fit(void **state)
{
	enum ln_rotate_step at;
	struct ln_rotate_report r;
	struct env *e;
	bool is_changed, is_new;
	int status;
	pid_t pid;

	for (at = LN_ROTATE_STAGED; at <= LN_ROTATE_REPLACED; at++) {
		assert_int_equal(setup(state), 0);
		e = *state;
		ln_store_close(e->p->store);
		e->p->store = NULL;
		assert_true((pid = fork()) >= 0);
		if (pid == 0) {
			e->p->store = place_open(e->p, 1000);
			_exit((int)ln_rotate_secret(e->p->store, e->cfg, die,
			    &at, &r, NULL));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_true(exists(e, ".rotate"));
		load(e);
		assert_int_equal(ln_rotate_settle(e->cfg, &is_changed, NULL),
		    LN_OK);
		is_new = at >= LN_ROTATE_COMMITTED;
		assert_int_equal(is_changed, at == LN_ROTATE_COMMITTED);
		assert_int_equal(strstr(read_file(e->path), OLD) == NULL,
		    is_new);
		expect_pair(e);
		assert_int_equal(place_int(e->p->store, "SELECT count(*) FROM"
		    " audit WHERE action = 'secret.rotate'"), is_new ? 1 : 0);
		/* And it can be done again. */
		rotate(e, &r);
		expect_pair(e);
		assert_int_equal(teardown(state), 0);
	}
}

static void
a_key_that_was_not_written_to_its_end_is_dropped(void **state)
{
	struct env *e = *state;
	bool is_changed;
	char path[256];

	snprintf(path, sizeof(path), "%s.rotate", e->path);
	write_file(path, "half of a k");
	assert_int_equal(ln_rotate_settle(e->cfg, &is_changed, NULL), LN_OK);
	assert_false(is_changed);
	expect_nothing_changed(e);
}

static void
nobody_settles_while_somebody_rotates(void **state)
{
	struct env *e = *state;
	bool is_changed;
	char path[256];
	int lock;

	snprintf(path, sizeof(path), "%s.rotate", e->path);
	write_file(path, "a new key that somebody is about to use, 44\n");
	assert_int_equal(ln_store_lock(e->p->path, &lock, NULL), LN_OK);
	assert_int_equal(ln_rotate_settle(e->cfg, &is_changed, NULL),
	    LN_BUSY);
	assert_true(exists(e, ".rotate"));
	close(lock);
	assert_int_equal(ln_rotate_settle(e->cfg, &is_changed, NULL), LN_OK);
	expect_nothing_changed(e);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_byte_of_the_file_stays_but_the_key),
		T(api_keys_are_sealed_anew_and_the_old_seals_are_gone),
		T(sign_ins_reset_links_and_waiting_mails_end),
		T(the_log_holds_under_the_new_key_and_tells_of_it),
		T(the_log_is_append_only_again_and_the_schema_is_ours),
		cmocka_unit_test(a_break_in_the_log_is_not_signed_away),
		T(who_still_holds_the_old_key_writes_nothing),
		T(a_key_that_is_not_the_one_of_the_database_is_not_replaced),
		T(a_running_server_is_in_the_way),
		T(a_key_in_the_environment_is_not_replaced),
		T(a_key_in_a_file_of_its_own_is_replaced_there),
		T(what_cannot_be_replaced_is_found_out_first),
		cmocka_unit_test(killed_at_any_step_file_and_database_fit),
		T(a_key_that_was_not_written_to_its_end_is_dropped),
		T(nobody_settles_while_somebody_rotates),
	};

	ln_log_level_set(LN_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
