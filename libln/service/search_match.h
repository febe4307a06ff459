#ifndef LNI_SEARCH_MATCH_H
#define LNI_SEARCH_MATCH_H

#include "service/search_query.h"

/* Where the terms of a query are in a text. */

#define LNI_MARKS_MAX 256	/* remembered of one text */

struct lni_marks {
	struct ln_hit_mark at[LNI_MARKS_MAX];
	size_t count;
	double score;		/* how much the text is about the terms */
};

/**
 * lni_search_match(st, q, as_parts, text, n, out, out_is_match, err):
 * Whether ${text} has every term of ${q} and none that is excluded; ${out}
 * says where, in order and without overlaps.  With ${as_parts} words of three
 * characters or more may be parts of words.
 */
enum ln_status lni_search_match(struct ln_store *st,
    const struct lni_search_query *q, bool as_parts, const char *text,
    size_t n, struct lni_marks *out, bool *out_is_match,
    struct ln_error *err) LN_USE;

/* Whether the text of ${t} is looked for as it is. */
bool lni_search_is_part(const struct lni_term *t, bool as_parts);

/**
 * lni_search_snippet(text, n, marks, hit, err):
 * The part of ${text} with the most marks as one line of plain text, into
 * hit->snippet and hit->marks.
 */
enum ln_status lni_search_snippet(const char *text, size_t n,
    const struct lni_marks *marks, struct ln_hit *hit, struct ln_error *err)
    LN_USE;

#endif
