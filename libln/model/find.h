#ifndef LNI_FIND_H
#define LNI_FIND_H

#include <ln/error.h>
#include <ln/store.h>

/*
 * The entries of one person in the search index (search_doc), latest first.
 * Nothing here reads a row of the index that is somebody else's.
 */

#define LNI_FIND_TAGS 4

struct lni_find_range {
	int64_t low, high;	/* ids of entries, both in it */
};

/**
 * lni_find_ranges(st, user_id, out_messages, out_titles, err):
 * Where the entries of ${user_id} are.  LN_NOT_FOUND for one without any.
 */
enum ln_status lni_find_ranges(struct ln_store *st, const char *user_id,
    struct lni_find_range *out_messages, struct lni_find_range *out_titles,
    struct ln_error *err) LN_USE;

enum lni_find_by {
	LNI_FIND_WORDS,		/* ${expression} is of words */
	LNI_FIND_PARTS,		/* ${expression} is of groups of three
				 * characters; what it finds is to be checked */
	LNI_FIND_ALL,		/* all that pass the filters */
};

/* NULL and 0 filter nothing; ${to_ms} is the first moment too late. */
struct lni_find {
	enum lni_find_by by;
	const char *expression;	/* of FTS5, built by the caller */
	struct lni_find_range range;
	const char *role;
	const char *model;	/* its whole name */
	const char *model_like;	/* a pattern of LIKE, "\" escapes */
	const char *project_id;
	const char *tags[LNI_FIND_TAGS];
	int64_t from_ms;
	int64_t to_ms;
	const double *weights;	/* of the phrases of ${expression} */
	size_t weight_count;
};

/* Borrowed for the call.  ${text} is NULL and ${rank} set for LNI_FIND_WORDS,
 * else the other way round. */
struct lni_found {
	int64_t id;
	int64_t created_ms;
	double rank;
	const char *text;
	size_t text_len;
};
/* LN_NOT_FOUND: enough. */
typedef enum ln_status lni_found_fn(void *arg, const struct lni_found *found,
    struct ln_error *err);

enum ln_status lni_find_run(struct ln_store *st, const struct lni_find *find,
    lni_found_fn *fn, void *arg, struct ln_error *err) LN_USE;

/**
 * lni_find_sample(st, range, max, out, out_count, err):
 * The part of ${range} that holds its latest entries, at most ${max}, and how
 * many those are.
 */
enum ln_status lni_find_sample(struct ln_store *st,
    const struct lni_find_range *range, int64_t max,
    struct lni_find_range *out, int64_t *out_count, struct ln_error *err)
    LN_USE;

/* How many entries of ${range} have the ${expression} of words. */
enum ln_status lni_find_count(struct ln_store *st, const char *expression,
    const struct lni_find_range *range, int64_t *out, struct ln_error *err)
    LN_USE;

/**
 * lni_find_groups(st, prefix, next, max, fn, arg, err):
 * The groups of three characters in the index that sort from ${prefix} up to
 * but not including ${next}: at most ${max} calls of ${fn}.
 */
enum ln_status lni_find_groups(struct ln_store *st, const char *prefix,
    const char *next, int64_t max, enum ln_status (*fn)(void *arg,
    const char *group), void *arg, struct ln_error *err) LN_USE;

/* One entry in full, borrowed for the call; LN_NOT_FOUND when it is gone or
 * not of ${user_id}. */
struct lni_find_row {
	int64_t message_id;	/* 0: a title */
	const char *conversation_id;
	const char *conversation_title;
	const char *role;	/* NULL: a title */
	const char *text;
	const char *model;
	int64_t created_ms;
	bool is_archived;
};
enum ln_status lni_find_row(struct ln_store *st, const char *user_id,
    int64_t id, enum ln_status (*fn)(void *arg, const struct lni_find_row *r,
    struct ln_error *err), void *arg, struct ln_error *err) LN_USE;

extern const char *const lni_find_sql[];
extern const size_t lni_find_sql_count;

#endif
