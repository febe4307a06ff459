#ifndef LN_SETTING_H
#define LN_SETTING_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Settings in the database, of the instance (user_id NULL) or of one user:
 * small text values by name.  Known instance names: allow_registration,
 * system_prompt, provider, model, embedding_model, base_url, temperature,
 * context_tokens, auto_title, allowed_endpoints, api_key (sealed).  Known user
 * names: provider, model, embedding_model, base_url, system_prompt,
 * temperature, context_tokens, auto_title, theme, api_key (sealed).
 */

#define LN_SETTING_NAME_MAX 64
#define LN_SETTING_VALUE_MAX (64 * 1024)

/**
 * ln_setting_get(st, user_id, name, out, err):
 * Yours, release with ln_free (ln_wipe_free for a secret).  LN_OK with NULL
 * when it is not set.  "api_key" comes back unsealed: LN_BAD_KEY when
 * SECRET_KEY is another one.
 */
LN_API enum ln_status ln_setting_get(struct ln_store *st, const char *user_id,
    const char *name, char **out, struct ln_error *err) LN_USE;

/**
 * ln_setting_set(st, user_id, name, value, err):
 * NULL removes it.  "api_key" is stored byte for byte, sealed and bound to
 * user and name; others are UTF-8.  A change of the instance or of a key goes
 * to the audit log by its name.  LN_INVALID for a name or value beyond the
 * limits; LN_NOT_FOUND: no such user; LN_BAD_KEY without keys.
 */
LN_API enum ln_status ln_setting_set(struct ln_store *st, const char *user_id,
    const char *name, const char *value, struct ln_error *err) LN_USE;

/**
 * ln_setting_truth(value, fallback):
 * The text of a setting as a truth value: true, 1, yes, on and false, 0, no,
 * off; ${fallback} when it is NULL or anything else.  Thread-safe.
 */
LN_API bool ln_setting_truth(const char *value, bool fallback);

/**
 * ln_setting_bool(st, name, fallback, out, err):
 * An instance setting as a truth value, see ln_setting_truth.
 */
LN_API enum ln_status ln_setting_bool(struct ln_store *st, const char *name,
    bool fallback, bool *out, struct ln_error *err) LN_USE;

/**
 * ln_setting_each(st, user_id, fn, arg, err):
 * Visit every setting by name; sealed ones with a NULL value.  ${fn} must not
 * use the handle.
 */
LN_API enum ln_status ln_setting_each(struct ln_store *st,
    const char *user_id, void (*fn)(void *arg, const char *name,
    const char *value, bool is_sealed), void *arg, struct ln_error *err)
    LN_USE;

#endif
