#ifndef LNI_SEARCH_H
#define LNI_SEARCH_H

#include <ln/error.h>
#include <ln/store.h>

/**
 * lni_search_settle(st, err):
 * Tell the search indexes what the triggers on message and chunk noted.  Inside a write
 * transaction; lni_tx_end does it before every commit, so only a bulk writer
 * that wants the notes short calls it in between.
 */
enum ln_status lni_search_settle(struct ln_store *st, struct ln_error *err)
    LN_USE;

#endif
