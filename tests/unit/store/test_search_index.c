/* The search index: what a migration puts into it, what a check finds in it,
 * and how it is made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/search.h>

#include "place.h"
#include "store/tx.h"

static const char rows[] =
    "INSERT INTO user(id, username, username_key, created_ms) VALUES"
    " ('ann', 'ann', 'ann', 1), ('bob', 'bob', 'bob', 2);"
    "INSERT INTO conversation(id, user_id, title, created_ms, updated_ms)"
    " VALUES ('a', 'ann', 'Tulips', 1, 1), ('b', 'bob', 'Vault', 1, 1);"
    "INSERT INTO message(id, conversation_id, role, state, content,"
    " created_ms) VALUES (1, 'a', 'user', 'complete', 'a robin sings', 1),"
    " (2, 'b', 'user', 'complete', 'robins', 2),"
    " (3, 'a', 'assistant', 'stopped', '日本語 robin', 3),"
    " (4, 'a', 'system', 'complete', 'robin of the system', 4),"
    " (9007194959773695, 'a', 'user', 'complete', 'the last robin', 5)";

static const char SQL_ROBINS[] =
    "SELECT count(*) FROM message_fts WHERE message_fts MATCH 'robin'";
static const char SQL_OBINS[] =
    "SELECT count(*) FROM message_fts_tri WHERE message_fts_tri MATCH 'obi'";

struct said {
	char text[512];
	int count;
};

static void
hear(void *arg, const char *problem)
{
	struct said *said = arg;

	/* The first one: what follows may come of it. */
	if (said->count++ == 0)
		(void)snprintf(said->text, sizeof(said->text), "%s", problem);
}

static struct said
check(struct ln_store *st, bool is_full)
{
	struct said said = { "", 0 };
	enum ln_status s;

	s = ln_store_check(st, is_full, hear, &said, NULL);
	assert_int_equal(s, said.count > 0 ? LN_CORRUPT : LN_OK);
	return said;
}

static struct ln_store *
open_to_read(const struct place *p)
{
	struct ln_store_opts opts = { .size = sizeof(opts),
		.path = p->path, .mode = LN_STORE_RO };
	struct ln_store *st;

	assert_int_equal(ln_store_open(&opts, &st, NULL), LN_OK);
	return st;
}

static void
an_older_database_gets_its_messages_and_titles_indexed(void **state)
{
	struct place *p = *state;
	char path[256];
	struct ln_store_opts opts = { .size = sizeof(opts), .path = path,
		.mode = LN_STORE_RW };
	struct ln_store *st;

	(void)snprintf(path, sizeof(path), "%s/old.db", p->folder);
	place_old(path, 6, rows);
	assert_int_equal(ln_store_open(&opts, &st, NULL), LN_OK);
	assert_int_equal(place_int(st, SQL_ROBINS), 3);
	assert_int_equal(place_int(st, SQL_OBINS), 4);
	assert_int_equal(place_int(st, "SELECT count(*) FROM message_fts"
	    " WHERE message_fts MATCH 'tulips'"), 1);
	assert_int_equal(place_int(st, "SELECT count(*) FROM search_doc"), 6);
	assert_int_equal(check(st, true).count, 0);
	ln_store_close(st);
}

/* Straight into the file, as a faulty disk or another program would. */
static void
fill(struct place *p)
{
	place_add_user(p->store, "ann");
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	place_exec(p->store, "INSERT INTO conversation(id, user_id, title,"
	    " created_ms, updated_ms) VALUES ('a', 'ann', 'Tulips', 1, 1)");
	place_exec(p->store, "INSERT INTO message(id, conversation_id, role,"
	    " content, created_ms) VALUES (1, 'a', 'user', 'a robin sings',"
	    " 1), (2, 'a', 'assistant', 'so does the wren', 2)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	assert_int_equal(check(p->store, true).count, 0);
}

static void
a_check_names_what_is_wrong_and_a_rebuild_mends_it(void **state)
{
	static const struct {
		const char *harm;
		const char *says;
		bool is_quick;		/* to find */
	} cases[] = {
		{ "DELETE FROM search_doc WHERE message_id = 1",
		    "that it does not know", true },
		{ "UPDATE search_doc SET conversation_id = 'x' WHERE"
		    " conversation_id = 'a'", "titles that it does not know",
		    true },
		{ "INSERT INTO message_fts(message_fts, rowid, content)"
		    " SELECT 'delete', id, 'a robin sings' FROM search_doc"
		    " WHERE message_id = 1", "without words", true },
		{ "INSERT INTO message_fts_tri(rowid, content)"
		    " VALUES (77, 'stray')", "of entries that are gone",
		    true },
		{ "INSERT INTO message_fts(rowid, content) SELECT id, 'more'"
		    " FROM search_doc WHERE message_id = 1",
		    "the words disagree", false },
		{ "INSERT INTO message_fts_tri(rowid, content) SELECT id,"
		    " 'more' FROM search_doc WHERE message_id = 1",
		    "the parts of words disagree", false },
		{ "INSERT INTO search_queue(doc_id, content) VALUES (1, 'x')",
		    "not settled", true },
	};
	struct place *p = *state;
	struct ln_store *reader;
	struct said said;
	size_t i;

	fill(p);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		place_exec(p->store, cases[i].harm);
		reader = open_to_read(p);
		said = check(reader, !cases[i].is_quick);
		ln_store_close(reader);
		if (strstr(said.text, "search index: ") != said.text ||
		    strstr(said.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].harm, said.text);
		assert_int_equal(ln_search_rebuild(p->store, NULL), LN_OK);
		assert_int_equal(check(p->store, true).count, 0);
		assert_int_equal(place_int(p->store, SQL_ROBINS), 1);
		assert_int_equal(place_int(p->store, SQL_OBINS), 1);
	}
}

static void
a_deletion_by_cascade_leaves_nothing(void **state)
{
	static const char *const left[] = {
		"SELECT count(*) FROM search_owner",
		"SELECT count(*) FROM search_doc",
		"SELECT count(*) FROM search_queue",
		"SELECT count(*) FROM message_fts_docsize",
		"SELECT count(*) FROM message_fts_tri_docsize",
		"SELECT count(*) FROM message_fts WHERE message_fts MATCH"
		    " 'robin OR wren OR tulips'",
		"SELECT count(*) FROM message_fts_tri WHERE message_fts_tri"
		    " MATCH 'rob OR wre OR tul'",
	};
	struct place *p = *state;
	size_t i;

	fill(p);
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	place_exec(p->store, "DELETE FROM user");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_int_equal(place_int(p->store, left[i]), 0);
	assert_int_equal(check(p->store, true).count, 0);
}

static void
a_number_is_never_given_to_a_second_person(void **state)
{
	struct place *p = *state;

	fill(p);
	place_exec(p->store, "DELETE FROM user");
	place_add_user(p->store, "bob");
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	place_exec(p->store, "INSERT INTO conversation(id, user_id, title,"
	    " created_ms, updated_ms) VALUES ('b', 'bob', 'Vault', 1, 1)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	assert_int_equal(place_int(p->store,
	    "SELECT number FROM search_owner"), 2);
	assert_int_equal(check(p->store, true).count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    an_older_database_gets_its_messages_and_titles_indexed,
		    place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(
		    a_check_names_what_is_wrong_and_a_rebuild_mends_it,
		    place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(
		    a_deletion_by_cascade_leaves_nothing, place_setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(
		    a_number_is_never_given_to_a_second_person, place_setup,
		    place_teardown),
	};

	return cmocka_run_group_tests_name("search index", tests, NULL, NULL);
}
