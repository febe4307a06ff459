#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/audit.h>
#include <ln/password.h>
#include <ln/setting.h>
#include <ln/user.h>

#include "transfer/kit.h"

/* What the legacy program's own files bring. */

static const char *const fixtures[] = { SCRYPT, PBKDF2 };

static void
check_file_counts(const struct ln_report *r)
{
	assert_int_equal(r->counts.users, 5);
	assert_int_equal(r->counts.admins, 1);
	assert_int_equal(r->counts.conversations, 8);
	assert_int_equal(r->counts.messages, 24);
	assert_int_equal(r->counts.images, 1);
	assert_int_equal(r->counts.tags, 4);
	assert_int_equal(r->counts.groups, 2);
	assert_int_equal(r->counts.projects, 2);
	assert_int_equal(r->counts.documents, 3);
	assert_int_equal(r->counts.prompts, 2);
	assert_int_equal(r->counts.tools, 3);
	assert_int_equal(r->counts.settings, 4);
}

static void
validation_counts_what_the_file_holds(void **state)
{
	struct ln_report *r;
	size_t i;

	for (i = 0; i < 2; i++) {
		r = kit_validate(kit_legacy(*state, fixtures[i], NULL), NULL);
		assert_true(r->is_importable);
		assert_int_equal(r->kind, LN_REPORT_LEGACY);
		check_file_counts(r);
		assert_int_equal(r->counts.user_settings, 15);
		assert_int_equal(r->counts.pictures, 1);
		assert_null(r->snapshot_path);
		ln_report_free(r);
	}
}

static void
import_brings_all_rows_and_tells_what_it_changed(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	size_t i;

	for (i = 0; i < 2; i++) {
		r = kit_import(p, kit_legacy(p, fixtures[i], NULL), NULL,
		    LN_OK);
		assert_true(r->is_importable);
		check_file_counts(r);
		/* Of 15: three empty keys, four refused addresses. */
		assert_int_equal(r->counts.user_settings, 8);
		assert_int_equal(r->counts.pictures, 0);
		assert_int_equal(kit_count(r, "unowned_fork"), 1);
		assert_int_equal(kit_count(r, "picture_missing"), 1);
		assert_int_equal(kit_count(r, "plain_api_key"), 1);
		assert_int_equal(kit_count(r, "url_refused"), 4);
		assert_int_equal(kit_count(r, "reset_tokens"), 1);
		assert_int_equal(kit_count(r, "unowned_group"), 1);
		assert_int_equal(r->repaired_count, 3);
		assert_int_equal(r->dropped_count, 6);
		assert_int_equal(ln_store_check(p->store, true, NULL, NULL,
		    NULL), LN_OK);
		ln_report_free(r);
	}
}

