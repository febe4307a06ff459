#define _GNU_SOURCE	/* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/audit.h>
#include <ln/secret.h>
#include <ln/session.h>
#include <ln/setting.h>

#include "model/tool.h"
#include "transfer/kit.h"

#define TOOL "2efbd268-ebf1-46bd-b21b-76f93db08493"	/* alice's */

/* Exports of the whole database, and the way back. */

static const char *
target(const struct place *p, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	return path;
}

static const char *
export(struct place *p, const char *name, bool with_secrets)
{
	const struct ln_export_opts opts = { .size = sizeof(opts),
		.with_secrets = with_secrets };
	const char *path = target(p, name);
	struct ln_error err = LN_ERROR_INIT;
	int64_t bytes = 0;
	struct stat sb;

	if (ln_export(p->store, path, &opts, &bytes, &err) != LN_OK)
		fail_msg("export: %s: %s", ln_error_text(&err, err.status),
		    err.detail);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(sb.st_nlink, 1);
	assert_int_equal(sb.st_size, bytes);
	return path;
}

/* A lived-in house: the legacy content, a session, a token, a running answer,
 * a picture, prompts, everything that has a column. */
static void
furnish(struct place *p)
{
	char cookie[LN_SESSION_COOKIE_SIZE];

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(ln_session_create(p->store,
	    "eb652b0b-83ac-4dba-8273-8bff9d50e54e", "192.0.2.1", "test",
	    cookie, NULL), LN_OK);
	place_exec(p->store, "INSERT INTO reset_token VALUES (zeroblob(32),"
	    " 'eb652b0b-83ac-4dba-8273-8bff9d50e54e', 1, 2, NULL)");
	place_exec(p->store, "INSERT INTO outbox (kind, user_id, address_hash,"
	    " created_ms, next_try_ms) VALUES ('reset',"
	    " 'eb652b0b-83ac-4dba-8273-8bff9d50e54e', zeroblob(32), 1, 2)");
	place_exec(p->store, "INSERT INTO mail_limit (kind, address_hash,"
	    " at_ms) VALUES ('reset', zeroblob(32), 1)");
	place_exec(p->store, "INSERT INTO user_picture VALUES"
	    " ('eb652b0b-83ac-4dba-8273-8bff9d50e54e', 'image/png',"
	    " x'89504e47')");
	place_exec(p->store, "UPDATE conversation SET temperature = 0.25,"
	    " provider = 'ollama', forked_at_message = 4");
	place_exec(p->store, "UPDATE user SET blocked_until_ms = 5,"
	    " blocked_reason = 'spam', last_login_ms = 7 WHERE blocked_ms IS"
	    " NOT NULL");
	place_exec(p->store, "UPDATE message SET tokens = 3, prompt_tokens ="
	    " 4, duration_ms = 5, is_estimated = 1, finish_reason = 'stop',"
	    " model = 'm', provider = 'ollama' WHERE role = 'assistant'");
	place_exec(p->store, "INSERT INTO prompt (user_id, title, content,"
	    " created_ms) VALUES ('eb652b0b-83ac-4dba-8273-8bff9d50e54e',"
	    " 'mine', 'x', 9)");
	place_exec(p->store, "UPDATE tool SET asks_first = 1 WHERE id = '"
	    TOOL "'");
	assert_int_equal(lni_tool_headers_set(p->store, TOOL,
	    "{\"X-Key\":\"planted\"}", NULL), LN_OK);
}

static void
an_export_comes_back_the_same(void **state)
{
	struct place *p = *state;
	char *before, *after, *again;
	struct ln_report *r;

	furnish(p);
	before = kit_dump(p->path);
	r = kit_import(p, export(p, "one.db", true), NULL, LN_OK);
	assert_int_equal(r->kind, LN_REPORT_OURS);
	assert_int_equal(r->schema, ln_store_schema_latest());
	assert_int_equal(r->repaired_count, 0);
	assert_int_equal(r->counts.messages, 24);
	assert_int_equal(r->counts.pictures, 1);
	/* The log in the file stays there: this instance has its own. */
	assert_int_equal(r->dropped_count, kit_count(r, "audit_rows"));
	ln_report_free(r);
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	again = kit_dump(export(p, "two.db", true));
	assert_string_equal(before, again);
	free(before);
	free(after);
	free(again);
}

