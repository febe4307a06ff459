#ifndef LN_MESSAGE_H
#define LN_MESSAGE_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/* Turns of a conversation, oldest first.  Written by ln/chat.h. */

/* Bytes of text in one message: the longest prompt, and a file with it. */
#define LN_MESSAGE_MAX (8 * 1024 * 1024)

enum ln_message_role {
	LN_MESSAGE_SYSTEM,
	LN_MESSAGE_USER,
	LN_MESSAGE_ASSISTANT,
	LN_MESSAGE_TOOL,
};

enum ln_message_state {
	LN_MESSAGE_COMPLETE,
	LN_MESSAGE_STREAMING,	/* being written now */
	LN_MESSAGE_STOPPED,	/* by the person, or because of a block */
	LN_MESSAGE_FAILED,	/* the provider failed; text is what came */
	LN_MESSAGE_INTERRUPTED,	/* the process died; text is the journal */
};

struct ln_message {
	int64_t id;
	char *conversation_id;
	enum ln_message_role role;
	enum ln_message_state state;
	char *content;
	char *model;		/* may be NULL */
	char *provider;		/* of an answer; may be NULL */
	char *finish_reason;	/* may be NULL */
	char *error;		/* the sentence that the person was told when
				 * it failed; may be NULL */
	char *thinking;		/* before the answer; may be NULL */
	char *sources;		/* what the answer was given to read: JSON
				 * array of {"n", "document_id", "filename",
				 * "page" or "line"}; NULL when nothing */
	char *images;		/* JSON array of base64, NULL when none */
	int64_t tokens;
	int64_t prompt_tokens;
	int64_t duration_ms;
	bool is_estimated;	/* tokens are our count, not the provider's */
	int64_t pinned_ms;
	int64_t created_ms;
};

struct ln_message_list {
	struct ln_message **items;
	size_t count;
};

LN_API const char *ln_message_role_name(enum ln_message_role role);
LN_API bool ln_message_role_parse(const char *s, enum ln_message_role *out);
LN_API const char *ln_message_state_name(enum ln_message_state state);

/**
 * ln_message_list(st, user_id, conversation_id, out, err):
 * All of them.  LN_NOT_FOUND for a conversation that is not the user's.
 */
LN_API enum ln_status ln_message_list(struct ln_store *st,
    const char *user_id, const char *conversation_id,
    struct ln_message_list *out, struct ln_error *err) LN_USE;
LN_API void ln_message_list_free(struct ln_message_list *l);

/**
 * ln_message_get(st, user_id, id, out, err): LN_NOT_FOUND.
 */
LN_API enum ln_status ln_message_get(struct ln_store *st, const char *user_id,
    int64_t id, struct ln_message **out, struct ln_error *err) LN_USE;
LN_API void ln_message_free(struct ln_message *m);

/**
 * ln_message_pin(st, user_id, id, is_pinned, err): LN_NOT_FOUND.
 */
LN_API enum ln_status ln_message_pin(struct ln_store *st, const char *user_id,
    int64_t id, bool is_pinned, struct ln_error *err) LN_USE;

#endif
