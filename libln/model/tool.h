#ifndef LNI_TOOL_H
#define LNI_TOOL_H

#include <ln/secret.h>
#include <ln/tool.h>

/*
 * Rows of the table of tools.  Writers expect to run inside the caller's
 * transaction and check no rule; who may do what and what a definition must be
 * is in service/tool.c.  The kind of a record is left at LN_TOOL_BARE.
 */

/**
 * lni_tool_rows(st, user_id, out, err) / lni_tool_row(st, user_id, id, ...):
 * Those of ${user_id} and everybody's, or only everybody's (NULL), a person's
 * own first, then by name / the one of them with that id, else the first with
 * that name.  Free with ln_tool_list_free, ln_tool_free.
 */
enum ln_status lni_tool_rows(struct ln_store *st, const char *user_id,
    struct ln_tool_list *out, struct ln_error *err) LN_USE;
enum ln_status lni_tool_row(struct ln_store *st, const char *user_id,
    const char *id, struct ln_tool **out, struct ln_error *err) LN_USE;

/* Add one more to the list, which then owns it; freed when memory is short. */
enum ln_status lni_tool_list_add(struct ln_tool_list *l, struct ln_tool *t,
    struct ln_error *err) LN_USE;

/* Insert / overwrite all but id, owner and time.  LN_CONFLICT: name taken. */
enum ln_status lni_tool_row_add(struct ln_store *st, const struct ln_tool *t,
    struct ln_error *err) LN_USE;
enum ln_status lni_tool_row_set(struct ln_store *st, const struct ln_tool *t,
    struct ln_error *err) LN_USE;
enum ln_status lni_tool_row_remove(struct ln_store *st, const char *id,
    struct ln_error *err) LN_USE;

/* How many ${user_id} has, or everybody's (NULL). */
enum ln_status lni_tool_row_count(struct ln_store *st, const char *user_id,
    int64_t *out, struct ln_error *err) LN_USE;

/**
 * lni_tool_headers(st, id, out, err) / lni_tool_headers_set(st, id, json, ...):
 * The values of an endpoint's headers as the text of a JSON object: opened,
 * yours (ln_wipe_free), NULL when there are none / sealed for this tool, NULL
 * removes them.  LN_BAD_KEY.
 */
enum ln_status lni_tool_headers(struct ln_store *st, const char *id,
    char **out, struct ln_error *err) LN_USE;
enum ln_status lni_tool_headers_set(struct ln_store *st, const char *id,
    const char *json, struct ln_error *err) LN_USE;

/**
 * lni_tool_reseal(st, to, out_count, err):
 * As lni_setting_reseal.
 */
enum ln_status lni_tool_reseal(struct ln_store *st, const struct ln_keys *to,
    int64_t *out_count, struct ln_error *err) LN_USE;

extern const char *const lni_tool_sql[];
extern const size_t lni_tool_sql_count;

#endif
