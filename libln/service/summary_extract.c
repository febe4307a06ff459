/* A summary without a model: SumBasic (Nenkova and Vanderwende, 2005).  Take
 * the sentence whose words are the most frequent on average, make its words
 * count less, and again. */
#include "service/summary.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "service/retrieve.h"

#include "base/banned.h"

#define SENTENCES_MAX ((size_t)4000)	/* of the conversation's end */
#define PICKS_MAX 6
#define LENGTH_MIN ((size_t)20)		/* bytes; less says nothing */
#define LENGTH_MAX ((size_t)400)	/* more is no sentence */
#define WORD_MIN ((size_t)2)
#define SLOTS ((size_t)16384)		/* a power of two */
#define SLOTS_USED_MAX (SLOTS / 4 * 3)

static const char head[] =
    "**No language model is connected**, so nobody wrote a summary. These are "
    "sentences of the conversation itself: those that hold most of its "
    "frequent words.\n\n";
static const char nothing[] =
    "**No language model is connected**, so nobody can write a summary, and "
    "the conversation has no whole sentence to quote.\n";

struct sentence {
	const char *text;	/* into a turn */
	size_t len;
	bool is_question;	/* by the person */
	bool is_picked;
};

struct slot {
	const char *word;	/* into a turn; NULL: free */
	size_t len;
	double weight;
};

struct extract {
	struct sentence *sentences;
	size_t count;
	struct slot *slots;
	size_t used;
	double total;
};

/* --- words --------------------------------------------------------------- */

static bool
is_same(const struct slot *s, const char *word, size_t n)
{
	size_t i;

	if (s->len != n)
		return false;
	for (i = 0; i < n; i++) {
		if (tolower((unsigned char)s->word[i]) !=
		    tolower((unsigned char)word[i]))
			return false;
	}
	return true;
}

/* The word's slot, free when it is new; NULL when there is no more room.  A
 * person who makes words collide makes his own summary slow, no more: the
 * table is small. */
static struct slot *
find(const struct extract *x, const char *word, size_t n)
{
	uint32_t h = UINT32_C(2166136261);	/* FNV-1a */
	size_t i;

	for (i = 0; i < n; i++) {
		h ^= (uint32_t)tolower((unsigned char)word[i]);
		h *= UINT32_C(16777619);
	}
	for (i = h & (SLOTS - 1); x->slots[i].word != NULL;
	    i = (i + 1) & (SLOTS - 1)) {
		if (is_same(&x->slots[i], word, n))
			return &x->slots[i];
	}
	return x->used < SLOTS_USED_MAX ? &x->slots[i] : NULL;
}

static bool
counts(const char *word, size_t n)
{
	return n >= WORD_MIN && !lni_word_is_common(word, n);
}

/* The next word of the sentence from ${pos} on; false at its end. */
static bool
next_word(const struct sentence *s, size_t *pos, const char **word, size_t *n)
{
	while (*pos < s->len) {
		*n = lni_word_length(s->text + *pos);
		if (*n > s->len - *pos)
			*n = s->len - *pos;
		*word = s->text + *pos;
		*pos += *n > 0 ? *n : 1;
		if (counts(*word, *n))
			return true;
	}
	return false;
}

static void
count_words(struct extract *x, const struct sentence *s)
{
	const char *word;
	size_t pos = 0, n;
	struct slot *slot;

	while (next_word(s, &pos, &word, &n)) {
		if ((slot = find(x, word, n)) == NULL)
			continue;
		if (slot->word == NULL) {
			slot->word = word;
			slot->len = n;
			x->used++;
		}
		slot->weight += 1.0;
		x->total += 1.0;
	}
}

static double
score(const struct extract *x, const struct sentence *s)
{
	const struct slot *slot;
	const char *word;
	size_t pos = 0, n, words = 0;
	double sum = 0.0;

	while (next_word(s, &pos, &word, &n)) {
		words++;
		if ((slot = find(x, word, n)) != NULL)
			sum += slot->weight;
	}
	return words > 0 ? sum / (double)words : 0.0;
}

