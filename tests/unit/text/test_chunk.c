/* Text is cut into chunks that a person can find again in the document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/text.h>

#include "text/chunk.h"

#define CHUNKS_MAX 64

struct taken {
	size_t count;
	struct {
		char text[LNI_CHUNK_MAX + 1];
		size_t length, overlap;
		uint32_t page, line;
	} items[CHUNKS_MAX];
	struct ln_buf whole;	/* without what comes twice */
	enum ln_status answer;
};

static enum ln_status
take(void *arg, const struct lni_chunk *c, struct ln_error *err)
{
	struct taken *t = arg;

	(void)err;
	assert_true(c->length > c->overlap);
	assert_true(c->length <= LNI_CHUNK_MAX);
	assert_true(ln_utf8_valid(c->text, c->length));
	ln_buf_put(&t->whole, c->text + c->overlap, c->length - c->overlap);
	if (t->count < CHUNKS_MAX) {
		memcpy(t->items[t->count].text, c->text, c->length);
		t->items[t->count].text[c->length] = '\0';
		t->items[t->count].length = c->length;
		t->items[t->count].overlap = c->overlap;
		t->items[t->count].page = c->page;
		t->items[t->count].line = c->line;
	}
	t->count++;
	return t->answer;
}

static int
setup(void **state)
{
	static struct taken t;

	memset(&t, 0, sizeof(t));
	t.whole = (struct ln_buf)LN_BUF_INIT((size_t)1 << 20);
	*state = &t;
	return 0;
}

static int
teardown(void **state)
{
	struct taken *t = *state;

	ln_buf_free(&t->whole);
	return 0;
}

/* All of ${text}, ${step} bytes at a time. */
static void
feed(struct taken *t, const char *text, size_t step, uint32_t page,
    uint32_t line)
{
	struct lni_chunker c;
	size_t n = strlen(text), i, k, j;

	lni_chunker_init(&c, take, t);
	for (i = 0; i < n; i += k) {
		k = n - i < step ? n - i : step;
		assert_int_equal(lni_chunker_feed(&c, text + i, k, page, line,
		    NULL), LN_OK);
		for (j = i; line > 0 && j < i + k; j++)
			line += text[j] == '\n';
	}
	assert_int_equal(lni_chunker_end(&c, NULL), LN_OK);
}

/* ${count} times ${unit}, with a number for its "#". */
static char *
repeat(struct ln_buf *b, const char *unit, int count)
{
	size_t n = strcspn(unit, "#");
	int i;

	for (i = 1; i <= count; i++) {
		ln_buf_put(b, unit, n);
		if (unit[n] != '\0')
			ln_buf_printf(b, "%d%s", i, unit + n + 1);
	}
	return b->data;
}

static void
a_short_text_is_one_chunk(void **state)
{
	struct taken *t = *state;

	feed(t, "A few words.\n", 5, 0, 1);
	assert_int_equal(t->count, 1);
	assert_string_equal(t->items[0].text, "A few words.\n");
	assert_int_equal(t->items[0].line, 1);
	assert_int_equal(t->items[0].overlap, 0);
}

static void
nothing_but_white_space_is_no_chunk(void **state)
{
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(100000);

	feed(t, "", 1, 0, 1);
	feed(t, "\n \t\n  ", 2, 1, 0);
	feed(t, repeat(&b, "  \n", 2000), 997, 0, 1);
	assert_int_equal(t->count, 0);
	ln_buf_free(&b);
}

static void
everything_comes_once_besides_the_overlap(void **state)
{
	static const char *const units[] = { "Line # of a file\n",
		"Sentence number # has a few words. ", "word# ",
		"Paragraph # is of one line.\n\n", "solid#",
		"\xe6\x95\xb0\xe6\x8d\xae#\xe5\xba\x93" };
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(1000000);
	size_t i, n;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		ln_buf_clear(&b);
		ln_buf_clear(&t->whole);
		t->count = 0;
		feed(t, repeat(&b, units[i], 900), 1000, 0, 1);
		assert_true(t->count > 3);
		assert_string_equal(ln_buf_str(&t->whole), ln_buf_str(&b));
		for (n = 1; n < t->count && n < CHUNKS_MAX; n++)
			assert_memory_equal(t->items[n].text,
			    t->items[n - 1].text + t->items[n - 1].length -
			    t->items[n].overlap, t->items[n].overlap);
	}
	ln_buf_free(&b);
}

