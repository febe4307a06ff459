/* How accounts come to be without an administrator: by the person, and the
 * first one of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/auth.h>
#include <ln/session.h>
#include <ln/setting.h>

#include "model/user.h"
#include "people.h"

#define GOOD "a password nobody has"
#define USERS "SELECT count(*) FROM user"

static int
setup(void **state)
{
	ln_password_small(true);
	return place_setup(state);
}

static void
a_stranger_becomes_a_user_whatever_role_is_asked(void **state)
{
	struct place *p = *state;
	const struct ln_user_new n = { .size = sizeof(n), .username = " eve ",
		.email = "Eve@example.org", .password = GOOD,
		.role = LN_USER_ROLE_ADMIN };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	char id[LN_UUID_SIZE];

	people_ok(ln_auth_register(p->store, &n, id, &err), &err);
	people_ok(ln_user_get(p->store, id, &u, &err), &err);
	assert_string_equal(u->username, "eve");
	assert_int_equal(u->role, LN_USER_ROLE_USER);
	ln_user_free(u);
	people_ok(ln_auth_login(p->store, "eve", GOOD, &u, &err), &err);
	ln_user_free(u);
}

static void
a_taken_name_or_mail_gives_a_decoy_and_changes_nothing(void **state)
{
	static const struct ln_user_new rows[] = {
		{ .username = "ALICE", .password = GOOD },
		{ .username = "eve", .email = "ALICE@example.org",
		    .password = GOOD },
		{ .username = "eve", .email = "alice", .password = GOOD },
	};
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	char id[LN_UUID_SIZE], before[LN_UUID_SIZE] = "";
	size_t i;

	people_add(p, "alice", "alice@example.org", LN_USER_ROLE_ADMIN, "x");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		people_ok(ln_auth_register(p->store, &rows[i], id, &err),
		    &err);
		assert_int_equal(strlen(id), LN_UUID_SIZE - 1);
		assert_int_equal(people_number(p, "SELECT count(*) FROM user"
		    " WHERE id = ?1", id), 0);
		assert_string_not_equal(id, before);
		memcpy(before, id, sizeof(before));
	}
	assert_int_equal(people_number(p, USERS " WHERE password_hash = ?1"
	    " AND role = 'admin'", "x"), 1);
	assert_int_equal(people_number(p, USERS, NULL), 1);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " action = ?1 AND outcome = 'conflict'", "auth.register"), 3);
}

static void
input_comes_before_closed_and_closed_before_taken(void **state)
{
	struct place *p = *state;
	struct ln_user_new n = { .size = sizeof(n), .username = "alice",
		.password = "short" };
	struct ln_error err = LN_ERROR_INIT;
	char id[LN_UUID_SIZE];

	people_add(p, "alice", NULL, LN_USER_ROLE_ADMIN, "x");
	assert_int_equal(ln_setting_set(p->store, NULL, "allow_registration",
	    "false", NULL), LN_OK);
	assert_int_equal(ln_auth_register(p->store, &n, id, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "password");
	n.password = NULL;
	assert_int_equal(ln_auth_register(p->store, &n, id, &err),
	    LN_INVALID);
	n.password = GOOD;
	assert_int_equal(ln_auth_register(p->store, &n, id, &err),
	    LN_FORBIDDEN);
	assert_string_equal(err.text, "Registration is disabled");
	n.username = "eve";
	assert_int_equal(ln_auth_register(p->store, &n, id, &err),
	    LN_FORBIDDEN);
	assert_string_equal(id, "");
	assert_int_equal(people_number(p, USERS, NULL), 1);
}

static enum ln_status
seed(struct place *p, const char *name, const char *email, bool may_promote,
    enum ln_auth_seed_result *result, char *out_id, size_t size)
{
	const struct ln_user_new n = { .size = sizeof(n), .username = name,
		.email = email, .password = GOOD };
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_auth_seed(p->store, &n, may_promote, result, &u, NULL);
	assert_int_equal(s == LN_OK, u != NULL);
	snprintf(out_id, size, "%s", u != NULL ? u->id : "");
	if (u != NULL)
		assert_int_equal(u->role, LN_USER_ROLE_ADMIN);
	ln_user_free(u);
	return s;
}

static void
the_first_admin_is_made_once(void **state)
{
	struct place *p = *state;
	enum ln_auth_seed_result result;
	char first[65], again[65];
	struct ln_user *u = NULL;

	assert_int_equal(seed(p, "admin", "root@example.org", false, &result,
	    first, sizeof(first)), LN_OK);
	assert_int_equal(result, LN_AUTH_SEED_CREATED);
	assert_int_equal(ln_auth_login(p->store, "root@example.org", GOOD, &u,
	    NULL), LN_OK);
	ln_user_free(u);
	assert_int_equal(ln_auth_password_set(p->store, first,
	    "changed by the admin", NULL, NULL), LN_OK);
	/* Every start of the server says it again. */
	assert_int_equal(seed(p, "admin", "root@example.org", false, &result,
	    again, sizeof(again)), LN_OK);
	assert_int_equal(result, LN_AUTH_SEED_EXISTS);
	assert_string_equal(first, again);
	assert_int_equal(seed(p, "other", "ROOT@example.org", false, &result,
	    again, sizeof(again)), LN_OK);
	assert_int_equal(result, LN_AUTH_SEED_EXISTS);
	assert_int_equal(people_number(p, USERS, NULL), 1);
	assert_int_equal(ln_auth_verify(p->store, first,
	    "changed by the admin", NULL), LN_OK);
}

