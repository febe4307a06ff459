/* Search: the query language, what is found and shown, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/conversation.h>
#include <ln/search.h>

#include "place.h"
#include "store/tx.h"

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
	place_exec(p->store, "INSERT INTO project(id, user_id, title,"
	    " created_ms) VALUES ('p', 'ann', 'Home', 1)");
	place_exec(p->store, "INSERT INTO conversation(id, user_id, title,"
	    " project_id, archived_ms, created_ms, updated_ms) VALUES"
	    " ('g', 'ann', 'Garden plans', 'p', NULL, 1767225600000, 1),"
	    " ('c', 'ann', 'C++ questions', NULL, 5, 1767225600000, 1),"
	    " ('j', 'ann', '日本の旅行', NULL, NULL, 1767225600000, 1),"
	    " ('b', 'bob', 'Vault', NULL, NULL, 1767225600000, 1)");
	place_exec(p->store, "INSERT INTO conversation_tag(conversation_id,"
	    " tag) VALUES ('g', 'spring'), ('g', 'home'), ('c', 'work')");
	place_exec(p->store, "INSERT INTO message(id, conversation_id, role,"
	    " model, content, created_ms) VALUES"
	    " (1, 'g', 'user', NULL, 'When do tulips bloom in the garden?',"
	    "  1767225600000),"
	    " (2, 'g', 'assistant', 'llama3.2', 'Tulips bloom in April, the"
	    " Café garden says. <b>Plant</b> & water.', 1769904000000),"
	    " (3, 'c', 'user', NULL, 'Why does std::vector<int> v[i]->next"
	    " == NULL fail in foo_bar()? C# and c++17 too, --full',"
	    "  1772323200000),"
	    " (4, 'c', 'assistant', 'gpt-4', 'Use reconfigure(config); the"
	    " configuration is 50% done 👍🏽', 1772323200000),"
	    " (5, 'j', 'user', NULL, '東京と京都に行きたい。日本語で',"
	    "  1772323200000),"
	    " (6, 'j', 'assistant', 'llama3.2', 'שלום עולם Привет МИР',"
	    "  1772323200000),"
	    " (7, 'b', 'user', NULL, 'tulips canary garden 東京 foo_bar()',"
	    "  1772323200000)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	return 0;
}

static struct ln_hit_list
search(struct place *p, const char *user, const char *query,
    struct ln_search_opts opts)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_hit_list list;

	opts.size = sizeof(opts);
	/* A loaded machine must not make it give up early. */
	opts.budget_ms = 60000;
	if (ln_search(p->store, user, query, &opts, &list, &err) != LN_OK)
		fail_msg("%s: %s %s", query, err.text, err.detail);
	assert_false(list.is_partial);
	return list;
}

/* The ids of the messages found, sorted, and "t" for each title. */
static void
found(struct place *p, const char *query, struct ln_search_opts opts,
    char *out, size_t size)
{
	struct ln_hit_list list = search(p, "ann", query, opts);
	size_t i, n = 0;
	int64_t id;

	out[0] = '\0';
	for (id = 0; id < 10; id++) {
		for (i = 0; i < list.count; i++) {
			if (list.items[i].message_id != id)
				continue;
			n += (size_t)snprintf(out + n, size - n,
			    id == 0 ? "t" : "%d", (int)id);
		}
	}
	ln_hit_list_free(&list);
}

