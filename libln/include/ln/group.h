#ifndef LN_GROUP_H
#define LN_GROUP_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Folders that a person sorts conversations into; a conversation is in one or
 * in none.  Every function takes the id of the acting user and answers
 * LN_NOT_FOUND for what is somebody else's, as for what is unknown.
 */

#define LN_GROUP_COUNT_MAX 200	/* of one person */
#define LN_GROUP_POSITION_MAX 1000000

struct ln_group {
	char *id;
	char *title;
	int64_t position;	/* the list is in this order */
	int64_t conversation_count;
	int64_t created_ms;
};

struct ln_group_list {
	struct ln_group *items;
	size_t count;
};

/**
 * ln_group_list(st, user_id, out, err):
 * All of them, LN_GROUP_COUNT_MAX at most.
 */
LN_API enum ln_status ln_group_list(struct ln_store *st, const char *user_id,
    struct ln_group_list *out, struct ln_error *err) LN_USE;
LN_API void ln_group_list_free(struct ln_group_list *l);

/**
 * ln_group_create(st, user_id, title, out, err):
 * One more, behind the others.  Titles are as those of conversations, and
 * need not be unique.  LN_INVALID with field; LN_CONFLICT when there are
 * LN_GROUP_COUNT_MAX.  Free with ln_group_free.
 */
LN_API enum ln_status ln_group_create(struct ln_store *st,
    const char *user_id, const char *title, struct ln_group **out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_group_get(struct ln_store *st, const char *user_id,
    const char *id, struct ln_group **out, struct ln_error *err) LN_USE;
LN_API void ln_group_free(struct ln_group *g);

/**
 * ln_group_update(st, user_id, id, title, position, err):
 * Change what is not NULL.  LN_INVALID with field.
 */
LN_API enum ln_status ln_group_update(struct ln_store *st,
    const char *user_id, const char *id, const char *title,
    const int64_t *position, struct ln_error *err) LN_USE;

/**
 * ln_group_delete(st, user_id, id, err):
 * Its conversations stay, in no group.
 */
LN_API enum ln_status ln_group_delete(struct ln_store *st,
    const char *user_id, const char *id, struct ln_error *err) LN_USE;

/**
 * ln_group_assign(st, user_id, conversation_id, group_id, err):
 * Put a conversation into a group, or (NULL) into none.
 */
LN_API enum ln_status ln_group_assign(struct ln_store *st,
    const char *user_id, const char *conversation_id, const char *group_id,
    struct ln_error *err) LN_USE;

#endif
