#ifndef LNI_ACCOUNT_H
#define LNI_ACCOUNT_H

#include <ln/auth.h>

#include "model/user.h"

/* What the files behind ln/auth.h share. */

#define LNI_BLOCKED_TEXT						\
	"Your account has been blocked. Contact an administrator."

/* The texts of an account, trimmed and checked; ${email} and ${full_name} are
 * NULL when there is none.  Release with lni_account_text_free. */
struct lni_account_text {
	char *username;
	char *email;
	char *full_name;
};

enum ln_status lni_account_clean(const struct ln_user_new *new_user,
    struct lni_account_text *out, struct ln_error *err) LN_USE;
void lni_account_text_free(struct lni_account_text *t);

/**
 * lni_account_add(st, text, role, hash, out_id, err):
 * Insert the account under a new id.  Inside the caller's transaction.
 * LN_CONFLICT with the field when name or e-mail can mean somebody else.
 */
enum ln_status lni_account_add(struct ln_store *st,
    const struct lni_account_text *text, enum ln_user_role role,
    const char *hash, char out_id[LN_UUID_SIZE], struct ln_error *err) LN_USE;

/**
 * lni_account_may_act(st, target_id, is_admin_act, err):
 * Whether the handle's actor, as the database knows him now, may do this to
 * ${target_id}: an act for administrators, or on another than himself, needs
 * the role; a blocked one may do nothing.  Shell and system may do all.  Inside
 * the transaction of the act.  LN_FORBIDDEN.
 */
enum ln_status lni_account_may_act(struct ln_store *st, const char *target_id,
    bool is_admin_act, struct ln_error *err) LN_USE;

/**
 * lni_account_verify(st, user_id, pw, out_hash, out_needs_rehash, err):
 * Verify against the stored hash of ${user_id}; NULL verifies against nobody
 * for the same time.  ${out_hash} is what was there (wipe and free it), so
 * that a transaction can look whether it still is.  Anything that cannot be
 * verified is a wrong password to the outside: LN_UNAUTHENTICATED.  Slow.
 */
enum ln_status lni_account_verify(struct ln_store *st, const char *user_id,
    const char *pw, char **out_hash, bool *out_needs_rehash,
    struct ln_error *err) LN_USE;

/**
 * lni_account_end(st, s, action, target_id, err):
 * End the transaction of an act as lni_tx_end does; a refusal (LN_FORBIDDEN,
 * LN_CONFLICT) goes to the audit log after the roll-back.
 */
enum ln_status lni_account_end(struct ln_store *st, enum ln_status s,
    const char *action, const char *target_id, struct ln_error *err) LN_USE;

/* Write what did not happen to the audit log; when that fails, to the log. */
void lni_account_note(struct ln_store *st, enum ln_status outcome,
    const char *action, const char *target_id, const char *detail);

/**
 * lni_account_hash_set(st, user_id, hash, keep_session, err):
 * Store the hash, end the user's sessions but one (NULL: none is kept), and
 * let his open reset links die.  Inside the caller's transaction.
 */
enum ln_status lni_account_hash_set(struct ln_store *st, const char *user_id,
    const char *hash, const unsigned char *keep_session, struct ln_error *err)
    LN_USE;

/**
 * lni_account_delete(st, user_id, err):
 * What ln_auth_delete does, inside the caller's transaction.
 */
enum ln_status lni_account_delete(struct ln_store *st, const char *user_id,
    struct ln_error *err) LN_USE;

#endif
