#include "service/search_query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>
#include <ln/time.h>

#include "base/utf8.h"
#include "store/token.h"

#include "base/banned.h"

#define DAY_MS INT64_C(86400000)

/* --- code points ---------------------------------------------------------- */

static uint32_t
point_at(const char *p, size_t left, size_t *out_len)
{
	uint32_t c = 0;
	int n = lni_utf8_decode(p, left, &c);

	*out_len = (size_t)(n > 0 ? n : -n);
	return n > 0 ? c : 0xfffd;
}

static size_t
space_length(const char *p)
{
	if (isspace((unsigned char)*p))
		return 1;
	if (strncmp(p, "\xc2\xa0", 2) == 0)	/* no-break space */
		return 2;
	return strncmp(p, "\xe3\x80\x80", 3) == 0 ? 3 : 0;	/* ideographic */
}

/* Scripts that put no spaces between words, or join what follows a word to
 * it: for the index of words a whole sentence would be one word. */
static bool
is_unspaced(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0e00, 0x0eff },	/* Thai, Lao */
		{ 0x1000, 0x109f },	/* Myanmar */
		{ 0x1100, 0x11ff },	/* Hangul Jamo */
		{ 0x1780, 0x17ff },	/* Khmer */
		{ 0x2e80, 0x9fff },	/* CJK, kana, bopomofo */
		{ 0xa960, 0xa97f }, { 0xac00, 0xd7ff },	/* Hangul */
		{ 0xf900, 0xfaff }, { 0xff66, 0xffdc },	/* compatibility */
		{ 0x20000, 0x3ffff },	/* CJK extensions */
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

struct fold {
	uint32_t *points;
	size_t *offsets;
	size_t count;
};

static int
on_group(void *arg, const char *token, size_t n, size_t from, size_t to)
{
	struct fold *f = arg;
	size_t len;

	(void)to;
	f->points[f->count] = point_at(token, n, &len);
	f->offsets[f->count++] = from;
	return 0;
}

enum ln_status
lni_search_fold(struct ln_store *st, const char *text, size_t n,
    uint32_t **points, size_t **offsets, size_t *out_count,
    struct ln_error *err)
{
	struct fold f = { NULL, NULL, 0 };
	char *padded = NULL;
	enum ln_status s;

	*points = NULL;
	*out_count = 0;
	if (offsets != NULL)
		*offsets = NULL;
	/* Each character begins a group of three, with two more behind it. */
	if ((padded = malloc(n + 3)) == NULL ||
	    (f.points = calloc(n + 3, sizeof(*f.points))) == NULL ||
	    (f.offsets = calloc(n + 3, sizeof(*f.offsets))) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "search text");
		goto out;
	}
	memcpy(padded, text, n);
	memcpy(padded + n, "\n\n", 3);
	s = lni_tokenize(st, LNI_TOKEN_PARTS, padded, n + 2, on_group, &f,
	    err);
	if (s != LN_OK)
		goto out;
	*points = f.points;
	*out_count = f.count;
	f.points = NULL;
	if (offsets != NULL) {
		*offsets = f.offsets;
		f.offsets = NULL;
	}
out:
	free(padded);
	free(f.points);
	free(f.offsets);
	return s;
}

/* --- terms ---------------------------------------------------------------- */

struct words {
	const char *text;
	struct ln_buf buf;
	size_t count;
	size_t end;		/* of the last word in the text */
	bool is_strange;	/* something between the words matters */
};

/* Signs of a sentence, or of a name made of words. */
static bool
is_light(const char *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i += len) {
		if ((len = space_length(p + i)) > 0)
			continue;
		len = 1;
		if (strchr(".,;:!?'\"-_", p[i]) == NULL || p[i] == '\0')
			return false;
	}
	return true;
}

static int
on_word(void *arg, const char *token, size_t n, size_t from, size_t to)
{
	struct words *w = arg;
	size_t i, len;

	if (!is_light(w->text + w->end, from - w->end))
		w->is_strange = true;
	for (i = from; i < to; i += len) {
		if (is_unspaced(point_at(w->text + i, to - i, &len)))
			w->is_strange = true;
	}
	w->end = to;
	if (w->count >= LNI_TERM_WORDS)
		return 0;
	ln_buf_put(&w->buf, token, n);
	ln_buf_putc(&w->buf, '\0');
	w->count++;
	return 0;
}