static void
how_the_bytes_come_changes_nothing(void **state)
{
	static const size_t steps[] = { 1, 7, 1499, 1500, 1501, 100000 };
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(100000), first = LN_BUF_INIT(200000);
	struct ln_buf now = LN_BUF_INIT(200000);
	size_t i, n;

	repeat(&b, "Line # with some \xc3\xa9t\xc3\xa9 in it. And more.\n",
	    300);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		t->count = 0;
		ln_buf_clear(&now);
		feed(t, ln_buf_str(&b), steps[i], 0, 1);
		for (n = 0; n < t->count; n++)
			ln_buf_printf(&now, "%u:%s|", t->items[n].line,
			    t->items[n].text);
		if (i == 0)
			ln_buf_puts(&first, ln_buf_str(&now));
		assert_string_equal(ln_buf_str(&now), ln_buf_str(&first));
	}
	ln_buf_free(&b);
	ln_buf_free(&first);
	ln_buf_free(&now);
}

static void
a_chunk_begins_and_ends_with_a_line_and_knows_its_number(void **state)
{
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(100000);
	unsigned number;
	size_t i;

	feed(t, repeat(&b, "Line # of a long file with text\n", 400), 4096,
	    0, 1);
	for (i = 0; i < t->count; i++) {
		assert_int_equal(sscanf(t->items[i].text, "Line %u of",
		    &number), 1);
		assert_int_equal(t->items[i].line, number);
		assert_int_equal(t->items[i].text[t->items[i].length - 1],
		    '\n');
		assert_true(i == 0 || t->items[i].overlap > 0);
	}
	ln_buf_free(&b);
}

static void
a_paragraph_is_kept_whole_where_it_fits(void **state)
{
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(100000);

	repeat(&b, "Sentence # of the first. ", 32);
	ln_buf_puts(&b, "\n\n");
	repeat(&b, "Sentence # of the second. ", 40);
	feed(t, ln_buf_str(&b), 100, 0, 0);
	assert_int_equal(t->count, 2);
	assert_non_null(strstr(t->items[0].text, "Sentence 32 of the first"));
	assert_null(strstr(t->items[0].text, "second"));
	ln_buf_free(&b);
}

static void
two_pages_never_share_a_chunk(void **state)
{
	struct taken *t = *state;
	struct lni_chunker c;

	lni_chunker_init(&c, take, t);
	assert_int_equal(lni_chunker_feed(&c, "first ", 6, 1, 0, NULL),
	    LN_OK);
	assert_int_equal(lni_chunker_feed(&c, "page", 4, 1, 0, NULL), LN_OK);
	assert_int_equal(lni_chunker_feed(&c, " \n", 2, 2, 0, NULL), LN_OK);
	assert_int_equal(lni_chunker_feed(&c, "third", 5, 3, 0, NULL), LN_OK);
	assert_int_equal(lni_chunker_end(&c, NULL), LN_OK);
	assert_int_equal(t->count, 2);
	assert_string_equal(t->items[0].text, "first page");
	assert_int_equal(t->items[0].page, 1);
	assert_string_equal(t->items[1].text, "third");
	assert_int_equal(t->items[1].page, 3);
	assert_int_equal(t->items[1].overlap, 0);
	assert_int_equal(t->items[1].line, 0);
}

static void
who_takes_them_can_end_it(void **state)
{
	struct taken *t = *state;
	struct ln_buf b = LN_BUF_INIT(100000);
	struct lni_chunker c;

	t->answer = LN_CANCELLED;
	repeat(&b, "Line #\n", 1000);
	lni_chunker_init(&c, take, t);
	assert_int_equal(lni_chunker_feed(&c, b.data, b.len, 0, 1, NULL),
	    LN_CANCELLED);
	assert_int_equal(t->count, 1);
	ln_buf_free(&b);
}

#define row(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		row(a_short_text_is_one_chunk),
		row(nothing_but_white_space_is_no_chunk),
		row(everything_comes_once_besides_the_overlap),
		row(how_the_bytes_come_changes_nothing),
		row(a_chunk_begins_and_ends_with_a_line_and_knows_its_number),
		row(a_paragraph_is_kept_whole_where_it_fits),
		row(two_pages_never_share_a_chunk),
		row(who_takes_them_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
