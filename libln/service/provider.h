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

/**
 * lni_provider_embedding(st, cfg, user_id, out_model, out, err):
 * The embedding model of a person, and the provider that the layer which
 * names it means: the person's, else the instance's.  Both are yours, and NULL
 * when there is none.  What ln_provider_resolve says.
 */
enum ln_status lni_provider_embedding(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, char **out_model,
    struct ln_provider_conf **out, struct ln_error *err) LN_USE;

#endif