static void
an_ordinary_account_is_promoted_only_when_asked(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], id[65];
	enum ln_auth_seed_result result;

	people_add(p, "alice", "alice@example.org", LN_USER_ROLE_USER, "x");
	assert_int_equal(ln_session_create(p->store, "alice", NULL, NULL,
	    cookie, NULL), LN_OK);
	assert_int_equal(seed(p, "admin", "alice@example.org", false, &result,
	    id, sizeof(id)), LN_CONFLICT);
	assert_int_equal(seed(p, "alice", NULL, false, &result, id,
	    sizeof(id)), LN_CONFLICT);
	assert_int_equal(people_number(p, USERS " WHERE role = 'admin'",
	    NULL), 0);
	assert_int_equal(seed(p, "admin", "alice@example.org", true, &result,
	    id, sizeof(id)), LN_OK);
	assert_int_equal(result, LN_AUTH_SEED_PROMOTED);
	assert_string_equal(id, "alice");
	assert_int_equal(people_number(p, USERS " WHERE password_hash = ?1",
	    "x"), 1);
	assert_int_equal(people_number(p, "SELECT count(*) FROM session",
	    NULL), 0);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " action = 'admin.seed' AND detail = ?1", "promoted"), 1);
}

static void
an_admin_counts_before_an_ordinary_account(void **state)
{
	struct place *p = *state;
	enum ln_auth_seed_result result;
	char id[65];

	people_add(p, "admin", NULL, LN_USER_ROLE_ADMIN, "x");
	people_add(p, "alice", "post@example.org", LN_USER_ROLE_USER, "x");
	assert_int_equal(seed(p, "admin", "post@example.org", true, &result,
	    id, sizeof(id)), LN_OK);
	assert_int_equal(result, LN_AUTH_SEED_EXISTS);
	assert_string_equal(id, "admin");
}

static void
a_seed_wants_a_good_name_and_password(void **state)
{
	struct place *p = *state;
	struct ln_user_new n = { .size = sizeof(n), .username = "admin",
		.password = "password" };
	enum ln_auth_seed_result result;
	struct ln_user *u;

	assert_int_equal(ln_auth_seed(p->store, &n, false, &result, &u, NULL),
	    LN_INVALID);
	n.username = "a b";
	n.password = GOOD;
	assert_int_equal(ln_auth_seed(p->store, &n, false, &result, &u, NULL),
	    LN_INVALID);
	assert_int_equal(people_number(p, USERS, NULL), 0);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_stranger_becomes_a_user_whatever_role_is_asked),
		IN_PLACE(
		    a_taken_name_or_mail_gives_a_decoy_and_changes_nothing),
		IN_PLACE(input_comes_before_closed_and_closed_before_taken),
		IN_PLACE(the_first_admin_is_made_once),
		IN_PLACE(an_ordinary_account_is_promoted_only_when_asked),
		IN_PLACE(an_admin_counts_before_an_ordinary_account),
		IN_PLACE(a_seed_wants_a_good_name_and_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
