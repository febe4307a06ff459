/* Groups and tags: whose they are, how many, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/group.h>
#include <ln/tag.h>

#include "place.h"

static void
two_people(struct ln_store *st)
{
	place_add_user(st, "ann");
	place_add_user(st, "bob");
	place_exec(st, "INSERT INTO conversation(id, user_id, title, created_ms,"
	    " updated_ms) VALUES ('a1', 'ann', 'A', 1, 1),"
	    " ('a2', 'ann', 'B', 1, 2), ('b1', 'bob', 'C', 1, 1)");
}

static char *
new_group(struct ln_store *st, const char *user_id, const char *title)
{
	struct ln_group *g = NULL;
	char *id;

	assert_int_equal(ln_group_create(st, user_id, title, &g, NULL), LN_OK);
	assert_string_equal(g->title, title);
	assert_int_equal(g->conversation_count, 0);
	id = g->id;
	g->id = NULL;
	ln_group_free(g);
	return id;
}

static void
groups_are_made_ordered_renamed_and_deleted(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	const int64_t first = 0, bad = -1;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_group_list l;
	char *work, *home;

	two_people(st);
	work = new_group(st, "ann", "Work");
	home = new_group(st, "ann", "Home");
	assert_int_equal(ln_group_assign(st, "ann", "a1", home, NULL), LN_OK);
	assert_int_equal(ln_group_update(st, "ann", home, "House", &first,
	    NULL), LN_OK);
	assert_int_equal(ln_group_list(st, "ann", &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.items[0].title, "House");
	assert_int_equal(l.items[0].conversation_count, 1);
	assert_string_equal(l.items[1].title, "Work");
	ln_group_list_free(&l);

	assert_int_equal(ln_group_update(st, "ann", home, " ", NULL, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "title");
	assert_int_equal(ln_group_update(st, "ann", home, NULL, &bad, &err),
	    LN_INVALID);
	assert_string_equal(err.field, "position");

	/* The conversation stays, in no group. */
	assert_int_equal(ln_group_delete(st, "ann", home, NULL), LN_OK);
	assert_int_equal(ln_group_delete(st, "ann", home, NULL), LN_NOT_FOUND);
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation"
	    " WHERE id = 'a1' AND group_id IS NULL"), 1);
	assert_int_equal(ln_group_assign(st, "ann", "a1", home, NULL),
	    LN_NOT_FOUND);
	ln_free(work);
	ln_free(home);
}