/* What was said need not be said again. */
static void
discount(struct extract *x, const struct sentence *s)
{
	struct slot *slot;
	const char *word;
	size_t pos = 0, n;

	while (next_word(s, &pos, &word, &n)) {
		if ((slot = find(x, word, n)) != NULL)
			slot->weight *= slot->weight;
	}
}

/* --- sentences ------------------------------------------------------------ */

/* Bytes up to and with the end of the first sentence of a line. */
static size_t
sentence_length(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if ((p[i] == '.' || p[i] == '!' || p[i] == '?') &&
		    (i + 1 == n || p[i + 1] == ' '))
			return i + 1;
		/* The full stops of Chinese and Japanese. */
		if (i + 2 < n && (memcmp(p + i, "\u3002", 3) == 0 ||
		    memcmp(p + i, "\uff01", 3) == 0 ||
		    memcmp(p + i, "\uff1f", 3) == 0))
			return i + 3;
	}
	return n;
}

static void
add_line(struct extract *x, const char *p, size_t n, bool is_question)
{
	size_t len;

	while (n > 0 && x->count < SENTENCES_MAX) {
		while (n > 0 && strchr(" \t\r-*+", *p) != NULL) {
			p++;
			n--;
		}
		if ((len = sentence_length(p, n)) >= LENGTH_MIN &&
		    len <= LENGTH_MAX)
			x->sentences[x->count++] = (struct sentence){
				.text = p, .len = len,
				.is_question = is_question,
			};
		p += len;
		n -= len;
	}
}

/* Code, quotations, tables and headings are no sentences. */
static void
add_turn(struct extract *x, const struct lni_summary_turn *t)
{
	const char *p = t->text;
	bool is_code = false;
	size_t n;

	while (*p != '\0') {
		n = strcspn(p, "\n");
		if (strncmp(p, "```", 3) == 0 || strncmp(p, "~~~", 3) == 0)
			is_code = !is_code;
		else if (!is_code && strchr("#>|", *p) == NULL)
			add_line(x, p, n, t->is_question);
		p += n + (p[n] == '\n' ? 1 : 0);
	}
}

static void
pick(struct extract *x)
{
	size_t i, best = 0, picks;
	double most, v;

	for (i = 0; i < x->count; i++)
		count_words(x, &x->sentences[i]);
	for (i = 0; i < SLOTS && x->total > 0.0; i++)
		x->slots[i].weight /= x->total;
	for (picks = 0; picks < PICKS_MAX; picks++) {
		most = -1.0;
		for (i = 0; i < x->count; i++) {
			if (x->sentences[i].is_picked)
				continue;
			if ((v = score(x, &x->sentences[i])) > most) {
				most = v;
				best = i;
			}
		}
		if (most <= 0.0)
			return;
		x->sentences[best].is_picked = true;
		discount(x, &x->sentences[best]);
	}
}

static void
write_picks(const struct extract *x, struct ln_buf *out)
{
	const struct sentence *s;
	size_t i, count = 0;

	for (i = 0; i < x->count; i++) {
		s = &x->sentences[i];
		if (!s->is_picked)
			continue;
		ln_buf_puts(out, count++ == 0 ? head : "");
		ln_buf_puts(out, s->is_question ? "- You: " : "- Answer: ");
		ln_buf_put(out, s->text, s->len);
		ln_buf_putc(out, '\n');
	}
	if (count == 0)
		ln_buf_puts(out, nothing);
}

enum ln_status
lni_summary_extract(const struct lni_summary_turn *turns, size_t count,
    struct ln_buf *out, struct ln_error *err)
{
	struct extract x = { .count = 0 };
	enum ln_status s = LN_OK;
	size_t i;

	x.sentences = calloc(SENTENCES_MAX, sizeof(*x.sentences));
	x.slots = calloc(SLOTS, sizeof(*x.slots));
	if (x.sentences == NULL || x.slots == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "extract");
		goto out;
	}
	for (i = 0; i < count; i++) {
		if (!turns[i].is_offline)
			add_turn(&x, &turns[i]);
	}
	pick(&x);
	write_picks(&x, out);
	if ((s = ln_buf_status(out)) != LN_OK)
		(void)ln_fail(err, s, "", "extract");
out:
	free(x.sentences);
	free(x.slots);
	return s;
}
