/* Reset links: one use, one hour, and nothing but a new password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/auth.h>
#include <ln/session.h>

#include "model/user.h"
#include "people.h"

#define GOOD "a fresh password"

static int
setup(void **state)
{
	struct place *p;

	ln_password_small(true);
	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "alice", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	return 0;
}

static void
issue(struct place *p, const char *user_id, char token[LN_RESET_TOKEN_SIZE])
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_auth_reset_issue(p->store, user_id, 0, token, &err),
	    &err);
}

static enum ln_status
use(struct place *p, const char *token, const char *pw)
{
	return ln_auth_reset_use(p->store, token, pw, NULL);
}

static void
a_link_sets_the_password_once(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE];
	struct ln_error err = LN_ERROR_INIT;

	issue(p, "alice", token);
	assert_int_equal(strlen(token), LN_RESET_TOKEN_SIZE - 1);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL), LN_OK);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL), LN_OK);
	people_ok(ln_auth_reset_use(p->store, token, GOOD, &err), &err);
	assert_int_equal(ln_auth_verify(p->store, "alice", GOOD, NULL),
	    LN_OK);
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL),
	    LN_INVALID);
	assert_int_equal(ln_auth_reset_use(p->store, token, "another one!!",
	    &err), LN_INVALID);
	assert_string_equal(err.text, "Invalid or expired reset token");
	assert_int_equal(ln_auth_verify(p->store, "alice", GOOD, NULL),
	    LN_OK);
}

static void
only_its_hash_is_kept(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE], hex[2 * LN_KEY_BYTES + 1];
	unsigned char bytes[LN_KEY_BYTES];
	size_t i, n;

	issue(p, "alice", token);
	assert_true(ln_b64url_decode(token, strlen(token), bytes,
	    sizeof(bytes), &n));
	for (i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02X", (unsigned)bytes[i]);
	assert_int_equal(people_number(p, "SELECT count(*) FROM reset_token"
	    " WHERE hex(hash) = ?1", hex), 0);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit"
	    " WHERE detail LIKE '%' || ?1 || '%'", token), 0);
}

static void
a_bad_password_does_not_cost_the_link(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE];
	struct ln_error err = LN_ERROR_INIT;

	issue(p, "alice", token);
	assert_int_equal(ln_auth_reset_use(p->store, token, "short", &err),
	    LN_INVALID);
	assert_string_equal(err.field, "password");
	assert_int_equal(use(p, token, GOOD), LN_OK);
}

static void
a_changed_forged_or_old_token_is_refused(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE], bad[LN_RESET_TOKEN_SIZE + 4];
	static const char *const never[] = { "", "x", "../../etc/passwd",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" };
	size_t i;

	issue(p, "alice", token);
	for (i = 0; i < LN_RESET_TOKEN_SIZE - 1; i++) {
		memcpy(bad, token, LN_RESET_TOKEN_SIZE);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		assert_int_equal(ln_auth_reset_peek(p->store, bad, NULL),
		    LN_INVALID);
	}
	snprintf(bad, sizeof(bad), "%s=", token);
	assert_int_equal(ln_auth_reset_peek(p->store, bad, NULL), LN_INVALID);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(use(p, never[i], GOOD), LN_INVALID);
	people_tamper(p, "UPDATE reset_token SET expires_ms = 1");
	assert_int_equal(use(p, token, GOOD), LN_INVALID);
	assert_int_equal(ln_auth_verify(p->store, "alice", GOOD, NULL),
	    LN_UNAUTHENTICATED);
}

static void
it_lives_an_hour_or_as_long_as_was_said(void **state)
{
	static const char life[] = "SELECT max(expires_ms - created_ms)"
	    " FROM reset_token WHERE user_id = ?1";
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE];

	issue(p, "alice", token);
	assert_int_equal(people_number(p, life, "alice"), 3600000);
	assert_int_equal(ln_auth_reset_issue(p->store, "bob", 60000, token,
	    NULL), LN_OK);
	assert_int_equal(people_number(p, life, "bob"), 60000);
	assert_int_equal(ln_auth_reset_issue(p->store, "bob", -1, token,
	    NULL), LN_INVALID);
	assert_int_equal(ln_auth_reset_issue(p->store, "bob", INT64_MAX,
	    token, NULL), LN_INVALID);
	assert_string_equal(token, "");
	assert_int_equal(ln_auth_reset_issue(p->store, "nobody", 0, token,
	    NULL), LN_NOT_FOUND);
	/* What is over is swept away by the next one. */
	people_tamper(p, "UPDATE reset_token SET expires_ms = 1");
	issue(p, "alice", token);
	assert_int_equal(people_number(p, "SELECT count(*) FROM reset_token",
	    NULL), 1);
}

