#ifndef LNI_MESSAGE_H
#define LNI_MESSAGE_H

#include <ln/message.h>

/*
 * Writing turns, for service/chat.  The caller owns the transaction and has
 * checked whose conversation it is, unless a function takes the user.
 */

struct lni_message_new {
	const char *conversation_id;
	enum ln_message_role role;
	enum ln_message_state state;
	const char *content;
	const char *provider;	/* may be NULL, like all below */
	const char *model;
	const char *images;	/* JSON array of base64 */
	int64_t created_ms;
};
enum ln_status lni_message_add(struct ln_store *st,
    const struct lni_message_new *m, int64_t *out_id, struct ln_error *err)
    LN_USE;

/* Replace the text of a question; ${images} NULL keeps the images, ""
 * removes them. */
enum ln_status lni_message_rewrite(struct ln_store *st, int64_t id,
    const char *content, const char *images, struct ln_error *err) LN_USE;

/* Drop the messages of a conversation whose id is above ${id}. */
enum ln_status lni_message_delete_after(struct ln_store *st,
    const char *conversation_id, int64_t id, struct ln_error *err) LN_USE;

/* The last question of the user's conversation.  LN_NOT_FOUND. */
enum ln_status lni_message_last_question(struct ln_store *st,
    const char *user_id, const char *conversation_id, struct ln_message **out,
    struct ln_error *err) LN_USE;

/* The last turn of all.  LN_NOT_FOUND. */
enum ln_status lni_message_last(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_message **out,
    struct ln_error *err) LN_USE;

/* An answer that ended is written on. */
enum ln_status lni_message_reopen(struct ln_store *st, int64_t id,
    struct ln_error *err) LN_USE;

/**
 * lni_message_history(st, conversation_id, before_id, fn, arg, err):
 * Visit messages below ${before_id} from the newest back, without images,
 * until ${fn} returns false.  The record is borrowed for the call.
 */
typedef bool lni_message_fn(void *arg, const struct ln_message *m);
enum ln_status lni_message_history(struct ln_store *st,
    const char *conversation_id, int64_t before_id, lni_message_fn *fn,
    void *arg, struct ln_error *err) LN_USE;

/* The images of a message, yours; LN_OK with NULL when it has none. */
enum ln_status lni_message_images(struct ln_store *st, int64_t id, char **out,
    struct ln_error *err) LN_USE;

/* The text of an answer so far, while it is being written. */
enum ln_status lni_message_journal(struct ln_store *st, int64_t id,
    const char *content, size_t len, struct ln_error *err) LN_USE;

struct lni_message_end {
	enum ln_message_state state;
	const char *content;
	size_t len;
	const char *thinking;	/* not kept when ${thinking_len} is 0 */
	size_t thinking_len;
	const char *finish_reason;
	const char *sources;	/* NULL keeps what is there */
	const char *error;	/* of a failed one, else NULL */
	int64_t tokens;
	int64_t prompt_tokens;
	int64_t duration_ms;
	bool is_estimated;
};
enum ln_status lni_message_finish(struct ln_store *st, int64_t id,
    const struct lni_message_end *end, struct ln_error *err) LN_USE;

extern const char *const lni_message_sql[];
extern const size_t lni_message_sql_count;

#endif
