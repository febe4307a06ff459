#ifndef LN_BRANCH_H
#define LN_BRANCH_H

#include <ln/base.h>
#include <ln/conversation.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Forks of conversations.  A fork is a conversation of its own: it has copies
 * of the messages it began with, so that either may be edited or deleted
 * without the other.  All that belong together are one tree, also when some of
 * it are deleted.
 */

#define LN_BRANCH_COUNT_MAX 1000	/* conversations of one tree */
#define LN_FORK_MESSAGE_MAX 5000	/* messages that a fork may begin with */
#define LN_FORK_SIZE_MAX ((int64_t)64 * 1024 * 1024)	/* and their size,
					   * texts and pictures, characters */

/**
 * ln_conversation_fork(st, user_id, id, message_id, out, err):
 * A new conversation with the messages of ${id} up to and including
 * ${message_id}: their pictures, tool runs and thoughts, and the settings, tags
 * and group of the parent.  An answer that is being written is taken as far as
 * it is.  Free ${out} with ln_conversation_free.
 * LN_NOT_FOUND for a conversation that is not the user's or a message that is
 * not of it; LN_TOO_LARGE beyond what a fork may begin with; LN_CONFLICT when
 * the tree is full.
 */
LN_API enum ln_status ln_conversation_fork(struct ln_store *st,
    const char *user_id, const char *id, int64_t message_id,
    struct ln_conversation **out, struct ln_error *err) LN_USE;

/**
 * struct ln_branch:
 * ${parent_id} is also there when that one is deleted and not listed; NULL for
 * the first of the tree.  ${depth} is 0 for the first one.
 */
struct ln_branch {
	char *id;
	char *title;
	char *parent_id;
	int64_t message_id;	/* of the parent, 0: the first one, unknown */
	int64_t updated_ms;
	int64_t depth;
};

struct ln_branch_list {
	struct ln_branch *items;
	size_t count;
};

/**
 * ln_branch_list(st, user_id, id, out, err):
 * The whole tree that ${id} is in, each one before its forks,
 * LN_BRANCH_COUNT_MAX at most.  Forks of one that is deleted stand together,
 * below the first of the tree.  LN_NOT_FOUND.
 */
LN_API enum ln_status ln_branch_list(struct ln_store *st, const char *user_id,
    const char *id, struct ln_branch_list *out, struct ln_error *err) LN_USE;
LN_API void ln_branch_list_free(struct ln_branch_list *l);

#endif
