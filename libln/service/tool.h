#ifndef LNI_SERVICE_TOOL_H
#define LNI_SERVICE_TOOL_H

#include <ln/tool.h>

/**
 * lni_tool_local(st, cfg, user_id, out, err):
 * The local endpoints, comma-separated and yours, that a tool of ${user_id}
 * may call besides public addresses: none (NULL); for everybody's tools
 * (${user_id} NULL) those that the instance allows.
 */
enum ln_status lni_tool_local(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, char **out, struct ln_error *err) LN_USE;

#endif
