/* Sign-in sessions: what the cookie is, when it counts, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/session.h>
#include <ln/time.h>

#include "people.h"

#define COUNT "SELECT count(*) FROM session"

static int
setup(void **state)
{
	if (place_setup(state) != 0)
		return -1;
	people_add(*state, "alice", NULL, LN_USER_ROLE_USER, NULL);
	people_add(*state, "bob", NULL, LN_USER_ROLE_USER, NULL);
	return 0;
}

static void
start(struct place *p, const char *user_id, char cookie[LN_SESSION_COOKIE_SIZE])
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_session_create(p->store, user_id, "192.0.2.0/24",
	    "Browser/1.0", cookie, &err), &err);
}

static enum ln_status
look(struct place *p, const char *cookie, unsigned char hash[LN_KEY_BYTES])
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_session_user(p->store, cookie, hash, &u, NULL);
	assert_int_equal(s == LN_OK, u != NULL);
	ln_user_free(u);
	return s;
}

static void
the_cookie_is_signed_and_leads_to_its_user(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], other[LN_SESSION_COOKIE_SIZE];
	unsigned char hash[LN_KEY_BYTES];
	struct ln_user *u = NULL;

	start(p, "alice", cookie);
	start(p, "alice", other);
	assert_int_equal(strlen(cookie), LN_SESSION_COOKIE_SIZE - 1);
	assert_memory_equal(cookie, "v1.", 3);
	assert_int_equal(cookie[46], '.');
	assert_string_not_equal(cookie, other);
	assert_int_equal(ln_session_user(p->store, cookie, hash, &u, NULL),
	    LN_OK);
	assert_string_equal(u->id, "alice");
	ln_user_free(u);
	assert_int_equal(ln_session_user_by_hash(p->store, hash, &u, NULL),
	    LN_OK);
	assert_string_equal(u->id, "alice");
	ln_user_free(u);
}

static void
the_database_never_holds_the_id(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE];
	unsigned char id[LN_KEY_BYTES];
	char hex[2 * LN_KEY_BYTES + 1];
	size_t i, n;

	start(p, "alice", cookie);
	assert_true(ln_b64url_decode(cookie + 3, 43, id, sizeof(id), &n));
	for (i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02X", (unsigned)id[i]);
	assert_int_equal(people_number(p, COUNT " WHERE hex(hash) = ?1", hex),
	    0);
	assert_int_equal(people_number(p, COUNT, NULL), 1);
}

static void
any_changed_cookie_is_refused_before_the_database_is_read(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], bad[LN_SESSION_COOKIE_SIZE + 8];
	static const unsigned char nothing[LN_KEY_BYTES];
	unsigned char hash[LN_KEY_BYTES];
	struct ln_keys *foreign = NULL;
	size_t i;

	start(p, "alice", cookie);
	assert_true(ln_session_verify(p->keys, cookie, hash));
	for (i = 0; i < LN_SESSION_COOKIE_SIZE - 1; i++) {
		memcpy(bad, cookie, LN_SESSION_COOKIE_SIZE);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		if (ln_session_verify(p->keys, bad, hash))
			fail_msg("byte %zu changed: %s", i, bad);
		assert_memory_equal(hash, nothing, sizeof(hash));
	}
	for (i = 0; i < LN_SESSION_COOKIE_SIZE - 1; i++) {
		memcpy(bad, cookie, i);
		bad[i] = '\0';
		assert_false(ln_session_verify(p->keys, bad, hash));
	}
	snprintf(bad, sizeof(bad), "%sA", cookie);
	assert_false(ln_session_verify(p->keys, bad, hash));
	snprintf(bad, sizeof(bad), "%s=", cookie);
	assert_false(ln_session_verify(p->keys, bad, hash));
	memcpy(bad, cookie, LN_SESSION_COOKIE_SIZE);
	bad[1] = '2';
	assert_false(ln_session_verify(p->keys, bad, hash));

	assert_int_equal(ln_keys_derive("another secret of another instance, "
	    "long enough", &foreign, NULL), LN_OK);
	assert_false(ln_session_verify(foreign, cookie, hash));
	ln_keys_free(foreign);
}

static void
a_session_lasts_72_hours_whatever_happens(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], later[LN_SESSION_COOKIE_SIZE];
	unsigned char hash[LN_KEY_BYTES];
	struct ln_session_list l;

	start(p, "alice", cookie);
	assert_int_equal(people_number(p, "SELECT expires_ms - created_ms"
	    " FROM session", NULL), INT64_C(72) * 60 * 60 * 1000);
	assert_int_equal(look(p, cookie, hash), LN_OK);
	assert_int_equal(people_number(p, "SELECT expires_ms - created_ms"
	    " FROM session", NULL), INT64_C(72) * 60 * 60 * 1000);

	people_tamper(p, "UPDATE session SET expires_ms = 1");
	assert_int_equal(look(p, cookie, hash), LN_UNAUTHENTICATED);
	assert_int_equal(ln_session_list(p->store, "alice", &l, NULL), LN_OK);
	assert_int_equal(l.count, 0);
	ln_session_list_free(&l);
	/* Somebody else's login sweeps it away. */
	start(p, "bob", later);
	assert_int_equal(people_number(p, COUNT, NULL), 1);
}

