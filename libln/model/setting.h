#ifndef LNI_SETTING_H
#define LNI_SETTING_H

#include <ln/setting.h>

/**
 * lni_setting_put(st, user_id, name, value, err):
 * As ln_setting_set with a ${value}, but without a row in the audit log: an
 * import has one of its own for all that it brings.
 */
enum ln_status lni_setting_put(struct ln_store *st, const char *user_id,
    const char *name, const char *value, struct ln_error *err) LN_USE;

/**
 * lni_setting_reseal(st, to, out_count, err):
 * Seal every sealed value with ${to} instead of the handle's keys.  Inside the
 * caller's transaction.  LN_BAD_KEY when one cannot be opened.
 */
enum ln_status lni_setting_reseal(struct ln_store *st,
    const struct ln_keys *to, int64_t *out_count, struct ln_error *err) LN_USE;

extern const char *const lni_setting_sql[];
extern const size_t lni_setting_sql_count;

#endif
