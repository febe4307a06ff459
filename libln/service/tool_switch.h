#ifndef LNI_TOOL_SWITCH_H
#define LNI_TOOL_SWITCH_H

#include <ln/tool.h>

#include "service/tools/builtin.h"

/*
 * The two switches of a built-in tool: settings of the instance and of people
 * ("tool.web_search.enabled", "tool.web_search.asks_first").  A person's only
 * count where they are stricter.
 */

/* The record of ${b} as ${user_id} (NULL: everybody) has it.  Yours. */
enum ln_status lni_tool_of_builtin(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    const struct lni_builtin *b, struct ln_tool **out, struct ln_error *err)
    LN_USE;

/* Store the switches of ${change}, inside the caller's transaction.
 * LN_FORBIDDEN when a person asks for what the instance does not allow. */
enum ln_status lni_tool_switch(struct ln_store *st, const char *user_id,
    const struct lni_builtin *b, const struct ln_tool_change *change,
    struct ln_error *err) LN_USE;

#endif
