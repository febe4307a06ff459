/* Statistics: what counts, in which day, for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/stats.h>

#include "place.h"
#include "store/tx.h"

#define DAY_MS INT64_C(86400000)
#define MIDNIGHT (INT64_C(20000) * DAY_MS)	/* of today */
#define NOW (MIDNIGHT + 3600000)

/* 1728000000000 is MIDNIGHT. */
static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	place_add_user(p->store, "ann");
	place_add_user(p->store, "bob");
	place_add_user(p->store, "new");
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	place_exec(p->store, "INSERT INTO conversation(id, user_id, title,"
	    " forked_from, total_tokens, created_ms, updated_ms) VALUES"
	    " ('c', 'ann', 't', NULL, 70, 1, 1728000000005),"
	    " ('old', 'ann', 't', NULL, 5, 1, 1725494400000),"
	    " ('f', 'ann', 't', 'c', 9, 1728000000003, 1728000000004),"
	    " ('b', 'bob', 't', NULL, 1000, 1, 1728000000005)");
	place_exec(p->store, "INSERT INTO message(conversation_id, role,"
	    " model, content, tokens, created_ms) VALUES"
	    /* Yesterday's last moment, and today's first. */
	    " ('c', 'user', NULL, 'q', 0, 1727999999999),"
	    " ('c', 'assistant', 'small', 'a', 20, 1728000000000),"
	    " ('c', 'user', NULL, 'q', 0, 1728000000001),"
	    " ('c', 'assistant', 'large', 'a', 50, 1728000000002),"
	    /* The first day of the thirty, and the one before. */
	    " ('old', 'assistant', NULL, 'a', 3, 1725494400000),"
	    " ('old', 'assistant', NULL, 'a', 2, 1725494399999),"
	    /* A copy of the parent's, and the branch's own. */
	    " ('f', 'assistant', 'small', 'a', 20, 1728000000000),"
	    " ('f', 'assistant', 'small', 'a', 9, 1728000000004),"
	    " ('b', 'assistant', 'large', 'a', 1000, 1728000000002)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	return 0;
}

static void
get(struct place *p, const char *user, struct ln_stats *out)
{
	struct ln_error err = LN_ERROR_INIT;

	if (ln_stats_get(p->store, user, NOW, out, &err) != LN_OK)
		fail_msg("%s: %s %s", user, err.text, err.detail);
}

static void
totals_and_models_are_a_persons_own(void **state)
{
	struct ln_stats *s = malloc(sizeof(*s));

	assert_non_null(s);
	get(*state, "ann", s);
	assert_int_equal(s->totals.conversation_count, 3);
	assert_int_equal(s->totals.message_count, 8);
	assert_int_equal(s->totals.total_tokens, 84);
	/* Most tokens first; what a fork copied counts once. */
	assert_int_equal(s->model_count, 3);
	assert_string_equal(s->models[0].model, "large");
	assert_int_equal(s->models[0].answer_count, 1);
	assert_int_equal(s->models[0].tokens, 50);
	assert_string_equal(s->models[1].model, "small");
	assert_int_equal(s->models[1].answer_count, 2);
	assert_int_equal(s->models[1].tokens, 29);
	assert_null(s->models[2].model);
	assert_int_equal(s->models[2].tokens, 5);
	ln_stats_clear(s);
	free(s);
}

static void
days_begin_at_midnight_and_are_thirty(void **state)
{
	struct ln_stats *s = malloc(sizeof(*s));
	size_t i, last = LN_STATS_DAYS - 1;

	assert_non_null(s);
	get(*state, "ann", s);
	for (i = 0; i <= last; i++)
		assert_int_equal(s->days[i].start_ms, MIDNIGHT -
		    (int64_t)(last - i) * DAY_MS);
	assert_int_equal(s->days[last].message_count, 4);
	assert_int_equal(s->days[last].tokens, 79);
	assert_int_equal(s->days[last - 1].message_count, 1);
	assert_int_equal(s->days[last - 1].tokens, 0);
	assert_int_equal(s->days[0].message_count, 1);
	assert_int_equal(s->days[0].tokens, 3);
	for (i = 1; i < last - 1; i++)
		assert_int_equal(s->days[i].message_count, 0);
	ln_stats_clear(s);
	free(s);
}

static void
who_has_nothing_has_zeros(void **state)
{
	struct ln_stats *s = malloc(sizeof(*s));
	struct place *p = *state;
	size_t i;

	assert_non_null(s);
	get(p, "new", s);
	assert_int_equal(s->totals.conversation_count, 0);
	assert_int_equal(s->totals.message_count, 0);
	assert_int_equal(s->totals.total_tokens, 0);
	assert_int_equal(s->model_count, 0);
	for (i = 0; i < LN_STATS_DAYS; i++)
		assert_int_equal(s->days[i].message_count, 0);
	ln_stats_clear(s);
	assert_int_equal(ln_stats_get(p->store, "nobody", NOW, s, NULL),
	    LN_NOT_FOUND);
	ln_stats_clear(s);
	free(s);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(totals_and_models_are_a_persons_own),
		IN_PLACE(days_begin_at_midnight_and_are_thirty),
		IN_PLACE(who_has_nothing_has_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