static void
the_twenty_first_session_ends_the_oldest(void **state)
{
	struct place *p = *state;
	char first[LN_SESSION_COOKIE_SIZE], cookie[LN_SESSION_COOKIE_SIZE];
	char bobs[LN_SESSION_COOKIE_SIZE];
	unsigned char hash[LN_KEY_BYTES];
	int i;

	start(p, "bob", bobs);
	start(p, "alice", first);
	people_tamper(p, "UPDATE session SET created_ms = created_ms - 5000"
	    " WHERE user_id = 'alice'");
	for (i = 1; i < LN_SESSION_PER_USER; i++)
		start(p, "alice", cookie);
	assert_int_equal(look(p, first, hash), LN_OK);
	start(p, "alice", cookie);
	assert_int_equal(look(p, first, hash), LN_UNAUTHENTICATED);
	assert_int_equal(look(p, cookie, hash), LN_OK);
	assert_int_equal(look(p, bobs, hash), LN_OK);
	assert_int_equal(people_number(p, COUNT " WHERE user_id = 'alice'",
	    NULL), LN_SESSION_PER_USER);
}

static void
the_newest_session_survives_a_clock_that_went_back(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE];
	unsigned char hash[LN_KEY_BYTES];
	int i;

	for (i = 0; i < LN_SESSION_PER_USER; i++)
		start(p, "alice", cookie);
	people_tamper(p, "UPDATE session SET created_ms = created_ms + 99999");
	start(p, "alice", cookie);
	assert_int_equal(look(p, cookie, hash), LN_OK);
}

static void
ends_one_or_all_but_one_or_all(void **state)
{
	struct place *p = *state;
	char a[LN_SESSION_COOKIE_SIZE], b[LN_SESSION_COOKIE_SIZE];
	char c[LN_SESSION_COOKIE_SIZE], d[LN_SESSION_COOKIE_SIZE];
	unsigned char hash[LN_KEY_BYTES], keep[LN_KEY_BYTES];
	int64_t count;

	start(p, "alice", a);
	start(p, "alice", b);
	start(p, "alice", c);
	start(p, "bob", d);
	assert_int_equal(look(p, a, hash), LN_OK);
	assert_int_equal(ln_session_end(p->store, hash, NULL), LN_OK);
	assert_int_equal(look(p, a, hash), LN_UNAUTHENTICATED);
	assert_int_equal(ln_session_end(p->store, hash, NULL), LN_OK);

	assert_int_equal(look(p, b, keep), LN_OK);
	assert_int_equal(ln_session_end_user(p->store, "alice", keep, &count,
	    NULL), LN_OK);
	assert_int_equal(count, 1);
	assert_int_equal(look(p, b, hash), LN_OK);
	assert_int_equal(look(p, c, hash), LN_UNAUTHENTICATED);
	assert_int_equal(look(p, d, hash), LN_OK);
	assert_int_equal(ln_session_end_user(p->store, "alice", NULL, &count,
	    NULL), LN_OK);
	assert_int_equal(count, 1);
	assert_int_equal(ln_session_end_all(p->store, &count, NULL), LN_OK);
	assert_int_equal(count, 1);
	assert_int_equal(people_number(p, COUNT, NULL), 0);
}

static void
what_a_browser_says_of_itself_is_cut_and_repaired(void **state)
{
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], agent[2000];
	struct ln_session_list l;

	memset(agent, 'x', sizeof(agent) - 1);
	memcpy(agent, "\xff\xfe", 2);
	agent[sizeof(agent) - 1] = '\0';
	assert_int_equal(ln_session_create(p->store, "alice", NULL, agent,
	    cookie, NULL), LN_OK);
	assert_int_equal(ln_session_list(p->store, "alice", &l, NULL), LN_OK);
	assert_int_equal(l.count, 1);
	assert_null(l.items[0]->address);
	assert_true(strlen(l.items[0]->agent) <= 256);
	assert_memory_equal(l.items[0]->agent, "\xef\xbf\xbd", 3);
	ln_session_list_free(&l);
}

static void
nobody_and_no_keys_get_no_session(void **state)
{
	struct place *p = *state;
	const struct ln_store_opts opts = { .size = sizeof(opts),
		.path = p->path, .mode = LN_STORE_RW };
	char cookie[LN_SESSION_COOKIE_SIZE];
	struct ln_store *keyless = NULL;

	assert_int_equal(ln_session_create(p->store, "nobody", NULL, NULL,
	    cookie, NULL), LN_NOT_FOUND);
	assert_int_equal(cookie[0], '\0');
	assert_int_equal(ln_store_open(&opts, &keyless, NULL), LN_OK);
	assert_int_equal(ln_session_create(keyless, "alice", NULL, NULL,
	    cookie, NULL), LN_BAD_KEY);
	ln_store_close(keyless);
	assert_int_equal(people_number(p, COUNT, NULL), 0);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(the_cookie_is_signed_and_leads_to_its_user),
		IN_PLACE(the_database_never_holds_the_id),
		IN_PLACE(
		    any_changed_cookie_is_refused_before_the_database_is_read),
		IN_PLACE(a_session_lasts_72_hours_whatever_happens),
		IN_PLACE(the_twenty_first_session_ends_the_oldest),
		IN_PLACE(the_newest_session_survives_a_clock_that_went_back),
		IN_PLACE(ends_one_or_all_but_one_or_all),
		IN_PLACE(what_a_browser_says_of_itself_is_cut_and_repaired),
		IN_PLACE(nobody_and_no_keys_get_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
