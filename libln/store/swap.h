#ifndef LNI_SWAP_H
#define LNI_SWAP_H

#include <sqlite3.h>

#include <ln/error.h>

/* Replacing the content of the live database, for store/ only. */

/**
 * lni_open_plain(path, is_reader, busy_ms, out, err):
 * A connection without a store handle.  Close it with sqlite3_close.
 */
enum ln_status lni_open_plain(const char *path, bool is_reader, int busy_ms,
    sqlite3 **out, struct ln_error *err) LN_USE;

/**
 * lni_snapshot_take(reader, live_path, purpose, busy_ms, out, err):
 * Keep what ${reader} sees beside the live database, as one whole, checked and
 * synced file "<live>.before-<purpose>-<time>".  ${out} is its path, yours.
 */
enum ln_status lni_snapshot_take(sqlite3 *reader, const char *live_path,
    const char *purpose, int busy_ms, char **out, struct ln_error *err) LN_USE;

/**
 * lni_pour(path, from, busy_ms, under_lock, arg, progress, progress_arg, err):
 * Lock the live database ${path}, which has a write-ahead log, against writers
 * (readers go on), call ${under_lock} with a reader of it, and replace its
 * content by that of ${from}, atomically for every process.  When anything
 * fails, the live database is as it was.  LN_BUSY, LN_CANCELLED, LN_IO.
 */
enum ln_status lni_pour(const char *path, sqlite3 *from, int busy_ms,
    enum ln_status (*under_lock)(sqlite3 *reader, void *arg,
    struct ln_error *err), void *arg, bool (*progress)(void *arg,
    int percent), void *progress_arg, struct ln_error *err) LN_USE;

#endif
