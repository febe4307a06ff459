#ifndef LNI_TOOLBOX_H
#define LNI_TOOLBOX_H

#include <stdatomic.h>

#include <ln/buf.h>
#include <ln/config.h>
#include <ln/llm.h>
#include <ln/store.h>

/* The tools that one person's turn offers to the model, and running them. */

struct lni_toolbox;

#define LNI_TOOL_RESULT_MAX ((size_t)64 * 1024)
#define LNI_TOOL_TOTAL_MS 20000		/* one call, whatever it does */

/**
 * lni_toolbox_open(st, cfg, user_id, out, err):
 * What is enabled for the person now.  ${cfg} is borrowed.  Yours.
 */
enum ln_status lni_toolbox_open(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    struct lni_toolbox **out, struct ln_error *err) LN_USE;
void lni_toolbox_free(struct lni_toolbox *box);

/* For struct ln_llm_prompt; borrowed. */
const struct ln_llm_tool *lni_toolbox_tools(const struct lni_toolbox *box,
    size_t *count);

bool lni_toolbox_asks_first(const struct lni_toolbox *box, const char *name);

/**
 * lni_toolbox_run(box, st, name, arguments, is_cancelled, result, err):
 * Blocking, at most LNI_TOOL_TOTAL_MS; any thread, ${st} is that thread's.
 * ${arguments} (JSON as the model wrote it) is checked against the schema
 * first.  LN_OK appends valid UTF-8 to ${result}, at most LNI_TOOL_RESULT_MAX,
 * cut with a note when there was more.  Else the sentence of ${err} is for the
 * model as well as for the person: LN_NOT_FOUND (no such tool), LN_INVALID
 * (arguments), LN_UNSUPPORTED (no endpoint), LN_FORBIDDEN, LN_UPSTREAM,
 * LN_TIMEOUT, LN_TOO_LARGE, LN_CANCELLED.  It cannot name which argument does
 * not fit or what an endpoint answered, so that on a failure ${result} may get
 * one more line which does ("/zone: must be a string"); show it behind the
 * sentence.
 */
enum ln_status lni_toolbox_run(const struct lni_toolbox *box,
    struct ln_store *st, const char *name, const char *arguments,
    const atomic_bool *is_cancelled, struct ln_buf *result,
    struct ln_error *err) LN_USE;

#endif
