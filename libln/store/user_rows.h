#ifndef LNI_USER_ROWS_H
#define LNI_USER_ROWS_H

#include <ln/buf.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Everything that belongs to one user, row by row, for his own export.
 */

/* How many lists there are, and the name of one. */
extern const size_t lni_user_lists_count;
const char *lni_user_list_name(size_t list);

/**
 * lni_user_rows(st, user_id, list, out, fn, arg, err):
 * Write list number ${list} as a JSON array of objects behind what ${out}
 * holds, and give all of it to ${fn}, piece by piece; ${out} is empty then.
 * Some rows are in memory at a time.
 */
typedef enum ln_status lni_rows_fn(void *arg, const char *p, size_t n,
    struct ln_error *err);
enum ln_status lni_user_rows(struct ln_store *st, const char *user_id,
    size_t list, struct ln_buf *out, lni_rows_fn *fn, void *arg,
    struct ln_error *err) LN_USE;

#endif
