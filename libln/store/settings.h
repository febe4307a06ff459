#ifndef LNI_SETTINGS_H
#define LNI_SETTINGS_H

#include "store/intake.h"

/* Settings on their way into a fresh database. */

#define LNI_ALLOWED_ENDPOINTS "allowed_endpoints"

/* Store a plain one; a second value for a name is left out.  ${user_id} NULL:
 * of the instance. */
enum ln_status lni_intake_setting(struct lni_intake *im, const char *user_id,
    const char *name, const char *value, struct ln_error *err) LN_USE;

/* Store a secret one sealed, by the rule; does nothing without one. */
enum ln_status lni_intake_secret(struct lni_intake *im, const char *user_id,
    const char *name, const char *value, struct ln_error *err) LN_USE;

/* Whether the provider address ${url} may come along; counted when not. */
enum ln_status lni_intake_url(struct lni_intake *im, const char *user_id,
    const char *url, const char *allowed, bool *out, struct ln_error *err)
    LN_USE;

#endif
