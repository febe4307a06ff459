/* Forks are whole, independent and bounded, and a tree stays one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/branch.h>
#include <ln/buf.h>
#include <ln/message.h>

#include "place.h"
#include "store/forks.h"
#include "store/stmt.h"

/* Conversation 'a' of ann with three messages, a picture and a tool run. */
static void
a_conversation(struct ln_store *st)
{
	place_add_user(st, "ann");
	place_add_user(st, "bob");
	place_exec(st, "INSERT INTO conversation_group VALUES"
	    " ('g', 'ann', 'G', 1, 1)");
	place_exec(st, "INSERT INTO conversation(id, user_id, title, model,"
	    " temperature, group_id, total_tokens, created_ms, updated_ms)"
	    " VALUES ('a', 'ann', 'Talk', 'm', 0.5, 'g', 9, 1, 1),"
	    " ('other', 'ann', 'Other', NULL, NULL, NULL, 0, 1, 1),"
	    " ('b', 'bob', 'His', NULL, NULL, NULL, 0, 1, 1)");
	place_exec(st, "INSERT INTO conversation_tag VALUES ('a', 't1'),"
	    " ('a', 't2')");
	place_exec(st, "INSERT INTO message(id, conversation_id, role, state,"
	    " content, provider, model, finish_reason, tokens, prompt_tokens,"
	    " duration_ms, is_estimated, pinned_ms, created_ms, thinking,"
	    " sources, error) VALUES"
	    " (10, 'a', 'user', 'complete', 'q', NULL, NULL, NULL, 0, 0, 0, 0,"
	    "  NULL, 5, NULL, NULL, NULL),"
	    " (12, 'a', 'assistant', 'stopped', 'w', 'p', 'm', 'stop', 3, 4, 5,"
	    "  1, 6, 7, 'hm', '[]', 'It broke'),"
	    " (15, 'a', 'assistant', 'complete', 'later', NULL, NULL, NULL, 0,"
	    "  0, 0, 0, NULL, 9, NULL, NULL, NULL),"
	    " (20, 'other', 'user', 'complete', 'x', NULL, NULL, NULL, 0, 0, 0,"
	    "  0, NULL, 5, NULL, NULL, NULL),"
	    " (21, 'b', 'user', 'complete', 'y', NULL, NULL, NULL, 0, 0, 0, 0,"
	    "  NULL, 5, NULL, NULL, NULL)");
	place_exec(st, "INSERT INTO message_image VALUES (10, '[\"AA==\"]'),"
	    " (15, '[\"BB==\"]')");
	place_exec(st, "INSERT INTO tool_run(message_id, round, name,"
	    " arguments, state, result, created_ms, ended_ms) VALUES"
	    " (12, 1, 'clock', '{}', 'done', 'now', 6, 7),"
	    " (12, 2, 'door', '{}', 'asking', NULL, 6, NULL)");
}

static char *
fork_ok(struct ln_store *st, const char *id, int64_t message_id)
{
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	char *out;

	if (ln_conversation_fork(st, "ann", id, message_id, &c, &err) != LN_OK)
		fail_msg("%s", err.detail);
	out = c->id;
	c->id = NULL;
	ln_conversation_free(c);
	return out;
}

static int64_t
last_message(struct ln_store *st, const char *id)
{
	struct ln_message_list l;
	int64_t last;

	assert_int_equal(ln_message_list(st, "ann", id, &l, NULL), LN_OK);
	last = l.items[l.count - 1]->id;
	ln_message_list_free(&l);
	return last;
}

