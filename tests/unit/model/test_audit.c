/* The audit log: whoever touches it without the key leaves a mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/audit.h>

#include "people.h"

#define ROWS 6

/* What somebody does first who owns the file. */
#define DROP_TRIGGERS							\
	"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"

static void
add(struct place *p, const char *action, const char *detail)
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_audit_add(p->store, action, "bob", LN_OK, detail, &err),
	    &err);
}

static int
setup(void **state)
{
	static const struct ln_actor actor = { "user", "alice",
		"192.0.2.0/24", "req-1" };
	struct place *p;
	int i;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	ln_store_actor_set(p->store, &actor);
	for (i = 0; i < ROWS; i++)
		add(p, "user.block", i % 2 == 0 ? "why" : NULL);
	return 0;
}

static void
expect(struct place *p, int64_t bad, int64_t count)
{
	struct ln_error err = LN_ERROR_INIT;
	int64_t got_bad, got_count;
	enum ln_status s;

	s = ln_audit_verify(p->store, &got_bad, &got_count, &err);
	assert_int_equal(got_bad, bad);
	assert_int_equal(got_count, count);
	assert_int_equal(s, bad == 0 ? LN_OK : LN_CORRUPT);
}

static void
keeps_who_what_whom_and_how_it_went(void **state)
{
	struct place *p = *state;
	struct ln_audit_list l;

	assert_int_equal(ln_audit_add(p->store, "user.role", NULL,
	    LN_CONFLICT, NULL, NULL), LN_OK);
	assert_int_equal(ln_audit_list(p->store, 0, 2, &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.items[0]->id, ROWS + 1);
	assert_string_equal(l.items[0]->actor_kind, "user");
	assert_string_equal(l.items[0]->actor_id, "alice");
	assert_string_equal(l.items[0]->address, "192.0.2.0/24");
	assert_string_equal(l.items[0]->request_id, "req-1");
	assert_string_equal(l.items[0]->action, "user.role");
	assert_string_equal(l.items[0]->outcome, "conflict");
	assert_null(l.items[0]->target);
	assert_null(l.items[0]->detail);
	assert_string_equal(l.items[1]->target, "bob");
	ln_audit_list_free(&l);
	assert_int_equal(ln_audit_list(p->store, 3, 0, &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.items[0]->id, 2);
	ln_audit_list_free(&l);
	expect(p, 0, ROWS + 1);
}

static size_t
found(struct place *p, struct ln_audit_filter f)
{
	struct ln_audit_list l;
	size_t n;

	f.size = sizeof(f);
	assert_int_equal(ln_audit_search(p->store, &f, &l, NULL), LN_OK);
	n = l.count;
	ln_audit_list_free(&l);
	return n;
}

static void
is_searched_by_who_what_and_when(void **state)
{
	static const struct ln_actor shell = { "shell", NULL, NULL, NULL };
	struct place *p = *state;
	struct ln_audit_list l;
	int64_t last;

	ln_store_actor_set(p->store, &shell);
	add(p, "user.unblock", NULL);
	add(p, "username.change", NULL);
	assert_int_equal(ln_audit_list(p->store, 0, 1, &l, NULL), LN_OK);
	last = l.items[0]->at_ms;
	ln_audit_list_free(&l);
#define FOUND(...) found(p, (struct ln_audit_filter) { __VA_ARGS__ })
	assert_int_equal(FOUND(.limit = 0), ROWS + 2);
	assert_int_equal(FOUND(.actor = "alice"), ROWS);
	assert_int_equal(FOUND(.actor = "shell"), 2);
	assert_int_equal(FOUND(.actor = "user"), 0);
	assert_int_equal(FOUND(.action = "user.block"), ROWS);
	assert_int_equal(FOUND(.action = "user"), ROWS + 1);
	assert_int_equal(FOUND(.action = "use"), 0);
	assert_int_equal(FOUND(.action = "user.%"), 0);
	assert_int_equal(FOUND(.actor = "shell", .action = "user"), 1);
	assert_int_equal(FOUND(.since_ms = last + 1), 0);
	assert_int_equal(FOUND(.until_ms = last + 1), ROWS + 2);
	assert_int_equal(FOUND(.until_ms = 1), 0);
	assert_int_equal(FOUND(.before_id = 3), 2);
	assert_int_equal(FOUND(.limit = 2), 2);
}

static void
an_empty_log_is_sound(void **state)
{
	expect(*state, 0, 0);
}

static void
every_kind_of_tampering_is_found_and_stays_found(void **state)
{
	static const struct {
		const char *what;
		const char *sql;
		int64_t bad;
		int64_t count;
	} rows[] = {
		{ "another actor", "UPDATE audit SET actor_id = 'bob'"
		    " WHERE id = 2", 2, ROWS },
		{ "another time", "UPDATE audit SET at_ms = at_ms + 1"
		    " WHERE id = 6", 6, ROWS },
		{ "another outcome", "UPDATE audit SET outcome = 'invalid'"
		    " WHERE id = 1", 1, ROWS },
		{ "absent became empty", "UPDATE audit SET detail = ''"
		    " WHERE id = 2", 2, ROWS },
		{ "text moved to the next field", "UPDATE audit SET"
		    " action = 'user.blockb', target = 'ob' WHERE id = 3", 3,
		    ROWS },
		{ "text behind a NUL byte", "UPDATE audit SET"
		    " detail = detail || char(0) || 'x' WHERE id = 3", 3,
		    ROWS },
		{ "another mac", "UPDATE audit SET mac = zeroblob(32)"
		    " WHERE id = 4", 4, ROWS },
		{ "one taken out of the middle", "DELETE FROM audit"
		    " WHERE id = 3", 4, ROWS - 1 },
		{ "the first taken out", "DELETE FROM audit WHERE id = 1", 2,
		    ROWS - 1 },
		{ "the end cut off", "DELETE FROM audit WHERE id >= 5", 5,
		    ROWS - 2 },
		{ "everything removed", "DELETE FROM audit", 1, 0 },
		{ "two exchanged", "UPDATE audit SET id = -1 WHERE id = 2;"
		    "UPDATE audit SET id = 2 WHERE id = 3;"
		    "UPDATE audit SET id = 3 WHERE id = -1", 2, ROWS },
		{ "renumbered to close the gap", "DELETE FROM audit"
		    " WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3",
		    3, ROWS - 1 },
		{ "one copied to the end", "INSERT INTO audit SELECT 7, at_ms,"
		    " actor_kind, actor_id, address, action, target, outcome,"
		    " request_id, detail, mac FROM audit WHERE id = 6", 7,
		    ROWS + 1 },
		{ "end and head cut off", "DELETE FROM audit WHERE id >= 5;"
		    "DELETE FROM audit_head", 5, ROWS - 2 },
		{ "end cut off and head bent to it", "DELETE FROM audit"
		    " WHERE id >= 5; UPDATE audit_head SET last_id = 4,"
		    " last_mac = (SELECT mac FROM audit WHERE id = 4)", 5,
		    ROWS - 2 },
		{ "everything removed and the head bent", "DELETE FROM audit;"
		    "UPDATE audit_head SET mac = zeroblob(32)", 1, 0 },
		{ "the head removed", "DELETE FROM audit_head", ROWS + 1,
		    ROWS },
	};
	struct ln_error err = LN_ERROR_INIT;
	struct place *p;
	int64_t bad, count;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(setup(state), 0);
		p = *state;
		people_tamper(p, DROP_TRIGGERS);
		people_tamper(p, rows[i].sql);
		if (ln_audit_verify(p->store, &bad, &count, &err) !=
		    LN_CORRUPT || bad != rows[i].bad || count != rows[i].count)
			fail_msg("%s: breaks at %lld of %lld", rows[i].what,
			    (long long)bad, (long long)count);
		/* Work goes on, and the break does not heal. */
		add(p, "later", NULL);
		add(p, "later", NULL);
		if (ln_audit_verify(p->store, &bad, &count, &err) !=
		    LN_CORRUPT || bad < 1 || count < 2)
			fail_msg("%s: healed", rows[i].what);
		assert_int_equal(place_teardown(state), 0);
	}
}

static enum ln_status
add_then_fail(struct ln_store *st, void *arg, struct ln_error *err)
{
	(void)arg;
	if (ln_audit_add(st, "user.delete", "x", LN_OK, NULL, err) != LN_OK)
		fail_msg("audit");
	return ln_fail(err, LN_CONFLICT, "", "changed my mind");
}

static void
a_row_dies_with_its_transaction(void **state)
{
	struct place *p = *state;

	assert_int_equal(ln_store_transaction(p->store, add_then_fail, NULL,
	    NULL), LN_CONFLICT);
	expect(p, 0, ROWS);
	add(p, "next", NULL);
	expect(p, 0, ROWS + 1);
}

static void
two_handles_write_one_chain(void **state)
{
	struct place *p = *state;
	struct ln_store *other = place_open(p, 1000);
	int i;

	for (i = 0; i < 10; i++)
		assert_int_equal(ln_audit_add(i % 2 == 0 ? other : p->store,
		    "x", NULL, LN_OK, NULL, NULL), LN_OK);
	ln_store_close(other);
	expect(p, 0, ROWS + 10);
}

static void
another_key_does_not_verify_and_no_key_does_not_write(void **state)
{
	struct place *p = *state;
	struct ln_store_opts opts = { .size = sizeof(opts), .path = p->path,
		.mode = LN_STORE_RW };
	struct ln_keys *foreign = NULL;
	struct ln_store *st = NULL;
	int64_t bad, count;

	assert_int_equal(ln_store_open(&opts, &st, NULL), LN_OK);
	assert_int_equal(ln_audit_add(st, "x", NULL, LN_OK, NULL, NULL),
	    LN_BAD_KEY);
	assert_int_equal(ln_audit_verify(st, &bad, &count, NULL), LN_BAD_KEY);
	ln_store_close(st);
	assert_int_equal(ln_keys_derive("another secret of another instance, "
	    "long enough", &foreign, NULL), LN_OK);
	opts.keys = foreign;
	assert_int_equal(ln_store_open(&opts, &st, NULL), LN_OK);
	assert_int_equal(ln_audit_verify(st, &bad, &count, NULL), LN_CORRUPT);
	assert_int_equal(bad, 1);
	ln_store_close(st);
	ln_keys_free(foreign);
	expect(p, 0, ROWS);
}

static void
long_and_broken_text_is_cut_and_repaired(void **state)
{
	struct place *p = *state;
	struct ln_audit_list l;
	char text[3000];

	memset(text, 'd', sizeof(text) - 1);
	text[0] = '\xff';
	text[sizeof(text) - 1] = '\0';
	add(p, "x", text);
	assert_int_equal(ln_audit_list(p->store, 0, 1, &l, NULL), LN_OK);
	assert_int_equal(strlen(l.items[0]->detail), 1000);
	assert_memory_equal(l.items[0]->detail, "\xef\xbf\xbd" "d", 4);
	ln_audit_list_free(&l);
	expect(p, 0, ROWS + 1);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(keeps_who_what_whom_and_how_it_went),
		IN_PLACE(is_searched_by_who_what_and_when),
		cmocka_unit_test_setup_teardown(an_empty_log_is_sound,
		    place_setup, place_teardown),
		cmocka_unit_test(
		    every_kind_of_tampering_is_found_and_stays_found),
		IN_PLACE(a_row_dies_with_its_transaction),
		IN_PLACE(two_handles_write_one_chain),
		IN_PLACE(another_key_does_not_verify_and_no_key_does_not_write),
		IN_PLACE(long_and_broken_text_is_cut_and_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
