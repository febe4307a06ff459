#ifndef LNI_BRANCH_H
#define LNI_BRANCH_H

#include <ln/branch.h>

/* For service/fork.c, inside its transaction. */

struct lni_fork {
	const char *user_id;
	const char *parent_id;
	int64_t message_id;	/* of the parent, the last one to copy */
	const char *id;		/* of the new one */
	int64_t now_ms;
};

/* Whether the message is of the user's conversation (LN_NOT_FOUND), and what
 * copying up to it means (LN_TOO_LARGE, LN_CONFLICT).  ${out_last_ms} is when
 * the last of the messages was written. */
enum ln_status lni_branch_check(struct ln_store *st, const struct lni_fork *f,
    int64_t *out_last_ms, struct ln_error *err) LN_USE;

/* The conversation, its tags, messages with pictures, and tool runs. */
enum ln_status lni_branch_copy(struct ln_store *st, const struct lni_fork *f,
    struct ln_error *err) LN_USE;

extern const char *const lni_branch_sql[];
extern const size_t lni_branch_sql_count;

#endif
