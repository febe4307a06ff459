#ifndef LNI_SEARCH_H
#define LNI_SEARCH_H

#include <ln/error.h>
#include <ln/store.h>

/**
 * lni_search_settle(st, err):
 * Tell the search indexes what the triggers noted.  Inside a write
 * transaction; lni_tx_end does it before every commit, so only a bulk writer
 * that wants the notes short calls it in between.
 */
enum ln_status lni_search_settle(struct ln_store *st, struct ln_error *err)
    LN_USE;

/**
 * lni_search_check(st, is_full, fn, arg, out_count, err):
 * Compare the search index with what it is of, and, when ${is_full}, every
 * word of it; ${fn} (may be NULL) gets a line a problem.  A full check of a
 * handle that only reads works on a copy of the file.
 */
enum ln_status lni_search_check(struct ln_store *st, bool is_full,
    void (*fn)(void *arg, const char *problem), void *arg, int *out_count,
    struct ln_error *err) LN_USE;

#endif
