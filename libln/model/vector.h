#ifndef LNI_MODEL_VECTOR_H
#define LNI_MODEL_VECTOR_H

#include <ln/project.h>

/*
 * Vectors of chunks.  A document whose vectors are being made has a holder, a
 * random name; each write of that holder asks whether it still is.
 */

/* Documents whose owner's embedding model has not embedded them. */
struct lni_vector_task {
	int64_t document_id;
	int64_t chunk_count;
	char *project_id;
	char *user_id;
	char *model;
	bool is_own_model;	/* the person chose it, not the instance */
	int64_t tries;		/* that failed before this one */
};
void lni_vector_task_clear(struct lni_vector_task *t);

/**
 * lni_vector_take(st, project_id, holder, due_ms, out, err):
 * One that is due (of that project unless it is NULL) is in hand of ${holder}
 * until ${due_ms}.  None is of a person whose last try failed and who is to be
 * left alone until another time.  LN_NOT_FOUND when there is none.
 */
enum ln_status lni_vector_take(struct ln_store *st, const char *project_id,
    const char *holder, int64_t due_ms, struct lni_vector_task *out,
    struct ln_error *err) LN_USE;

/* A chunk that has no vector of the model yet; ${text} is yours. */
struct lni_vector_chunk {
	int64_t id;
	char *text;
};

/**
 * lni_vector_missing(st, document_id, model, out, max, out_count, err):
 * The next ones, at most ${max}.
 */
enum ln_status lni_vector_missing(struct ln_store *st, int64_t document_id,
    const char *model, struct lni_vector_chunk *out, size_t max,
    size_t *out_count, struct ln_error *err) LN_USE;

/**
 * lni_vector_put(st, chunk_id, model, packed, dimension, err) /
 * lni_vector_hold(st, document_id, holder, due_ms, err):
 * Inside the caller's transaction.  A chunk that is gone gets none.  LN_CANCELLED:
 * it is in hand no more, or gone.
 */
enum ln_status lni_vector_put(struct ln_store *st, int64_t chunk_id,
    const char *model, const unsigned char *packed, size_t dimension,
    struct ln_error *err) LN_USE;
enum ln_status lni_vector_hold(struct ln_store *st, int64_t document_id,
    const char *holder, int64_t due_ms, struct ln_error *err) LN_USE;

/**
 * lni_vector_end(st, document_id, holder, state, reason, due_ms, err):
 * How it ended.  ${due_ms} 0: nobody needs to look at it again.  LN_CANCELLED
 * as above.
 */
enum ln_status lni_vector_end(struct ln_store *st, int64_t document_id,
    const char *holder, enum ln_vectors state, const char *reason,
    int64_t due_ms, struct ln_error *err) LN_USE;

/* How many chunks of the project have vectors of the model. */
enum ln_status lni_vector_count(struct ln_store *st, const char *project_id,
    const char *model, int64_t *out, struct ln_error *err) LN_USE;

/* All vectors of a project, and what is known of them, go. */
enum ln_status lni_vector_forget(struct ln_store *st, const char *project_id,
    struct ln_error *err) LN_USE;

/**
 * lni_vector_each(st, user_id, project_id, model, dimension, limit, fn, arg,
 * err):
 * Visit those of documents of the user's project that were read to the end.
 */
typedef void lni_vector_fn(void *arg, int64_t chunk_id,
    const unsigned char *packed);
enum ln_status lni_vector_each(struct ln_store *st, const char *user_id,
    const char *project_id, const char *model, size_t dimension,
    int64_t limit, lni_vector_fn *fn, void *arg, struct ln_error *err) LN_USE;

extern const char *const lni_vector_sql[];
extern const size_t lni_vector_sql_count;

#endif
