#ifndef LNI_GENERATION_H
#define LNI_GENERATION_H

#include <ln/error.h>
#include <ln/store.h>

/*
 * Answers that are being written, and by whom.  A row belongs to its owner:
 * whoever finds it gone has lost the answer (recovered by another process, or
 * deleted with its conversation) and must not write any more.
 */

/* LN_CONFLICT when an answer is being written there already. */
enum ln_status lni_generation_add(struct ln_store *st, int64_t message_id,
    const char *conversation_id, const char *owner, int64_t now_ms,
    struct ln_error *err) LN_USE;

/* LN_CONFLICT when an answer is being written there, else LN_OK. */
enum ln_status lni_generation_idle(struct ln_store *st,
    const char *conversation_id, struct ln_error *err) LN_USE;

/* A sign of life.  LN_NOT_FOUND: lost. */
enum ln_status lni_generation_beat(struct ln_store *st, int64_t message_id,
    const char *owner, int64_t now_ms, struct ln_error *err) LN_USE;

/* Whether somebody asked to stop.  LN_NOT_FOUND: lost. */
enum ln_status lni_generation_check(struct ln_store *st, int64_t message_id,
    const char *owner, bool *out_is_stop_asked, struct ln_error *err) LN_USE;

/* The next owner after ${after} ("": the first) whose name begins so; NULL: no
 * more.  Release with ln_free. */
enum ln_status lni_generation_next_owner(struct ln_store *st,
    const char *owner_prefix, const char *after, char **out,
    struct ln_error *err) LN_USE;

/* The end.  LN_NOT_FOUND: lost. */
enum ln_status lni_generation_remove(struct ln_store *st, int64_t message_id,
    const char *owner, struct ln_error *err) LN_USE;

/* LN_NOT_FOUND: nobody writes in that conversation of the user. */
enum ln_status lni_generation_ask_stop(struct ln_store *st,
    const char *user_id, const char *conversation_id, struct ln_error *err)
    LN_USE;

/**
 * lni_generation_reap(st, conversation_id, owner_prefix, keep_owner,
 * dead_before_ms, out_count, err):
 * Mark as interrupted, with what was journalled, the answers (of one
 * conversation, or of all when it is NULL) whose owner begins with
 * ${owner_prefix} (NULL: none) and is not ${keep_owner}, and those without a
 * sign of life since ${dead_before_ms}.  Needs the caller's transaction.
 */
enum ln_status lni_generation_reap(struct ln_store *st,
    const char *conversation_id, const char *owner_prefix,
    const char *keep_owner, int64_t dead_before_ms, int64_t *out_count,
    struct ln_error *err) LN_USE;

extern const char *const lni_generation_sql[];
extern const size_t lni_generation_sql_count;

#endif