static void
a_query_finds(void **state)
{
	static const struct {
		const char *query;
		const char *want;
	} cases[] = {
		/* Words: all of them, in any case and order. */
		{ "tulips", "12" }, { "BLOOM tulips", "12" },
		{ "tulips canary", "" }, { "garden", "t12" },
		/* Accents do not matter. */
		{ "cafe", "2" }, { "CAFÉ", "2" }, { "cafe\xcc\x81", "2" },
		{ "привет мир", "6" }, { "МИР", "6" },
		{ "שלום", "6" },
		/* Phrases. */
		{ "\"tulips bloom\"", "12" }, { "\"bloom tulips\"", "" },
		{ "\"bloom in the\"", "1" },
		/* Parts of words come when there are no whole ones, and
		 * after whole ones. */
		{ "ulip", "12" }, { "config", "4" }, { "configur", "4" },
		{ "vect", "3" },
		/* Prefixes begin words. */
		{ "conf*", "4" }, { "figur*", "" }, { "tul* apr*", "2" },
		{ "\"bloom in a\"*", "2" }, { "tu*", "12" },
		/* Not this. */
		{ "tulips -april", "1" }, { "tulips -\"bloom in\"", "" },
		{ "tulips -zebra", "12" }, { "tulips -東京", "12" },
		/* Code, as it is written. */
		{ "v[i]->next", "3" }, { "std::vector", "3" },
		{ "vector<int>", "3" }, { "foo_bar()", "3" },
		{ "c++17", "3" }, { "C#", "3" }, { "==", "3" },
		{ "->", "3" }, { "--full", "3" }, { "50%", "4" },
		{ "C++", "t3" }, { "x==y", "" },
		/* No spaces between the words. */
		{ "東京", "5" }, { "日本語", "5" }, { "日本", "t5" },
		{ "京", "5" }, { "旅行", "t" }, { "日本　東京", "5" },
		{ "北京", "" }, { "で", "5" }, { "東京 -日本", "" },
		/* Emoji, with and without its modifier. */
		{ "👍", "4" }, { "👍🏽", "4" }, { "😀", "" },
		/* Filters in the text. */
		{ "tulips role:user", "1" }, { "role:assistant garden", "2" },
		{ "tulips tag:spring", "12" }, { "garden tag:work", "" },
		{ "tag:Spring tag:home tulips", "12" },
		{ "model:llama", "26" }, { "model:\"gpt-4\"", "4" },
		{ "tulips before:2026-02-01", "1" },
		{ "tulips after:2026-02-01", "2" },
		{ "tulips after:2026-02 before:2027", "2" },
		{ "before:2026-01", "" },
		/* What is no filter is a word. */
		{ "role:king", "" }, { "before:dawn", "" }, { "tag:", "" },
		{ "unknown:tulips", "" },
		/* Only what is not wanted. */
		{ "-tulips", "3456" },
	};
	struct place *p = *state;
	struct ln_search_opts none = { .size = 0 };
	char got[64];
	size_t i, bad = 0;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found(p, cases[i].query, none, got, sizeof(got));
		if (strcmp(got, cases[i].want) == 0)
			continue;
		print_error("%s: \"%s\", not \"%s\"\n", cases[i].query, got,
		    cases[i].want);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void
options_filter_as_well(void **state)
{
	static const struct {
		struct ln_search_opts opts;
		const char *want;
	} cases[] = {
		{ { .project_id = "p" }, "t12" },
		{ { .project_id = "x" }, "" },
		{ { .tag = "Spring" }, "t12" }, { { .tag = " " }, "" },
		{ { .role = "user" }, "1" }, { { .model = "llama3.2" }, "2" },
		{ { .model = "llama" }, "" },
		{ { .from_ms = 1769904000000 }, "2" },
		{ { .to_ms = 1769904000000 }, "t1" },
		{ { .limit = 1 }, "1" },
	};
	struct place *p = *state;
	char got[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found(p, "garden", cases[i].opts, got, sizeof(got));
		if (cases[i].opts.limit == 1) {
			assert_int_equal(strlen(got), 1);
			continue;
		}
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("case %zu: \"%s\"", i, got);
	}
}

/* What is shown: plain text of one line, and where the words are in it. */
static void
a_snippet_is_plain_text_with_marks(void **state)
{
	struct ln_search_opts none = { .size = 0 };
	struct place *p = *state;
	struct ln_hit_list l = search(p, "ann", "plant april", none);
	const struct ln_hit *h = l.items;

	assert_int_equal(l.count, 1);
	assert_string_equal(h->snippet, "Tulips bloom in April, the Café"
	    " garden says. <b>Plant</b> & water.");
	assert_int_equal(h->mark_count, 2);
	assert_memory_equal(h->snippet + h->marks[0].from, "April", 5);
	assert_int_equal(h->marks[0].to - h->marks[0].from, 5);
	assert_memory_equal(h->snippet + h->marks[1].from, "Plant", 5);
	assert_string_equal(h->conversation_title, "Garden plans");
	assert_string_equal(h->role, "assistant");
	assert_string_equal(h->model, "llama3.2");
	ln_hit_list_free(&l);

	l = search(p, "ann", "旅行", none);
	assert_int_equal(l.items[0].message_id, 0);
	assert_string_equal(l.items[0].role, "title");
	assert_memory_equal(l.items[0].snippet + l.items[0].marks[0].from,
	    "旅行", strlen("旅行"));
	ln_hit_list_free(&l);

	l = search(p, "ann", "fail", none);
	assert_true(l.items[0].is_archived);
	ln_hit_list_free(&l);
}

static void
a_long_text_is_cut_at_whole_characters(void **state)
{
	struct ln_search_opts none = { .size = 0 };
	struct place *p = *state;
	struct ln_hit_list l;

	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	place_exec(p->store, "INSERT INTO message(conversation_id, role,"
	    " content, created_ms) VALUES ('g', 'user', replace(hex(zeroblob("
	    "500)), '00', 'é') || ' needle' || char(10) || replace(hex("
	    "zeroblob(500)), '00', '語'), 1)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	l = search(p, "ann", "needle", none);
	assert_int_equal(l.count, 1);
	assert_true(strlen(l.items[0].snippet) < 400);
	assert_memory_equal(l.items[0].snippet, "…", strlen("…"));
	assert_null(strchr(l.items[0].snippet, '\n'));
	assert_memory_equal(l.items[0].snippet + l.items[0].marks[0].from,
	    "needle", 6);
	ln_hit_list_free(&l);
}

/* Two people, the same words: nobody sees, counts or ranks the other's. */
static void
nobody_finds_what_is_somebody_else_s(void **state)
{
	static const char *const queries[] = { "tulips", "canary", "東京",
		"foo_bar()", "vault", "can*", "role:user", "t", "-zebra",
		"anary", "tulips OR canary", "* OR canary" };
	struct ln_search_opts none = { .size = 0 };
	struct place *p = *state;
	struct ln_hit_list l;
	double before;
	size_t i, j;

	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		l = search(p, "ann", queries[i], none);
		for (j = 0; j < l.count; j++) {
			assert_int_not_equal(l.items[j].message_id, 7);
			assert_string_not_equal(l.items[j].conversation_id,
			    "b");
		}
		ln_hit_list_free(&l);
		l = search(p, "new", queries[i], none);
		assert_int_equal(l.count, 0);
		ln_hit_list_free(&l);
		l = search(p, "nobody", queries[i], none);
		assert_int_equal(l.count, 0);
		ln_hit_list_free(&l);
	}
	l = search(p, "ann", "tulips garden", none);
	before = l.items[0].score;
	ln_hit_list_free(&l);
	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	for (i = 0; i < 50; i++)
		place_exec(p->store, "INSERT INTO message(conversation_id,"
		    " role, content, created_ms) VALUES ('b', 'user',"
		    " 'tulips tulips everywhere', 1)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	l = search(p, "ann", "tulips garden", none);
	/* But for the milliseconds that went by. */
	assert_true(l.items[0].score > before - 1e-6 &&
	    l.items[0].score < before + 1e-6);
	ln_hit_list_free(&l);
}

static void
edits_and_deletions_are_seen_at_once(void **state)
{
	static const struct {
		const char *change;
		const char *query;
		const char *want;
	} steps[] = {
		{ "UPDATE message SET content = 'a wren' WHERE id = 1", "wren",
		    "1" },
		{ "SELECT 1", "tulips", "2" },
		{ "UPDATE conversation SET title = 'Birds' WHERE id = 'g'",
		    "birds", "t" },
		{ "SELECT 1", "plans", "" },
		{ "DELETE FROM message WHERE id = 2", "tulips", "" },
		{ "SELECT 1", "ulip", "" },
		{ "DELETE FROM conversation WHERE id = 'g'", "wren", "" },
		{ "SELECT 1", "birds", "" },
		{ "DELETE FROM user WHERE id = 'ann'", "東京", "" },
	};
	struct ln_search_opts none = { .size = 0 };
	struct place *p = *state;
	char got[64];
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
		place_exec(p->store, steps[i].change);
		assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
		found(p, steps[i].query, none, got, sizeof(got));
		if (strcmp(got, steps[i].want) != 0)
			fail_msg("%s: \"%s\"", steps[i].query, got);
	}
	assert_int_equal(ln_conversation_rename(p->store, "ann", "j", "Kyoto",
	    NULL), LN_NOT_FOUND);
	assert_int_equal(ln_conversation_rename(p->store, "bob", "b", "Safe",
	    NULL), LN_OK);
	assert_int_equal(ln_store_check(p->store, true, NULL, NULL, NULL),
	    LN_OK);
}

static enum ln_status
outcome(struct place *p, const char *query)
{
	struct ln_search_opts opts = { .size = sizeof(opts) };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_hit_list l;
	enum ln_status s;

	s = ln_search(p->store, "ann", query, &opts, &l, &err);
	if (s == LN_INVALID)
		assert_string_equal(err.field, "q");
	ln_hit_list_free(&l);
	return s;
}

static void
no_text_is_a_syntax_error(void **state)
{
	static const char *const words[] = { "\"", "\"\"", "\"\"\"", "\"a",
		"a\"b\"c", "AND", "OR NOT", "NEAR(a b)", "a AND", "content:a",
		"message_fts:a", "^a", "a^b", "{a b}:c", "(((", "a + b", "-",
		"--", "- -", "-\"", "*", "**", "a**", "\"a\"*", "\"\"*", "-*",
		"a:b:c", "before:", "after:9999-99-99", "tag:\"", "role:\"user",
		"model:%_\\", "';DROP TABLE message;--", "a NEAR/3 b",
		("\xe2\x80\xae" "abc"), "e\xcc\x81\xcc\x81\xcc\x81", "\xcc\x81",
		"👩‍👩‍👧", "\xef\xbb\xbf", "\x01\x02", "\t\n\r", "a\x7f" };
	struct place *p = *state;
	char text[8], *long_one;
	size_t i;
	int c, d;

	for (c = 1; c < 0x80; c++) {
		(void)snprintf(text, sizeof(text), "%c", c);
		assert_true(outcome(p, text) == LN_OK ||
		    strspn(text, " \t\n\v\f\r\"") == 1);
		(void)snprintf(text, sizeof(text), "a%cb", c);
		assert_int_equal(outcome(p, text), LN_OK);
		for (d = 0x21; d < 0x30; d++) {
			(void)snprintf(text, sizeof(text), "%c%c a", c, d);
			assert_int_equal(outcome(p, text), LN_OK);
		}
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum ln_status s = outcome(p, words[i]);

		if (s != LN_OK && s != LN_INVALID)
			fail_msg("%s: %d", words[i], (int)s);
	}
	assert_int_equal(outcome(p, ""), LN_INVALID);
	assert_int_equal(outcome(p, "  "), LN_INVALID);
	assert_int_equal(outcome(p, "\xff"), LN_INVALID);
	assert_non_null(long_one = calloc(1, 10241));
	memset(long_one, 'a', 10240);
	assert_int_equal(outcome(p, long_one), LN_INVALID);
	for (i = 0; i < LN_SEARCH_BYTES_MAX; i++)
		long_one[i] = i % 2 == 0 ? 'a' : ' ';
	long_one[LN_SEARCH_BYTES_MAX] = '\0';
	assert_int_equal(outcome(p, long_one), LN_OK);
	for (i = 0; i < LN_SEARCH_BYTES_MAX; i++)
		long_one[i] = i % 3 == 0 ? '"' : i % 3 == 1 ? '[' : ' ';
	assert_int_equal(outcome(p, long_one), LN_OK);
	memset(long_one, 'x', LN_SEARCH_BYTES_MAX);
	assert_int_equal(outcome(p, long_one), LN_OK);
	free(long_one);
}

static void
pages_do_not_overlap(void **state)
{
	struct ln_search_opts o = { .limit = 7 };
	struct place *p = *state;
	bool seen[128] = { false };
	struct ln_hit_list l;
	size_t i, n = 0;

	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	for (i = 0; i < 30; i++)
		place_exec(p->store, "INSERT INTO message(conversation_id,"
		    " role, content, created_ms) VALUES ('g', 'user',"
		    " 'a wren', 1)");
	assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
	do {
		l = search(p, "ann", "wren", o);
		for (i = 0; i < l.count; i++) {
			assert_false(seen[l.items[i].message_id]);
			seen[l.items[i].message_id] = true;
			n++;
		}
		o.offset += o.limit;
		i = l.has_more;
		ln_hit_list_free(&l);
	} while (i != 0);
	assert_int_equal(n, 30);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_query_finds),
		T(options_filter_as_well),
		T(a_snippet_is_plain_text_with_marks),
		T(a_long_text_is_cut_at_whole_characters),
		T(nobody_finds_what_is_somebody_else_s),
		T(edits_and_deletions_are_seen_at_once),
		T(no_text_is_a_syntax_error),
		T(pages_do_not_overlap),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
