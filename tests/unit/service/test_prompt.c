/* Prompts as they are kept, found, changed and deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/prompt.h>

#include "people.h"

static void
act_as(struct place *p, const char *user)
{
	const struct ln_actor shell = { .kind = "shell" };
	const struct ln_actor actor = { .kind = "user", .user_id = user };

	ln_store_actor_set(p->store, user != NULL ? &actor : &shell);
}

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "ann", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "root", NULL, LN_USER_ROLE_ADMIN, NULL);
	act_as(p, NULL);
	return 0;
}

static int64_t
add(struct place *p, const char *user, const char *title,
    const char *content)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *prompt;
	int64_t id;

	people_ok(ln_prompt_create(p->store, user, title, content, &prompt,
	    &err), &err);
	id = prompt->id;
	assert_true(id > 0);
	assert_string_equal(prompt->title, title);
	assert_string_equal(prompt->content, content);
	ln_prompt_free(prompt);
	return id;
}

static void
ones_own_come_before_those_of_everybody(void **state)
{
	struct place *p = *state;
	struct ln_prompt_list list;
	struct ln_prompt *one;

	add(p, NULL, "Greeting", "for all");
	add(p, "ann", "Zeal", "of ann");
	add(p, "ann", "Greeting", "of ann, too");
	add(p, "bob", "Hidden", "of bob");
	assert_int_equal(ln_prompt_list(p->store, "ann", &list, NULL), LN_OK);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0]->title, "Greeting");
	assert_string_equal(list.items[0]->user_id, "ann");
	assert_string_equal(list.items[1]->title, "Zeal");
	assert_null(list.items[2]->user_id);
	ln_prompt_list_free(&list);
	assert_int_equal(ln_prompt_find(p->store, "ann", "Greeting", &one,
	    NULL), LN_OK);
	assert_string_equal(one->content, "of ann, too");
	ln_prompt_free(one);
	assert_int_equal(ln_prompt_find(p->store, "bob", "Greeting", &one,
	    NULL), LN_OK);
	assert_string_equal(one->content, "for all");
	ln_prompt_free(one);
	assert_int_equal(ln_prompt_list(p->store, NULL, &list, NULL), LN_OK);
	assert_int_equal(list.count, 1);
	ln_prompt_list_free(&list);
}

static void
somebody_elses_prompt_is_an_unknown_one(void **state)
{
	struct place *p = *state;
	int64_t id = add(p, "bob", "Mine", "text");
	struct ln_error real, none;
	struct ln_prompt *one;

	act_as(p, "ann");
	real = none = (struct ln_error)LN_ERROR_INIT;
	assert_int_equal(ln_prompt_get(p->store, "ann", id, &one, &real),
	    LN_NOT_FOUND);
	assert_null(one);
	assert_int_equal(ln_prompt_get(p->store, "ann", 999, &one, &none),
	    LN_NOT_FOUND);
	assert_string_equal(real.text, none.text);
	assert_int_equal(ln_prompt_find(p->store, "ann", "Mine", &one, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(ln_prompt_update(p->store, "ann", id, "x", NULL, NULL,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_prompt_delete(p->store, "ann", id, NULL),
	    LN_NOT_FOUND);
	act_as(p, "root");
	assert_int_equal(ln_prompt_delete(p->store, "root", id, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM prompt "
	    "WHERE title = 'Mine'"), 1);
}

static void
only_an_administrator_writes_those_of_everybody(void **state)
{
	struct place *p = *state;
	int64_t id;

	act_as(p, "ann");
	assert_int_equal(ln_prompt_create(p->store, NULL, "T", "c", NULL,
	    NULL), LN_FORBIDDEN);
	act_as(p, "root");
	id = add(p, NULL, "T", "c");
	assert_int_equal(ln_prompt_update(p->store, "root", id, "U", NULL,
	    NULL, NULL), LN_OK);
	act_as(p, "ann");
	assert_int_equal(ln_prompt_update(p->store, "ann", id, "V", NULL, NULL,
	    NULL), LN_FORBIDDEN);
	assert_int_equal(ln_prompt_delete(p->store, "ann", id, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM prompt "
	    "WHERE title = 'U' AND content = 'c' AND user_id IS NULL"), 1);
	/* Who changed what everybody sees is on record, and who tried to. */
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit WHERE"
	    " action LIKE 'prompt.%' AND outcome = 'ok'"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit WHERE"
	    " action LIKE 'prompt.%' AND outcome = 'forbidden'"), 3);
}