static enum ln_status
read_term(struct ln_store *st, struct lni_term *t, const char *text,
    size_t n, struct ln_error *err)
{
	struct words w = { .buf = LN_BUF_INIT((size_t)4 * LN_SEARCH_BYTES_MAX) };
	enum ln_status s;

	if ((t->text = strndup(text, n)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "search term");
	t->len = n;
	w.text = t->text;
	s = lni_tokenize(st, LNI_TOKEN_WORDS, t->text, n, on_word, &w, err);
	if (s == LN_OK && (s = ln_buf_status(&w.buf)) != LN_OK)
		(void)ln_fail(err, s, "", "search term");
	if (s == LN_OK)
		s = lni_search_fold(st, t->text, n, &t->points, NULL,
		    &t->point_count, err);
	if (s == LN_OK) {
		t->is_part = w.count == 0 || w.is_strange ||
		    !is_light(t->text + w.end, n - w.end);
		t->is_prefix = t->is_prefix && !t->is_part;
		t->word_count = w.count;
		if (w.count > 0 && (t->words = ln_buf_steal(&w.buf)) == NULL)
			s = ln_fail(err, LN_NOMEM, "", "search term");
	}
	ln_buf_free(&w.buf);
	return s;
}

/* --- filters -------------------------------------------------------------- */

static int
number_of(const char *p, size_t n)
{
	int v = 0;

	while (n-- > 0) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p++ - '0');
	}
	return v;
}

/* YYYY, YYYY-MM or YYYY-MM-DD: its first moment. */
static bool
read_date(const char *s, int64_t *out)
{
	char full[] = "0000-01-01";
	size_t n = strlen(s);

	if ((n != 4 && n != 7 && n != 10) || number_of(s, 4) < 1)
		return false;
	memcpy(full, s, n);
	return ln_time_parse(full, 0, out, NULL) == LN_OK && *out != 0;
}

static enum ln_status
set_model(struct lni_search_query *q, const char *value)
{
	struct ln_buf b = LN_BUF_INIT((size_t)4 * LN_SEARCH_BYTES_MAX);

	ln_buf_putc(&b, '%');
	for (; *value != '\0'; value++) {
		if (strchr("%_\\", *value) != NULL)
			ln_buf_putc(&b, '\\');
		ln_buf_putc(&b, *value);
	}
	ln_buf_putc(&b, '%');
	ln_free(q->model_like);
	q->model_like = ln_buf_steal(&b);
	ln_buf_free(&b);
	return q->model_like != NULL ? LN_OK : LN_NOMEM;
}

/* LN_NOT_FOUND: it is a word after all. */
static enum ln_status
set_filter(struct lni_search_query *q, const char *key, const char *value)
{
	enum ln_status s;
	int64_t at;

	if (strcasecmp(key, "role") == 0) {
		if (strcasecmp(value, "user") == 0)
			q->role = "user";
		else if (strcasecmp(value, "assistant") == 0)
			q->role = "assistant";
		else
			return LN_NOT_FOUND;
		return LN_OK;
	}
	if (strcasecmp(key, "tag") == 0) {
		if (q->tag_count >= LNI_FIND_TAGS)
			return LN_NOT_FOUND;
		s = ln_text_tag(value, &q->tags[q->tag_count], NULL);
		if (s == LN_OK)
			q->tag_count++;
		return s == LN_INVALID ? LN_NOT_FOUND : s;
	}
	if (strcasecmp(key, "model") == 0)
		return set_model(q, value);
	if (!read_date(value, &at))
		return LN_NOT_FOUND;
	if (strcasecmp(key, "after") == 0)
		q->from_ms = at;
	else
		q->to_ms = at;
	return LN_OK;
}

static enum ln_status
read_filter(struct lni_search_query *q, const char *text, size_t key_len,
    const char *value, size_t n)
{
	static const char *const keys[] = { "tag", "role", "model", "before",
		"after" };
	enum ln_status s = LN_NOT_FOUND;
	char *copy;
	size_t i;

	if (n == 0)
		return LN_NOT_FOUND;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i]) != key_len ||
		    strncasecmp(keys[i], text, key_len) != 0)
			continue;
		if ((copy = strndup(value, n)) == NULL)
			return LN_NOMEM;
		s = set_filter(q, keys[i], copy);
		free(copy);
		return s;
	}
	return s;
}

/* --- the whole ------------------------------------------------------------ */

struct piece {
	const char *text;
	size_t len;
	bool is_quoted;
	const char *next;
};