static void
everything_is_where_it_belongs(void **state)
{
	static const struct {
		const char *sql;
		int64_t n;
	} facts[] = {
		{ "SELECT count(*) FROM user WHERE role = 'admin' AND"
		    " username = 'admin' AND blocked_ms IS NULL", 1 },
		{ "SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL AND"
		    " username = 'mallory'", 1 },
		{ "SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL",
		    1 },
		{ "SELECT count(*) FROM user WHERE email IS NULL AND"
		    " username = 'bob'", 1 },
		{ "SELECT count(*) FROM user WHERE username = 'carol' AND"
		    " full_name = 'Carol <b>O''Neil</b>'", 1 },
		{ "SELECT count(*) FROM user WHERE password_hash LIKE"
		    " 'scrypt:32768:8:1$%'", 5 },
		/* The fork is alice's, as its parent is. */
		{ "SELECT count(*) FROM conversation c JOIN user u ON"
		    " u.id = c.user_id WHERE u.username = 'alice' AND"
		    " c.forked_from = '39da72ec-4429-43b5-b0fb-d5b559ef1a8b'",
		    1 },
		{ "SELECT count(*) FROM conversation c JOIN user u ON"
		    " u.id = c.user_id WHERE u.username = 'alice'", 5 },
		{ "SELECT count(*) FROM conversation WHERE pinned_ms > 0", 1 },
		{ "SELECT count(*) FROM conversation WHERE archived_ms > 0",
		    1 },
		{ "SELECT count(*) FROM conversation c JOIN project p ON"
		    " p.id = c.project_id AND p.title = 'P alice'", 1 },
		{ "SELECT count(*) FROM conversation c JOIN"
		    " conversation_group g ON g.id = c.group_id AND"
		    " g.title = 'Group One' AND g.user_id = c.user_id", 1 },
		/* Nobody uses it, so it is the administrator's. */
		{ "SELECT count(*) FROM conversation_group g JOIN user u ON"
		    " u.id = g.user_id WHERE g.title = 'Group Two' AND"
		    " u.username = 'admin'", 1 },
		{ "SELECT count(*) FROM conversation WHERE system_prompt ="
		    " 'You answer for {user} on {date}.'", 1 },
		{ "SELECT total_tokens FROM conversation WHERE id ="
		    " '39da72ec-4429-43b5-b0fb-d5b559ef1a8b'", 12 },
		{ "SELECT updated_ms - created_ms FROM conversation WHERE id ="
		    " '39da72ec-4429-43b5-b0fb-d5b559ef1a8b'", 108 },
		{ "SELECT count(*) FROM message WHERE state = 'complete'",
		    24 },
		{ "SELECT id FROM message WHERE pinned_ms > 0", 2 },
		{ "SELECT count(*) FROM message_image WHERE message_id = 7 AND"
		    " images = '[\"aGVsbG8gd29ybGQ=\"]'", 1 },
		{ "SELECT count(*) FROM message WHERE content ="
		    " 'Bob: <script>alert(\"x\")</script> & \"quotes\"'", 2 },
		{ "SELECT count(*) FROM message_fts WHERE message_fts MATCH"
		    " 'archived'", 1 },
		{ "SELECT count(*) FROM conversation_tag WHERE tag ="
		    " 'ümläut'", 1 },
		{ "SELECT count(*) FROM prompt WHERE user_id IS NULL", 2 },
		{ "SELECT count(*) FROM tool WHERE user_id IS NULL AND"
		    " name = 'global_calc' AND is_enabled = 1", 1 },
		{ "SELECT count(*) FROM tool t JOIN user u ON"
		    " u.id = t.user_id WHERE u.username = 'alice' AND"
		    " t.name = 'get_weather' AND t.is_enabled = 1", 1 },
		{ "SELECT count(*) FROM tool WHERE name = 'disabled_tool' AND"
		    " is_enabled = 0", 1 },
		{ "SELECT count(*) FROM document WHERE filename = 'a.py' AND"
		    " content = 'print(1)' || char(10)", 1 },
		{ "SELECT count(*) FROM setting WHERE name = 'provider' AND"
		    " value = 'ollama'", 1 },
		{ "SELECT count(*) FROM setting WHERE name = 'model' AND"
		    " value = 'tinyllama'", 1 },
		{ "SELECT count(*) FROM setting WHERE"
		    " name = 'allow_registration' AND value = 'true'", 1 },
		{ "SELECT count(*) FROM user_setting WHERE name = 'base_url'",
		    0 },
		{ "SELECT count(*) FROM user_setting WHERE"
		    " value LIKE '%sk-test%'", 0 },
		{ "SELECT count(*) FROM session", 0 },
		{ "SELECT count(*) FROM reset_token", 0 },
		{ "SELECT count(*) FROM search_queue", 0 },
		{ "SELECT count(*) FROM audit WHERE action = 'db.import'",
		    1 },
		/* The next ones follow behind. */
		{ "SELECT seq FROM sqlite_sequence WHERE name = 'message'",
		    24 },
	};
	struct place *p = *state;
	size_t i;
	int64_t n;

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		n = place_int(p->store, facts[i].sql);
		if (n != facts[i].n)
			fail_msg("%s: %lld, not %lld", facts[i].sql,
			    (long long)n, (long long)facts[i].n);
	}
}

static void
the_plain_key_arrives_sealed_and_opens(void **state)
{
	struct place *p = *state;
	struct ln_user *bob = NULL;
	char *key = NULL;

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(ln_user_find(p->store, "bob", &bob, NULL), LN_OK);
	assert_int_equal(ln_setting_get(p->store, bob->id, "api_key", &key,
	    NULL), LN_OK);
	assert_string_equal(key, "sk-test-bob-0001");
	ln_free(key);
	ln_user_free(bob);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM user_setting WHERE name = 'api_key' AND"
	    " is_sealed = 1"), 1);
}

static void
importing_twice_gives_the_same(void **state)
{
	/* Where the file gives no time, no clock may step in. */
	static const char holes[] =
	    "UPDATE messages SET timestamp = NULL WHERE id = 3;"
	    "UPDATE users SET created_at = 'yesterday' WHERE username = 'bob';"
	    "DELETE FROM user_settings WHERE key = 'api_key';"
	    "INSERT INTO messages (session_id, role, content) VALUES"
	    " ('gone', 'user', 'lost and found');";
	const struct timespec old[2] = { { 1000000000, 0 },
		{ 1000000000, 0 } };
	struct place *p = *state;
	char *once, *twice;
	const char *path;

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, holes), NULL,
	    LN_OK));
	once = kit_dump(p->path);
	path = kit_legacy(p, SCRYPT, holes);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	ln_report_free(kit_import(p, path, NULL, LN_OK));
	twice = kit_dump(p->path);
	assert_string_equal(once, twice);
	free(once);
	free(twice);
}

