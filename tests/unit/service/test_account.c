/* Accounts as rules: creating, blocking, roles, passwords, profiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/auth.h>
#include <ln/session.h>
#include <ln/time.h>

#include "model/user.h"
#include "people.h"

static int
cheap(void **state)
{
	(void)state;
	ln_password_small(true);
	return 0;
}

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "root", NULL, LN_USER_ROLE_ADMIN, "x");
	people_add(p, "alice", "alice@example.org", LN_USER_ROLE_USER, "x");
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, "x");
	return 0;
}

static void
act_as(struct place *p, const char *user_id)
{
	const struct ln_actor actor = { "user", user_id, NULL, NULL };

	ln_store_actor_set(p->store, &actor);
}

static void
sign_in(struct place *p, const char *user_id, unsigned char hash[LN_KEY_BYTES])
{
	char cookie[LN_SESSION_COOKIE_SIZE];

	assert_int_equal(ln_session_create(p->store, user_id, NULL, NULL,
	    cookie, NULL), LN_OK);
	assert_true(ln_session_verify(p->keys, cookie, hash));
}

static int64_t
sessions(struct place *p, const char *user_id)
{
	return people_number(p, "SELECT count(*) FROM session"
	    " WHERE user_id = ?1", user_id);
}

static int64_t
audited(struct place *p, const char *action_and_outcome)
{
	return people_number(p, "SELECT count(*) FROM audit"
	    " WHERE action || ' ' || outcome = ?1", action_and_outcome);
}

static int64_t
is_admin(struct place *p, const char *id)
{
	return people_number(p, "SELECT role = 'admin' FROM user"
	    " WHERE id = ?1", id);
}

static void
creates_a_trimmed_account_that_can_sign_in(void **state)
{
	struct place *p = *state;
	const struct ln_user_new n = {
		.size = sizeof(n), .username = "  Dora.1 ",
		.email = " Dora@example.org", .full_name = "  ",
		.password = "dora has a password", .role = LN_USER_ROLE_ADMIN,
	};
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;

	people_ok(ln_auth_create(p->store, &n, &u, &err), &err);
	assert_string_equal(u->username, "Dora.1");
	assert_string_equal(u->email, "Dora@example.org");
	assert_null(u->full_name);
	assert_int_equal(u->role, LN_USER_ROLE_ADMIN);
	assert_true(u->has_password);
	assert_int_equal(strlen(u->id), LN_UUID_SIZE - 1);
	ln_user_free(u);
	people_ok(ln_auth_login(p->store, "dora.1", n.password, &u, &err),
	    &err);
	ln_user_free(u);
	assert_int_equal(audited(p, "user.create ok"), 1);
}

static void
refuses_bad_input_and_taken_names_and_changes_nothing(void **state)
{
	static const char good[] = "a password nobody has";
	static const struct {
		struct ln_user_new n;
		enum ln_status want;
		const char *field;
	} rows[] = {
		{ { .password = good }, LN_INVALID, "username" },
		{ { .username = "x", .password = good }, LN_INVALID,
		    "username" },
		{ { .username = "a@b", .password = good }, LN_INVALID,
		    "username" },
		{ { .username = "eve", .email = "a\nb", .password = good },
		    LN_INVALID, "email" },
		{ { .username = "eve", .full_name = "a\nb",
		    .password = good }, LN_INVALID, "full_name" },
		{ { .username = "eve", .password = "short" }, LN_INVALID,
		    "password" },
		{ { .username = "eve", .password = "Password1" }, LN_INVALID,
		    "password" },
		{ { .username = "ALICE", .password = good }, LN_CONFLICT,
		    "username" },
		{ { .username = "eve", .email = "Alice@Example.org" },
		    LN_CONFLICT, "email" },
		{ { .username = "eve", .email = "bob" }, LN_CONFLICT,
		    "email" },
	};
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ln_auth_create(p->store, &rows[i].n, &u, &err) !=
		    rows[i].want)
			fail_msg("row %zu", i);
		assert_null(u);
		assert_string_equal(err.field, rows[i].field);
	}
	assert_int_equal(people_number(p, "SELECT count(*) FROM user", NULL),
	    3);
	assert_int_equal(audited(p, "user.create ok"), 0);
	assert_int_equal(audited(p, "user.create conflict"), 3);
}

static void
a_password_change_ends_the_other_sessions_and_open_links(void **state)
{
	struct place *p = *state;
	unsigned char keep[LN_KEY_BYTES], other[LN_KEY_BYTES];
	unsigned char bobs[LN_KEY_BYTES];
	char token[LN_RESET_TOKEN_SIZE];
	struct ln_user *u = NULL;

	sign_in(p, "alice", keep);
	sign_in(p, "alice", other);
	sign_in(p, "bob", bobs);
	assert_int_equal(ln_auth_reset_issue(p->store, "alice", 0, token,
	    NULL), LN_OK);
	assert_int_equal(ln_auth_password_set(p->store, "alice", "12345678",
	    keep, NULL), LN_INVALID);
	assert_int_equal(sessions(p, "alice"), 2);

	assert_int_equal(ln_auth_password_set(p->store, "alice",
	    "a new one for alice", keep, NULL), LN_OK);
	assert_int_equal(ln_session_user_by_hash(p->store, keep, &u, NULL),
	    LN_OK);
	ln_user_free(u);
	assert_int_equal(ln_session_user_by_hash(p->store, other, &u, NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(sessions(p, "bob"), 1);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL),
	    LN_INVALID);
	assert_int_equal(ln_auth_verify(p->store, "alice",
	    "a new one for alice", NULL), LN_OK);

	assert_int_equal(ln_auth_password_set(p->store, "alice",
	    "set by an administrator", NULL, NULL), LN_OK);
	assert_int_equal(sessions(p, "alice"), 0);
	assert_int_equal(ln_auth_password_set(p->store, "nobody",
	    "a good password", NULL, NULL), LN_NOT_FOUND);
	assert_int_equal(audited(p, "user.password ok"), 2);
}

static void
blocking_is_idempotent_and_leaves_the_sessions(void **state)
{
	int64_t later = ln_time_now_ms() + 3600000;
	const struct {
		const char *what;
		const char *reason;
		int64_t until_ms;
		bool has_changed;
		const char *want_reason;
		int64_t want_until_ms;
	} rows[] = {
		{ "first", "spam", later, true, "spam", later },
		{ "the same again", "spam", later, false, "spam", later },
		{ "no reason keeps it", NULL, later, false, "spam", later },
		{ "now for ever", NULL, 0, true, "spam", 0 },
		{ "another reason", "worse", 0, true, "worse", 0 },
		{ "plain again", NULL, 0, false, "worse", 0 },
	};
	struct place *p = *state;
	unsigned char hash[LN_KEY_BYTES];
	struct ln_user *u = NULL;
	bool changed;
	size_t i;

	sign_in(p, "alice", hash);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ln_auth_block(p->store, "alice",
		    rows[i].reason, rows[i].until_ms, &changed, NULL), LN_OK);
		if (changed != rows[i].has_changed)
			fail_msg("%s", rows[i].what);
		assert_int_equal(ln_session_user_by_hash(p->store, hash, &u,
		    NULL), LN_OK);
		assert_true(u->is_blocked);
		assert_string_equal(u->blocked_reason, rows[i].want_reason);
		assert_int_equal(u->blocked_until_ms, rows[i].want_until_ms);
		ln_user_free(u);
	}
	assert_int_equal(audited(p, "user.block ok"), 3);
	assert_int_equal(ln_auth_unblock(p->store, "alice", &changed, NULL),
	    LN_OK);
	assert_true(changed);
	assert_int_equal(ln_auth_unblock(p->store, "alice", &changed, NULL),
	    LN_OK);
	assert_false(changed);
	assert_int_equal(ln_session_user_by_hash(p->store, hash, &u, NULL),
	    LN_OK);
	assert_false(u->is_blocked);
	assert_null(u->blocked_reason);
	ln_user_free(u);
	assert_int_equal(audited(p, "user.unblock ok"), 1);
}

static void
a_block_wants_a_future_end_and_a_line_of_reason(void **state)
{
	struct place *p = *state;
	char reason[502];
	bool changed;

	memset(reason, 'r', sizeof(reason) - 1);
	reason[501] = '\0';
	assert_int_equal(ln_auth_block(p->store, "alice", NULL,
	    ln_time_now_ms() - 1, &changed, NULL), LN_INVALID);
	assert_int_equal(ln_auth_block(p->store, "alice", NULL, -5, &changed,
	    NULL), LN_INVALID);
	assert_int_equal(ln_auth_block(p->store, "alice", "a\nb", 0, &changed,
	    NULL), LN_INVALID);
	assert_int_equal(ln_auth_block(p->store, "alice", reason, 0, &changed,
	    NULL), LN_INVALID);
	assert_int_equal(ln_auth_block(p->store, "nobody", NULL, 0, &changed,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(people_number(p, "SELECT count(*) FROM user"
	    " WHERE blocked_ms IS NOT NULL", NULL), 0);
}

static void
a_new_role_ends_the_sessions(void **state)
{
	struct place *p = *state;
	unsigned char hash[LN_KEY_BYTES];
	bool changed;

	sign_in(p, "alice", hash);
	assert_int_equal(ln_auth_role_set(p->store, "alice",
	    LN_USER_ROLE_USER, &changed, NULL), LN_OK);
	assert_false(changed);
	assert_int_equal(sessions(p, "alice"), 1);
	assert_int_equal(ln_auth_role_set(p->store, "alice",
	    LN_USER_ROLE_ADMIN, &changed, NULL), LN_OK);
	assert_true(changed);
	assert_int_equal(is_admin(p, "alice"), 1);
	assert_int_equal(sessions(p, "alice"), 0);
	assert_int_equal(ln_auth_role_set(p->store, "nobody",
	    LN_USER_ROLE_ADMIN, &changed, NULL), LN_NOT_FOUND);
}

static void
the_last_active_admin_stays(void **state)
{
	/* What another administrator must not be, to count. */
	static const char *const others[] = {
		"SELECT 1",
		"UPDATE user SET role = 'admin', blocked_ms = 1"
		    " WHERE id = 'alice'",
		"UPDATE user SET role = 'admin', blocked_ms = NULL,"
		    " password_hash = NULL WHERE id = 'alice'",
	};
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	bool changed;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		people_tamper(p, others[i]);
		assert_int_equal(ln_auth_block(p->store, "root", NULL, 0,
		    &changed, &err), LN_CONFLICT);
		assert_string_equal(err.text,
		    "The last administrator cannot be blocked");
		assert_int_equal(ln_auth_role_set(p->store, "root",
		    LN_USER_ROLE_USER, &changed, NULL), LN_CONFLICT);
		assert_int_equal(ln_auth_delete(p->store, "root", NULL),
		    LN_CONFLICT);
		assert_false(changed);
		assert_int_equal(is_admin(p, "root"), 1);
	}
	assert_int_equal(audited(p, "user.block conflict"), 3);
	assert_int_equal(audited(p, "user.role conflict"), 3);
	assert_int_equal(audited(p, "user.delete conflict"), 3);
	/* By himself, too. */
	act_as(p, "root");
	assert_int_equal(ln_auth_delete(p->store, "root", NULL), LN_CONFLICT);

	people_tamper(p, "UPDATE user SET role = 'admin', password_hash = 'x',"
	    " blocked_ms = 1, blocked_until_ms = 2 WHERE id = 'alice'");
	assert_int_equal(ln_auth_block(p->store, "root", NULL, 0, &changed,
	    NULL), LN_OK);
	assert_true(changed);
}

