/* Deleting an account leaves nothing of the person behind, and two
 * administrators who act on each other at once leave one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <ln/auth.h>
#include <ln/session.h>
#include <ln/setting.h>
#include <ln/store.h>

#include "model/user.h"
#include "people.h"

/* A row of "alice" in every table that can hold one, each text a canary. */
static const char full_life[] =
    "INSERT INTO user_picture VALUES ('alice', 'canary', x'00');"
    "INSERT INTO project VALUES ('p', 'alice', 'canary', 'canary', 1);"
    "INSERT INTO document(project_id, filename, content, created_ms)"
    " VALUES ('p', 'canary', 'canary', 1);"
    "UPDATE document SET reason = 'canary', source_url = 'canary';"
    "INSERT INTO document_file SELECT id, 0, x'00' FROM document;"
    "INSERT INTO chunk(document_id, position, text)"
    " SELECT id, 0, 'canary' FROM document;"
    "INSERT INTO chunk_fts(rowid, text) SELECT id, text FROM chunk;"
    "INSERT INTO conversation_group VALUES ('g', 'alice', 'canary', 0, 1);"
    "INSERT INTO conversation(id, user_id, title, system_prompt, project_id,"
    " group_id, created_ms, updated_ms)"
    " VALUES ('c', 'alice', 'canary', 'canary', 'p', 'g', 1, 1);"
    "INSERT INTO conversation_tag VALUES ('c', 'canary');"
    "INSERT INTO message(conversation_id, role, content, created_ms)"
    " VALUES ('c', 'user', 'canary sings', 1);"
    "INSERT INTO message(conversation_id, role, state, content, created_ms)"
    " VALUES ('c', 'assistant', 'streaming', 'canary half', 1);"
    "UPDATE message SET thinking = 'canary', sources = 'canary' WHERE role = 'assistant';"
    "INSERT INTO tool_run(message_id, round, name, arguments, state, result,"
    " created_ms, ended_ms)"
    " SELECT max(id), 1, 'canary', 'canary', 'done', 'canary', 1, 1"
    " FROM message;"
    "INSERT INTO message_image SELECT min(id), '[\"canary\"]' FROM message;"
    "INSERT INTO generation SELECT max(id), 'c', 'canary', 0, 1 FROM message;"
    "INSERT INTO prompt(user_id, title, content, created_ms)"
    " VALUES ('alice', 'canary', 'canary', 1);"
    "INSERT INTO tool(id, user_id, name, description, definition,"
    " sealed_headers, created_ms)"
    " VALUES ('t', 'alice', 'canary', 'canary', '{}', 'canary', 1);";

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "root", NULL, LN_USER_ROLE_ADMIN, "x");
	people_add(p, "alice", "canary@example.org", LN_USER_ROLE_USER, "x");
	return 0;
}

/* How many values in all tables but audit mention her. */
static int64_t
traces(struct place *p)
{
	static const char columns[] =
	    "SELECT t.name, c.name FROM sqlite_schema t"
	    " JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table'"
	    " AND t.name <> 'audit' AND t.name NOT LIKE 'message_fts%'"
	    " AND t.name NOT LIKE 'chunk_fts%'";
	sqlite3_stmt *q, *each;
	sqlite3 *db;
	char sql[512];
	int64_t n = 0;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, columns, -1, &q, NULL),
	    SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		sqlite3_snprintf(sizeof(sql), sql, "SELECT count(*) FROM \"%w\""
		    " WHERE \"%w\" LIKE '%%canary%%' OR \"%w\" = 'alice'",
		    sqlite3_column_text(q, 0), sqlite3_column_text(q, 1),
		    sqlite3_column_text(q, 1));
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &each, NULL),
		    SQLITE_OK);
		assert_int_equal(sqlite3_step(each), SQLITE_ROW);
		n += sqlite3_column_int64(each, 0);
		sqlite3_finalize(each);
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

static void
problem(void *arg, const char *text)
{
	(void)arg;
	print_error("%s\n", text);
}

