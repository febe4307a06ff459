/* Deleting an account leaves nothing of the person behind, and two
 * administrators who act on each other at once leave one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <ln/auth.h>
#include <ln/store.h>

#include "model/user.h"
#include "people.h"
#include "store/tx.h"

/* One of everything that a person can have; "@" is the person, and in each
 * text.  A table that is missing here fails the test. */
static const char life[] =
    "INSERT INTO user_picture VALUES ('@', '@', x'00');"
    "INSERT INTO session(hash, user_id, address, agent, created_ms,"
    " expires_ms) VALUES (randomblob(32), '@', '@', '@', 1, 2);"
    "INSERT INTO reset_token(hash, user_id, created_ms, expires_ms)"
    " VALUES (randomblob(32), '@', 1, 2);"
    "INSERT INTO user_setting(user_id, name, value)"
    " VALUES ('@', 'theme', '@');"
    "INSERT INTO outbox(kind, user_id, address_hash, created_ms,"
    " next_try_ms) VALUES ('reset', '@', randomblob(32), 1, 1);"
    "INSERT INTO project VALUES ('p @', '@', '@', '@', 1);"
    "INSERT INTO document(project_id, filename, content, created_ms)"
    " VALUES ('p @', '@', '@', 1);"
    "UPDATE document SET reason = '@', source_url = '@'"
    " WHERE project_id = 'p @';"
    "INSERT INTO document_file SELECT id, 0, x'00' FROM document"
    " WHERE project_id = 'p @';"
    "INSERT INTO chunk(document_id, position, text)"
    " SELECT id, 0, '@ reads' FROM document WHERE project_id = 'p @';"
    "INSERT INTO chunk_fts(rowid, text)"
    " SELECT id, text FROM chunk WHERE text = '@ reads';"
    "INSERT INTO document_vector SELECT id, '@', 'failed', '@', '@', 1, 1"
    " FROM document WHERE project_id = 'p @';"
    "INSERT INTO chunk_vector SELECT id, '@', 1, zeroblob(4) FROM chunk"
    " WHERE text = '@ reads';"
    "INSERT INTO conversation_group VALUES ('g @', '@', '@', 0, 1);"
    "INSERT INTO conversation(id, user_id, title, system_prompt, project_id,"
    " group_id, created_ms, updated_ms)"
    " VALUES ('c @', '@', '@ sings', '@', 'p @', 'g @', 1, 1);"
    "INSERT INTO conversation(id, user_id, title, forked_from, fork_root,"
    " created_ms, updated_ms) VALUES ('f @', '@', '@', 'c @', 'c @', 1, 1);"
    "INSERT INTO conversation_tag VALUES ('c @', '@');"
    "INSERT INTO message(conversation_id, role, content, created_ms)"
    " VALUES ('c @', 'user', '@ sings', 1);"
    "INSERT INTO message(conversation_id, role, state, content, thinking,"
    " sources, error, created_ms) VALUES"
    " ('c @', 'assistant', 'streaming', '@', '@', '@', '@', 1);"
    "INSERT INTO tool_run(message_id, round, name, arguments, state, result,"
    " created_ms, ended_ms)"
    " SELECT max(id), 1, '@', '@', 'done', '@', 1, 1 FROM message;"
    "INSERT INTO message_image SELECT max(id), '[\"@\"]' FROM message;"
    "INSERT INTO generation SELECT max(id), 'c @', '@', 0, 1 FROM message;"
    "INSERT INTO prompt(user_id, title, content, created_ms)"
    " VALUES ('@', '@', '@', 1);"
    "INSERT INTO tool(id, user_id, name, description, definition,"
    " sealed_headers, created_ms)"
    " VALUES ('t @', '@', '@', '@', '{}', '@', 1);";

/* What is nobody's: the instance's own. */
static const char *const instance[] = {
	"audit", "audit_head", "setting", "retired_key", "backup",
	/* Of addresses, as hashes: making an account anew gives no more mail. */
	"mail_limit",
	/* Settled by whoever writes: empty. */
	"search_queue", "chunk_queue",
};

static void
live(struct place *p, const char *who)
{
	char sql[2 * sizeof(life)];
	const char *from;
	size_t n = 0;

	for (from = life; *from != '\0'; from++) {
		assert_true(n + strlen(who) + 1 < sizeof(sql));
		if (*from == '@')
			n += (size_t)snprintf(sql + n, sizeof(sql) - n, "%s",
			    who);
		else
			sql[n++] = *from;
	}
	sql[n] = '\0';
	people_tamper(p, sql);
	/* What was noted for the search index goes into it. */
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
}

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "root", NULL, LN_USER_ROLE_ADMIN, "x");
	people_add(p, "alice", "alice@example.org", LN_USER_ROLE_USER, "x");
	people_add(p, "bob", "bob@example.org", LN_USER_ROLE_USER, "x");
	return 0;
}

