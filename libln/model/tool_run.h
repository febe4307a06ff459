#ifndef LNI_TOOL_RUN_H
#define LNI_TOOL_RUN_H

#include <ln/tool_run.h>

/* Writing calls, for service/chat.  The caller owns the transaction. */

enum lni_tool_run_state {
	LNI_TOOL_RUN_ASKING,
	LNI_TOOL_RUN_ALLOWED,
	LNI_TOOL_RUN_RUNNING,
	LNI_TOOL_RUN_DONE,
	LNI_TOOL_RUN_FAILED,
	LNI_TOOL_RUN_DENIED,
};

/* The results of calls that did not run to their end. */
#define LNI_TOOL_RUN_DENIAL "The person did not allow this call"
#define LNI_TOOL_RUN_ABANDONED "The answer ended before the call did"

struct lni_tool_run_new {
	int64_t message_id;
	int64_t round;
	const char *name;
	const char *arguments;
	enum lni_tool_run_state state;	/* asking or running */
	int64_t created_ms;
};
enum ln_status lni_tool_run_add(struct ln_store *st,
    const struct lni_tool_run_new *r, int64_t *out_id, struct ln_error *err)
    LN_USE;

/* LN_NOT_FOUND: the row is gone, with its answer. */
enum ln_status lni_tool_run_state(struct ln_store *st, int64_t id,
    enum lni_tool_run_state *out, struct ln_error *err) LN_USE;

/* The end of one; no change when it has ended already. */
enum ln_status lni_tool_run_end(struct ln_store *st, int64_t id,
    enum lni_tool_run_state state, const char *result, int64_t now_ms,
    struct ln_error *err) LN_USE;

/* LN_NOT_FOUND: no such call asks in that conversation of the user. */
enum ln_status lni_tool_run_decide(struct ln_store *st, const char *user_id,
    const char *conversation_id, int64_t id, bool is_allowed, int64_t now_ms,
    struct ln_error *err) LN_USE;

/**
 * lni_tool_run_abandon(st, message_id, now_ms, err):
 * What an answer left open has failed.  0: of every answer that nobody writes.
 */
enum ln_status lni_tool_run_abandon(struct ln_store *st, int64_t message_id,
    int64_t now_ms, struct ln_error *err) LN_USE;

extern const char *const lni_tool_run_sql[];
extern const size_t lni_tool_run_sql_count;

#endif