static void
a_second_link_leaves_the_first_until_one_is_used(void **state)
{
	struct place *p = *state;
	char first[LN_RESET_TOKEN_SIZE], second[LN_RESET_TOKEN_SIZE];
	char bobs[LN_RESET_TOKEN_SIZE];

	issue(p, "alice", first);
	issue(p, "alice", second);
	issue(p, "bob", bobs);
	assert_int_equal(ln_auth_reset_peek(p->store, first, NULL), LN_OK);
	assert_int_equal(use(p, second, GOOD), LN_OK);
	assert_int_equal(use(p, first, "somebody else's"), LN_INVALID);
	assert_int_equal(ln_auth_reset_peek(p->store, bobs, NULL), LN_OK);
}

static void
a_reset_neither_signs_in_nor_unblocks(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE], cookie[LN_SESSION_COOKIE_SIZE];
	struct ln_user *u = NULL;
	bool changed;

	assert_int_equal(ln_session_create(p->store, "alice", NULL, NULL,
	    cookie, NULL), LN_OK);
	assert_int_equal(ln_auth_block(p->store, "alice", NULL, 0, &changed,
	    NULL), LN_OK);
	issue(p, "alice", token);
	assert_int_equal(use(p, token, GOOD), LN_OK);
	assert_int_equal(people_number(p, "SELECT count(*) FROM session",
	    NULL), 0);
	assert_int_equal(ln_auth_login(p->store, "alice", GOOD, &u, NULL),
	    LN_FORBIDDEN);
}

struct racer {
	struct ln_store *st;
	const char *token;
	const char *pw;
	enum ln_status s;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	r->s = ln_auth_reset_use(r->st, r->token, r->pw, NULL);
	return NULL;
}

static void
of_two_uses_at_once_one_counts(void **state)
{
	struct place *p = *state;
	char token[LN_RESET_TOKEN_SIZE];
	struct racer r[2] = { { .pw = "the first racer" },
		{ .pw = "the second racer" } };
	pthread_t threads[2];
	size_t i;

	issue(p, "alice", token);
	for (i = 0; i < 2; i++) {
		r[i].st = place_open(p, 5000);
		r[i].token = token;
		assert_int_equal(pthread_create(&threads[i], NULL, race,
		    &r[i]), 0);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		ln_store_close(r[i].st);
	}
	assert_true((r[0].s == LN_OK) != (r[1].s == LN_OK));
	for (i = 0; i < 2; i++)
		assert_int_equal(ln_auth_verify(p->store, "alice", r[i].pw,
		    NULL), r[i].s == LN_OK ? LN_OK : LN_UNAUTHENTICATED);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_link_sets_the_password_once),
		IN_PLACE(only_its_hash_is_kept),
		IN_PLACE(a_bad_password_does_not_cost_the_link),
		IN_PLACE(a_changed_forged_or_old_token_is_refused),
		IN_PLACE(it_lives_an_hour_or_as_long_as_was_said),
		IN_PLACE(a_second_link_leaves_the_first_until_one_is_used),
		IN_PLACE(a_reset_neither_signs_in_nor_unblocks),
		IN_PLACE(of_two_uses_at_once_one_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
