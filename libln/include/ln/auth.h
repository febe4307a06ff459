#ifndef LN_AUTH_H
#define LN_AUTH_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/password.h>
#include <ln/secret.h>
#include <ln/session.h>
#include <ln/store.h>
#include <ln/user.h>

/*
 * Accounts as rules: signing in, creating, blocking, resetting.  Everything
 * writes to the audit log, refusals too, so a handle without keys gets
 * LN_BAD_KEY.  Functions marked "slow" hash a password: call them in a worker
 * thread and outside a transaction (they take the write lock only after the
 * work).  Passwords are borrowed; wipe them yourself.
 *
 * When the handle's actor is a signed-in user (kind "user" with an id), each
 * act reads him again inside its transaction: acts on somebody else, and
 * creating, blocking, roles and seeding at all, need an administrator, and
 * nobody acts while blocked.  LN_FORBIDDEN otherwise.  Inside a transaction of
 * the caller, the note about a refusal dies with its roll-back.
 */

struct ln_user_new {
	size_t size;
	const char *username;
	const char *email;	/* NULL or "": none */
	const char *full_name;	/* NULL or "": none */
	const char *password;	/* NULL: disabled until a reset */
	enum ln_user_role role;
};

/**
 * ln_auth_create(st, new, out, err):
 * Slow.  Create an account as an operator or admin would.  LN_INVALID with
 * field; LN_CONFLICT with field "username" or "email" when taken: as user
 * name, e-mail or id of anybody, so that no name can mean two people.  White
 * space around the texts is trimmed.
 */
LN_API enum ln_status ln_auth_create(struct ln_store *st,
    const struct ln_user_new *new_user, struct ln_user **out,
    struct ln_error *err) LN_USE;

/**
 * ln_auth_register(st, new, out_id, err):
 * Slow.  Self-registration: the role is always user, the password is hashed in
 * every case, a duplicate changes nothing and ${out_id} is then a random
 * decoy (both answers look alike); the owner of a duplicate e-mail gets a mail
 * about it (see ln/mail.h).  LN_FORBIDDEN ("Registration is disabled")
 * when closed, after the input checks; LN_INVALID.
 */
LN_API enum ln_status ln_auth_register(struct ln_store *st,
    const struct ln_user_new *new_user, char out_id[LN_UUID_SIZE],
    struct ln_error *err) LN_USE;

/**
 * ln_auth_login(st, name, pw, out, err):
 * Slow.  Verify a user name or e-mail and password; a legacy hash becomes
 * argon2id by a conditional update.  Unknown names do the same work.
 * Where an imported user name is somebody else's e-mail, each of the two gets
 * in with his own password.  The audit log never gets the typed name, which
 * may be a password in the wrong field.
 * LN_UNAUTHENTICATED ("Invalid username or password"); LN_FORBIDDEN ("Your
 * account has been blocked. Contact an administrator.") only with the right
 * password.
 */
LN_API enum ln_status ln_auth_login(struct ln_store *st, const char *name,
    const char *pw, struct ln_user **out, struct ln_error *err) LN_USE;

/**
 * struct ln_auth_place:
 * Where somebody signs in: for his list of sessions, both may be NULL.
 * ${old_session} (the hash of a session, LN_KEY_BYTES bytes, or NULL) is what
 * the browser presented; it ends.
 */
struct ln_auth_place {
	size_t size;
	const char *address;
	const char *agent;
	const unsigned char *old_session;
};

/**
 * ln_auth_sign_in(st, name, pw, place, out_cookie, out, err):
 * Slow.  ln_auth_login and ln_session_create in one transaction: a password
 * set, a block or a deletion meanwhile leaves no session behind.
 */
LN_API enum ln_status ln_auth_sign_in(struct ln_store *st, const char *name,
    const char *pw, const struct ln_auth_place *place,
    char out_cookie[LN_SESSION_COOKIE_SIZE], struct ln_user **out,
    struct ln_error *err) LN_USE;

/**
 * ln_auth_verify(st, user_id, pw, err):
 * Slow.  Whether ${pw} is that user's password.  LN_UNAUTHENTICATED; also,
 * after the same work, when there is no such user.
 */
LN_API enum ln_status ln_auth_verify(struct ln_store *st, const char *user_id,
    const char *pw, struct ln_error *err) LN_USE;

/**
 * ln_auth_password_set(st, user_id, pw, keep_session, err):
 * Slow.  Set a password and end the user's sign-in sessions, except the one
 * whose id hash is ${keep_session} (LN_KEY_BYTES bytes; NULL: all of them).
 * Open reset links of the user stop working.  LN_INVALID, LN_NOT_FOUND.
 */
LN_API enum ln_status ln_auth_password_set(struct ln_store *st,
    const char *user_id, const char *pw, const unsigned char *keep_session,
    struct ln_error *err) LN_USE;

/**
 * ln_auth_password_change(st, user_id, current, pw, keep_session, err):
 * Slow.  What ln_auth_password_set does, for whoever knows the current
 * password, which must still be that when it is replaced: of two who race, or
 * against a reset, one wins.  LN_INVALID with field "current_password" when
 * it is wrong, or for the new one; LN_FORBIDDEN while blocked.
 */
LN_API enum ln_status ln_auth_password_change(struct ln_store *st,
    const char *user_id, const char *current, const char *pw,
    const unsigned char *keep_session, struct ln_error *err) LN_USE;

