#ifndef LNI_RETIRED_H
#define LNI_RETIRED_H

#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>

/**
 * lni_retired_check(st, err):
 * LN_BAD_KEY when the handle's keys were replaced by others; LN_OK also
 * without keys.  One indexed read.
 */
enum ln_status lni_retired_check(struct ln_store *st, struct ln_error *err)
    LN_USE;

/**
 * lni_retired_add(st, keys, err):
 * From now on ${keys} are over.
 */
enum ln_status lni_retired_add(struct ln_store *st,
    const struct ln_keys *keys, struct ln_error *err) LN_USE;

#endif
