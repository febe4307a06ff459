#ifndef LNI_MODEL_SEARCH_H
#define LNI_MODEL_SEARCH_H

#include <ln/error.h>
#include <ln/message.h>
#include <ln/store.h>

/*
 * Full-text search.  ${query} is an FTS5 expression that the caller has built
 * (never text as a person typed it); results come best first.
 */

/* Borrowed for the call. */
struct lni_passage {
	const char *source;	/* conversation, or chapter of the handbook */
	const char *heading;	/* section of the handbook, else NULL */
	const char *text;	/* around the best match */
	const char *conversation_id;	/* NULL for the handbook */
	enum ln_message_role role;
	int64_t at_ms;		/* 0 for the handbook */
};
typedef enum ln_status lni_passage_fn(void *arg, const struct lni_passage *p,
    struct ln_error *err);

/* Never finds a message of another user; leaves out messages of
 * ${skip_conversation_id} from id ${skip_from_id} on, those that say exactly
 * ${skip_text}, and answers of ${skip_provider}. */
struct lni_search {
	const char *user_id;
	const char *query;
	const char *skip_conversation_id;	/* may be NULL */
	int64_t skip_from_id;
	const char *skip_text;
	const char *skip_provider;
	int64_t limit;
};
enum ln_status lni_search_messages(struct ln_store *st,
    const struct lni_search *search, lni_passage_fn *fn, void *arg,
    struct ln_error *err) LN_USE;

/* The handbook is put into a temporary table of the handle at its first
 * search. */
enum ln_status lni_search_handbook(struct ln_store *st, const char *query,
    int64_t limit, lni_passage_fn *fn, void *arg, struct ln_error *err)
    LN_USE;

extern const char *const lni_search_sql[];
extern const size_t lni_search_sql_count;

#endif
