/* Signing in: who gets in, who does not, and what an onlooker can tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/auth.h>
#include <ln/setting.h>
#include <ln/time.h>

#include "model/user.h"
#include "people.h"

/* "password" and "other password", as the legacy program might keep them. */
#define LEGACY "pbkdf2:sha1:1$salt$0c60c80f961f0e71f3a9b524af6012062fe037a6"
/* One that takes a good part of a second; nobody knows its password. */
#define SLOW "pbkdf2:sha512:1500000$salt$"					\
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"	\
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char argon2id[LN_PASSWORD_HASH_SIZE];	/* of "carol's password" */

static int
cheap(void **state)
{
	(void)state;
	ln_password_small(true);
	if (ln_init(NULL) != LN_OK)
		return -1;
	return ln_password_hash("carol's password", argon2id, NULL) == LN_OK ?
	    0 : -1;
}

static int
setup(void **state)
{
	static const struct ln_actor actor = { "user", NULL, "192.0.2.0/24",
		"req-1" };
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	ln_store_actor_set(p->store, &actor);
	people_add(p, "Alice", "Alice@example.org", LN_USER_ROLE_USER, LEGACY);
	people_add(p, "carol", NULL, LN_USER_ROLE_USER, argon2id);
	return 0;
}

static enum ln_status
login(struct place *p, const char *name, const char *pw, const char *want_id)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_auth_login(p->store, name, pw, &u, &err);
	assert_int_equal(s == LN_OK, u != NULL);
	if (s == LN_OK && want_id != NULL)
		assert_string_equal(u->id, want_id);
	if (s == LN_UNAUTHENTICATED)
		assert_string_equal(err.text, "Invalid username or password");
	if (s == LN_FORBIDDEN)
		assert_string_equal(err.text, "Your account has been blocked. "
		    "Contact an administrator.");
	ln_user_free(u);
	return s;
}

static int64_t
audited(struct place *p, const char *outcome)
{
	return people_number(p, "SELECT count(*) FROM audit"
	    " WHERE action = 'auth.login' AND outcome = ?1", outcome);
}

static int64_t
has_new_hash(struct place *p, const char *id)
{
	return people_number(p, "SELECT password_hash LIKE '$argon2id$%'"
	    " FROM user WHERE id = ?1", id);
}

static void
name_or_mail_in_any_case_and_with_blanks_around(void **state)
{
	static const char *const names[] = { "Alice", "alice", "ALICE",
		"  alice\t", "alice@example.org", "ALICE@EXAMPLE.ORG" };
	struct place *p = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(login(p, names[i], "password", "Alice"),
		    LN_OK);
	assert_int_equal(audited(p, "ok"), 6);
	assert_true(people_number(p, "SELECT last_login_ms FROM user"
	    " WHERE id = ?1", "Alice") > ln_time_now_ms() - 60000);
}

