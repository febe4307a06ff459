#ifndef LNI_FRESH_H
#define LNI_FRESH_H

#include <ln/error.h>
#include <ln/store.h>

#include "store/scratch.h"

/*
 * A new, empty database of our schema that is filled and then poured into the
 * live one in a single step.
 */

/**
 * lni_fresh_open(sc, live, out, err):
 * Make it in ${sc}, already unlinked; with the keys, actor and page size of
 * ${live}, or, when that is NULL, without keys and without a search index
 * (nobody will search it).  Close it with ln_store_close.
 */
enum ln_status lni_fresh_open(struct lni_scratch *sc, struct ln_store *live,
    struct ln_store **out, struct ln_error *err) LN_USE;

/**
 * lni_import_lock(path, out_fd, err):
 * Only one import at a time, over all processes and threads.  LN_CONFLICT when
 * one is running.  Give it back with lni_import_unlock.
 */
enum ln_status lni_import_lock(const char *path, int *out_fd,
    struct ln_error *err) LN_USE;
void lni_import_unlock(int fd);

/**
 * lni_swap(st, fresh, seal, arg, progress, progress_arg, out_snapshot, err):
 * With the live database of ${st} (whose handle is not used) locked against
 * writers (readers go on): keep a snapshot of it beside it, carry its audit log over into ${fresh}, call
 * ${seal} for the last words, and replace its content, atomically for every
 * process.  ${out_snapshot} is the path of the snapshot, yours, also set when
 * a later step fails.  LN_BUSY, LN_CANCELLED, LN_IO: the live database is as
 * it was.
 */
enum ln_status lni_swap(struct ln_store *st, struct ln_store *fresh,
    enum ln_status (*seal)(struct ln_store *fresh, void *arg,
    struct ln_error *err), void *arg, bool (*progress)(void *arg,
    int percent), void *progress_arg, char **out_snapshot,
    struct ln_error *err) LN_USE;

#endif
