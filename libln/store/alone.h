#ifndef LNI_ALONE_H
#define LNI_ALONE_H

#include <ln/error.h>
#include <ln/store.h>

/**
 * lni_alone_open(path, out, err):
 * A handle on a database of ours that nobody else has open: it needs no log
 * and no lock file beside it, and what it writes is safe only once the file is
 * synced.  Without keys.  Close it with ln_store_close.
 */
enum ln_status lni_alone_open(const char *path, struct ln_store **out,
    struct ln_error *err) LN_USE;

#endif