static void
people_act_on_themselves_and_admins_on_all(void **state)
{
	static const struct {
		const char *actor;
		const char *target;
		enum ln_status password, profile, block;
	} rows[] = {
		{ "alice", "alice", LN_OK, LN_OK, LN_FORBIDDEN },
		{ "alice", "bob", LN_FORBIDDEN, LN_FORBIDDEN, LN_FORBIDDEN },
		{ "root", "bob", LN_OK, LN_OK, LN_OK },
		{ "bob", "bob", LN_FORBIDDEN, LN_FORBIDDEN, LN_FORBIDDEN },
		{ "ghost", "alice", LN_FORBIDDEN, LN_FORBIDDEN, LN_FORBIDDEN },
	};
	const struct ln_user_new n = { .size = sizeof(n), .username = "new" };
	struct place *p = *state;
	enum ln_auth_seed_result result;
	struct ln_user *u;
	bool changed;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		act_as(p, rows[i].actor);
		assert_int_equal(ln_auth_password_set(p->store, rows[i].target,
		    "a password to be set", NULL, NULL), rows[i].password);
		assert_int_equal(ln_auth_profile_set(p->store, rows[i].target,
		    NULL, NULL, rows[i].actor, NULL), rows[i].profile);
		assert_int_equal(ln_auth_block(p->store, rows[i].target, NULL,
		    0, &changed, NULL), rows[i].block);
	}
	act_as(p, "alice");
	assert_int_equal(ln_auth_create(p->store, &n, &u, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(ln_auth_role_set(p->store, "alice",
	    LN_USER_ROLE_ADMIN, &changed, NULL), LN_FORBIDDEN);
	assert_int_equal(ln_auth_unblock(p->store, "bob", &changed, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(ln_auth_delete(p->store, "bob", NULL), LN_FORBIDDEN);
	assert_int_equal(ln_auth_seed(p->store, &n, true, &result, &u, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(is_admin(p, "alice"), 0);
	assert_int_equal(audited(p, "user.role forbidden"), 1);
	assert_int_equal(audited(p, "user.delete forbidden"), 1);
	assert_int_equal(ln_auth_delete(p->store, "alice", NULL), LN_OK);
}

static void
a_profile_changes_what_is_given(void **state)
{
	struct place *p = *state;
	struct ln_user *u = NULL;
	char token[LN_RESET_TOKEN_SIZE];
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_auth_profile_set(p->store, "alice", NULL, NULL, NULL,
	    &err), &err);
	assert_int_equal(audited(p, "user.profile ok"), 0);
	assert_int_equal(ln_auth_reset_issue(p->store, "alice", 0, token,
	    NULL), LN_OK);
	people_ok(ln_auth_profile_set(p->store, "alice", " Alicia ", NULL,
	    " Alice A. ", &err), &err);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL), LN_OK);
	assert_int_equal(ln_user_find(p->store, "alicia", &u, NULL), LN_OK);
	assert_string_equal(u->username, "Alicia");
	assert_string_equal(u->email, "alice@example.org");
	assert_string_equal(u->full_name, "Alice A.");
	ln_user_free(u);

	/* A link on its way to the old address dies. */
	people_ok(ln_auth_profile_set(p->store, "alice", NULL, "", "", &err),
	    &err);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL),
	    LN_INVALID);
	assert_int_equal(ln_user_get(p->store, "alice", &u, NULL), LN_OK);
	assert_null(u->email);
	assert_null(u->full_name);
	ln_user_free(u);

	assert_int_equal(ln_auth_profile_set(p->store, "alice", "BOB", NULL,
	    NULL, &err), LN_CONFLICT);
	assert_string_equal(err.field, "username");
	assert_int_equal(ln_auth_profile_set(p->store, "alice", "", NULL,
	    NULL, &err), LN_INVALID);
	assert_int_equal(ln_auth_profile_set(p->store, "alice", NULL, "bob",
	    NULL, &err), LN_CONFLICT);
	assert_string_equal(err.field, "email");
	assert_int_equal(ln_auth_profile_set(p->store, "nobody", NULL, NULL,
	    "x", NULL), LN_NOT_FOUND);
	/* One's own name in another case is no conflict. */
	people_ok(ln_auth_profile_set(p->store, "alice", "ALICIA", NULL, NULL,
	    &err), &err);
}