static void
wrong_and_unknown_look_alike(void **state)
{
	struct place *p = *state;

	assert_int_equal(login(p, "alice", "passwore", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "alice", "", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "carol", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "nobody", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "", "", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "\xff\xfe", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "alice' OR '1'='1", "x", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(audited(p, "unauthenticated"), 7);
	assert_int_equal(people_number(p, "SELECT last_login_ms IS NULL"
	    " FROM user WHERE id = ?1", "Alice"), 1);
}

static void
a_password_typed_as_name_reaches_neither_audit_nor_error(void **state)
{
	static const char secret[] = "Tr0ub4dor-canary";
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u;

	assert_int_equal(ln_auth_login(p->store, secret, secret, &u, &err),
	    LN_UNAUTHENTICATED);
	assert_null(strstr(err.detail, "canary"));
	assert_int_equal(login(p, secret, "x", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " coalesce(target, '') || coalesce(detail, '') LIKE ?1",
	    "%canary%"), 0);
	/* But the same one again is seen to be the same. */
	assert_int_equal(people_number(p, "SELECT count(DISTINCT detail)"
	    " FROM audit WHERE detail LIKE ?1", "name=%"), 1);
	assert_int_equal(login(p, "alice", "x", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " target = ?1 AND outcome = 'unauthenticated'", "Alice"), 1);
}

static void
a_legacy_hash_becomes_argon2id_at_the_first_login(void **state)
{
	struct place *p = *state;

	assert_int_equal(login(p, "alice", "passwore", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(has_new_hash(p, "Alice"), 0);
	assert_int_equal(login(p, "alice", "password", "Alice"), LN_OK);
	assert_int_equal(has_new_hash(p, "Alice"), 1);
	assert_int_equal(login(p, "alice", "password", "Alice"), LN_OK);
	assert_int_equal(login(p, "alice", "passwore", NULL),
	    LN_UNAUTHENTICATED);
}

static void
blanks_around_a_legacy_password_work_again_and_again(void **state)
{
	struct place *p = *state;

	assert_int_equal(login(p, "alice", " password ", "Alice"), LN_OK);
	assert_int_equal(login(p, "alice", " password ", "Alice"), LN_OK);
	assert_int_equal(has_new_hash(p, "Alice"), 0);
	assert_int_equal(login(p, "alice", "password", "Alice"), LN_OK);
	assert_int_equal(has_new_hash(p, "Alice"), 1);
	assert_int_equal(login(p, "carol", " carol's password", NULL),
	    LN_UNAUTHENTICATED);
}

static void
a_blocked_person_learns_so_only_with_the_right_password(void **state)
{
	struct place *p = *state;
	bool changed;

	assert_int_equal(ln_auth_block(p->store, "Alice", "spam", 0, &changed,
	    NULL), LN_OK);
	assert_int_equal(login(p, "alice", "password", NULL), LN_FORBIDDEN);
	assert_int_equal(login(p, "alice", "passwore", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(audited(p, "forbidden"), 1);
	assert_int_equal(people_number(p, "SELECT last_login_ms IS NULL"
	    " FROM user WHERE id = ?1", "Alice"), 1);
	assert_int_equal(ln_auth_unblock(p->store, "Alice", &changed, NULL),
	    LN_OK);
	assert_int_equal(login(p, "alice", "password", "Alice"), LN_OK);
}

static void
no_password_and_a_mad_hash_let_nobody_in(void **state)
{
	struct place *p = *state;

	people_add(p, "empty", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "blank", NULL, LN_USER_ROLE_USER, "");
	people_add(p, "mad", NULL, LN_USER_ROLE_USER,
	    "scrypt:1073741824:8:1$salt$00");
	people_add(p, "plain", NULL, LN_USER_ROLE_USER, "plain text");
	assert_int_equal(login(p, "empty", "", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "blank", "", NULL), LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "mad", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(login(p, "plain", "plain text", NULL),
	    LN_UNAUTHENTICATED);
}

static void
a_user_name_that_equals_a_mail_shadows_nobody(void **state)
{
	struct place *p = *state;

	/* As an import may bring them. */
	people_add(p, "alice@example.org", NULL, LN_USER_ROLE_USER, argon2id);
	people_add(p, "eve", "carol", LN_USER_ROLE_USER, LEGACY);
	assert_int_equal(login(p, "alice@example.org", "password", "Alice"),
	    LN_OK);
	assert_int_equal(login(p, "alice@example.org", "carol's password",
	    "alice@example.org"), LN_OK);
	assert_int_equal(login(p, "carol", "carol's password", "carol"),
	    LN_OK);
	assert_int_equal(login(p, "carol", "password", "eve"), LN_OK);
	assert_int_equal(login(p, "carol", "neither", NULL),
	    LN_UNAUTHENTICATED);
}

static void
verify_knows_the_password_of_that_user_only(void **state)
{
	struct place *p = *state;

	assert_int_equal(ln_auth_verify(p->store, "Alice", "password", NULL),
	    LN_OK);
	assert_int_equal(ln_auth_verify(p->store, "Alice", "passwore", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(ln_auth_verify(p->store, "carol", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(ln_auth_verify(p->store, "nobody", "password", NULL),
	    LN_UNAUTHENTICATED);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit"
	    " WHERE action = ?1", "auth.verify"), 3);
}

struct racer {
	struct place *p;
	struct ln_store *st;
	const char *name;
	const char *pw;
	enum ln_status s;
	atomic_bool is_done;
};

static void *
run_login(void *arg)
{
	struct racer *r = arg;
	struct ln_user *u = NULL;

	r->s = ln_auth_login(r->st, r->name, r->pw, &u, NULL);
	ln_user_free(u);
	atomic_store(&r->is_done, true);
	return NULL;
}

static void
nobody_waits_for_a_login_that_hashes(void **state)
{
	struct place *p = *state;
	struct racer r = { .p = p, .name = "slow", .pw = "whatever" };
	pthread_t thread;
	int writes = 0;

	people_add(p, "slow", NULL, LN_USER_ROLE_USER, SLOW);
	r.st = place_open(p, 5000);
	assert_int_equal(pthread_create(&thread, NULL, run_login, &r), 0);
	while (!atomic_load(&r.is_done)) {
		assert_int_equal(ln_setting_set(p->store, "carol", "theme",
		    "dark", NULL), LN_OK);
		writes++;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	ln_store_close(r.st);
	assert_int_equal(r.s, LN_UNAUTHENTICATED);
	assert_true(writes >= 3);
}

static void
two_first_logins_at_once_both_get_in(void **state)
{
	struct place *p = *state;
	struct racer r[2];
	pthread_t threads[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		memset(&r[i], 0, sizeof(r[i]));
		r[i].p = p;
		r[i].st = place_open(p, 5000);
		r[i].name = "alice";
		r[i].pw = "password";
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_login,
		    &r[i]), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(r[i].s, LN_OK);
		ln_store_close(r[i].st);
	}
	assert_int_equal(has_new_hash(p, "Alice"), 1);
	assert_int_equal(login(p, "alice", "password", "Alice"), LN_OK);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(name_or_mail_in_any_case_and_with_blanks_around),
		IN_PLACE(wrong_and_unknown_look_alike),
		IN_PLACE(
		    a_password_typed_as_name_reaches_neither_audit_nor_error),
		IN_PLACE(a_legacy_hash_becomes_argon2id_at_the_first_login),
		IN_PLACE(blanks_around_a_legacy_password_work_again_and_again),
		IN_PLACE(
		    a_blocked_person_learns_so_only_with_the_right_password),
		IN_PLACE(no_password_and_a_mad_hash_let_nobody_in),
		IN_PLACE(a_user_name_that_equals_a_mail_shadows_nobody),
		IN_PLACE(verify_knows_the_password_of_that_user_only),
		IN_PLACE(nobody_waits_for_a_login_that_hashes),
		IN_PLACE(two_first_logins_at_once_both_get_in),
	};

	return cmocka_run_group_tests(tests, cheap, NULL);
}
