#ifndef LN_SEARCH_H
#define LN_SEARCH_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Search in a person's own messages and titles.
 *
 * A query is words, all of which must be there, and
 *
 *	"two words"	a phrase
 *	word*		words that begin so
 *	-word -"a b"	not this
 *	tag:x		in a conversation with that tag
 *	role:user	by the person; role:assistant by the model
 *	model:x		of a model with that in its name
 *	after:DATE before:DATE	from that day on; before that day.  YYYY-MM-DD,
 *			YYYY-MM or YYYY, UTC
 *
 * Nothing in it can be wrong: what does not read as one of these is a word.
 * Words are found whole, in any case and without regard to accents; what has
 * no words (code with signs, Chinese, Japanese, Korean, Thai, emoji) is found
 * as it is, anywhere.  When whole words give less than was asked for, parts
 * of words follow them.  At most LN_SEARCH_TERMS_MAX words or phrases count.
 */

#define LN_SEARCH_BYTES_MAX 4096	/* of a query */
#define LN_SEARCH_TERMS_MAX 16
#define LN_SEARCH_LIMIT_MAX 100
#define LN_SEARCH_OFFSET_MAX 1000
#define LN_SEARCH_BUDGET_MS 250

struct ln_hit_mark {
	size_t from, to;	/* bytes of the snippet */
};

struct ln_hit {
	int64_t message_id;	/* 0: the title was found */
	char *conversation_id;
	char *conversation_title;
	const char *role;	/* "user", "assistant" or "title"; static */
	char *snippet;		/* plain text: one line, never markup */
	struct ln_hit_mark *marks;	/* what was found in it, in order */
	size_t mark_count;
	char *model;		/* or NULL */
	int64_t created_ms;
	bool is_archived;
	double score;		/* higher is better */
};

struct ln_hit_list {
	struct ln_hit *items;
	size_t count;
	bool has_more;
	bool is_partial;	/* the time was up before all was looked at */
};

/**
 * struct ln_search_opts:
 * Filters besides those in the text; NULL or 0 is none.  ${to_ms} is the
 * first moment that is too late.  ${limit} 0 is 20.  ${budget_ms} 0 is
 * LN_SEARCH_BUDGET_MS.
 */
struct ln_search_opts {
	size_t size;
	const char *model;	/* its whole name */
	const char *project_id;
	const char *tag;
	const char *role;
	int64_t from_ms;
	int64_t to_ms;
	int64_t limit;
	int64_t offset;
	int64_t budget_ms;
};

/**
 * ln_search(st, user_id, query, opts, out, err):
 * The best ${opts->limit} hits after ${opts->offset}, best first: BM25 with a
 * mild preference for what is recent.  Only rows of ${user_id} are looked at,
 * also for ranking; archived conversations are found too.  Of very many hits
 * the latest thousand are ranked.  A query without a word gives the latest
 * messages that pass the filters.  LN_INVALID with field "q" for a query that
 * is empty, too long, or not UTF-8, with field "role", "limit" or "offset" for
 * those.
 */
LN_API enum ln_status ln_search(struct ln_store *st, const char *user_id,
    const char *query, const struct ln_search_opts *opts,
    struct ln_hit_list *out, struct ln_error *err) LN_USE;
LN_API void ln_hit_list_free(struct ln_hit_list *l);

/**
 * ln_search_rebuild(st, err):
 * Make the search index anew from the messages.  One transaction: nobody else
 * can write meanwhile (about a minute for a million messages).
 */
LN_API enum ln_status ln_search_rebuild(struct ln_store *st,
    struct ln_error *err) LN_USE;

#endif
