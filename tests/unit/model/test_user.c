/* Accounts as rows: names, who is meant by one, lists and counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/time.h>

#include "model/user.h"
#include "people.h"

static void
says_which_user_names_are_allowed(void **state)
{
	static char longest[2 * LN_USERNAME_MAX + 1];
	static char too_long[2 * LN_USERNAME_MAX + 3];
	const struct {
		const char *what;
		const char *name;
		enum ln_status want;
	} rows[] = {
		{ "letters, digits, dot, underscore, dash", "a.B_c-9", LN_OK },
		{ "letters of any script", "björn", LN_OK },
		{ "Cyrillic", "Наталья", LN_OK },
		{ "two characters", "ab", LN_OK },
		{ "two characters of three bytes", "日本", LN_OK },
		{ "one character", "a", LN_INVALID },
		{ "one character of three bytes", "日", LN_INVALID },
		{ "empty", "", LN_INVALID },
		{ "64 characters of two bytes", longest, LN_OK },
		{ "65 characters", too_long, LN_INVALID },
		{ "an e-mail", "alice@example.org", LN_INVALID },
		{ "blank", "al ice", LN_INVALID },
		{ "slash", "../etc", LN_INVALID },
		{ "markup", "<b>bob</b>", LN_INVALID },
		{ "newline", "alice\n", LN_INVALID },
		{ "right-to-left override", "ali\xe2\x80\xae" "ce", LN_INVALID },
		{ "zero-width joiner", "ali\xe2\x80\x8d" "ce", LN_INVALID },
		{ "emoji", "alice\xf0\x9f\x98\x80", LN_INVALID },
		{ "full-width at sign", "a\xef\xbc\xa0" "b", LN_INVALID },
		{ "not UTF-8", "ali\xff" "ce", LN_INVALID },
	};
	struct ln_error err = LN_ERROR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LN_USERNAME_MAX; i++)
		memcpy(longest + 2 * i, "é", 2);
	snprintf(too_long, sizeof(too_long), "%sé", longest);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ln_user_check_name(rows[i].name, &err) != rows[i].want)
			fail_msg("%s", rows[i].what);
		if (rows[i].want != LN_OK)
			assert_string_equal(err.field, "username");
	}
}

static void
says_which_mails_and_full_names_are_allowed(void **state)
{
	char mail[LN_EMAIL_MAX + 2], name[LN_FULL_NAME_MAX + 2];

	(void)state;
	assert_int_equal(ln_user_check_email("a@b", NULL), LN_OK);
	assert_int_equal(ln_user_check_email("no format is asked", NULL),
	    LN_OK);
	assert_int_equal(ln_user_check_email("", NULL), LN_INVALID);
	assert_int_equal(ln_user_check_email("a@b\r\nBcc: c@d", NULL),
	    LN_INVALID);
	assert_int_equal(ln_user_check_email("a\xff@b", NULL), LN_INVALID);
	memset(mail, 'm', sizeof(mail) - 1);
	mail[LN_EMAIL_MAX + 1] = '\0';
	assert_int_equal(ln_user_check_email(mail, NULL), LN_INVALID);
	mail[LN_EMAIL_MAX] = '\0';
	assert_int_equal(ln_user_check_email(mail, NULL), LN_OK);

	assert_int_equal(ln_user_check_full_name("Carol <b>Ünal</b>", NULL),
	    LN_OK);
	assert_int_equal(ln_user_check_full_name("a\033[31mb", NULL),
	    LN_INVALID);
	memset(name, 'n', sizeof(name) - 1);
	name[LN_FULL_NAME_MAX + 1] = '\0';
	assert_int_equal(ln_user_check_full_name(name, NULL), LN_INVALID);
	name[LN_FULL_NAME_MAX] = '\0';
	assert_int_equal(ln_user_check_full_name(name, NULL), LN_OK);
}

static void
expect_found(struct place *p, const char *typed, const char *id)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_user_find(p->store, typed, &u, &err);
	if (id == NULL) {
		if (s != LN_NOT_FOUND)
			fail_msg("\"%s\": %s", typed, ln_status_token(s));
		assert_null(u);
		return;
	}
	people_ok(s, &err);
	if (strcmp(u->id, id) != 0)
		fail_msg("\"%s\" means %s", typed, u->id);
	ln_user_free(u);
}

static void
finds_an_account_the_way_people_type_it(void **state)
{
	struct place *p = *state;
	char long_name[LNI_USER_TYPED_MAX + 2];

	people_add(p, "Alice", "Alice@Example.org", LN_USER_ROLE_USER, NULL);
	people_add(p, "björn", NULL, LN_USER_ROLE_USER, NULL);
	expect_found(p, "alice", "Alice");
	expect_found(p, "ALICE", "Alice");
	expect_found(p, "\xef\xbc\xa1lice", "Alice");	/* full-width A */
	expect_found(p, "alice@example.ORG", "Alice");
	expect_found(p, "BJÖRN", "björn");
	expect_found(p, "bjo\xcc\x88rn", "björn");	/* decomposed */
	expect_found(p, "bjorn", NULL);
	expect_found(p, "", NULL);
	expect_found(p, "alice'--", NULL);
	expect_found(p, "a%", NULL);
	expect_found(p, "\xff", NULL);
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	expect_found(p, long_name, NULL);
}