/* Up to the closing quote (or the end), or up to a space or a quote. */
static struct piece
read_piece(const char *p)
{
	struct piece w = { p, 0, *p == '"', p };

	if (w.is_quoted) {
		w.text = p + 1;
		w.len = strcspn(w.text, "\"");
		w.next = w.text + w.len;
		if (*w.next == '"')
			w.next++;
		return w;
	}
	while (p[w.len] != '\0' && p[w.len] != '"' &&
	    space_length(p + w.len) == 0)
		w.len++;
	w.next = p + w.len;
	return w;
}

static enum ln_status
add_term(struct ln_store *st, struct lni_search_query *q, struct piece *w,
    bool is_excluded, struct ln_error *err)
{
	struct lni_term *t = &q->terms[q->count];
	size_t stars = 0, i, len;

	while (stars < w->len && w->text[w->len - 1 - stars] == '*')
		stars++;
	if (w->is_quoted)
		stars = 0;
	if (w->is_quoted && *w->next == '*') {
		w->next++;
		t->is_prefix = true;
	} else if (stars > 0 && stars < w->len) {
		w->len -= stars;
		t->is_prefix = true;
	}
	for (i = 0; i < w->len; i += len) {
		if ((len = space_length(w->text + i)) == 0)
			break;
	}
	/* Quotes around nothing. */
	if (i >= w->len || q->count >= LN_SEARCH_TERMS_MAX) {
		t->is_prefix = false;
		return LN_OK;
	}
	t->is_excluded = is_excluded;
	q->count++;
	return read_term(st, t, w->text + i, w->len - i, err);
}

enum ln_status
lni_search_parse(struct ln_store *st, const char *text,
    struct lni_search_query *out, struct ln_error *err)
{
	struct piece w, value;
	enum ln_status s = LN_OK;
	const char *colon;
	bool is_excluded;
	size_t n;

	memset(out, 0, sizeof(*out));
	n = strlen(text);
	if (n > LN_SEARCH_BYTES_MAX)
		return ln_fail_field(err, LN_INVALID, "q",
		    "The search text is too long", "%zu bytes", n);
	if (!ln_utf8_valid(text, n))
		return ln_fail_field(err, LN_INVALID, "q",
		    "The search text is not valid UTF-8", "q");
	while (s == LN_OK && *text != '\0') {
		if ((n = space_length(text)) > 0) {
			text += n;
			continue;
		}
		/* "--full" and "->next" are looked for, "-word" is not. */
		is_excluded = *text == '-' && (text[1] == '"' ||
		    isalnum((unsigned char)text[1]) ||
		    (unsigned char)text[1] >= 0x80) &&
		    space_length(text + 1) == 0;
		w = read_piece(text + (is_excluded ? 1 : 0));
		if (!is_excluded && !w.is_quoted &&
		    (colon = memchr(w.text, ':', w.len)) != NULL) {
			value = read_piece(colon + 1);
			s = read_filter(out, w.text,
			    (size_t)(colon - w.text), value.text, value.len);
			if (s == LN_OK)
				text = value.next;
			if (s != LN_NOT_FOUND)
				continue;
		}
		s = add_term(st, out, &w, is_excluded, err);
		text = w.next;
	}
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "search query");
	return s;
}

void
lni_search_query_free(struct lni_search_query *q)
{
	size_t i;

	for (i = 0; i < LN_SEARCH_TERMS_MAX; i++) {
		free(q->terms[i].text);
		ln_free(q->terms[i].words);
		free(q->terms[i].points);
	}
	for (i = 0; i < q->tag_count; i++)
		ln_free(q->tags[i]);
	ln_free(q->model_like);
	memset(q, 0, sizeof(*q));
}

void
lni_search_phrase(const struct lni_term *t, struct ln_buf *out)
{
	const char *p = t->words;
	size_t i;

	/* Words hold neither quotes nor operators. */
	ln_buf_putc(out, '"');
	for (i = 0; i < t->word_count; i++, p += strlen(p) + 1) {
		if (i > 0)
			ln_buf_putc(out, ' ');
		ln_buf_puts(out, p);
	}
	ln_buf_putc(out, '"');
}

void
lni_search_words(const struct lni_search_query *q, struct ln_buf *out)
{
	const char *between = "";
	size_t i;

	for (i = 0; i < q->count; i++) {
		if (q->terms[i].is_excluded)
			continue;
		ln_buf_puts(out, between);
		lni_search_phrase(&q->terms[i], out);
		between = " AND ";
	}
	for (i = 0; i < q->count; i++) {
		if (!q->terms[i].is_excluded)
			continue;
		ln_buf_puts(out, " NOT ");
		lni_search_phrase(&q->terms[i], out);
	}
}
