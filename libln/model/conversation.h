#ifndef LNI_CONVERSATION_H
#define LNI_CONVERSATION_H

#include <ln/conversation.h>

/*
 * What service/ needs beyond ln/conversation.h.  All expect to run inside the
 * caller's transaction.
 */

/* Remember that it was used at ${now_ms}, by ${tokens} more. */
enum ln_status lni_conversation_touch(struct ln_store *st, const char *id,
    int64_t now_ms, int64_t tokens, struct ln_error *err) LN_USE;

/* Whichever was changed last, and whose; both yours.  LN_NOT_FOUND: none. */
enum ln_status lni_conversation_newest(struct ln_store *st,
    char **out_user_id, char **out_id, struct ln_error *err) LN_USE;

/* Another title, unless somebody has given one: LN_NOT_FOUND then. */
enum ln_status lni_conversation_retitle(struct ln_store *st,
    const char *user_id, const char *id, const char *from, const char *to,
    struct ln_error *err) LN_USE;

/* The rules of a title, also of a group: LN_INVALID with field "title". */
enum ln_status lni_title_check(const char *title, struct ln_error *err) LN_USE;

/* conversation_list.c */
extern const char *const lni_conversation_list_sql[];
extern const size_t lni_conversation_list_sql_count;

extern const char *const lni_conversation_sql[];
extern const size_t lni_conversation_sql_count;

#endif