/**
 * ln_auth_delete_own(st, user_id, pw, err):
 * Slow.  ln_auth_delete for whoever knows the password.  LN_INVALID with field
 * "password"; LN_CONFLICT for the last active administrator; LN_FORBIDDEN
 * while blocked.
 */
LN_API enum ln_status ln_auth_delete_own(struct ln_store *st,
    const char *user_id, const char *pw, struct ln_error *err) LN_USE;

/**
 * ln_auth_sessions_end(st, user_id, out_count, err) /
 * ln_auth_session_end(st, user_id, hash, err):
 * End all sign-in sessions of a user (${user_id} NULL: everybody's) / one of
 * his, on the record.  ${out_count} may be NULL.  LN_NOT_FOUND: no such user,
 * or the session is not his.
 */
LN_API enum ln_status ln_auth_sessions_end(struct ln_store *st,
    const char *user_id, int64_t *out_count, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_auth_session_end(struct ln_store *st,
    const char *user_id, const unsigned char hash[LN_KEY_BYTES],
    struct ln_error *err) LN_USE;

/**
 * ln_auth_block(st, user_id, reason, until_ms, out_changed, err) /
 * ln_auth_unblock(...):
 * ${reason} (one line of at most 500 characters) may be NULL, ${until_ms} 0
 * means for ever.  Blocking a blocked user changes the end, and the reason
 * when there is one; ${out_changed} is false when all was so already.
 * LN_INVALID; LN_CONFLICT ("The last administrator cannot be blocked");
 * LN_NOT_FOUND.  Read again inside one transaction, so that two racing
 * requests cannot both pass.  An administrator counts as active when he is not
 * blocked and has a password.
 */
LN_API enum ln_status ln_auth_block(struct ln_store *st, const char *user_id,
    const char *reason, int64_t until_ms, bool *out_changed,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_auth_unblock(struct ln_store *st,
    const char *user_id, bool *out_changed, struct ln_error *err) LN_USE;

/**
 * ln_auth_role_set(st, user_id, role, out_changed, err):
 * Ends the user's sign-in sessions when it changes.  LN_CONFLICT for the last
 * active administrator; LN_NOT_FOUND.
 */
LN_API enum ln_status ln_auth_role_set(struct ln_store *st,
    const char *user_id, enum ln_user_role role, bool *out_changed,
    struct ln_error *err) LN_USE;

/**
 * ln_auth_delete(st, user_id, err):
 * Delete the account and everything of it.  LN_CONFLICT for the last active
 * administrator; LN_NOT_FOUND.
 */
LN_API enum ln_status ln_auth_delete(struct ln_store *st, const char *user_id,
    struct ln_error *err) LN_USE;

/**
 * ln_auth_profile_set(st, user_id, username, email, full_name, err):
 * Change what is not NULL; "" clears an optional one.  What stays as it is may
 * break the rules for new accounts (imported names do).  A new e-mail kills
 * open reset links.  LN_INVALID, LN_CONFLICT, LN_NOT_FOUND.
 */
LN_API enum ln_status ln_auth_profile_set(struct ln_store *st,
    const char *user_id, const char *username, const char *email,
    const char *full_name, struct ln_error *err) LN_USE;

enum ln_auth_seed_result {
	LN_AUTH_SEED_CREATED,
	LN_AUTH_SEED_EXISTS,	/* an admin of that name or mail is there */
	LN_AUTH_SEED_PROMOTED,
};

/**
 * ln_auth_seed(st, new, may_promote, out_result, out, err):
 * Slow.  Make the super admin (role is always admin); idempotent.  When the
 * name or e-mail belongs to an ordinary user: LN_CONFLICT unless
 * ${may_promote}.  An existing admin's password is left alone.
 */
LN_API enum ln_status ln_auth_seed(struct ln_store *st,
    const struct ln_user_new *new_user, bool may_promote,
    enum ln_auth_seed_result *out_result, struct ln_user **out,
    struct ln_error *err) LN_USE;

#define LN_RESET_TOKEN_SIZE 44	/* 32 bytes in base64url and a NUL */
#define LN_RESET_EXPIRES_MS (60 * 60 * 1000) /* security contract: 60 minutes */

/**
 * ln_auth_reset_issue(st, user_id, expires_ms, out, err):
 * A new single-use token valid for ${expires_ms} from now (0: the default; at
 * most 30 days); older ones of the user stay valid until they expire or a
 * password is set.  Only its hash is kept.  LN_INVALID, LN_NOT_FOUND.
 */
LN_API enum ln_status ln_auth_reset_issue(struct ln_store *st,
    const char *user_id, int64_t expires_ms, char out[LN_RESET_TOKEN_SIZE],
    struct ln_error *err) LN_USE;

/**
 * ln_auth_reset_peek(st, token, err):
 * Whether the token would work now; consumes nothing.  LN_INVALID ("Invalid or
 * expired reset token").
 */
LN_API enum ln_status ln_auth_reset_peek(struct ln_store *st,
    const char *token, struct ln_error *err) LN_USE;

/**
 * ln_auth_reset_use(st, token, pw, err):
 * Slow.  Consume the token (one conditional update), set the password, end all
 * sign-in sessions.  Neither signs in nor unblocks.  LN_INVALID with the same
 * sentence, or for the password.
 */
LN_API enum ln_status ln_auth_reset_use(struct ln_store *st,
    const char *token, const char *pw, struct ln_error *err) LN_USE;

#endif
