#include <ln/search.h>

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>
#include <ln/time.h>

#include "service/search_match.h"
#include "service/search_query.h"
#include "store/deadline.h"
#include "store/tx.h"

#include "base/banned.h"

#define LIMIT_DEFAULT 20
#define RANKED_MAX 1000		/* the latest hits that are ranked */
#define TITLES_MAX 200
#define SAMPLE 1000		/* messages that tell which words are rare */
#define GROUPS_MAX 200		/* that a short term may begin */
#define TERM_GROUPS 12		/* of a long one; the text is looked at */
#define FRESH_MS (90.0 * 86400000.0)	/* half of the preference is gone */
#define TITLE_WEIGHT 1.5
#define PART_WEIGHT 0.25	/* beside whole words */

struct candidate {
	int64_t id;
	double score;
};

struct run {
	struct ln_store *st;
	const char *user_id;
	struct lni_search_query q;
	struct lni_find find;
	struct lni_find_range messages, titles;
	struct lni_marks marks;
	int64_t now_ms;
	struct candidate *items;
	size_t count, max;	/* of this pass */
	size_t known;		/* of earlier passes */
	double factor;
	bool is_checked;	/* against the text */
	bool as_parts;
	bool has_positive;	/* a term that is looked for */
	bool is_partial;
};

/* From 1 towards four fifths, half way after FRESH_MS: mild. */
static double
recency(const struct run *r, int64_t at_ms)
{
	double age = (double)(r->now_ms - at_ms);

	return 0.8 + 0.2 / (1 + (age > 0 ? age : 0) / FRESH_MS);
}

static bool
is_known(const struct run *r, int64_t id)
{
	size_t i;

	for (i = 0; i < r->known; i++) {
		if (r->items[i].id == id)
			return true;
	}
	return false;
}

static enum ln_status
on_found(void *arg, const struct lni_found *found, struct ln_error *err)
{
	struct run *r = arg;
	double score = found->rank;
	bool is_match = true;
	enum ln_status s;

	if (lni_deadline_is_past(r->st)) {
		r->is_partial = true;
		return LN_NOT_FOUND;
	}
	if (r->is_checked) {
		if (found->text == NULL)
			return LN_OK;
		s = lni_search_match(r->st, &r->q, r->as_parts, found->text,
		    found->text_len, &r->marks, &is_match, err);
		if (s != LN_OK || !is_match)
			return s;
		score = r->marks.score;
	}
	if (r->known > 0 && is_known(r, found->id))
		return LN_OK;
	r->items[r->count].id = found->id;
	r->items[r->count++].score = (score + 0.01) * r->factor *
	    recency(r, found->created_ms);
	return r->count < r->max ? LN_OK : LN_NOT_FOUND;
}

/* One walk over the titles and one over the messages. */
static enum ln_status
pass(struct run *r, double factor, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t before = r->count;

	r->known = before;
	if (r->find.role == NULL && r->find.model == NULL &&
	    r->find.model_like == NULL && r->has_positive) {
		r->find.range = r->titles;
		r->factor = factor * TITLE_WEIGHT;
		r->max = before + TITLES_MAX;
		s = lni_find_run(r->st, &r->find, on_found, r, err);
	}
	if (s == LN_OK && !r->is_partial) {
		r->find.range = r->messages;
		r->factor = factor;
		r->max = r->count + RANKED_MAX;
		s = lni_find_run(r->st, &r->find, on_found, r, err);
	}
	if (s == LN_CANCELLED && lni_deadline_is_past(r->st)) {
		r->is_partial = true;
		s = LN_OK;
	}
	return s;
}

/* --- by words ------------------------------------------------------------- */

static bool
has_parts(const struct lni_search_query *q, bool *out_has_positive)
{
	bool has = false;
	size_t i;

	*out_has_positive = false;
	for (i = 0; i < q->count; i++) {
		if (!q->terms[i].is_excluded)
			*out_has_positive = true;
		/* A prefix would read what everybody has of all its words. */
		if (q->terms[i].is_part || q->terms[i].is_prefix)
			has = true;
	}
	return has;
}

/* What is rare among the person's latest messages says more: up to four times
 * as much as what all of them have. */
