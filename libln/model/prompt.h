#ifndef LNI_PROMPT_H
#define LNI_PROMPT_H

#include <ln/prompt.h>

/*
 * Rows of the table of prompts.  Writers expect to run inside the caller's
 * transaction and check no rule: those are in service/prompt.c.
 */

/* As ln_prompt_list / ln_prompt_get / ln_prompt_find. */
enum ln_status lni_prompt_rows(struct ln_store *st, const char *user_id,
    struct ln_prompt_list *out, struct ln_error *err) LN_USE;
enum ln_status lni_prompt_row(struct ln_store *st, const char *user_id,
    int64_t id, struct ln_prompt **out, struct ln_error *err) LN_USE;
enum ln_status lni_prompt_named(struct ln_store *st, const char *user_id,
    const char *title, struct ln_prompt **out, struct ln_error *err) LN_USE;

/* Insert / overwrite title and content / remove. */
enum ln_status lni_prompt_row_add(struct ln_store *st, const char *user_id,
    const char *title, const char *content, int64_t created_ms,
    int64_t *out_id, struct ln_error *err) LN_USE;
enum ln_status lni_prompt_row_set(struct ln_store *st, int64_t id,
    const char *title, const char *content, struct ln_error *err) LN_USE;
enum ln_status lni_prompt_row_remove(struct ln_store *st, int64_t id,
    struct ln_error *err) LN_USE;

/**
 * lni_prompt_is_taken(st, user_id, title, but_id, out, err) /
 * lni_prompt_row_count(st, user_id, out, err):
 * Whether ${user_id}, or everybody (NULL), has another prompt than ${but_id}
 * of that title / how many there are.
 */
enum ln_status lni_prompt_is_taken(struct ln_store *st, const char *user_id,
    const char *title, int64_t but_id, bool *out, struct ln_error *err)
    LN_USE;
enum ln_status lni_prompt_row_count(struct ln_store *st, const char *user_id,
    int64_t *out, struct ln_error *err) LN_USE;

extern const char *const lni_prompt_sql[];
extern const size_t lni_prompt_sql_count;

#endif