static void
with_an_at_sign_the_mail_comes_before_an_imported_user_name(void **state)
{
	struct place *p = *state;
	struct ln_user *found[LNI_USER_MATCH_MAX];
	size_t count;

	people_add(p, "victim@example.org", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "victim", "victim@example.org", LN_USER_ROLE_USER, NULL);
	people_add(p, "carol", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "other", "carol", LN_USER_ROLE_USER, NULL);
	expect_found(p, "victim@example.org", "victim");
	expect_found(p, "carol", "carol");

	people_ok(lni_user_match(p->store, "Victim@example.org", found, &count,
	    NULL), &(struct ln_error)LN_ERROR_INIT);
	assert_int_equal(count, 2);
	assert_string_equal(found[0]->id, "victim");
	assert_string_equal(found[1]->id, "victim@example.org");
	ln_user_free(found[0]);
	ln_user_free(found[1]);
}

static void
an_account_with_its_mail_as_name_is_one_account(void **state)
{
	struct place *p = *state;
	struct ln_user *found[LNI_USER_MATCH_MAX];
	size_t count;

	people_add(p, "dan@example.org", "dan@example.org", LN_USER_ROLE_USER,
	    NULL);
	assert_int_equal(lni_user_match(p->store, "dan@example.org", found,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 1);
	ln_user_free(found[0]);
}

static void
a_name_that_could_mean_somebody_else_is_taken(void **state)
{
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;

	people_add(p, "alice", "post@example.org", LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", "short", LN_USER_ROLE_USER, NULL);
	people_tamper(p, "UPDATE user SET id = '5f-id' WHERE id = 'bob'");

	assert_int_equal(lni_user_taken(p->store, NULL, "ALICE", NULL, &err),
	    LN_CONFLICT);
	assert_string_equal(err.field, "username");
	/* Somebody's e-mail as a user name; somebody's id. */
	assert_int_equal(lni_user_taken(p->store, NULL, "Short", NULL, &err),
	    LN_CONFLICT);
	assert_int_equal(lni_user_taken(p->store, NULL, "5f-id", NULL, &err),
	    LN_CONFLICT);
	assert_int_equal(lni_user_taken(p->store, NULL, "new",
	    "Post@example.org", &err), LN_CONFLICT);
	assert_string_equal(err.field, "email");
	/* Somebody's user name as an e-mail. */
	assert_int_equal(lni_user_taken(p->store, NULL, "new", "alice", &err),
	    LN_CONFLICT);
	assert_string_equal(err.field, "email");
	/* One's own is one's own. */
	assert_int_equal(lni_user_taken(p->store, "alice", "Alice",
	    "post@example.org", &err), LN_OK);
	assert_int_equal(lni_user_taken(p->store, NULL, "new", "new@x", &err),
	    LN_OK);
}

static void
the_database_itself_refuses_a_second_name_or_mail(void **state)
{
	struct place *p = *state;
	struct lni_user_new u = { .id = "2", .username = "ALICE",
		.created_ms = 1 };

	people_add(p, "alice", "a@b", LN_USER_ROLE_USER, NULL);
	assert_int_equal(lni_user_add(p->store, &u, NULL), LN_CONFLICT);
	u.username = "other";
	u.email = "A@B";
	assert_int_equal(lni_user_add(p->store, &u, NULL), LN_CONFLICT);
	assert_int_equal(people_number(p, "SELECT count(*) FROM user", NULL),
	    1);
}

static void
a_block_with_an_end_ends_by_itself(void **state)
{
	struct place *p = *state;
	struct ln_user *u = NULL;
	int64_t now_ms = ln_time_now_ms();
	const struct {
		int64_t until_ms;
		bool is_blocked;
	} rows[] = {
		{ 0, true },
		{ now_ms + 60000, true },
		{ now_ms - 1, false },
	};
	size_t i;

	people_add(p, "mallory", NULL, LN_USER_ROLE_USER, NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(lni_user_block_set(p->store, "mallory",
		    now_ms - 1000, rows[i].until_ms, "why", NULL), LN_OK);
		assert_int_equal(ln_user_get(p->store, "mallory", &u, NULL),
		    LN_OK);
		assert_int_equal(u->is_blocked, rows[i].is_blocked);
		assert_int_equal(u->blocked_until_ms, rows[i].until_ms);
		assert_string_equal(u->blocked_reason, "why");
		ln_user_free(u);
	}
}

static void
lists_by_name_with_filter_page_and_total(void **state)
{
	struct place *p = *state;
	static const struct {
		const char *what;
		struct ln_user_filter f;
		const char *want;	/* ids in order */
		int64_t total;
	} rows[] = {
		{ "all", { .size = sizeof(struct ln_user_filter) },
		    "Alice bob carol zoe", 4 },
		{ "a part of the name", { .query = "OB" }, "bob", 1 },
		{ "a part of the mail", { .query = "@EXAMPLE" }, "Alice zoe",
		    2 },
		{ "a part of the full name", { .query = "ünal" }, "carol", 1 },
		{ "no wildcard", { .query = "%" }, "", 0 },
		{ "no quote", { .query = "' OR 1=1 --" }, "", 0 },
		{ "admins", { .only_admins = true }, "zoe", 1 },
		{ "users", { .only_users = true }, "Alice bob carol", 3 },
		{ "blocked", { .only_blocked = true }, "bob", 1 },
		{ "a page", { .limit = 2, .offset = 1 }, "bob carol", 4 },
		{ "past the end", { .limit = 2, .offset = 9 }, "", 4 },
	};
	struct ln_user_list l;
	char got[128];
	size_t i, n, len;

	people_add(p, "zoe", "zoe@example.org", LN_USER_ROLE_ADMIN, "x");
	people_add(p, "Alice", "a@example.org", LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "carol", NULL, LN_USER_ROLE_USER, NULL);
	assert_int_equal(lni_user_full_name_set(p->store, "carol",
	    "Carol Jane ünal", NULL), LN_OK);
	assert_int_equal(lni_user_block_set(p->store, "bob", 1, 0, NULL, NULL),
	    LN_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ln_user_list(p->store, &rows[i].f, &l, NULL),
		    LN_OK);
		got[0] = '\0';
		for (n = 0, len = 0; n < l.count; n++)
			len += (size_t)snprintf(got + len, sizeof(got) - len,
			    "%s%s", n > 0 ? " " : "", l.items[n]->id);
		if (strcmp(got, rows[i].want) != 0 || l.total != rows[i].total)
			fail_msg("%s: \"%s\" of %lld", rows[i].what, got,
			    (long long)l.total);
		ln_user_list_free(&l);
	}
	assert_int_equal(ln_user_list(p->store, NULL, &l, NULL), LN_OK);
	assert_int_equal(l.count, 4);
	ln_user_list_free(&l);
}

static void
a_record_tells_about_the_password_but_not_the_hash(void **state)
{
	struct place *p = *state;
	struct ln_user *u = NULL;
	char *hash = NULL;

	people_add(p, "with", NULL, LN_USER_ROLE_USER, "$hash");
	people_add(p, "without", NULL, LN_USER_ROLE_USER, NULL);
	assert_int_equal(ln_user_get(p->store, "with", &u, NULL), LN_OK);
	assert_true(u->has_password);
	ln_user_free(u);
	assert_int_equal(ln_user_get(p->store, "without", &u, NULL), LN_OK);
	assert_false(u->has_password);
	ln_user_free(u);

	assert_int_equal(lni_user_hash_replace(p->store, "with", "$other",
	    "$new", NULL), LN_CONFLICT);
	assert_int_equal(lni_user_hash_replace(p->store, "with", "$hash",
	    "$new", NULL), LN_OK);
	assert_int_equal(lni_user_hash(p->store, "with", &hash, NULL), LN_OK);
	assert_string_equal(hash, "$new");
	ln_free(hash);
}

static void
changing_who_is_not_there_is_not_found(void **state)
{
	struct place *p = *state;

	assert_int_equal(lni_user_hash_set(p->store, "x", "h", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(lni_user_role_set(p->store, "x", LN_USER_ROLE_ADMIN,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(lni_user_block_clear(p->store, "x", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(lni_user_remove(p->store, "x", NULL), LN_NOT_FOUND);
}

static void
counts_what_an_account_has(void **state)
{
	struct place *p = *state;
	struct ln_user_stats stats;

	people_add(p, "alice", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	assert_int_equal(ln_user_stats(p->store, "alice", &stats, NULL),
	    LN_OK);
	assert_int_equal(stats.total_tokens, 0);
	people_tamper(p, "INSERT INTO conversation(id, user_id, title,"
	    " total_tokens, created_ms, updated_ms) VALUES"
	    " ('c1', 'alice', 't', 30, 1, 1), ('c2', 'alice', 't', 12, 1, 1),"
	    " ('c3', 'bob', 't', 5, 1, 1);"
	    "INSERT INTO message(conversation_id, role, content, created_ms)"
	    " VALUES ('c1', 'user', 'q', 1), ('c1', 'assistant', 'a', 1),"
	    " ('c3', 'user', 'q', 1)");
	assert_int_equal(ln_user_stats(p->store, "alice", &stats, NULL),
	    LN_OK);
	assert_int_equal(stats.conversation_count, 2);
	assert_int_equal(stats.message_count, 2);
	assert_int_equal(stats.total_tokens, 42);
	assert_int_equal(ln_user_stats(p->store, "nobody", &stats, NULL),
	    LN_NOT_FOUND);
}

#define IN_PLACE(f) \
	cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_which_user_names_are_allowed),
		cmocka_unit_test(says_which_mails_and_full_names_are_allowed),
		IN_PLACE(finds_an_account_the_way_people_type_it),
		IN_PLACE(
		    with_an_at_sign_the_mail_comes_before_an_imported_user_name),
		IN_PLACE(an_account_with_its_mail_as_name_is_one_account),
		IN_PLACE(a_name_that_could_mean_somebody_else_is_taken),
		IN_PLACE(the_database_itself_refuses_a_second_name_or_mail),
		IN_PLACE(a_block_with_an_end_ends_by_itself),
		IN_PLACE(lists_by_name_with_filter_page_and_total),
		IN_PLACE(a_record_tells_about_the_password_but_not_the_hash),
		IN_PLACE(changing_who_is_not_there_is_not_found),
		IN_PLACE(counts_what_an_account_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