static enum ln_status
weigh(struct run *r, double *weights, size_t *out_count, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT((size_t)8 * LN_SEARCH_BYTES_MAX);
	struct lni_find_range sample;
	enum ln_status s;
	int64_t all, with;
	size_t i, n = 0;

	*out_count = 0;
	if (r->q.count < 2)
		return LN_OK;
	s = lni_find_sample(r->st, &r->messages, SAMPLE, &sample, &all, err);
	for (i = 0; s == LN_OK && all > 0 && i < r->q.count; i++) {
		if (r->q.terms[i].is_excluded)
			continue;
		ln_buf_clear(&b);
		lni_search_phrase(&r->q.terms[i], &b);
		if ((s = ln_buf_status(&b)) != LN_OK)
			break;
		s = lni_find_count(r->st, ln_buf_str(&b), &sample, &with,
		    err);
		weights[n++] = 1 / (0.33 + (double)with / (double)all);
	}
	*out_count = n;
	ln_buf_free(&b);
	return s;
}

static enum ln_status
by_words(struct run *r, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT((size_t)8 * LN_SEARCH_BYTES_MAX);
	double weights[LN_SEARCH_TERMS_MAX];
	enum ln_status s;

	lni_search_words(&r->q, &b);
	if ((s = ln_buf_status(&b)) == LN_OK)
		s = weigh(r, weights, &r->find.weight_count, err);
	if (s == LN_OK) {
		r->find.by = LNI_FIND_WORDS;
		r->find.expression = ln_buf_str(&b);
		r->find.weights = weights;
		s = pass(r, 1.0, err);
	}
	r->find.weights = NULL;
	r->find.weight_count = 0;
	ln_buf_free(&b);
	return s;
}

/* --- by parts ------------------------------------------------------------- */

static void
put_point(struct ln_buf *b, uint32_t c)
{
	char out[4];
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	ln_buf_put(b, out, n);
}

static void
put_group(struct ln_buf *b, const char *p, size_t n)
{
	size_t i;

	ln_buf_putc(b, '"');
	for (i = 0; i < n; i++) {
		if (p[i] == '"')
			ln_buf_putc(b, '"');
		ln_buf_putc(b, p[i]);
	}
	ln_buf_putc(b, '"');
}

/* The groups of three characters of a term, all over it when it is long. */
static void
put_groups(struct ln_buf *b, const struct lni_term *t)
{
	struct ln_buf group = LN_BUF_INIT((size_t)16);
	size_t last = t->point_count - 3, step, i, j;

	step = last / TERM_GROUPS + 1;
	for (i = 0;; i = i + step < last ? i + step : last) {
		ln_buf_clear(&group);
		for (j = 0; j < 3; j++)
			put_point(&group, t->points[i + j]);
		if (b->len > 0)
			ln_buf_puts(b, " AND ");
		put_group(b, ln_buf_str(&group), group.len);
		if (i >= last)
			break;
	}
	ln_buf_free(&group);
}

struct choice {
	struct ln_buf *b;
	size_t count;
};

static enum ln_status
on_choice(void *arg, const char *group)
{
	struct choice *c = arg;

	if (c->count++ > 0)
		ln_buf_puts(c->b, " OR ");
	put_group(c->b, group, strlen(group));
	return ln_buf_status(c->b);
}

/* One or two characters: the groups that begin so.  Very many mean that the
 * latest messages will have it: then those are read instead. */
static enum ln_status
put_short(struct run *r, struct ln_buf *b, const struct lni_term *t,
    struct ln_error *err)
{
	struct ln_buf prefix = LN_BUF_INIT((size_t)16);
	struct ln_buf next = LN_BUF_INIT((size_t)16);
	struct choice c = { b, 0 };
	enum ln_status s;
	size_t i;

	for (i = 0; i < t->point_count; i++) {
		put_point(&prefix, t->points[i]);
		put_point(&next, t->points[i] + (i + 1 == t->point_count));
	}
	s = lni_find_groups(r->st, ln_buf_str(&prefix), ln_buf_str(&next),
	    GROUPS_MAX + 1, on_choice, &c, err);
	if (s == LN_OK && c.count > GROUPS_MAX)
		ln_buf_clear(b);
	else if (s == LN_OK && c.count == 0)
		/* Nobody has it: an expression that finds nothing. */
		put_group(b, "\x01\x01\x01", 3);
	ln_buf_free(&prefix);
	ln_buf_free(&next);
	return s;
}