static void
a_title_names_one_prompt(void **state)
{
	struct place *p = *state;
	int64_t id = add(p, "ann", "One", "1");

	add(p, "ann", "Two", "2");
	assert_int_equal(ln_prompt_create(p->store, "ann", "One", "x", NULL,
	    NULL), LN_CONFLICT);
	assert_int_equal(ln_prompt_update(p->store, "ann", id, "Two", NULL,
	    NULL, NULL), LN_CONFLICT);
	assert_int_equal(ln_prompt_update(p->store, "ann", id, "One", "y",
	    NULL, NULL), LN_OK);
	add(p, "bob", "One", "his own");
}

static void
what_is_no_prompt_is_refused_by_its_field(void **state)
{
	static const struct {
		const char *title, *content, *field;
	} bad[] = {
		{ NULL, "c", "title" },
		{ "", "c", "title" },
		{ "  ", "c", "title" },
		{ "a\nb", "c", "title" },
		{ "\xff", "c", "title" },
		{ "t", NULL, "content" },
		{ "t", " \n", "content" },
		{ "t", "\xc3", "content" },
	};
	struct place *p = *state;
	struct ln_error err;
	char *big;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		assert_int_equal(ln_prompt_create(p->store, "ann",
		    bad[i].title, bad[i].content, NULL, &err), LN_INVALID);
		assert_string_equal(err.field, bad[i].field);
	}
	assert_non_null(big = malloc(LN_PROMPT_CONTENT_MAX + 2));
	memset(big, 'x', LN_PROMPT_CONTENT_MAX + 1);
	big[LN_PROMPT_CONTENT_MAX + 1] = '\0';
	assert_int_equal(ln_prompt_create(p->store, "ann", "t", big, NULL,
	    NULL), LN_INVALID);
	big[LN_PROMPT_CONTENT_MAX] = '\0';
	assert_int_equal(ln_prompt_create(p->store, "ann", "t", big, NULL,
	    NULL), LN_OK);
	big[LN_PROMPT_TITLE_MAX + 1] = '\0';
	assert_int_equal(ln_prompt_create(p->store, "ann", big, "c", NULL,
	    NULL), LN_INVALID);
	free(big);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM prompt"),
	    1);
}

static void
there_is_a_bound_to_how_many_one_keeps(void **state)
{
	struct place *p = *state;

	people_tamper(p, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
	    "i + 1 FROM n WHERE i < 1000) INSERT INTO prompt(user_id, title, "
	    "content, created_ms) SELECT 'ann', 'p' || i, 'c', 1 FROM n");
	assert_int_equal(ln_prompt_create(p->store, "ann", "more", "c", NULL,
	    NULL), LN_TOO_LARGE);
	add(p, "bob", "more", "c");
}

static void
every_template_is_a_prompt_one_can_keep(void **state)
{
	struct place *p = *state;
	const struct ln_prompt_template *t;
	size_t i, n;

	t = ln_prompt_templates(&n);
	assert_true(n > 0);
	for (i = 0; i < n; i++)
		add(p, "ann", t[i].title, t[i].content);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    ones_own_come_before_those_of_everybody, setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(
		    somebody_elses_prompt_is_an_unknown_one, setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(
		    only_an_administrator_writes_those_of_everybody, setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(a_title_names_one_prompt,
		    setup, place_teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_no_prompt_is_refused_by_its_field, setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(
		    there_is_a_bound_to_how_many_one_keeps, setup,
		    place_teardown),
		cmocka_unit_test_setup_teardown(
		    every_template_is_a_prompt_one_can_keep, setup,
		    place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
