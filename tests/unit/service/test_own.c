/* What people do by their own password, and to their sign-in sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ln/auth.h>

#include "people.h"

#define OLD "the present password"
#define NEW "quite another password"

static int
setup(void **state)
{
	struct place *p;

	ln_password_small(true);
	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "alice", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "root", NULL, LN_USER_ROLE_ADMIN, NULL);
	return ln_auth_password_set(p->store, "alice", OLD, NULL, NULL) ==
	    LN_OK && ln_auth_password_set(p->store, "root", OLD, NULL,
	    NULL) == LN_OK ? 0 : -1;
}

/* Sign in; the hash of the session. */
static void
sign_in(struct place *p, const char *name, const unsigned char *old,
    unsigned char hash[LN_KEY_BYTES])
{
	struct ln_auth_place from = { .size = sizeof(from),
		.address = "192.0.2.1", .agent = "browser",
		.old_session = old };
	char cookie[LN_SESSION_COOKIE_SIZE];
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;

	people_ok(ln_auth_sign_in(p->store, name, OLD, &from, cookie, &u,
	    &err), &err);
	assert_string_equal(u->id, name);
	ln_user_free(u);
	assert_true(ln_session_verify(ln_store_keys(p->store), cookie, hash));
}

static enum ln_status
whose(struct place *p, const unsigned char hash[LN_KEY_BYTES])
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_session_user_by_hash(p->store, hash, &u, NULL);
	ln_user_free(u);
	return s;
}

static void
signing_in_ends_the_session_that_was_presented(void **state)
{
	unsigned char first[LN_KEY_BYTES], second[LN_KEY_BYTES];
	struct place *p = *state;

	sign_in(p, "alice", NULL, first);
	assert_int_equal(whose(p, first), LN_OK);
	sign_in(p, "root", first, second);
	assert_int_equal(whose(p, first), LN_UNAUTHENTICATED);
	assert_int_equal(whose(p, second), LN_OK);
}

static void
who_does_not_get_in_gets_no_cookie_and_ends_nothing(void **state)
{
	static const char none[LN_SESSION_COOKIE_SIZE];
	struct ln_auth_place from = { .size = sizeof(from) };
	unsigned char first[LN_KEY_BYTES];
	char cookie[LN_SESSION_COOKIE_SIZE];
	struct place *p = *state;
	struct ln_user *u = NULL;
	bool is_changed;

	sign_in(p, "alice", NULL, first);
	from.old_session = first;
	memset(cookie, 'x', sizeof(cookie));
	assert_int_equal(ln_auth_sign_in(p->store, "alice", NEW, &from, cookie,
	    &u, NULL), LN_UNAUTHENTICATED);
	assert_null(u);
	assert_memory_equal(cookie, none, sizeof(cookie));
	assert_int_equal(ln_auth_block(p->store, "alice", NULL, 0, &is_changed,
	    NULL), LN_OK);
	assert_int_equal(ln_auth_sign_in(p->store, "alice", OLD, &from, cookie,
	    &u, NULL), LN_FORBIDDEN);
	assert_memory_equal(cookie, none, sizeof(cookie));
	assert_int_equal(whose(p, first), LN_OK);
	assert_int_equal(people_number(p, "SELECT count(*) FROM session",
	    NULL), 1);
}

static void
a_password_is_changed_by_whoever_knows_it(void **state)
{
	unsigned char kept[LN_KEY_BYTES], other[LN_KEY_BYTES];
	struct ln_error err = LN_ERROR_INIT;
	struct place *p = *state;

	sign_in(p, "alice", NULL, kept);
	sign_in(p, "alice", NULL, other);
	assert_int_equal(ln_auth_password_change(p->store, "alice", "wrong",
	    NEW, kept, &err), LN_INVALID);
	assert_string_equal(err.field, "current_password");
	assert_int_equal(ln_auth_password_change(p->store, "alice", OLD,
	    "short", kept, &err), LN_INVALID);
	assert_int_equal(whose(p, other), LN_OK);
	people_ok(ln_auth_password_change(p->store, "alice", OLD, NEW, kept,
	    &err), &err);
	assert_int_equal(whose(p, kept), LN_OK);
	assert_int_equal(whose(p, other), LN_UNAUTHENTICATED);
	assert_int_equal(ln_auth_verify(p->store, "alice", NEW, NULL), LN_OK);
	assert_int_equal(ln_auth_password_change(p->store, "nobody", OLD, NEW,
	    NULL, &err), LN_INVALID);
}

static void
an_account_is_deleted_by_whoever_knows_its_password(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct place *p = *state;

	assert_int_equal(ln_auth_delete_own(p->store, "alice", NEW, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "password");
	people_ok(ln_auth_delete_own(p->store, "alice", OLD, &err), &err);
	assert_int_equal(people_number(p,
	    "SELECT count(*) FROM user WHERE id = ?1", "alice"), 0);
	assert_int_equal(ln_auth_delete_own(p->store, "root", OLD, &err),
	    LN_CONFLICT);
	assert_int_equal(people_number(p,
	    "SELECT count(*) FROM user WHERE id = ?1", "root"), 1);
}

static void
a_session_is_ended_by_its_owner_only_and_on_record(void **state)
{
	const struct ln_actor alice = { "user", "alice", "192.0.2.1", "rq" };
	const struct ln_actor shell = { "shell", NULL, NULL, NULL };
	unsigned char mine[LN_KEY_BYTES], roots[LN_KEY_BYTES];
	struct ln_error err = LN_ERROR_INIT;
	struct place *p = *state;
	int64_t count;

	sign_in(p, "alice", NULL, mine);
	sign_in(p, "root", NULL, roots);
	ln_store_actor_set(p->store, &alice);
	assert_int_equal(ln_auth_session_end(p->store, "alice", roots, &err),
	    LN_NOT_FOUND);
	assert_int_equal(ln_auth_session_end(p->store, "root", roots, &err),
	    LN_FORBIDDEN);
	assert_int_equal(ln_auth_sessions_end(p->store, "root", &count, &err),
	    LN_FORBIDDEN);
	assert_int_equal(ln_auth_sessions_end(p->store, NULL, &count, &err),
	    LN_FORBIDDEN);
	assert_int_equal(whose(p, roots), LN_OK);
	people_ok(ln_auth_session_end(p->store, "alice", mine, &err), &err);
	assert_int_equal(ln_auth_session_end(p->store, "alice", mine, &err),
	    LN_NOT_FOUND);
	ln_store_actor_set(p->store, &shell);
	people_ok(ln_auth_sessions_end(p->store, NULL, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(ln_auth_sessions_end(p->store, "nobody", NULL, &err),
	    LN_NOT_FOUND);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " action = 'user.session_end' AND outcome = 'ok'", NULL), 1);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " action LIKE 'user.session%' AND outcome = 'forbidden'", NULL),
	    3);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " action = 'user.sessions_end' AND outcome = 'ok'", NULL), 1);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(signing_in_ends_the_session_that_was_presented),
		IN_PLACE(who_does_not_get_in_gets_no_cookie_and_ends_nothing),
		IN_PLACE(a_password_is_changed_by_whoever_knows_it),
		IN_PLACE(an_account_is_deleted_by_whoever_knows_its_password),
		IN_PLACE(a_session_is_ended_by_its_owner_only_and_on_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
