/* No oracle: whoever is not told whether an account exists cannot tell it by
 * the work either.  Every way through sign-in and registration costs one hash
 * of the same price and one row of the audit log.  (How long it takes is
 * measured by `make check-timing`.)  Linked with --wrap, see tests.mk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include <ln/auth.h>
#include <ln/password.h>
#include <ln/setting.h>

#include "people.h"

#define RIGHT "the right password"
#define WRONG "another password"
/* As ln_password_small sets them; m in KiB. */
#define PRICE "m=19456,t=2"

static int hash_count;
static char price[64];		/* of the last hash */

int __real_crypto_pwhash(unsigned char *out, unsigned long long outlen,
    const char *pw, unsigned long long pwlen, const unsigned char *salt,
    unsigned long long opslimit, size_t memlimit, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long outlen,
    const char *pw, unsigned long long pwlen, const unsigned char *salt,
    unsigned long long opslimit, size_t memlimit, int alg);
int __real_crypto_pwhash_argon2id_str(char *out, const char *pw,
    unsigned long long pwlen, unsigned long long opslimit, size_t memlimit);
int __wrap_crypto_pwhash_argon2id_str(char *out, const char *pw,
    unsigned long long pwlen, unsigned long long opslimit, size_t memlimit);
int __real_crypto_pwhash_argon2id_str_verify(const char *str, const char *pw,
    unsigned long long pwlen);
int __wrap_crypto_pwhash_argon2id_str_verify(const char *str, const char *pw,
    unsigned long long pwlen);

static void
note(unsigned long long ops, size_t mem)
{
	hash_count++;
	snprintf(price, sizeof(price), "m=%zu,t=%llu", mem / 1024, ops);
}

int
__wrap_crypto_pwhash(unsigned char *out, unsigned long long outlen,
    const char *pw, unsigned long long pwlen, const unsigned char *salt,
    unsigned long long opslimit, size_t memlimit, int alg)
{
	note(opslimit, memlimit);
	return __real_crypto_pwhash(out, outlen, pw, pwlen, salt, opslimit,
	    memlimit, alg);
}

int
__wrap_crypto_pwhash_argon2id_str(char *out, const char *pw,
    unsigned long long pwlen, unsigned long long opslimit, size_t memlimit)
{
	note(opslimit, memlimit);
	return __real_crypto_pwhash_argon2id_str(out, pw, pwlen, opslimit,
	    memlimit);
}

int
__wrap_crypto_pwhash_argon2id_str_verify(const char *str, const char *pw,
    unsigned long long pwlen)
{
	size_t mem = 0;
	unsigned long long ops = 0;

	assert_int_equal(sscanf(str, "$argon2id$v=19$m=%zu,t=%llu,", &mem,
	    &ops), 2);
	note(ops, mem * 1024);
	return __real_crypto_pwhash_argon2id_str_verify(str, pw, pwlen);
}

static int
setup(void **state)
{
	char hash[LN_PASSWORD_HASH_SIZE];
	struct ln_error err = LN_ERROR_INIT;
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	ln_password_small(true);
	people_ok(ln_password_hash(RIGHT, hash, &err), &err);
	people_add(p, "known", "known@example.test", LN_USER_ROLE_USER, hash);
	people_add(p, "blocked", NULL, LN_USER_ROLE_USER, hash);
	people_add(p, "keyless", NULL, LN_USER_ROLE_USER, NULL);
	people_tamper(p, "UPDATE user SET blocked_ms = 1 WHERE id = 'blocked'");
	return 0;
}

static int64_t
audit_rows(struct place *p)
{
	return place_int(p->store, "SELECT count(*) FROM audit");
}

static void
expect_one(const char *name, int64_t rows)
{
	if (hash_count != 1 || strcmp(price, PRICE) != 0 || rows != 1)
		fail_msg("%s: %d hashes, the last at %s, %lld audit rows",
		    name, hash_count, price, (long long)rows);
}

static void
every_sign_in_costs_one_hash(void **state)
{
	static const struct {
		const char *what;
		const char *name;
		const char *password;
		enum ln_status status;
	} rows[] = {
		{ "right", "known", RIGHT, LN_OK },
		{ "right, by e-mail", "known@example.test", RIGHT, LN_OK },
		{ "wrong password", "known", WRONG, LN_UNAUTHENTICATED },
		{ "unknown user", "nobody", RIGHT, LN_UNAUTHENTICATED },
		{ "unknown e-mail", "nobody@example.test", WRONG,
		    LN_UNAUTHENTICATED },
		{ "no name at all", "", WRONG, LN_UNAUTHENTICATED },
		{ "not a name", "\xff\xfe", WRONG, LN_UNAUTHENTICATED },
		{ "no password set", "keyless", WRONG, LN_UNAUTHENTICATED },
		{ "blocked, right", "blocked", RIGHT, LN_FORBIDDEN },
		{ "blocked, wrong", "blocked", WRONG, LN_UNAUTHENTICATED },
	};
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u;
	int64_t before;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		before = audit_rows(p);
		hash_count = 0;
		if (ln_auth_login(p->store, rows[i].name, rows[i].password, &u,
		    &err) != rows[i].status)
			fail_msg("%s: %s", rows[i].what, err.detail);
		ln_user_free(u);
		expect_one(rows[i].what, audit_rows(p) - before);
	}
}

static void
every_registration_costs_one_hash(void **state)
{
	static const struct {
		const char *what;
		const char *name;
		const char *email;
	} rows[] = {
		{ "free", "new", "new@example.test" },
		{ "name taken", "known", "other@example.test" },
		{ "e-mail taken", "other", "known@example.test" },
		{ "name taken by a blocked one", "blocked", NULL },
	};
	struct place *p = *state;
	char id[LN_UUID_SIZE];
	struct ln_user_new n;
	struct ln_error err = LN_ERROR_INIT;
	int64_t before;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&n, 0, sizeof(n));
		n.size = sizeof(n);
		n.username = rows[i].name;
		n.email = rows[i].email;
		n.password = RIGHT;
		before = audit_rows(p);
		hash_count = 0;
		people_ok(ln_auth_register(p->store, &n, id, &err), &err);
		assert_int_equal(strlen(id), LN_UUID_SIZE - 1);
		expect_one(rows[i].what, audit_rows(p) - before);
	}
}

static void
closed_registration_costs_nothing_whoever_asks(void **state)
{
	static const char *const names[] = { "new", "known" };
	struct place *p = *state;
	char id[LN_UUID_SIZE];
	struct ln_user_new n;
	size_t i;

	assert_int_equal(ln_setting_set(p->store, NULL, "allow_registration",
	    "false", NULL), LN_OK);
	for (i = 0; i < 2; i++) {
		memset(&n, 0, sizeof(n));
		n.size = sizeof(n);
		n.username = names[i];
		n.password = RIGHT;
		hash_count = 0;
		assert_int_equal(ln_auth_register(p->store, &n, id, NULL),
		    LN_FORBIDDEN);
		assert_int_equal(hash_count, 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_sign_in_costs_one_hash),
		T(every_registration_costs_one_hash),
		T(closed_registration_costs_nothing_whoever_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