/* The first column of a statement made at run time. */
static int64_t
number(struct ln_store *st, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t n;

	if (sqlite3_prepare_v2(lni_store_db(st), sql, -1, &q, NULL) !=
	    SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(lni_store_db(st)));
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

static void
a_fork_has_all_up_to_the_message(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	struct ln_message_list l;

	a_conversation(st);
	assert_int_equal(ln_conversation_fork(st, "ann", "a", 12, &c, NULL),
	    LN_OK);
	assert_string_equal(c->title, "Talk (branch)");
	assert_string_equal(c->model, "m");
	assert_string_equal(c->group_id, "g");
	assert_string_equal(c->forked_from, "a");
	assert_string_equal(c->tags, "t1\x1ft2");
	assert_true(c->has_temperature);
	/* Its own doings are still to come. */
	assert_int_equal(c->total_tokens, 0);
	assert_true(c->created_ms > 7);
	assert_int_equal(ln_message_list(st, "ann", c->id, &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_true(l.items[0]->id > 21);
	assert_string_equal(l.items[0]->images, "[\"AA==\"]");
	assert_null(l.items[1]->images);
	assert_string_equal(l.items[1]->thinking, "hm");
	assert_string_equal(l.items[1]->error, "It broke");
	ln_message_list_free(&l);
	assert_int_equal(place_int(st, "SELECT count(*) FROM tool_run r"
	    " JOIN message m ON m.id = r.message_id WHERE m.id > 21"
	    " AND m.content = 'w' AND ((r.name = 'clock' AND r.state = 'done')"
	    " OR (r.name = 'door' AND r.state = 'failed'))"), 2);
	ln_conversation_free(c);
}

/* Whoever adds a column to a message adds it to the copy. */
static void
no_column_of_a_message_is_forgotten(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_buf sql = LN_BUF_INIT(8000);
	sqlite3_stmt *q = NULL;
	const char *name;
	size_t compared = 0;

	a_conversation(st);
	ln_free(fork_ok(st, "a", 12));
	assert_int_equal(sqlite3_prepare_v2(lni_store_db(st), "SELECT name"
	    " FROM pragma_table_info('message') WHERE name NOT IN"
	    " ('id', 'conversation_id')", -1, &q, NULL), SQLITE_OK);
	ln_buf_puts(&sql, "SELECT count(*) FROM message o JOIN message n"
	    " ON o.id = 12 AND n.id > 21 AND n.content = 'w'");
	while (sqlite3_step(q) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(q, 0);
		ln_buf_printf(&sql, " AND n.%s IS o.%s", name, name);
		/* The test says something only about what is set. */
		ln_buf_printf(&sql, " AND o.%s IS NOT NULL", name);
		compared++;
	}
	sqlite3_finalize(q);
	assert_true(compared >= 14);
	assert_int_equal(number(st, ln_buf_str(&sql)), 1);
	ln_buf_free(&sql);
}

static void
either_side_may_go_without_the_other(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_message_list l;
	char *fork;

	a_conversation(st);
	fork = fork_ok(st, "a", 15);
	assert_int_equal(ln_conversation_delete(st, "ann", "a", NULL), LN_OK);
	assert_int_equal(ln_message_list(st, "ann", fork, &l, NULL), LN_OK);
	assert_int_equal(l.count, 3);
	assert_string_equal(l.items[2]->images, "[\"BB==\"]");
	ln_message_list_free(&l);
	assert_int_equal(place_int(st, "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH 'later'"), 1);
	assert_int_equal(ln_conversation_delete(st, "ann", fork, NULL),
	    LN_OK);
	assert_int_equal(place_int(st, "SELECT (SELECT count(*) FROM"
	    " message_image) + (SELECT count(*) FROM tool_run)"), 0);
	ln_free(fork);
}

static void
what_is_not_the_users_or_not_of_it_is_not_found(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	struct ln_branch_list l;
	static const struct {
		const char *user, *id;
		int64_t message;
	} none[] = {
		{ "bob", "a", 12 }, { "ann", "b", 21 }, { "ann", "a", 20 },
		{ "ann", "a", 21 }, { "ann", "a", 11 }, { "ann", "a", 0 },
		{ "ann", "x", 12 },
	};
	size_t i;

	a_conversation(st);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(ln_conversation_fork(st, none[i].user,
		    none[i].id, none[i].message, &c, NULL), LN_NOT_FOUND);
		assert_null(c);
	}
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation"), 3);
	assert_int_equal(ln_branch_list(st, "bob", "a", &l, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(l.count, 0);
}

static void
an_answer_in_the_making_is_taken_as_far_as_it_is(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	char *fork;

	a_conversation(st);
	place_exec(st, "UPDATE message SET state = 'streaming' WHERE id = 15");
	fork = fork_ok(st, "a", 15);
	assert_int_equal(place_int(st, "SELECT count(*) FROM message WHERE"
	    " content = 'later' AND state = 'interrupted' AND id > 21"), 1);
	ln_free(fork);
}

static void
a_fork_begins_with_only_so_much(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;

	a_conversation(st);
	place_exec(st, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 5100)"
	    " INSERT INTO message(id, conversation_id, role, content,"
	    " created_ms) SELECT i, 'other', 'user', 'x', i FROM n");
	assert_int_equal(ln_conversation_fork(st, "ann", "other", 5100, &c,
	    &err), LN_TOO_LARGE);
	ln_free(fork_ok(st, "other", 5098));
	place_exec(st, "INSERT INTO message(id, conversation_id, role, content,"
	    " created_ms) SELECT 20000, 'a', 'user',"
	    " CAST(hex(zeroblob(33554432)) AS TEXT), 10");
	assert_int_equal(ln_conversation_fork(st, "ann", "a", 20000, &c, &err),
	    LN_TOO_LARGE);
	place_exec(st, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 999)"
	    " INSERT INTO conversation(id, user_id, title, forked_from,"
	    " fork_root, created_ms, updated_ms)"
	    " SELECT 'f' || i, 'ann', 'F', 'a', 'a', i, i FROM n");
	assert_int_equal(ln_conversation_fork(st, "ann", "a", 12, &c, &err),
	    LN_CONFLICT);
	assert_null(c);
}

/* "id depth parent;" for every branch of the tree of ${id}. */
static void
assert_tree(struct ln_store *st, const char *id, const char *const *ids,
    size_t n, const char *want)
{
	struct ln_buf b = LN_BUF_INIT(2000);
	struct ln_branch_list l;
	size_t i, j, k;

	assert_int_equal(ln_branch_list(st, "ann", id, &l, NULL), LN_OK);
	for (i = 0; i < l.count; i++) {
		for (j = 0; j < n && strcmp(l.items[i].id, ids[j]) != 0;)
			j++;
		for (k = 0; k < n && (l.items[i].parent_id == NULL ||
		    strcmp(l.items[i].parent_id, ids[k]) != 0);)
			k++;
		ln_buf_printf(&b, "%zu%c%lld%c", j, k < n ? '<' : ' ',
		    (long long)l.items[i].depth, ';');
		if (k < n)
			ln_buf_printf(&b, "of %zu ", k);
	}
	assert_string_equal(ln_buf_str(&b), want);
	ln_buf_free(&b);
	ln_branch_list_free(&l);
}

static void
a_tree_stays_one_when_parents_go(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	char *made[5];
	const char *ids[6];
	size_t i;

	/* a: 1 (2 (3, 4)), 5 */
	a_conversation(st);
	made[0] = fork_ok(st, "a", 12);
	made[1] = fork_ok(st, made[0], last_message(st, made[0]));
	made[2] = fork_ok(st, made[1], last_message(st, made[1]));
	made[3] = fork_ok(st, made[1], last_message(st, made[1]));
	made[4] = fork_ok(st, "a", 10);
	ids[0] = "a";
	for (i = 0; i < 5; i++)
		ids[i + 1] = made[i];
	/* In the order they were made, also within one millisecond. */
	place_exec(st, "UPDATE conversation SET created_ms = rowid");
	for (i = 0; i < 6; i++)
		assert_tree(st, ids[i], ids, 6, "0 0;1<1;of 0 2<2;of 1 "
		    "3<3;of 2 4<3;of 2 5<1;of 0 ");
	assert_int_equal(ln_conversation_delete(st, "ann", made[1], NULL),
	    LN_OK);
	assert_tree(st, made[2], ids, 6, "0 0;3<2;of 2 4<2;of 2 1<1;of 0 "
	    "5<1;of 0 ");
	assert_int_equal(ln_conversation_delete(st, "ann", "a", NULL), LN_OK);
	assert_tree(st, made[4], ids, 6, "3<2;of 2 4<2;of 2 1<1;of 0 "
	    "5<1;of 0 ");
	/* A branch of a branch that is left belongs to it, too. */
	ln_free(fork_ok(st, made[3], last_message(st, made[3])));
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation"
	    " WHERE fork_root = 'a'"), 5);
	for (i = 0; i < 5; i++)
		ln_free(made[i]);
}

