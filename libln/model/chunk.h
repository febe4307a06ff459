#ifndef LNI_MODEL_CHUNK_H
#define LNI_MODEL_CHUNK_H

#include <ln/project.h>

#include "text/chunk.h"

/*
 * Passages of documents.  Writers expect to run inside the caller's
 * transaction.
 */

/* Add chunk number ${position} of a document, to the index, too. */
enum ln_status lni_chunk_add(struct ln_store *st, int64_t document_id,
    int64_t position, const struct lni_chunk *c, struct ln_error *err) LN_USE;

/* Remove at most ${max} of a document's. */
enum ln_status lni_chunk_remove(struct ln_store *st, int64_t document_id,
    int64_t max, int64_t *out_count, struct ln_error *err) LN_USE;

/* Borrowed for the call. */
struct lni_chunk_hit {
	int64_t id;
	int64_t document_id;
	const char *filename;
	const char *source_url;	/* may be NULL */
	const char *text;
	int64_t page, line;	/* 0: no such thing */
	double score;		/* higher is better */
};
typedef enum ln_status lni_chunk_hit_fn(void *arg,
    const struct lni_chunk_hit *hit, struct ln_error *err);

/**
 * lni_chunk_search(st, user_id, project_id, query, limit, fn, arg, err):
 * Those of documents of the user's project that were read to the end, best
 * first by BM25.  ${query} is an FTS5 expression that the caller has built.
 */
enum ln_status lni_chunk_search(struct ln_store *st, const char *user_id,
    const char *project_id, const char *query, int64_t limit,
    lni_chunk_hit_fn *fn, void *arg, struct ln_error *err) LN_USE;

/* One of them, with the score 0.  LN_NOT_FOUND when it is gone. */
enum ln_status lni_chunk_get(struct ln_store *st, const char *user_id,
    const char *project_id, int64_t id, lni_chunk_hit_fn *fn, void *arg,
    struct ln_error *err) LN_USE;

extern const char *const lni_chunk_sql[];
extern const size_t lni_chunk_sql_count;

#endif