static void
an_export_has_no_way_in(void **state)
{
	struct place *p = *state;
	const char *path;
	char *bytes;
	size_t n;

	furnish(p);
	place_exec(p->store, "UPDATE user_setting SET value ="
	    " 's1.CANARYCANARY' WHERE is_sealed = 1");
	place_exec(p->store, "UPDATE tool SET sealed_headers ="
	    " 's1.CANARYCANARY' WHERE id = '" TOOL "'");
	path = export(p, "out.db", false);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM session"), 0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM reset_token"),
	    0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM mail_limit"), 0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM user_setting"
	    " WHERE name = 'api_key'"), 0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM tool WHERE"
	    " sealed_headers IS NOT NULL"), 0);
	/* People can log in after a move. */
	assert_int_equal(kit_int(path, "SELECT count(*) FROM user WHERE"
	    " password_hash IS NOT NULL"), 5);
	assert_true(kit_int(path, "SELECT count(*) FROM audit") > 0);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH 'archived'"), 1);
	/* Not in a free page either. */
	bytes = kit_read(path, &n);
	assert_null(memmem(bytes, n, "CANARYCANARY", 12));
	assert_null(memmem(bytes, n, "192.0.2.1", 9));
	/* One whole file: no log beside it, none announced. */
	assert_int_equal(bytes[18], 1);
	assert_int_equal(bytes[19], 1);
	free(bytes);
	assert_int_equal(kit_entries(p, "out.db"), 1);
}

static void
a_copied_database_brings_no_waiting_mail(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;

	furnish(p);
	path = export(p, "copy.db", false);
	kit_sql(path, "INSERT INTO outbox (kind, user_id, address_hash,"
	    " created_ms, next_try_ms, sent_ms) VALUES"
	    " ('reset', 'eb652b0b-83ac-4dba-8273-8bff9d50e54e', zeroblob(32),"
	    "  1, 2, NULL),"
	    " ('reset', 'eb652b0b-83ac-4dba-8273-8bff9d50e54e', zeroblob(32),"
	    "  1, 2, 3)");
	r = kit_import(p, path, NULL, LN_OK);
	assert_int_equal(kit_count(r, "mails"), 1);
	ln_report_free(r);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"),
	    0);
}

static void
an_export_of_an_earlier_schema_is_taken_over(void **state)
{
	struct place *p = *state;
	const char *path = target(p, "old.db");
	struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = kit_boss(p) };
	struct ln_report *r;

	place_old(path, 1, "INSERT INTO user(id, username, username_key,"
	    " email, email_key, role, password_hash, created_ms) VALUES"
	    " ('u', 'Ann', 'ann', 'a@x.test', 'a@x.test', 'admin',"
	    " 'scrypt:32768:8:1$c2FsdA$00', 1);"
	    "INSERT INTO conversation(id, user_id, title, created_ms,"
	    " updated_ms) VALUES ('c', 'u', 'Talk', 1, 1);"
	    "INSERT INTO message(conversation_id, role, content, created_ms)"
	    " VALUES ('c', 'user', 'hello', 1)");
	r = kit_import(p, path, &opts, LN_OK);
	assert_int_equal(r->kind, LN_REPORT_OURS);
	assert_int_equal(r->schema, 1);
	assert_int_equal(r->counts.messages, 1);
	ln_report_free(r);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM user WHERE"
	    " username IN ('Ann', 'boss')"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"),
	    0);
	assert_int_equal(place_int(p->store, "PRAGMA user_version"),
	    ln_store_schema_latest());
}

static void
secrets_come_along_when_asked(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;
	char *key = NULL;

	furnish(p);
	path = export(p, "out.db", true);
	r = kit_import(p, path, NULL, LN_OK);
	assert_int_equal(kit_count(r, "foreign_seal"), 0);
	ln_report_free(r);
	assert_int_equal(ln_setting_get(p->store,
	    "4a91fb4f-dbdb-4ceb-b5a8-dab6bbf74650", "api_key", &key, NULL),
	    LN_OK);
	assert_string_equal(key, "sk-test-bob-0001");
	ln_free(key);
	assert_int_equal(lni_tool_headers(p->store, TOOL, &key, NULL), LN_OK);
	assert_string_equal(key, "{\"X-Key\":\"planted\"}");
	ln_free(key);
}

static void
a_key_of_another_house_is_dropped(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;

	furnish(p);
	path = export(p, "out.db", true);
	ln_store_close(p->store);
	ln_keys_free(p->keys);
	p->keys = NULL;
	assert_int_equal(ln_keys_derive("quite another key, known nowhere "
	    "else, 7", &p->keys, NULL), LN_OK);
	p->store = place_open(p, 1000);
	r = kit_import(p, path, NULL, LN_OK);
	assert_int_equal(kit_count(r, "foreign_seal"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " user_setting WHERE is_sealed = 1"), 0);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM tool WHERE"
	    " sealed_headers IS NOT NULL"), 0);
	ln_report_free(r);
}

static void
an_answer_being_written_is_exported_as_interrupted(void **state)
{
	struct place *p = *state;
	const char *path;

	furnish(p);
	place_exec(p->store, "UPDATE message SET state = 'streaming',"
	    " content = 'so far' WHERE id = 24");
	place_exec(p->store, "INSERT INTO generation SELECT id,"
	    " conversation_id, 'me', 0, 1 FROM message WHERE id = 24");
	path = export(p, "out.db", false);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM message WHERE"
	    " state = 'interrupted' AND content = 'so far'"), 1);
	assert_int_equal(kit_int(path, "SELECT count(*) FROM generation"), 0);
	/* The live one goes on. */
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " generation"), 1);
}

