#ifndef LN_TOOL_RUN_H
#define LN_TOOL_RUN_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/* Calls of tools that answers made.  Written by ln/chat.h. */

struct ln_tool_run {
	int64_t id;		/* the call_id of ln/chat.h */
	int64_t message_id;	/* of the answer */
	int64_t round;		/* 1: of the answer's first request */
	char *name;
	char *arguments;	/* JSON, as the model wrote it */
	const char *state;	/* "asking", "running", "done", "failed",
				 * "denied"; static */
	char *result;		/* what the model was told, or NULL */
	int64_t created_ms;
	int64_t ended_ms;	/* 0: not yet */
};

struct ln_tool_run_list {
	struct ln_tool_run *items;
	size_t count;
};

/**
 * ln_tool_run_list(st, user_id, conversation_id, out, err):
 * All calls of a conversation in order.  None for one that is not the user's.
 */
LN_API enum ln_status ln_tool_run_list(struct ln_store *st,
    const char *user_id, const char *conversation_id,
    struct ln_tool_run_list *out, struct ln_error *err) LN_USE;
LN_API void ln_tool_run_list_free(struct ln_tool_run_list *l);

#endif