static enum ln_status
put_parts(struct run *r, struct ln_buf *b, struct ln_error *err)
{
	const struct lni_term *t, *shortest = NULL;
	size_t i;

	for (i = 0; i < r->q.count; i++) {
		t = &r->q.terms[i];
		if (t->is_excluded || t->point_count == 0)
			continue;
		/* Words lose their accents in the other index only. */
		if (t->point_count >= 3)
			put_groups(b, t);
		else if (t->is_part && shortest == NULL)
			shortest = t;
	}
	if (b->len > 0 || shortest == NULL)
		return ln_buf_status(b);
	return put_short(r, b, shortest, err);
}

static enum ln_status
by_parts(struct run *r, double factor, bool must_narrow,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT((size_t)64 * LN_SEARCH_BYTES_MAX);
	enum ln_status s;

	s = put_parts(r, &b, err);
	if (s == LN_OK && (b.len > 0 || !must_narrow)) {
		r->find.by = b.len > 0 ? LNI_FIND_PARTS : LNI_FIND_ALL;
		r->find.expression = ln_buf_str(&b);
		r->is_checked = r->q.count > 0;
		s = pass(r, factor, err);
	}
	ln_buf_free(&b);
	return s;
}

/* --- results -------------------------------------------------------------- */

static int
best_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score < y->score || x->score > y->score)
		return x->score < y->score ? 1 : -1;
	return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

struct fill {
	struct run *r;
	struct ln_hit_list *out;
	double score;
};

static char *
copy_of(const char *s, enum ln_status *status)
{
	char *copy = s != NULL ? strdup(s) : NULL;

	if (s != NULL && copy == NULL)
		*status = LN_NOMEM;
	return copy;
}

static enum ln_status
on_row(void *arg, const struct lni_find_row *row, struct ln_error *err)
{
	struct fill *f = arg;
	struct run *r = f->r;
	struct ln_hit *hit = &f->out->items[f->out->count++];
	size_t n = strlen(row->text);
	enum ln_status s = LN_OK;
	bool is_match;

	hit->message_id = row->message_id;
	hit->role = row->role == NULL ? "title" :
	    strcmp(row->role, "user") == 0 ? "user" : "assistant";
	hit->created_ms = row->created_ms;
	hit->is_archived = row->is_archived;
	hit->score = f->score;
	hit->conversation_id = copy_of(row->conversation_id, &s);
	hit->conversation_title = copy_of(row->conversation_title, &s);
	hit->model = copy_of(row->model, &s);
	if (s != LN_OK)
		return ln_fail(err, s, "", "search hit");
	/* Parts of words are marked only where they were looked for. */
	s = lni_search_match(r->st, &r->q, false, row->text, n, &r->marks,
	    &is_match, err);
	if (s == LN_OK && r->marks.count == 0)
		s = lni_search_match(r->st, &r->q, true, row->text, n,
		    &r->marks, &is_match, err);
	return s == LN_OK ? lni_search_snippet(row->text, n, &r->marks, hit,
	    err) : s;
}

static enum ln_status
fill_page(struct run *r, size_t offset, size_t limit,
    struct ln_hit_list *out, struct ln_error *err)
{
	struct fill f = { r, out, 0 };
	enum ln_status s;
	size_t i;

	qsort(r->items, r->count, sizeof(r->items[0]), best_first);
	if ((out->items = calloc(limit, sizeof(*out->items))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "search hits");
	for (i = offset; i < r->count && i < offset + limit; i++) {
		f.score = r->items[i].score;
		s = lni_find_row(r->st, r->user_id, r->items[i].id, on_row,
		    &f, err);
		if (s != LN_OK && s != LN_NOT_FOUND)
			return s;
	}
	out->has_more = r->count > offset + limit;
	out->is_partial = r->is_partial;
	return LN_OK;
}

/* --- the whole ------------------------------------------------------------ */

static enum ln_status
find_all(struct run *r, size_t wanted, struct ln_error *err)
{
	bool needs_parts = has_parts(&r->q, &r->has_positive);
	enum ln_status s;

	s = lni_find_ranges(r->st, r->user_id, &r->messages, &r->titles, err);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	if (needs_parts || !r->has_positive)
		return by_parts(r, 1.0, false, err);
	if ((s = by_words(r, err)) != LN_OK || r->is_partial ||
	    r->count >= wanted)
		return s;
	r->as_parts = true;
	return by_parts(r, PART_WEIGHT, true, err);
}

/* The narrower of two, where 0 is none. */
static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static enum ln_status
set_filters(struct run *r, const struct ln_search_opts *o, char **tag,
    struct ln_error *err)
{
	size_t i;