static void
an_imported_name_may_stay_as_it_is(void **state)
{
	struct place *p = *state;

	people_add(p, "old name @ home", NULL, LN_USER_ROLE_USER, "x");
	assert_int_equal(ln_auth_profile_set(p->store, "old name @ home",
	    "old name @ home", NULL, "Now with a name", NULL), LN_OK);
	assert_int_equal(ln_auth_profile_set(p->store, "old name @ home",
	    "new name @ home", NULL, NULL, NULL), LN_INVALID);
}

static void
without_keys_nothing_is_done_unaudited(void **state)
{
	struct place *p = *state;
	const struct ln_store_opts opts = { .size = sizeof(opts),
		.path = p->path, .mode = LN_STORE_RW };
	struct ln_store *st = NULL;
	bool changed;

	assert_int_equal(ln_store_open(&opts, &st, NULL), LN_OK);
	assert_int_equal(ln_auth_block(st, "alice", NULL, 0, &changed, NULL),
	    LN_BAD_KEY);
	assert_false(changed);
	assert_int_equal(ln_auth_delete(st, "alice", NULL), LN_BAD_KEY);
	ln_store_close(st);
	assert_int_equal(people_number(p, "SELECT count(*) FROM user"
	    " WHERE id = ?1 AND blocked_ms IS NULL", "alice"), 1);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(creates_a_trimmed_account_that_can_sign_in),
		IN_PLACE(refuses_bad_input_and_taken_names_and_changes_nothing),
		IN_PLACE(
		    a_password_change_ends_the_other_sessions_and_open_links),
		IN_PLACE(blocking_is_idempotent_and_leaves_the_sessions),
		IN_PLACE(a_block_wants_a_future_end_and_a_line_of_reason),
		IN_PLACE(a_new_role_ends_the_sessions),
		IN_PLACE(the_last_active_admin_stays),
		IN_PLACE(people_act_on_themselves_and_admins_on_all),
		IN_PLACE(a_profile_changes_what_is_given),
		IN_PLACE(an_imported_name_may_stay_as_it_is),
		IN_PLACE(without_keys_nothing_is_done_unaudited),
	};

	return cmocka_run_group_tests(tests, cheap, NULL);
}