static void
the_previous_database_is_kept_beside(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	struct stat sb;

	place_add_user(p->store, "before");
	r = kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL, LN_OK);
	assert_non_null(r->snapshot_path);
	assert_non_null(strstr(r->snapshot_path, "test.db.before-import-2"));
	assert_int_equal(r->snapshot_path[strlen(r->snapshot_path) - 1], 'Z');
	assert_int_equal(stat(r->snapshot_path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(kit_int(r->snapshot_path,
	    "SELECT count(*) FROM user WHERE id = 'before'"), 1);
	assert_int_equal(kit_int(r->snapshot_path,
	    "PRAGMA application_id"), LN_STORE_APPLICATION_ID);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM user WHERE id = 'before'"), 0);
	/* That, the lock and the database: no working file is left. */
	assert_int_equal(kit_entries(p, "test.db.before-import-"), 1);
	assert_int_equal(kit_entries(p, "test.db.import-"), 0);
	ln_report_free(r);
}

static void
another_handle_sees_the_new_content_at_once(void **state)
{
	struct place *p = *state;
	struct ln_store *other = place_open(p, 1000);
	int64_t before = 0, after = 0;

	place_add_user(p->store, "before");
	assert_int_equal(place_int(other, "SELECT count(*) FROM user"), 1);
	assert_int_equal(ln_store_version(other, &before, NULL), LN_OK);
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(place_int(other, "SELECT count(*) FROM user"), 5);
	assert_int_equal(ln_store_version(other, &after, NULL), LN_OK);
	assert_int_not_equal(before, after);
	place_add_user(other, "after");
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM user"), 6);
	ln_store_close(other);
}

static void
the_audit_log_goes_on(void **state)
{
	struct place *p = *state;
	int64_t bad = 0, count = 0;

	assert_int_equal(ln_audit_add(p->store, "test.before", NULL, LN_OK,
	    NULL, NULL), LN_OK);
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(ln_audit_add(p->store, "test.after", NULL, LN_OK,
	    NULL, NULL), LN_OK);
	assert_int_equal(ln_audit_verify(p->store, &bad, &count, NULL),
	    LN_OK);
	assert_int_equal(count, 3);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM audit WHERE action = 'db.import' AND"
	    " outcome = 'ok' AND detail LIKE 'users=5 conversations=8"
	    " messages=24 %' AND detail LIKE '% unowned_fork=1%'"), 1);
}

static void
a_dry_run_changes_nothing(void **state)
{
	struct place *p = *state;
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.is_dry_run = true };
	struct ln_report *r;
	char *before, *after;

	place_add_user(p->store, "before");
	before = kit_dump(p->path);
	r = kit_import(p, kit_legacy(p, SCRYPT, NULL), &opts, LN_OK);
	check_file_counts(r);
	assert_int_equal(r->counts.user_settings, 8);
	assert_null(r->snapshot_path);
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	assert_int_equal(kit_entries(p, "test.db.before-import-"), 0);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"),
	    0);
	free(before);
	free(after);
	ln_report_free(r);
}

static bool
stop_at_half(void *arg, int percent)
{
	int *last = arg;

	assert_in_range(percent, *last, 100);
	*last = percent;
	return percent < 85;
}

static void
a_cancelled_import_changes_nothing(void **state)
{
	struct place *p = *state;
	int last = 0;
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.progress = stop_at_half, .progress_arg = &last };
	char *before, *after;

	place_add_user(p->store, "before");
	before = kit_dump(p->path);
	assert_null(kit_import(p, kit_legacy(p, SCRYPT, NULL), &opts,
	    LN_CANCELLED));
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	assert_int_equal(kit_entries(p, "test.db.import-"), 0);
	free(before);
	free(after);
}

static void
the_database_in_use_is_not_imported_into_itself(void **state)
{
	struct place *p = *state;

	assert_null(kit_import(p, p->path, NULL, LN_INVALID));
	place_add_user(p->store, "still-there");
}

/* --- the acting administrator --------------------------------------------- */

