#ifndef LNI_SEARCH_QUERY_H
#define LNI_SEARCH_QUERY_H

#include <ln/buf.h>
#include <ln/search.h>

#include "model/find.h"

/* What a person typed into a search box, read. */

#define LNI_TERM_WORDS 64	/* words of one phrase that count */

struct lni_term {
	char *text;		/* as typed, without quotes and signs */
	size_t len;
	bool is_part;		/* found as it is, anywhere; else its words */
	bool is_prefix;		/* the last word goes on */
	bool is_excluded;
	char *words;		/* as the index has them, each with a NUL */
	size_t word_count;
	uint32_t *points;	/* of the text, case folded */
	size_t point_count;
};

struct lni_search_query {
	struct lni_term terms[LN_SEARCH_TERMS_MAX];
	size_t count;
	char *tags[LNI_FIND_TAGS];
	size_t tag_count;
	const char *role;	/* static */
	char *model_like;
	int64_t from_ms, to_ms;	/* 0: none */
};

/**
 * lni_search_parse(st, text, out, err):
 * Read ${text}, see ln/search.h; free with lni_search_query_free.  LN_INVALID
 * only for what cannot be text of a query.
 */
enum ln_status lni_search_parse(struct ln_store *st, const char *text,
    struct lni_search_query *out, struct ln_error *err) LN_USE;
void lni_search_query_free(struct lni_search_query *q);

/* All of ${q} as an expression for the index of words / one term of it. */
void lni_search_words(const struct lni_search_query *q, struct ln_buf *out);
void lni_search_phrase(const struct lni_term *t, struct ln_buf *out);

/**
 * lni_search_fold(st, text, n, points, offsets, out_count, err):
 * The code points of ${text}, case folded as the index does, and where each
 * begins; both yours (free).  ${offsets} may be NULL.
 */
enum ln_status lni_search_fold(struct ln_store *st, const char *text,
    size_t n, uint32_t **points, size_t **offsets, size_t *out_count,
    struct ln_error *err) LN_USE;

#endif
