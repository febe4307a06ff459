/* Settings of the instance and of users, and the sealing of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/setting.h>

#include "people.h"

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
put(struct place *p, const char *user_id, const char *name, const char *value)
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_setting_set(p->store, user_id, name, value, &err), &err);
}

static void
expect(struct place *p, const char *user_id, const char *name,
    const char *want)
{
	struct ln_error err = LN_ERROR_INIT;
	char *value = NULL;

	people_ok(ln_setting_get(p->store, user_id, name, &value, &err), &err);
	if (want == NULL)
		assert_null(value);
	else
		assert_string_equal(value, want);
	ln_wipe_free(value);
}

static void
instance_and_users_have_their_own(void **state)
{
	struct place *p = *state;

	expect(p, NULL, "model", NULL);
	put(p, NULL, "model", "a");
	put(p, "alice", "model", "b");
	put(p, "alice", "model", "b2");
	put(p, "bob", "model", "");
	expect(p, NULL, "model", "a");
	expect(p, "alice", "model", "b2");
	expect(p, "bob", "model", "");
	put(p, "alice", "model", NULL);
	put(p, "alice", "model", NULL);
	expect(p, "alice", "model", NULL);
	expect(p, NULL, "model", "a");
}

static void
a_key_comes_back_byte_for_byte_and_is_nowhere_in_the_clear(void **state)
{
	static const char key[] = "sk-canary \xff\x01 end ";
	struct place *p = *state;

	put(p, NULL, "api_key", key);
	put(p, "alice", "api_key", key);
	expect(p, NULL, "api_key", key);
	expect(p, "alice", "api_key", key);
	assert_int_equal(people_number(p, "SELECT count(*) FROM setting"
	    " WHERE is_sealed = 1 AND value NOT LIKE ?1", "%canary%"), 1);
	assert_int_equal(people_number(p, "SELECT count(*) FROM user_setting"
	    " WHERE is_sealed = 1 AND value NOT LIKE ?1", "%canary%"), 1);
}

static void
a_sealed_key_cannot_be_moved_to_another_row(void **state)
{
	struct place *p = *state;
	char *value = NULL;

	put(p, "alice", "api_key", "sk-alice");
	people_tamper(p, "INSERT INTO user_setting(user_id, name, value,"
	    " is_sealed) SELECT 'bob', name, value, 1 FROM user_setting;"
	    "INSERT INTO setting(name, value, is_sealed)"
	    " SELECT name, value, 1 FROM user_setting LIMIT 1");
	assert_int_equal(ln_setting_get(p->store, "bob", "api_key", &value,
	    NULL), LN_BAD_KEY);
	assert_null(value);
	assert_int_equal(ln_setting_get(p->store, NULL, "api_key", &value,
	    NULL), LN_BAD_KEY);
	assert_null(value);
	expect(p, "alice", "api_key", "sk-alice");
}

static void
names_and_values_have_limits(void **state)
{
	struct place *p = *state;
	char name[LN_SETTING_NAME_MAX + 2];
	char *value;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ln_setting_set(p->store, NULL, name, "v", NULL),
	    LN_INVALID);
	assert_int_equal(ln_setting_set(p->store, NULL, "", "v", NULL),
	    LN_INVALID);
	assert_int_equal(ln_setting_set(p->store, NULL, "a\nb", "v", NULL),
	    LN_INVALID);
	assert_int_equal(ln_setting_set(p->store, NULL, "theme", "\xff", NULL),
	    LN_INVALID);
	assert_int_equal(ln_setting_set(p->store, "nobody", "theme", "v",
	    NULL), LN_NOT_FOUND);
	value = calloc(1, LN_SETTING_VALUE_MAX + 2);
	assert_non_null(value);
	memset(value, 'v', LN_SETTING_VALUE_MAX + 1);
	assert_int_equal(ln_setting_set(p->store, NULL, "x", value, NULL),
	    LN_INVALID);
	assert_int_equal(ln_setting_set(p->store, NULL, "api_key", value,
	    NULL), LN_INVALID);
	value[LN_SETTING_VALUE_MAX] = '\0';
	put(p, NULL, "x", value);
	expect(p, NULL, "x", value);
	put(p, NULL, "api_key", value);
	expect(p, NULL, "api_key", value);
	free(value);
}

static void
truth_values_fall_back_when_they_say_nothing(void **state)
{
	static const struct {
		const char *value;
		bool fallback;
		bool want;
	} rows[] = {
		{ NULL, true, true }, { NULL, false, false },
		{ "true", false, true }, { "1", false, true },
		{ "on", false, true }, { "yes", false, true },
		{ "false", true, false }, { "0", true, false },
		{ "off", true, false }, { "no", true, false },
		{ "maybe", true, true }, { "", false, false },
	};
	struct place *p = *state;
	bool got;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(p, NULL, "allow_registration", rows[i].value);
		assert_int_equal(ln_setting_bool(p->store,
		    "allow_registration", rows[i].fallback, &got, NULL),
		    LN_OK);
		if (got != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void
note(void *arg, const char *name, const char *value, bool is_sealed)
{
	char *got = arg;
	size_t len = strlen(got);

	snprintf(got + len, 128 - len, "%s=%s%s ", name,
	    value != NULL ? value : "-", is_sealed ? "!" : "");
}

static void
visits_by_name_and_keeps_keys_to_itself(void **state)
{
	struct place *p = *state;
	char got[128] = "";

	put(p, "alice", "theme", "dark");
	put(p, "alice", "api_key", "sk-1");
	put(p, "alice", "model", "m");
	put(p, "bob", "model", "other");
	assert_int_equal(ln_setting_each(p->store, "alice", note, got, NULL),
	    LN_OK);
	assert_string_equal(got, "api_key=-! model=m theme=dark ");
	got[0] = '\0';
	assert_int_equal(ln_setting_each(p->store, NULL, note, got, NULL),
	    LN_OK);
	assert_string_equal(got, "");
}

static void
the_instance_and_keys_are_audited_by_name_only(void **state)
{
	static const char count[] = "SELECT count(*) FROM audit"
	    " WHERE action = 'setting.set' AND detail = ?1";
	struct place *p = *state;

	put(p, NULL, "base_url", "http://secret-host");
	put(p, "alice", "api_key", "sk-canary");
	put(p, "alice", "theme", "dark");
	assert_int_equal(people_number(p, count, "base_url"), 1);
	assert_int_equal(people_number(p, count, "api_key"), 1);
	assert_int_equal(people_number(p, count, "theme"), 0);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " detail LIKE ?1 OR target LIKE ?1", "%sk-%"), 0);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit WHERE"
	    " detail LIKE ?1", "%secret%"), 0);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(instance_and_users_have_their_own),
		IN_PLACE(
		    a_key_comes_back_byte_for_byte_and_is_nowhere_in_the_clear),
		IN_PLACE(a_sealed_key_cannot_be_moved_to_another_row),
		IN_PLACE(names_and_values_have_limits),
		IN_PLACE(truth_values_fall_back_when_they_say_nothing),
		IN_PLACE(visits_by_name_and_keeps_keys_to_itself),
		IN_PLACE(the_instance_and_keys_are_audited_by_name_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