static void
the_kept_admin_signs_in_with_his_password(void **state)
{
	struct place *p = *state;
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = kit_boss(p) };
	struct ln_report *r;
	struct ln_user *u = NULL;

	r = kit_import(p, kit_legacy(p, SCRYPT,
	    "UPDATE users SET role = 'user'"), &opts, LN_OK);
	assert_int_equal(kit_count(r, "admin_kept"), 1);
	assert_int_equal(r->counts.users, 6);
	assert_int_equal(ln_user_find(p->store, "boss", &u, NULL), LN_OK);
	assert_string_equal(u->id, "boss-id");
	assert_string_equal(u->email, "boss@local.test");
	assert_int_equal(u->role, LN_USER_ROLE_ADMIN);
	assert_true(u->has_password);
	/* He gets what nobody owns. */
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM conversation_group WHERE"
	    " user_id = 'boss-id'"), 1);
	ln_user_free(u);
	ln_report_free(r);
}

static void
the_kept_admin_is_merged_onto_his_name(void **state)
{
	struct place *p = *state;
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = kit_boss(p) };

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT,
	    "UPDATE users SET username = 'Boss', blocked = 1 WHERE"
	    " username = 'bob'"), &opts, LN_OK));
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM user"), 5);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM user WHERE username_key = 'boss' AND"
	    " role = 'admin' AND blocked_ms IS NULL AND"
	    " password_hash LIKE '$argon2id$%'"), 1);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM conversation c JOIN user u ON"
	    " u.id = c.user_id WHERE u.username_key = 'boss'"), 1);
}

static void
the_kept_admin_gives_way_with_his_address(void **state)
{
	struct place *p = *state;
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = kit_boss(p) };

	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT,
	    "UPDATE users SET email = 'Boss@Local.Test' WHERE"
	    " username = 'alice'"), &opts, LN_OK));
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM user WHERE id = 'boss-id' AND"
	    " email IS NULL AND email_key IS NULL"), 1);
}

static void
only_an_admin_who_can_sign_in_is_kept(void **state)
{
	struct place *p = *state;
	struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = "plain" };

	place_add_user(p->store, "plain");
	assert_null(kit_import(p, kit_legacy(p, SCRYPT, NULL), &opts,
	    LN_CONFLICT));
	opts.keep_admin_id = "nobody";
	assert_null(kit_import(p, kit_legacy(p, SCRYPT, NULL), &opts,
	    LN_NOT_FOUND));
}

static void
no_import_leaves_the_house_without_an_admin(void **state)
{
	static const char *const spoils[] = {
		"UPDATE users SET role = 'Admin'",
		"UPDATE users SET blocked = 1",
		("UPDATE users SET password_hash ="
		    " 'scrypt:1073741824:8:1$salt$00' WHERE role = 'admin'"),
		"UPDATE users SET password_hash = NULL",
		"DELETE FROM users WHERE role = 'admin'",
	};
	struct place *p = *state;
	struct ln_report *r;
	size_t i;

	place_add_user(p->store, "before");
	for (i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		r = kit_import(p, kit_legacy(p, SCRYPT, spoils[i]), NULL,
		    LN_CONFLICT);
		assert_non_null(r);
		assert_false(r->is_importable);
		assert_non_null(kit_find(r, "no_admin"));
		ln_report_free(r);
		r = kit_validate(kit_legacy(p, SCRYPT, spoils[i]), NULL);
		assert_false(r->is_importable);
		ln_report_free(r);
	}
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM user"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"
	    " WHERE action = 'db.import' AND outcome = 'conflict'"), 5);
}

static void
validation_believes_that_an_admin_will_be_kept(void **state)
{
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.keep_admin_id = "somebody" };
	struct ln_report *r;

	r = kit_validate(kit_legacy(*state, SCRYPT,
	    "UPDATE users SET role = 'user'"), &opts);
	assert_true(r->is_importable);
	assert_int_equal(r->counts.users, 5);
	ln_report_free(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(validation_counts_what_the_file_holds),
		T(import_brings_all_rows_and_tells_what_it_changed),
		T(everything_is_where_it_belongs),
		T(the_plain_key_arrives_sealed_and_opens),
		T(importing_twice_gives_the_same),
		T(the_previous_database_is_kept_beside),
		T(another_handle_sees_the_new_content_at_once),
		T(the_audit_log_goes_on),
		T(a_dry_run_changes_nothing),
		T(a_cancelled_import_changes_nothing),
		T(the_database_in_use_is_not_imported_into_itself),
		T(the_kept_admin_signs_in_with_his_password),
		T(the_kept_admin_is_merged_onto_his_name),
		T(the_kept_admin_gives_way_with_his_address),
		T(only_an_admin_who_can_sign_in_is_kept),
		T(no_import_leaves_the_house_without_an_admin),
		T(validation_believes_that_an_admin_will_be_kept),
	};

	return cmocka_run_group_tests_name("import_legacy", tests, NULL,
	    NULL);
}