static void
nothing_of_a_deleted_person_remains_but_the_audit(void **state)
{
	static const char found[] = "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH ?1";
	struct place *p = *state;
	char cookie[LN_SESSION_COOKIE_SIZE], token[LN_RESET_TOKEN_SIZE];
	struct ln_error err = LN_ERROR_INIT;

	people_tamper(p, full_life);
	people_ok(ln_session_create(p->store, "alice", "canary", "canary",
	    cookie, &err), &err);
	people_ok(ln_auth_reset_issue(p->store, "alice", 0, token, &err),
	    &err);
	people_ok(ln_setting_set(p->store, "alice", "theme", "canary", &err),
	    &err);
	assert_true(traces(p) >= 25);
	/* The message, and the title of its conversation. */
	assert_int_equal(people_number(p, found, "canary"), 2);

	people_ok(ln_auth_delete(p->store, "alice", &err), &err);
	assert_int_equal(traces(p), 0);
	assert_int_equal(people_number(p, found, "canary"), 0);
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit"
	    " WHERE action = 'user.delete' AND target = ?1", "alice"), 1);
	people_ok(ln_store_check(p->store, true, problem, NULL, &err), &err);
	assert_int_equal(ln_auth_delete(p->store, "alice", NULL),
	    LN_NOT_FOUND);
}

static void
what_belongs_to_others_and_to_all_stays(void **state)
{
	struct place *p = *state;

	people_tamper(p, full_life);
	people_tamper(p,
	    "INSERT INTO conversation(id, user_id, title, forked_from,"
	    " created_ms, updated_ms) VALUES ('f', 'root', 't', 'c', 1, 1);"
	    "INSERT INTO message(conversation_id, role, content, created_ms)"
	    " VALUES ('f', 'user', 'a robin sings', 1);"
	    "INSERT INTO prompt(title, content, created_ms)"
	    " VALUES ('all', 'all', 1)");
	assert_int_equal(ln_auth_delete(p->store, "alice", NULL), LN_OK);
	assert_int_equal(people_number(p, "SELECT (SELECT count(*) FROM"
	    " conversation) + (SELECT count(*) FROM message)"
	    " + (SELECT count(*) FROM prompt)", NULL), 3);
	assert_int_equal(people_number(p, "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH ?1", "sings"), 1);
}

enum act { ACT_BLOCK, ACT_DEMOTE, ACT_DELETE };

struct racer {
	struct ln_store *st;
	pthread_barrier_t *start;
	const char *target;
	enum act act;
	enum ln_status s;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	bool changed;

	pthread_barrier_wait(r->start);
	switch (r->act) {
	case ACT_BLOCK:
		r->s = ln_auth_block(r->st, r->target, NULL, 0, &changed,
		    NULL);
		break;
	case ACT_DEMOTE:
		r->s = ln_auth_role_set(r->st, r->target, LN_USER_ROLE_USER,
		    &changed, NULL);
		break;
	case ACT_DELETE:
		r->s = ln_auth_delete(r->st, r->target, NULL);
		break;
	}
	return NULL;
}

static void
of_two_racing_acts_on_the_last_two_admins_one_passes(void **state)
{
	static const struct {
		enum act a;
		enum act b;
	} rows[] = {
		{ ACT_BLOCK, ACT_BLOCK }, { ACT_DEMOTE, ACT_DEMOTE },
		{ ACT_DELETE, ACT_DELETE }, { ACT_BLOCK, ACT_DEMOTE },
		{ ACT_DELETE, ACT_BLOCK }, { ACT_DEMOTE, ACT_DELETE },
	};
	static const char *const names[] = { "root", "second" };
	struct place *p = *state;
	pthread_barrier_t start;
	pthread_t threads[2];
	struct racer r[2];
	size_t round, i;

	for (i = 0; i < 2; i++)
		r[i].st = place_open(p, 5000);
	for (round = 0; round < 4 * sizeof(rows) / sizeof(rows[0]); round++) {
		people_tamper(p, "DELETE FROM user");
		assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
		for (i = 0; i < 2; i++) {
			people_add(p, names[i], NULL, LN_USER_ROLE_ADMIN, "x");
			r[i].start = &start;
			r[i].target = names[1 - i];
		}
		r[0].act = rows[round % (sizeof(rows) / sizeof(rows[0]))].a;
		r[1].act = rows[round % (sizeof(rows) / sizeof(rows[0]))].b;
		for (i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
			    race, &r[i]), 0);
		for (i = 0; i < 2; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(pthread_barrier_destroy(&start), 0);
		assert_true((r[0].s == LN_OK && r[1].s == LN_CONFLICT) ||
		    (r[0].s == LN_CONFLICT && r[1].s == LN_OK));
		assert_int_equal(people_number(p, "SELECT count(*) FROM user"
		    " WHERE role = 'admin' AND blocked_ms IS NULL", NULL), 1);
	}
	for (i = 0; i < 2; i++)
		ln_store_close(r[i].st);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(nothing_of_a_deleted_person_remains_but_the_audit),
		IN_PLACE(what_belongs_to_others_and_to_all_stays),
		IN_PLACE(of_two_racing_acts_on_the_last_two_admins_one_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
