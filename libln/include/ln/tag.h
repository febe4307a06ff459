#ifndef LN_TAG_H
#define LN_TAG_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>
#include <ln/text.h>

/*
 * Words that a person hangs on conversations.  Every function takes a tag as
 * it was typed and works with what ln_text_tag makes of it: LN_INVALID with
 * field "tag" when that is nothing.
 */

#define LN_TAG_PER_CONVERSATION_MAX 32
#define LN_TAG_COUNT_MAX 1000	/* different ones of one person */

struct ln_tag {
	char *tag;
	int64_t conversation_count;
};

struct ln_tag_list {
	struct ln_tag *items;
	size_t count;
};

/**
 * ln_tag_list(st, user_id, out, err):
 * Those of a person in their order, LN_TAG_COUNT_MAX at most.
 */
LN_API enum ln_status ln_tag_list(struct ln_store *st, const char *user_id,
    struct ln_tag_list *out, struct ln_error *err) LN_USE;
LN_API void ln_tag_list_free(struct ln_tag_list *l);

/**
 * ln_tag_add(st, user_id, conversation_id, tag, err) / ln_tag_remove(...):
 * One tag of one conversation; LN_OK also when it is (not) there already.
 * LN_NOT_FOUND for a conversation that is not the user's; LN_CONFLICT when
 * that has LN_TAG_PER_CONVERSATION_MAX, or the person LN_TAG_COUNT_MAX.
 */
LN_API enum ln_status ln_tag_add(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *tag, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_tag_remove(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *tag, struct ln_error *err) LN_USE;

/**
 * ln_tag_forget(st, user_id, tag, out_count, err):
 * Take it off all of the person's conversations, ${out_count} of them.
 */
LN_API enum ln_status ln_tag_forget(struct ln_store *st, const char *user_id,
    const char *tag, int64_t *out_count, struct ln_error *err) LN_USE;

#endif