static void
a_group_of_somebody_else_is_like_an_unknown_one(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_group *g = NULL;
	struct ln_group_list l;
	char *mine, *his;

	two_people(st);
	mine = new_group(st, "ann", "Mine");
	his = new_group(st, "bob", "His");
	assert_int_equal(ln_group_get(st, "bob", mine, &g, NULL),
	    LN_NOT_FOUND);
	assert_null(g);
	assert_int_equal(ln_group_update(st, "bob", mine, "x", NULL, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_group_delete(st, "bob", mine, NULL),
	    LN_NOT_FOUND);
	/* Neither his conversation into mine, nor mine by him, nor out. */
	assert_int_equal(ln_group_assign(st, "bob", "b1", mine, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_group_assign(st, "bob", "a1", his, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_group_assign(st, "ann", "a1", mine, NULL), LN_OK);
	assert_int_equal(ln_group_assign(st, "bob", "a1", NULL, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_group_assign(st, "ann", "nothing", mine, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_group_list(st, "bob", &l, NULL), LN_OK);
	assert_int_equal(l.count, 1);
	ln_group_list_free(&l);
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation"
	    " WHERE group_id IS NOT NULL"), 1);
	ln_free(mine);
	ln_free(his);
}

static void
there_are_only_so_many_groups(void **state)
{
	const struct place *p = *state;
	struct ln_group *g = NULL;
	size_t i;

	two_people(p->store);
	for (i = 0; i < LN_GROUP_COUNT_MAX; i++)
		ln_free(new_group(p->store, "ann", "g"));
	assert_int_equal(ln_group_create(p->store, "ann", "g", &g, NULL),
	    LN_CONFLICT);
	assert_null(g);
	ln_free(new_group(p->store, "bob", "g"));
}

static void
a_tag_is_folded_and_there_once(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tag_list l;
	int64_t count;

	two_people(st);
	assert_int_equal(ln_tag_add(st, "ann", "a1", "  Gr\xc3\x9c\xc3\x9f"
	    "e  an\tn ", &err), LN_INVALID);
	assert_string_equal(err.field, "tag");
	assert_int_equal(ln_tag_add(st, "ann", "a1", "  \xc3\x9c" "ber  Uns ",
	    NULL), LN_OK);
	assert_int_equal(ln_tag_add(st, "ann", "a1", "\xc3\xbc" "ber-uns",
	    NULL), LN_OK);
	assert_int_equal(ln_tag_add(st, "ann", "a1", "a/b?c#d", NULL), LN_OK);
	assert_int_equal(ln_tag_add(st, "ann", "a2", "\xc3\x9c" "BER UNS",
	    NULL), LN_OK);
	assert_int_equal(ln_conversation_get(st, "ann", "a1", &c, NULL),
	    LN_OK);
	assert_string_equal(c->tags, "a/b?c#d\x1f\xc3\xbc" "ber-uns");
	ln_conversation_free(c);

	assert_int_equal(ln_tag_list(st, "ann", &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.items[1].tag, "\xc3\xbc" "ber-uns");
	assert_int_equal(l.items[1].conversation_count, 2);
	ln_tag_list_free(&l);

	assert_int_equal(ln_tag_remove(st, "ann", "a1", "A/B?C#D", NULL),
	    LN_OK);
	assert_int_equal(ln_tag_remove(st, "ann", "a1", "A/B?C#D", NULL),
	    LN_OK);
	assert_int_equal(ln_tag_forget(st, "ann", "\xc3\x9c" "ber uns",
	    &count, NULL), LN_OK);
	assert_int_equal(count, 2);
	assert_int_equal(ln_tag_forget(st, "ann", "\xc3\x9c" "ber uns",
	    &count, NULL), LN_OK);
	assert_int_equal(count, 0);
	assert_int_equal(place_int(st, "SELECT count(*) FROM conversation_tag"),
	    0);
}

static void
tags_of_other_people_are_out_of_reach(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_tag_list l;
	int64_t count;

	two_people(st);
	assert_int_equal(ln_tag_add(st, "ann", "a1", "shared", NULL), LN_OK);
	assert_int_equal(ln_tag_add(st, "bob", "b1", "shared", NULL), LN_OK);
	assert_int_equal(ln_tag_add(st, "bob", "a1", "x", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tag_remove(st, "bob", "a1", "shared", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_tag_forget(st, "bob", "shared", &count, NULL),
	    LN_OK);
	assert_int_equal(count, 1);
	assert_int_equal(ln_tag_list(st, "bob", &l, NULL), LN_OK);
	assert_int_equal(l.count, 0);
	ln_tag_list_free(&l);
	assert_int_equal(ln_tag_list(st, "ann", &l, NULL), LN_OK);
	assert_int_equal(l.count, 1);
	assert_int_equal(l.items[0].conversation_count, 1);
	ln_tag_list_free(&l);
}

static void
there_are_only_so_many_tags(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_error err = LN_ERROR_INIT;
	char tag[16];
	size_t i;

	two_people(st);
	for (i = 0; i < LN_TAG_PER_CONVERSATION_MAX; i++) {
		snprintf(tag, sizeof(tag), "t%zu", i);
		assert_int_equal(ln_tag_add(st, "ann", "a1", tag, NULL),
		    LN_OK);
	}
	assert_int_equal(ln_tag_add(st, "ann", "a1", "one more", &err),
	    LN_CONFLICT);
	/* What is there is no more than before. */
	assert_int_equal(ln_tag_add(st, "ann", "a1", "T0", NULL), LN_OK);
	/* As an import may bring them, on many conversations. */
	place_exec(st, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 1000)"
	    " INSERT INTO conversation_tag SELECT 'b1', 'x' || i FROM n");
	place_exec(st, "INSERT INTO conversation(id, user_id, title,"
	    " created_ms, updated_ms) VALUES ('b2', 'bob', 'D', 1, 1)");
	assert_int_equal(ln_tag_add(st, "bob", "b2", "new", &err),
	    LN_CONFLICT);
	assert_int_equal(ln_tag_add(st, "bob", "b2", "X7", NULL), LN_OK);
}

int
main(void)
{
#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		row(groups_are_made_ordered_renamed_and_deleted),
		row(a_group_of_somebody_else_is_like_an_unknown_one),
		row(there_are_only_so_many_groups),
		row(a_tag_is_folded_and_there_once),
		row(tags_of_other_people_are_out_of_reach),
		row(there_are_only_so_many_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