static void
forks_of_a_foreign_file_find_their_tree(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	static const char *const ids[] = { "r", "s", "t", "x", "y" };

	place_add_user(st, "ann");
	/* s of r, t of s; x and y of each other; z of what is gone. */
	place_exec(st, "INSERT INTO conversation(id, user_id, title,"
	    " forked_from, created_ms, updated_ms) VALUES"
	    " ('t', 'ann', 'T', 's', 3, 1), ('s', 'ann', 'S', 'r', 2, 1),"
	    " ('r', 'ann', 'R', NULL, 1, 1), ('x', 'ann', 'X', 'y', 1, 1),"
	    " ('y', 'ann', 'Y', 'x', 2, 1), ('z', 'ann', 'Z', 'gone', 1, 1),"
	    " ('self', 'ann', 'Self', 'self', 1, 1)");
	assert_int_equal(lni_forks_settle(st, NULL), LN_OK);
	assert_tree(st, "t", ids, 5, "0 0;1<1;of 0 2<2;of 1 ");
	assert_tree(st, "x", ids, 5, "3<0;of 4 ");
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation"
	    " WHERE id = 'z' AND fork_root = 'gone'"), 1);
	/* A hostile file says that a circle is a tree. */
	place_exec(st, "UPDATE conversation SET fork_root = 'none'"
	    " WHERE id IN ('x', 'y')");
	assert_tree(st, "x", ids, 5, "3<1;of 4 4<2;of 3 ");
}

int
main(void)
{
#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		row(a_fork_has_all_up_to_the_message),
		row(no_column_of_a_message_is_forgotten),
		row(either_side_may_go_without_the_other),
		row(what_is_not_the_users_or_not_of_it_is_not_found),
		row(an_answer_in_the_making_is_taken_as_far_as_it_is),
		row(a_fork_begins_with_only_so_much),
		row(a_tree_stays_one_when_parents_go),
		row(forks_of_a_foreign_file_find_their_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
