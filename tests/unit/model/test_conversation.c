#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/time.h>

#include "model/conversation.h"
#include "model/generation.h"
#include "model/message.h"

#include "place.h"

#define FAR_FUTURE_MS 4102444800000	/* 2100, later than any clock here */

static char *
new_conversation(struct ln_store *st, const char *user, const char *title)
{
	const struct ln_conversation_new n = {
		.size = sizeof(n), .title = title,
	};
	struct ln_conversation *c = NULL;
	char *id;

	assert_int_equal(ln_conversation_create(st, user, &n, &c, NULL),
	    LN_OK);
	assert_string_equal(c->user_id, user);
	id = c->id;
	c->id = NULL;
	ln_conversation_free(c);
	return id;
}

static int64_t
add_message(struct ln_store *st, const char *conversation,
    enum ln_message_role role, enum ln_message_state state,
    const char *content, const char *images)
{
	const struct lni_message_new m = {
		.conversation_id = conversation, .role = role, .state = state,
		.content = content, .images = images,
		.created_ms = ln_time_now_ms(),
	};
	struct ln_error err = LN_ERROR_INIT;
	int64_t id = 0;

	if (lni_message_add(st, &m, &id, &err) != LN_OK)
		fail_msg("%s", err.detail);
	assert_true(id > 0);
	return id;
}

static void
a_new_conversation_has_what_was_given_and_nothing_else(void **state)
{
	const struct place *p = *state;
	const struct ln_conversation_new n = {
		.size = sizeof(n), .model = "llama", .provider = "ollama",
		.system_prompt = "Be kind.",
	};
	struct ln_conversation *c = NULL;

	place_add_user(p->store, "ann");
	assert_int_equal(ln_conversation_create(p->store, "ann", &n, &c, NULL),
	    LN_OK);
	assert_string_equal(c->title, "New chat");
	assert_string_equal(c->model, "llama");
	assert_string_equal(c->provider, "ollama");
	assert_string_equal(c->system_prompt, "Be kind.");
	assert_null(c->project_id);
	assert_null(c->tags);
	assert_false(c->has_temperature);
	assert_int_equal(c->archived_ms, 0);
	assert_true(c->created_ms > 0 && c->created_ms == c->updated_ms);
	ln_conversation_free(c);
}

