#ifndef LN_CONVERSATION_H
#define LN_CONVERSATION_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Chats.  Every function takes the id of the acting user and answers
 * LN_NOT_FOUND for a conversation of somebody else, as for an unknown one.
 */

#define LN_TITLE_MAX 200		/* code points */
#define LN_SYSTEM_PROMPT_MAX (32 * 1024)	/* bytes */

struct ln_conversation {
	char *id;
	char *user_id;
	char *title;
	char *model;		/* may be NULL, like all below */
	char *provider;
	char *system_prompt;
	char *project_id;
	char *project_title;
	char *group_id;
	char *forked_from;
	char *tags;		/* separated by U+001F, NULL when none */
	bool has_temperature;
	double temperature;
	int64_t archived_ms;	/* 0: not archived */
	int64_t pinned_ms;	/* 0: not pinned */
	int64_t total_tokens;
	int64_t created_ms;
	int64_t updated_ms;
};

/**
 * struct ln_conversation_list:
 * One page.  ${next} is the cursor of the page that follows, NULL at the end.
 */
struct ln_conversation_list {
	struct ln_conversation **items;
	size_t count;
	char *next;
};

#define LN_CONVERSATION_PAGE_MAX 1000
#define LN_CURSOR_MAX 400	/* bytes of a cursor, NUL included */

/**
 * struct ln_conversation_filter:
 * What a page holds; NULL and 0 leave a wish out.  ${before} is a cursor of
 * the previous page, or the id of a conversation: from where that is now.
 */
struct ln_conversation_filter {
	size_t size;
	bool with_archived;
	int64_t limit;		/* 0: 200; at most LN_CONVERSATION_PAGE_MAX */
	const char *before;
	const char *group_id;
	const char *tag;	/* as ln_text_tag writes it */
};

struct ln_conversation_new {
	size_t size;
	const char *title;	/* NULL: "New chat" */
	const char *model;
	const char *provider;
	const char *system_prompt;
	const char *project_id;
};

LN_API enum ln_status ln_conversation_create(struct ln_store *st,
    const char *user_id, const struct ln_conversation_new *new_conversation,
    struct ln_conversation **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_conversation_get(struct ln_store *st,
    const char *user_id, const char *id, struct ln_conversation **out,
    struct ln_error *err) LN_USE;

/**
 * ln_conversation_latest(st, user_id, out, err):
 * The most recently used one that is not archived.  LN_NOT_FOUND.
 */
LN_API enum ln_status ln_conversation_latest(struct ln_store *st,
    const char *user_id, struct ln_conversation **out, struct ln_error *err)
    LN_USE;
LN_API void ln_conversation_free(struct ln_conversation *c);

/**
 * ln_conversation_list(st, user_id, filter, out, err):
 * Pinned first, then by last use, newest first.  ${filter} may be NULL.  A
 * cursor is a place in that order: what others change meanwhile neither hides
 * nor doubles a row that stayed where it was.  LN_INVALID for a limit or a
 * cursor that is none, LN_NOT_FOUND for an id that is not the user's.
 */
LN_API enum ln_status ln_conversation_list(struct ln_store *st,
    const char *user_id, const struct ln_conversation_filter *filter,
    struct ln_conversation_list *out, struct ln_error *err) LN_USE;
LN_API void ln_conversation_list_free(struct ln_conversation_list *l);

/**
 * ln_conversation_rename / _pin / _archive / _delete:
 * LN_INVALID for an empty or too long title or one with control characters.
 */
LN_API enum ln_status ln_conversation_rename(struct ln_store *st,
    const char *user_id, const char *id, const char *title,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_conversation_pin(struct ln_store *st,
    const char *user_id, const char *id, bool is_pinned, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_conversation_archive(struct ln_store *st,
    const char *user_id, const char *id, bool is_archived,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_conversation_delete(struct ln_store *st,
    const char *user_id, const char *id, struct ln_error *err) LN_USE;

/**
 * ln_conversation_delete_all(st, user_id, ids, n, err):
 * All ${n} or none: LN_NOT_FOUND when one is not the user's, LN_INVALID for
 * none or more than LN_CONVERSATION_DELETE_MAX.
 */
#define LN_CONVERSATION_DELETE_MAX 500
LN_API enum ln_status ln_conversation_delete_all(struct ln_store *st,
    const char *user_id, const char *const *ids, size_t n,
    struct ln_error *err) LN_USE;

/**
 * ln_conversation_configure(st, user_id, id, model, system_prompt,
 * temperature, err):
 * Change what is not NULL; "" clears a text, a NaN clears the temperature.
 * LN_INVALID for a temperature outside 0..2 or a prompt that is too long.
 */
LN_API enum ln_status ln_conversation_configure(struct ln_store *st,
    const char *user_id, const char *id, const char *model,
    const char *system_prompt, const double *temperature,
    struct ln_error *err) LN_USE;

/**
 * ln_conversation_move(st, user_id, id, project_id, err):
 * Into a project of the user, or out of any (NULL).  LN_NOT_FOUND when one of
 * them is not the user's.
 */
LN_API enum ln_status ln_conversation_move(struct ln_store *st,
    const char *user_id, const char *id, const char *project_id,
    struct ln_error *err) LN_USE;

#endif