	if (o->role != NULL && strcmp(o->role, "user") != 0 &&
	    strcmp(o->role, "assistant") != 0)
		return ln_fail_field(err, LN_INVALID, "role",
		    "The role is user or assistant", "role");
	r->find.role = o->role != NULL ? o->role : r->q.role;
	r->find.model = o->model;
	r->find.model_like = r->q.model_like;
	r->find.project_id = o->project_id;
	r->find.from_ms = later(o->from_ms, r->q.from_ms);
	r->find.to_ms = sooner(o->to_ms, r->q.to_ms);
	for (i = 0; i < r->q.tag_count; i++)
		r->find.tags[i] = r->q.tags[i];
	if (o->tag == NULL)
		return LN_OK;
	if (i >= LNI_FIND_TAGS)
		return ln_fail_field(err, LN_INVALID, "tag",
		    "There are too many tags", "tag");
	r->find.tags[i] = "";		/* what is no tag is nowhere */
	if (ln_text_tag(o->tag, tag, NULL) == LN_OK)
		r->find.tags[i] = *tag;
	return LN_OK;
}

static bool
says_something(const struct run *r)
{
	const struct lni_find *f = &r->find;

	return r->q.count > 0 || f->role != NULL || f->model != NULL ||
	    f->model_like != NULL || f->project_id != NULL ||
	    f->tags[0] != NULL || f->from_ms != 0 || f->to_ms != 0;
}

enum ln_status
ln_search(struct ln_store *st, const char *user_id, const char *query,
    const struct ln_search_opts *opts, struct ln_hit_list *out,
    struct ln_error *err)
{
	int64_t limit = opts->limit != 0 ? opts->limit : LIMIT_DEFAULT;
	struct run *r = NULL;
	char *tag = NULL;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (limit < 1 || limit > LN_SEARCH_LIMIT_MAX)
		return ln_fail_field(err, LN_INVALID, "limit",
		    "The limit is 1 to 100", "limit");
	if (opts->offset < 0 || opts->offset > LN_SEARCH_OFFSET_MAX)
		return ln_fail_field(err, LN_INVALID, "offset",
		    "The offset is 0 to 1000", "offset");
	if ((r = calloc(1, sizeof(*r))) == NULL || (r->items = calloc(
	    2 * (RANKED_MAX + TITLES_MAX), sizeof(*r->items))) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "search");
		goto out;
	}
	r->st = st;
	r->user_id = user_id;
	r->now_ms = ln_time_now_ms();
	if ((s = lni_search_parse(st, query, &r->q, err)) != LN_OK ||
	    (s = set_filters(r, opts, &tag, err)) != LN_OK)
		goto out;
	if (!says_something(r)) {
		s = ln_fail_field(err, LN_INVALID, "q",
		    "Say what to search for", "q");
		goto out;
	}
	if ((s = lni_read_begin(st, err)) != LN_OK)
		goto out;
	lni_deadline_set(st, opts->budget_ms > 0 ? opts->budget_ms :
	    LN_SEARCH_BUDGET_MS);
	s = find_all(r, (size_t)(opts->offset + limit), err);
	lni_deadline_clear(st);
	if (s == LN_CANCELLED) {
		r->is_partial = true;
		s = LN_OK;
	}
	if (s == LN_OK)
		s = fill_page(r, (size_t)opts->offset, (size_t)limit, out,
		    err);
	lni_read_end(st);
out:
	if (r != NULL) {
		lni_search_query_free(&r->q);
		free(r->items);
		free(r);
	}
	ln_free(tag);
	if (s != LN_OK)
		ln_hit_list_free(out);
	return s;
}

void
ln_hit_list_free(struct ln_hit_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		free(l->items[i].conversation_id);
		free(l->items[i].conversation_title);
		ln_free(l->items[i].snippet);
		free(l->items[i].marks);
		free(l->items[i].model);
	}
	free(l->items);
	memset(l, 0, sizeof(*l));
}