/* --- whose a row is --------------------------------------------------------- */

static sqlite3 *
reader(struct place *p)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	return db;
}

static sqlite3_stmt *
query(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	return q;
}

/* The first value; yours (sqlite3_free). */
static char *
value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q = query(db, sql);
	char *out;

	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	out = sqlite3_mprintf("%s", sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	assert_non_null(out);
	return out;
}

static bool
is_instance(const char *table)
{
	size_t i;

	for (i = 0; i < sizeof(instance) / sizeof(instance[0]); i++)
		if (strcmp(instance[i], table) == 0)
			return true;
	return false;
}

/* The condition for a row of ${table} that is ${who}'s, read from the foreign
 * keys up to the account; yours (sqlite3_free). */
static char *
owned(sqlite3 *db, const char *table, const char *who)
{
	char *sql, *all = NULL, *parent, *more;
	sqlite3_stmt *q;

	if (strcmp(table, "user") == 0)
		return sqlite3_mprintf("\"id\" = %Q", who);
	/* No foreign key: see migration 0008. */
	if (strcmp(table, "search_doc") == 0)
		return sqlite3_mprintf("\"id\" >> 40 IN (SELECT number"
		    " FROM search_owner WHERE user_id = %Q)", who);
	sql = sqlite3_mprintf("SELECT \"table\", \"from\", \"to\", on_delete"
	    " FROM pragma_foreign_key_list(%Q)", table);
	q = query(db, sql);
	while (sqlite3_step(q) == SQLITE_ROW) {
		if (strcmp((const char *)sqlite3_column_text(q, 3),
		    "CASCADE") != 0) {
			assert_string_equal(sqlite3_column_text(q, 3),
			    "SET NULL");
			continue;
		}
		parent = owned(db, (const char *)sqlite3_column_text(q, 0),
		    who);
		more = sqlite3_mprintf("%s%s\"%w\" IN (SELECT \"%w\" FROM"
		    " \"%w\" WHERE %s)", all != NULL ? all : "",
		    all != NULL ? " OR " : "", sqlite3_column_text(q, 1),
		    sqlite3_column_text(q, 2), sqlite3_column_text(q, 0),
		    parent);
		sqlite3_free(parent);
		sqlite3_free(all);
		all = more;
	}
	sqlite3_finalize(q);
	sqlite3_free(sql);
	if (all == NULL)
		fail_msg("whose are the rows of %s? Tell this test", table);
	return all;
}

/* Each row of ${table} for which ${where} is not true; yours. */
static char *
dump_but(sqlite3 *db, const char *table, const char *where)
{
	char *sql, *columns, *out;

	sql = sqlite3_mprintf("SELECT group_concat(printf('quote(\"%%w\")',"
	    " name), '||''|''||') FROM pragma_table_info(%Q)", table);
	columns = value(db, sql);
	sqlite3_free(sql);
	sql = sqlite3_mprintf("SELECT coalesce(group_concat(r, char(10)), '')"
	    " FROM (SELECT %s AS r FROM \"%w\" WHERE (%s) IS NOT TRUE"
	    " ORDER BY 1)", columns, table, where);
	out = value(db, sql);
	sqlite3_free(sql);
	sqlite3_free(columns);
	return out;
}

static void
assert_has_rows(sqlite3 *db, const char *table, const char *who)
{
	char *where = owned(db, table, who), *sql, *n;

	sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\" WHERE %s", table,
	    where);
	n = value(db, sql);
	if (strcmp(n, "0") == 0)
		fail_msg("%s: no row of %s. Give them one", table, who);
	sqlite3_free(n);
	sqlite3_free(sql);
	sqlite3_free(where);
}

#define TABLES_MAX 64

struct others {
	char *table;
	char *rows;
};

