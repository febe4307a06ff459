#ifndef LNI_FORKS_H
#define LNI_FORKS_H

#include <ln/error.h>
#include <ln/store.h>

/**
 * lni_forks_settle(st, err):
 * Find out for every fork that does not know it which tree it belongs to:
 * after rows were taken from a file that is older, or somebody else's.
 */
enum ln_status lni_forks_settle(struct ln_store *st, struct ln_error *err)
    LN_USE;

#endif
