#include "service/search_match.h"

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include "store/token.h"

#include "base/banned.h"

#define PART_MIN 3		/* characters; see lni_search_match */
#define USUAL_BYTES 700.0	/* of a message */
#define SNIPPET_BYTES ((size_t)320)
#define SNIPPET_BEFORE ((size_t)72)

struct state {
	uint64_t reached;	/* bit i: i + 1 words of the phrase */
	size_t hits;
};

struct matching {
	const struct lni_search_query *q;
	bool as_parts;
	struct state states[LN_SEARCH_TERMS_MAX];
	size_t starts[LNI_TERM_WORDS];	/* of the latest words, a ring */
	size_t seen;
	struct lni_marks *out;
};

bool
lni_search_is_part(const struct lni_term *t, bool as_parts)
{
	return t->is_part || (as_parts && !t->is_prefix && !t->is_excluded &&
	    t->point_count >= PART_MIN);
}

static void
mark(struct matching *m, size_t term, size_t from, size_t to)
{
	m->states[term].hits++;
	if (m->q->terms[term].is_excluded || m->out->count >= LNI_MARKS_MAX)
		return;
	m->out->at[m->out->count].from = from;
	m->out->at[m->out->count++].to = to;
}

/* Which words of the phrase ${token} can be. */
static uint64_t
places(const struct lni_term *t, const char *token, size_t n)
{
	const char *p = t->words;
	uint64_t bits = 0;
	size_t i, len;

	for (i = 0; i < t->word_count; i++, p += len + 1) {
		len = strlen(p);
		if (n < len || memcmp(p, token, len) != 0)
			continue;
		if (n == len || (t->is_prefix && i + 1 == t->word_count))
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

static int
on_word(void *arg, const char *token, size_t n, size_t from, size_t to)
{
	struct matching *m = arg;
	const struct lni_term *t;
	uint64_t *reached;
	size_t i;

	m->starts[m->seen++ % LNI_TERM_WORDS] = from;
	for (i = 0; i < m->q->count; i++) {
		t = &m->q->terms[i];
		if (lni_search_is_part(t, m->as_parts))
			continue;
		reached = &m->states[i].reached;
		*reached = ((*reached << 1) | 1) & places(t, token, n);
		if ((*reached >> (t->word_count - 1) & 1) != 0)
			mark(m, i, m->starts[(m->seen - t->word_count) %
			    LNI_TERM_WORDS], to);
	}
	return 0;
}

/* Without letters beyond ASCII that have a case bytes tell all. */
static bool
is_caseless(const struct lni_term *t)
{
	size_t i;

	for (i = 0; i < t->point_count; i++) {
		if (t->points[i] >= 0x80 && t->points[i] < 0x2e80)
			return false;
		if (t->points[i] >= 0xa640 && t->points[i] < 0xac00)
			return false;
		if (t->points[i] > 0xd7ff && t->points[i] < 0x20000)
			return false;
	}
	return true;
}

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void
find_bytes(struct matching *m, size_t term, const char *text, size_t n)
{
	const struct lni_term *t = &m->q->terms[term];
	unsigned char first = lower(t->text[0]);
	size_t i, j;

	for (i = 0; i + t->len <= n; i++) {
		if (lower(text[i]) != first)
			continue;
		for (j = 1; j < t->len; j++) {
			if (lower(text[i + j]) != lower(t->text[j]))
				break;
		}
		if (j == t->len) {
			mark(m, term, i, i + t->len);
			i += t->len - 1;
		}
	}
}

static void
find_points(struct matching *m, size_t term, const uint32_t *points,
    const size_t *offsets, size_t count, size_t n)
{
	const struct lni_term *t = &m->q->terms[term];
	size_t i, end;

	for (i = 0; i + t->point_count <= count; i++) {
		if (memcmp(points + i, t->points, t->point_count *
		    sizeof(*points)) != 0)
			continue;
		end = i + t->point_count;
		mark(m, term, offsets[i], end < count ? offsets[end] : n);
		i = end - 1;
	}
}

static enum ln_status
match_parts(struct ln_store *st, struct matching *m, const char *text,
    size_t n, struct ln_error *err)
{
	size_t *offsets = NULL, count = 0, i;
	uint32_t *points = NULL;
	enum ln_status s = LN_OK;

	for (i = 0; s == LN_OK && i < m->q->count; i++) {
		if (!lni_search_is_part(&m->q->terms[i], m->as_parts))
			continue;
		if (is_caseless(&m->q->terms[i])) {
			find_bytes(m, i, text, n);
			continue;
		}
		if (points == NULL)
			s = lni_search_fold(st, text, n, &points, &offsets,
			    &count, err);
		if (s == LN_OK)
			find_points(m, i, points, offsets, count, n);
	}
	free(points);
	free(offsets);
	return s;
}

static int
by_place(const void *a, const void *b)
{
	const struct ln_hit_mark *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? 1 : x->to > y->to ? -1 : 0;
}

static void
put_in_order(struct lni_marks *m)
{
	size_t i, kept = 0;

	qsort(m->at, m->count, sizeof(m->at[0]), by_place);
	for (i = 0; i < m->count; i++) {
		if (kept > 0 && m->at[i].from < m->at[kept - 1].to) {
			if (m->at[i].to > m->at[kept - 1].to)
				m->at[kept - 1].to = m->at[i].to;
			continue;
		}
		m->at[kept++] = m->at[i];
	}
	m->count = kept;
}

enum ln_status
lni_search_match(struct ln_store *st, const struct lni_search_query *q,
    bool as_parts, const char *text, size_t n, struct lni_marks *out,
    bool *out_is_match, struct ln_error *err)
{
	struct matching m = { .q = q, .as_parts = as_parts, .out = out };
	double norm = 1.2 * (0.25 + 0.75 * (double)n / USUAL_BYTES), hits;
	bool has_words = false;
	enum ln_status s = LN_OK;
	size_t i;

	out->count = 0;
	out->score = 0;
	*out_is_match = true;
	for (i = 0; i < q->count; i++)
		has_words = has_words ||
		    !lni_search_is_part(&q->terms[i], as_parts);
	/* Parts first: they are cheap and tell most texts from the rest. */
	if ((s = match_parts(st, &m, text, n, err)) != LN_OK)
		return s;
	for (i = 0; i < q->count; i++) {
		if (lni_search_is_part(&q->terms[i], as_parts) &&
		    (m.states[i].hits == 0) != q->terms[i].is_excluded)
			*out_is_match = false;
	}
	if (!*out_is_match)
		return LN_OK;
	if (has_words && (s = lni_tokenize(st, LNI_TOKEN_WORDS, text, n,
	    on_word, &m, err)) != LN_OK)
		return s;
	for (i = 0; i < q->count; i++) {
		hits = (double)m.states[i].hits;
		if ((hits < 1) != q->terms[i].is_excluded)
			*out_is_match = false;
		out->score += hits * 2.2 / (hits + norm);
	}
	put_in_order(out);
	return LN_OK;
}

/* --- snippets ------------------------------------------------------------- */

/* The first mark of the window that holds the most. */
static size_t
best_window(const struct lni_marks *m)
{
	size_t i, j, best = 0, most = 0;

	for (i = 0; i < m->count; i++) {
		for (j = i; j < m->count && m->at[j].to <= m->at[i].from +
		    SNIPPET_BYTES - SNIPPET_BEFORE; j++)
			continue;
		if (j - i > most) {
			most = j - i;
			best = i;
		}
	}
	return best;
}

static bool
is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
window_start(const char *text, size_t mark_from)
{
	size_t from, i;

	if (mark_from <= SNIPPET_BEFORE)
		return 0;
	from = mark_from - SNIPPET_BEFORE;
	while (from < mark_from && is_inside(text[from]))
		from++;
	/* At a word, when one begins soon. */
	for (i = from; i < mark_from && i < from + SNIPPET_BEFORE / 2; i++) {
		if (text[i] == ' ' || text[i] == '\n')
			return i + 1;
	}
	return from;
}

/* The same number of bytes, on one line. */
static void
put_line(struct ln_buf *b, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ln_buf_putc(b, (unsigned char)p[i] < 0x20 || p[i] == 0x7f ?
		    ' ' : p[i]);
}

enum ln_status
lni_search_snippet(const char *text, size_t n, const struct lni_marks *marks,
    struct ln_hit *hit, struct ln_error *err)
{
	static const char dots[] = "\xe2\x80\xa6";
	struct ln_buf b = LN_BUF_INIT(SNIPPET_BYTES * 2);
	size_t first = best_window(marks), from = 0, to, shift = 0, i, end;

	if (marks->count > 0)
		from = window_start(text, marks->at[first].from);
	to = ln_utf8_prefix(text + from, n - from, SNIPPET_BYTES) + from;
	if (from > 0) {
		ln_buf_puts(&b, dots);
		shift = sizeof(dots) - 1;
	}
	put_line(&b, text + from, to - from);
	if (to < n)
		ln_buf_puts(&b, dots);
	hit->marks = calloc(marks->count + 1, sizeof(*hit->marks));
	hit->snippet = ln_buf_steal(&b);
	ln_buf_free(&b);
	if (hit->marks == NULL || hit->snippet == NULL)
		return ln_fail(err, LN_NOMEM, "", "snippet");
	for (i = 0; i < marks->count; i++) {
		if (marks->at[i].from < from || marks->at[i].from >= to)
			continue;
		end = marks->at[i].to < to ? marks->at[i].to : to;
		hit->marks[hit->mark_count].from = marks->at[i].from - from +
		    shift;
		hit->marks[hit->mark_count++].to = end - from + shift;
	}
	return LN_OK;
}