static void
an_existing_file_is_never_overwritten(void **state)
{
	struct place *p = *state;
	const char *path = kit_file(p, "precious", 8);
	char *bytes;
	size_t n;

	assert_int_equal(ln_export(p->store, path, NULL, NULL, NULL),
	    LN_CONFLICT);
	bytes = kit_read(path, &n);
	assert_string_equal(bytes, "precious");
	free(bytes);
	unlink(path);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_int_equal(ln_export(p->store, path, NULL, NULL, NULL),
	    LN_CONFLICT);
}

static void
an_export_waits_for_nobody_and_sees_one_moment(void **state)
{
	struct place *p = *state;
	struct ln_store *writer = place_open(p, 1000);
	const char *path;

	furnish(p);
	place_exec(writer, "BEGIN IMMEDIATE");
	place_exec(writer, "DELETE FROM message");
	path = export(p, "out.db", false);
	place_exec(writer, "ROLLBACK");
	assert_int_equal(kit_int(path, "SELECT count(*) FROM message"), 24);
	ln_store_close(writer);
}

static bool
stop(void *arg, int percent)
{
	(void)arg;
	(void)percent;
	return false;
}

static void
a_cancelled_export_leaves_nothing(void **state)
{
	struct place *p = *state;
	const struct ln_export_opts opts = { .size = sizeof(opts),
		.progress = stop };

	furnish(p);
	assert_int_equal(ln_export(p->store, target(p, "out.db"), &opts,
	    NULL, NULL), LN_CANCELLED);
	assert_int_equal(kit_entries(p, "out.db"), 0);
}

/* --- a full disk ---------------------------------------------------------- */

/* Run ${fn} in a child that may write files of ${max} bytes at most, which
 * looks to it like a full disk. */
static int
with_full_disk(struct place *p, rlim_t max, int (*fn)(struct place *))
{
	const struct rlimit limit = { max, max };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* A handle does not survive a fork. */
		p->store = place_open(p, 1000);
		place_int(p->store, "SELECT count(*) FROM user");
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
			_exit(99);
		_exit(fn(p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
try_export(struct place *p)
{
	return (int)ln_export(p->store, target(p, "out.db"), NULL, NULL,
	    NULL);
}

static int
try_import(struct place *p)
{
	struct ln_report *r = NULL;

	return (int)ln_import(p->store, target(p, "big.db"), NULL, &r, NULL);
}

static void
a_full_disk_leaves_nothing_of_an_export(void **state)
{
	static const rlim_t sizes[] = { 1, 4096, 20000, 65536, 130000 };
	struct place *p = *state;
	size_t i;

	furnish(p);
	ln_store_close(p->store);
	p->store = NULL;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(with_full_disk(p, sizes[i], try_export),
		    LN_IO);
		assert_int_equal(kit_entries(p, "out.db"), 0);
	}
}

static void
a_full_disk_leaves_the_old_database_whole(void **state)
{
	struct place *p = *state;
	const char *given;
	char *before, *after;
	rlim_t size;
	int failed = 0, s;

	furnish(p);
	given = kit_legacy(p, SCRYPT, "WITH RECURSIVE n(i) AS (SELECT 1 UNION"
	    " ALL SELECT i + 1 FROM n WHERE i < 300) UPDATE messages SET"
	    " content = (SELECT group_concat(i, 'some words ') FROM n)");
	assert_int_equal(rename(given, target(p, "big.db")), 0);
	ln_store_close(p->store);
	p->store = NULL;
	before = kit_dump(p->path);
	for (size = 4096; size < 1200000; size = size * 3 / 2) {
		s = with_full_disk(p, size, try_import);
		if (s == LN_OK)
			break;
		failed++;
		assert_int_equal(s, LN_IO);
		assert_int_equal(kit_int(p->path,
		    "SELECT count(*) FROM pragma_integrity_check WHERE"
		    " integrity_check <> 'ok'"), 0);
		after = kit_dump(p->path);
		assert_string_equal(before, after);
		free(after);
		assert_int_equal(kit_entries(p, "test.db.import-"), 0);
	}
	assert_true(failed >= 5);
	free(before);
	p->store = place_open(p, 1000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_export_comes_back_the_same),
		T(an_export_has_no_way_in),
		T(a_copied_database_brings_no_waiting_mail),
		T(an_export_of_an_earlier_schema_is_taken_over),
		T(secrets_come_along_when_asked),
		T(a_key_of_another_house_is_dropped),
		T(an_answer_being_written_is_exported_as_interrupted),
		T(an_existing_file_is_never_overwritten),
		T(an_export_waits_for_nobody_and_sees_one_moment),
		T(a_cancelled_export_leaves_nothing),
		T(a_full_disk_leaves_nothing_of_an_export),
		T(a_full_disk_leaves_the_old_database_whole),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
