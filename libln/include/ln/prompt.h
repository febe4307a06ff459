#ifndef LN_PROMPT_H
#define LN_PROMPT_H

#include <ln/base.h>
#include <ln/conversation.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Prompts that a person keeps to begin conversations with, and everybody's
 * (user_id NULL), which only an administrator or the shell writes.  Somebody
 * else's prompt answers as an unknown one: LN_NOT_FOUND.
 */

#define LN_PROMPT_TITLE_MAX 200		/* code points */
#define LN_PROMPT_CONTENT_MAX LN_SYSTEM_PROMPT_MAX	/* bytes */
#define LN_PROMPT_COUNT_MAX 1000	/* of one person, and of everybody */

struct ln_prompt {
	int64_t id;
	char *user_id;		/* NULL: everybody's */
	char *title;
	char *content;
	int64_t created_ms;
};

struct ln_prompt_list {
	struct ln_prompt **items;
	size_t count;
};

/**
 * ln_prompt_list(st, user_id, out, err) / ln_prompt_get(st, user_id, id, ...)
 * / ln_prompt_find(st, user_id, title, ...):
 * What ${user_id} (NULL: only everybody's) can see: a person's own first, then
 * everybody's, by title / the one with that id / the first in that order with
 * exactly that title.  Free with ln_prompt_list_free, ln_prompt_free.
 * LN_NOT_FOUND.
 */
LN_API enum ln_status ln_prompt_list(struct ln_store *st,
    const char *user_id, struct ln_prompt_list *out, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_prompt_get(struct ln_store *st, const char *user_id,
    int64_t id, struct ln_prompt **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_prompt_find(struct ln_store *st,
    const char *user_id, const char *title, struct ln_prompt **out,
    struct ln_error *err) LN_USE;
LN_API void ln_prompt_free(struct ln_prompt *p);
LN_API void ln_prompt_list_free(struct ln_prompt_list *l);

/**
 * ln_prompt_create(st, user_id, title, content, out, err):
 * One of ${user_id}, or everybody's (NULL).  ${out} may be NULL.
 * LN_INVALID with the field for a title that is empty, too long or holds
 * control characters, or a content that is empty, too long or no text;
 * LN_CONFLICT: that title is taken there; LN_TOO_LARGE: there are
 * LN_PROMPT_COUNT_MAX; LN_FORBIDDEN: the actor may not.
 */
LN_API enum ln_status ln_prompt_create(struct ln_store *st,
    const char *user_id, const char *title, const char *content,
    struct ln_prompt **out, struct ln_error *err) LN_USE;

/**
 * ln_prompt_update(st, user_id, id, title, content, out, err) /
 * ln_prompt_delete(st, user_id, id, err):
 * Change what is not NULL / remove it, for ${user_id} as the one who asks
 * (NULL: for everybody).  LN_FORBIDDEN for everybody's unless the actor is an
 * administrator or the shell; else as ln_prompt_create.
 */
LN_API enum ln_status ln_prompt_update(struct ln_store *st,
    const char *user_id, int64_t id, const char *title, const char *content,
    struct ln_prompt **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_prompt_delete(struct ln_store *st,
    const char *user_id, int64_t id, struct ln_error *err) LN_USE;

/**
 * struct ln_prompt_template / ln_prompt_templates(out_count):
 * The prompts that come with the program, to begin one's own from.  ${name} is
 * stable.  Static.
 */
struct ln_prompt_template {
	const char *name;
	const char *title;
	const char *content;
};

LN_API const struct ln_prompt_template *ln_prompt_templates(
    size_t *out_count);

#endif
