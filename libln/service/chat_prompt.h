#ifndef LNI_CHAT_PROMPT_H
#define LNI_CHAT_PROMPT_H

#include <ln/llm.h>
#include <ln/store.h>

/* Earlier turns that go with a question: whole messages, newest first, until
 * so many bytes.  What is older is left out; the system prompt never is. */
#define LNI_HISTORY_MAX ((size_t)4 * 1024 * 1024)	/* of any model */
#define LNI_TURN_OVERHEAD ((size_t)16)	/* around each: role, marks */
#define LNI_HISTORY_IMAGES_MAX ((size_t)16 * 1024 * 1024)

/* Owns what its messages point to. */
struct lni_prompt {
	struct ln_llm_message *messages;
	size_t count;
	size_t capacity;
	size_t question;		/* which of them is the question */
	struct lni_prompt_part *parts;	/* as many as messages */
};

struct lni_prompt_source {
	const char *system_prompt;	/* expanded; may be NULL */
	const char *conversation_id;	/* history from there, or NULL */
	int64_t before_id;		/* ... below this id */
	const struct ln_llm_message *history;	/* or from the caller */
	size_t history_count;
	size_t history_max;		/* bytes of either */
	const char *question;
	const char *images;		/* JSON array, or NULL */
	const char *answer;		/* what it has got so far, to go on
					 * with, or NULL */
};

/**
 * lni_prompt_build(st, source, out, err):
 * What the model is to read, in order.  Free ${out} with lni_prompt_clear,
 * also after a failure.
 */
enum ln_status lni_prompt_build(struct ln_store *st,
    const struct lni_prompt_source *source, struct lni_prompt *out,
    struct ln_error *err) LN_USE;
void lni_prompt_clear(struct lni_prompt *p);

/**
 * lni_prompt_precede(p, text, err):
 * Put ${text} before the question, in the same turn.
 */
enum ln_status lni_prompt_precede(struct lni_prompt *p, const char *text,
    struct ln_error *err) LN_USE;

/**
 * lni_prompt_drop_oldest(p):
 * Leave out the oldest earlier question with its answers; false when there is
 * none left.
 */
bool lni_prompt_drop_oldest(struct lni_prompt *p);

/**
 * lni_prompt_add_calls(p, content, calls, err) /
 * lni_prompt_add_result(p, content, call_id, name, err):
 * The turn in which the model called tools (JSON as struct ln_llm_message has
 * it) / what one of them answered; ${call_id} may be NULL.
 */
enum ln_status lni_prompt_add_calls(struct lni_prompt *p, const char *content,
    const char *calls, struct ln_error *err) LN_USE;
enum ln_status lni_prompt_add_result(struct lni_prompt *p,
    const char *content, const char *call_id, const char *name,
    struct ln_error *err) LN_USE;

#endif