static void
somebody_elses_conversation_is_like_an_unknown_one(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	struct ln_conversation_list cl;
	struct ln_message_list ml;
	struct ln_message *m = NULL;
	const double warm = 1.0;
	int64_t message;
	char *id;

	place_add_user(st, "ann");
	place_add_user(st, "bob");
	id = new_conversation(st, "ann", "Private");
	message = add_message(st, id, LN_MESSAGE_USER, LN_MESSAGE_COMPLETE,
	    "secret", NULL);

	assert_int_equal(ln_conversation_get(st, "bob", id, &c, NULL),
	    LN_NOT_FOUND);
	assert_null(c);
	assert_int_equal(ln_conversation_latest(st, "bob", &c, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_rename(st, "bob", id, "x", NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_pin(st, "bob", id, true, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_archive(st, "bob", id, true, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_configure(st, "bob", id, "m", NULL,
	    &warm, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_conversation_delete(st, "bob", id, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_message_list(st, "bob", id, &ml, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_message_get(st, "bob", message, &m, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(lni_message_last_question(st, "bob", id, &m, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(lni_generation_ask_stop(st, "bob", id, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_list(st, "bob", NULL, &cl, NULL),
	    LN_OK);
	assert_int_equal(cl.count, 0);
	ln_conversation_list_free(&cl);

	assert_int_equal(ln_conversation_get(st, "ann", id, &c, NULL), LN_OK);
	assert_string_equal(c->title, "Private");
	assert_int_equal(c->pinned_ms, 0);
	ln_conversation_free(c);
	ln_free(id);
}

static void
a_project_of_somebody_else_cannot_be_used(void **state)
{
	const struct place *p = *state;
	const struct ln_conversation_new n = {
		.size = sizeof(n), .project_id = "p1",
	};
	struct ln_conversation *c = NULL;

	place_add_user(p->store, "ann");
	place_add_user(p->store, "bob");
	place_exec(p->store, "INSERT INTO project VALUES"
	    " ('p1', 'ann', 'Garden', NULL, 1)");
	assert_int_equal(ln_conversation_create(p->store, "bob", &n, &c, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_create(p->store, "ann", &n, &c, NULL),
	    LN_OK);
	assert_string_equal(c->project_title, "Garden");
	ln_conversation_free(c);
}

static void
the_list_is_pinned_first_then_newest_and_pages_without_gaps(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation_filter filter = {
		.size = sizeof(filter), .limit = 2,
	};
	struct ln_conversation_list l;
	char *ids[5], title[2] = "a";
	static const int order[] = { 1, 4, 3, 2, 0 };
	char last[64];
	size_t i, seen = 0;

	place_add_user(st, "ann");
	for (i = 0; i < 5; i++) {
		title[0] = (char)('a' + i);
		ids[i] = new_conversation(st, "ann", title);
		assert_int_equal(lni_conversation_touch(st, ids[i],
		    FAR_FUTURE_MS + (int64_t)i, 0, NULL), LN_OK);
	}
	assert_int_equal(ln_conversation_pin(st, "ann", ids[1], true, NULL),
	    LN_OK);
	assert_int_equal(ln_conversation_list(st, "ann", NULL, &l, NULL),
	    LN_OK);
	assert_int_equal(l.count, 5);
	for (i = 0; i < 5; i++)
		assert_string_equal(l.items[i]->id, ids[order[i]]);
	ln_conversation_list_free(&l);

	for (;;) {
		assert_int_equal(ln_conversation_list(st, "ann", &filter, &l,
		    NULL), LN_OK);
		for (i = 0; i < l.count; i++)
			assert_string_equal(l.items[i]->id,
			    ids[order[seen++]]);
		if (l.count == 0)
			break;
		snprintf(last, sizeof(last), "%s", l.items[l.count - 1]->id);
		filter.before = last;
		ln_conversation_list_free(&l);
	}
	ln_conversation_list_free(&l);
	assert_int_equal(seen, 5);
	filter.before = "unknown";
	assert_int_equal(ln_conversation_list(st, "ann", &filter, &l, NULL),
	    LN_NOT_FOUND);
	for (i = 0; i < 5; i++)
		ln_free(ids[i]);
}

/* What a page shows stays what the next page begins after, whatever happens
 * to that row. */
static void
a_cursor_neither_loses_nor_doubles_a_row_when_others_move(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation_filter filter = {
		.size = sizeof(filter), .limit = 2,
	};
	struct ln_conversation_list l;
	char *ids[7], cursor[LN_CURSOR_MAX];
	int seen[7] = { 0 };
	size_t i, n, page;

	place_add_user(st, "ann");
	for (i = 0; i < 7; i++) {
		ids[i] = new_conversation(st, "ann", "x");
		/* Several at the same time: the id decides. */
		assert_int_equal(lni_conversation_touch(st, ids[i],
		    FAR_FUTURE_MS + (int64_t)i / 3, 0, NULL), LN_OK);
	}
	assert_int_equal(ln_conversation_pin(st, "ann", ids[0], true, NULL),
	    LN_OK);
	for (page = 0;; page++) {
		assert_int_equal(ln_conversation_list(st, "ann", &filter, &l,
		    NULL), LN_OK);
		for (i = 0; i < l.count; i++)
			for (n = 0; n < 7; n++)
				if (strcmp(l.items[i]->id, ids[n]) == 0)
					seen[n]++;
		if (l.next == NULL)
			break;
		assert_int_equal(l.count, 2);
		snprintf(cursor, sizeof(cursor), "%s", l.next);
		filter.before = cursor;
		/* The row that the page ended with moves up, or goes. */
		if (page == 0)
			assert_int_equal(lni_conversation_touch(st,
			    l.items[1]->id, FAR_FUTURE_MS + 99, 0, NULL),
			    LN_OK);
		if (page == 1)
			assert_int_equal(ln_conversation_delete(st, "ann",
			    l.items[1]->id, NULL), LN_OK);
		ln_conversation_list_free(&l);
	}
	ln_conversation_list_free(&l);
	assert_int_equal(page, 3);
	for (i = 0; i < 7; i++) {
		assert_int_equal(seen[i], 1);
		ln_free(ids[i]);
	}
}

static void
a_cursor_that_is_none_is_refused(void **state)
{
	const struct place *p = *state;
	static const char *const bad[] = {
		"~", "~x", "~cDFfYQ==", "~cDFfYQ/", "~eDFfYQ", "~cGFfYQ",
		"~cDE", "~cDlfCg",
	};
	struct ln_conversation_filter filter = { .size = sizeof(filter) };
	struct ln_conversation_list l;
	struct ln_error err = LN_ERROR_INIT;
	size_t i;

	place_add_user(p->store, "ann");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		filter.before = bad[i];
		assert_int_equal(ln_conversation_list(p->store, "ann",
		    &filter, &l, &err), LN_INVALID);
		assert_string_equal(err.field, "before");
		assert_null(l.next);
		assert_int_equal(l.count, 0);
	}
	/* A place where nothing is, is one. */
	filter.before = "~cDFfYQ";
	assert_int_equal(ln_conversation_list(p->store, "ann", &filter, &l,
	    NULL), LN_OK);
	assert_int_equal(l.count, 0);
	ln_conversation_list_free(&l);
}

static void
the_archive_is_hidden_until_asked_for(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	const struct ln_conversation_filter all = {
		.size = sizeof(all), .with_archived = true,
	};
	struct ln_conversation_list l;
	struct ln_conversation *c = NULL;
	char *id;

	place_add_user(st, "ann");
	id = new_conversation(st, "ann", "Old");
	assert_int_equal(ln_conversation_archive(st, "ann", id, true, NULL),
	    LN_OK);
	assert_int_equal(ln_conversation_list(st, "ann", NULL, &l, NULL),
	    LN_OK);
	assert_int_equal(l.count, 0);
	ln_conversation_list_free(&l);
	assert_int_equal(ln_conversation_latest(st, "ann", &c, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_conversation_list(st, "ann", &all, &l, NULL),
	    LN_OK);
	assert_int_equal(l.count, 1);
	assert_true(l.items[0]->archived_ms > 0);
	ln_conversation_list_free(&l);
	assert_int_equal(ln_conversation_archive(st, "ann", id, false, NULL),
	    LN_OK);
	assert_int_equal(ln_conversation_latest(st, "ann", &c, NULL), LN_OK);
	assert_int_equal(c->archived_ms, 0);
	ln_conversation_free(c);
	ln_free(id);
}

static void
titles_are_checked(void **state)
{
	const struct place *p = *state;
	static const struct {
		const char *title;
		enum ln_status want;
	} rows[] = {
		{ "Ein Titel", LN_OK },
		{ "", LN_INVALID },
		{ "   ", LN_INVALID },
		{ "line\nbreak", LN_INVALID },
		{ "bell\a", LN_INVALID },
		{ "\xc2\x9b" "31m", LN_INVALID },
		{ "\xff", LN_INVALID },
	};
	char long_title[LN_TITLE_MAX * 2 + 3];
	char *id;
	size_t i;

	place_add_user(p->store, "ann");
	id = new_conversation(p->store, "ann", "x");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ln_conversation_rename(p->store, "ann", id,
		    rows[i].title, NULL), rows[i].want);
	for (i = 0; i < LN_TITLE_MAX + 1; i++)
		memcpy(long_title + 2 * i, "\xc3\xa9", 2);
	long_title[2 * LN_TITLE_MAX] = '\0';
	assert_int_equal(ln_conversation_rename(p->store, "ann", id,
	    long_title, NULL), LN_OK);
	long_title[2 * LN_TITLE_MAX] = '\xc3';
	long_title[2 * LN_TITLE_MAX + 2] = '\0';
	assert_int_equal(ln_conversation_rename(p->store, "ann", id,
	    long_title, NULL), LN_INVALID);
	ln_free(id);
}

static void
configure_changes_what_is_given_and_clears_what_is_empty(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_conversation *c = NULL;
	const double warm = 0.7, none = (double)NAN, hot = 2.5;
	char *id;

	place_add_user(st, "ann");
	id = new_conversation(st, "ann", "x");
	assert_int_equal(ln_conversation_configure(st, "ann", id, "llama",
	    "Be kind.", &warm, NULL), LN_OK);
	assert_int_equal(ln_conversation_configure(st, "ann", id, NULL, "",
	    NULL, NULL), LN_OK);
	assert_int_equal(ln_conversation_get(st, "ann", id, &c, NULL), LN_OK);
	assert_string_equal(c->model, "llama");
	assert_null(c->system_prompt);
	assert_true(c->has_temperature);
	assert_true(c->temperature > 0.69 && c->temperature < 0.71);
	ln_conversation_free(c);
	assert_int_equal(ln_conversation_configure(st, "ann", id, NULL, NULL,
	    &hot, NULL), LN_INVALID);
	assert_int_equal(ln_conversation_configure(st, "ann", id, NULL, NULL,
	    &none, NULL), LN_OK);
	assert_int_equal(ln_conversation_get(st, "ann", id, &c, NULL), LN_OK);
	assert_false(c->has_temperature);
	ln_conversation_free(c);
	ln_free(id);
}

static void
tags_come_in_order(void **state)
{
	const struct place *p = *state;
	struct ln_conversation_list l;
	char *id;

	place_add_user(p->store, "ann");
	id = new_conversation(p->store, "ann", "x");
	place_exec(p->store, "INSERT INTO conversation_tag"
	    " SELECT id, 'work' FROM conversation UNION ALL"
	    " SELECT id, 'c' FROM conversation");
	assert_int_equal(ln_conversation_list(p->store, "ann", NULL, &l,
	    NULL), LN_OK);
	assert_string_equal(l.items[0]->tags, "c\x1fwork");
	ln_conversation_list_free(&l);
	ln_free(id);
}

static void
messages_come_in_order_with_their_images(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	struct ln_message_list l;
	struct ln_message *m = NULL;
	char *id;
	int64_t first;

	place_add_user(st, "ann");
	id = new_conversation(st, "ann", "x");
	first = add_message(st, id, LN_MESSAGE_USER, LN_MESSAGE_COMPLETE,
	    "look", "[\"aGk=\"]");
	(void)add_message(st, id, LN_MESSAGE_ASSISTANT, LN_MESSAGE_FAILED,
	    "I se", NULL);
	assert_int_equal(ln_message_list(st, "ann", id, &l, NULL), LN_OK);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.items[0]->content, "look");
	assert_string_equal(l.items[0]->images, "[\"aGk=\"]");
	assert_int_equal(l.items[1]->role, LN_MESSAGE_ASSISTANT);
	assert_int_equal(l.items[1]->state, LN_MESSAGE_FAILED);
	assert_null(l.items[1]->images);
	ln_message_list_free(&l);
	assert_int_equal(ln_message_get(st, "ann", first, &m, NULL), LN_OK);
	assert_string_equal(m->conversation_id, id);
	ln_message_free(m);
	assert_int_equal(ln_conversation_delete(st, "ann", id, NULL), LN_OK);
	assert_int_equal(place_int(st, "SELECT count(*) FROM message"), 0);
	assert_int_equal(place_int(st, "SELECT count(*) FROM message_image"),
	    0);
	ln_free(id);
}

static void
only_one_answer_is_written_in_a_conversation(void **state)
{
	const struct place *p = *state;
	struct ln_store *st = p->store;
	bool is_asked = true;
	int64_t a, b, count;
	char *id;

	place_add_user(st, "ann");
	id = new_conversation(st, "ann", "x");
	a = add_message(st, id, LN_MESSAGE_ASSISTANT, LN_MESSAGE_STREAMING,
	    "abcde", NULL);
	b = add_message(st, id, LN_MESSAGE_ASSISTANT, LN_MESSAGE_STREAMING, "",
	    NULL);
	assert_int_equal(lni_generation_add(st, a, id, "server:1", 1000,
	    NULL), LN_OK);
	assert_int_equal(lni_generation_add(st, b, id, "lnctl:2", 1000, NULL),
	    LN_CONFLICT);
	assert_int_equal(lni_generation_check(st, a, "server:1", &is_asked,
	    NULL), LN_OK);
	assert_false(is_asked);
	assert_int_equal(lni_generation_ask_stop(st, "ann", id, NULL), LN_OK);
	assert_int_equal(lni_generation_check(st, a, "server:1", &is_asked,
	    NULL), LN_OK);
	assert_true(is_asked);
	assert_int_equal(lni_generation_beat(st, a, "lnctl:2", 1, NULL),
	    LN_NOT_FOUND);

	/* Alive, and another process's prefix: stays. */
	assert_int_equal(lni_generation_reap(st, NULL, "lnctl:", NULL, 500,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 0);
	assert_int_equal(lni_generation_reap(st, NULL, "server:", "server:1",
	    500, &count, NULL), LN_OK);
	assert_int_equal(count, 0);
	/* A restarted server knows that its predecessor is gone. */
	assert_int_equal(lni_generation_reap(st, NULL, "server:", "server:2",
	    500, &count, NULL), LN_OK);
	assert_int_equal(count, 1);
	assert_int_equal(place_int(st, "SELECT state = 'interrupted' AND"
	    " tokens = 2 AND is_estimated FROM message LIMIT 1"), 1);
	assert_int_equal(lni_generation_beat(st, a, "server:1", 2000, NULL),
	    LN_NOT_FOUND);
	/* Silence alone is enough, whoever the owner is. */
	assert_int_equal(lni_generation_add(st, b, id, "lnctl:2", 1000, NULL),
	    LN_OK);
	assert_int_equal(lni_generation_reap(st, NULL, NULL, NULL, 1001,
	    &count, NULL), LN_OK);
	assert_int_equal(count, 1);
	ln_free(id);
}

int
main(void)
{
#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		row(a_new_conversation_has_what_was_given_and_nothing_else),
		row(somebody_elses_conversation_is_like_an_unknown_one),
		row(a_project_of_somebody_else_cannot_be_used),
		row(the_list_is_pinned_first_then_newest_and_pages_without_gaps),
		row(a_cursor_neither_loses_nor_doubles_a_row_when_others_move),
		row(a_cursor_that_is_none_is_refused),
		row(the_archive_is_hidden_until_asked_for),
		row(titles_are_checked),
		row(configure_changes_what_is_given_and_clears_what_is_empty),
		row(tags_come_in_order),
		row(messages_come_in_order_with_their_images),
		row(only_one_answer_is_written_in_a_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