/* All tables with what is not alice's in them. */
static size_t
read_others(struct place *p, bool is_gone, struct others *out)
{
	sqlite3 *db = reader(p);
	sqlite3_stmt *q = query(db, "SELECT name FROM pragma_table_list"
	    " WHERE schema = 'main' AND type = 'table'"
	    " AND name NOT LIKE 'sqlite_%' ORDER BY name");
	size_t n = 0;
	char *where;

	while (sqlite3_step(q) == SQLITE_ROW) {
		assert_true(n < TABLES_MAX);
		out[n].table = sqlite3_mprintf("%s", sqlite3_column_text(q,
		    0));
		if (is_gone || is_instance(out[n].table)) {
			where = sqlite3_mprintf("false");
		} else {
			assert_has_rows(db, out[n].table, "alice");
			assert_has_rows(db, out[n].table, "bob");
			where = owned(db, out[n].table, "alice");
		}
		out[n].rows = dump_but(db, out[n].table, where);
		sqlite3_free(where);
		n++;
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* How many values in all tables but audit mention ${who}. */
static int64_t
traces(struct place *p, const char *who)
{
	sqlite3 *db = reader(p);
	sqlite3_stmt *q = query(db, "SELECT t.name, c.name"
	    " FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c"
	    " WHERE t.schema = 'main' AND t.type = 'table'"
	    " AND t.name <> 'audit'");
	int64_t n = 0;
	char *sql, *found;

	while (sqlite3_step(q) == SQLITE_ROW) {
		sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\""
		    " WHERE \"%w\" LIKE '%%%q%%'", sqlite3_column_text(q, 0),
		    sqlite3_column_text(q, 1), who);
		found = value(db, sql);
		n += strcmp(found, "0") != 0;
		sqlite3_free(found);
		sqlite3_free(sql);
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* How many rows of the index have ${term}. */
static int64_t
indexed(struct place *p, const char *fts, const char *term)
{
	sqlite3 *db = reader(p);
	char *sql, *n;
	int64_t out;

	sql = sqlite3_mprintf("CREATE VIRTUAL TABLE temp.words USING"
	    " fts5vocab(main, %s, row)", fts);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_free(sql);
	sql = sqlite3_mprintf("SELECT coalesce(sum(doc), 0) FROM temp.words"
	    " WHERE term = %Q", term);
	n = value(db, sql);
	out = strtoll(n, NULL, 10);
	sqlite3_free(n);
	sqlite3_free(sql);
	sqlite3_close(db);
	return out;
}

/* --- what a test can tell ------------------------------------------------- */

static void
problem(void *arg, const char *text)
{
	(void)arg;
	print_error("%s\n", text);
}

static void
nothing_of_a_deleted_person_remains_but_the_audit(void **state)
{
	static const struct {
		const char *fts;
		const char *hers;
		const char *his;
		int64_t count;
	} indexes[] = {
		/* The message, and the titles of two conversations. */
		{ "message_fts", "alice", "bob", 3 },
		{ "message_fts_tri", "ali", "bob", 3 },
		{ "chunk_fts", "alice", "bob", 1 },
	};
	struct others before[TABLES_MAX], after[TABLES_MAX];
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	size_t count, i;

	live(p, "alice");
	live(p, "bob");
	assert_true(traces(p, "alice") >= 40);
	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		assert_int_equal(indexed(p, indexes[i].fts, indexes[i].hers),
		    indexes[i].count);
		assert_int_equal(indexed(p, indexes[i].fts, indexes[i].his),
		    indexes[i].count);
	}
	count = read_others(p, false, before);
	assert_true(count >= 20);

	people_ok(ln_auth_delete(p->store, "alice", &err), &err);
	assert_int_equal(traces(p, "alice"), 0);
	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		assert_int_equal(indexed(p, indexes[i].fts, indexes[i].hers),
		    0);
		assert_int_equal(indexed(p, indexes[i].fts, indexes[i].his),
		    indexes[i].count);
	}
	assert_int_equal(read_others(p, true, after), count);
	for (i = 0; i < count; i++) {
		assert_string_equal(after[i].table, before[i].table);
		if (strncmp(before[i].table, "audit", 5) != 0 &&
		    strcmp(after[i].rows, before[i].rows) != 0)
			fail_msg("%s:\n%s\nis not\n%s", before[i].table,
			    after[i].rows, before[i].rows);
		sqlite3_free(before[i].table);
		sqlite3_free(before[i].rows);
		sqlite3_free(after[i].table);
		sqlite3_free(after[i].rows);
	}
	assert_int_equal(people_number(p, "SELECT count(*) FROM audit"
	    " WHERE action = 'user.delete' AND target = ?1", "alice"), 1);
	people_ok(ln_store_check(p->store, true, problem, NULL, &err), &err);
	assert_int_equal(ln_auth_delete(p->store, "alice", NULL),
	    LN_NOT_FOUND);
}

static void
what_belongs_to_all_stays(void **state)
{
	struct place *p = *state;

	live(p, "alice");
	people_tamper(p,
	    "INSERT INTO conversation(id, user_id, title, forked_from,"
	    " created_ms, updated_ms) VALUES ('f', 'root', 't', 'c alice', 1,"
	    " 1);"
	    "INSERT INTO prompt(title, content, created_ms)"
	    " VALUES ('all', 'all', 1);"
	    "INSERT INTO tool(id, name, definition, created_ms)"
	    " VALUES ('all', 'all', '{}', 1)");
	assert_int_equal(ln_auth_delete(p->store, "alice", NULL), LN_OK);
	assert_int_equal(people_number(p, "SELECT (SELECT count(*) FROM"
	    " conversation) + (SELECT count(*) FROM tool)"
	    " + (SELECT count(*) FROM prompt)", NULL), 3);
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
		IN_PLACE(what_belongs_to_all_stays),
		IN_PLACE(of_two_racing_acts_on_the_last_two_admins_one_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
