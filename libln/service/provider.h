#ifndef LNI_PROVIDER_H
#define LNI_PROVIDER_H

#include <ln/provider.h>

/* Endpoints that users may choose, as a comma-separated list, yours: what an
 * admin set and what the environment says, together. */
enum ln_status lni_provider_allowed(struct ln_store *st,
    const struct ln_config *cfg, char **out, struct ln_error *err) LN_USE;

/* Whether ${url} may be stored as the base URL of a user, or of the instance
 * (${user_id} NULL).  LN_INVALID. */
enum ln_status lni_provider_check_url(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, const char *url,
    struct ln_error *err) LN_USE;

#endif
