#ifndef LN_SESSION_H
#define LN_SESSION_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>
#include <ln/user.h>

/* Sign-in sessions (a chat is a conversation, see ln/conversation.h). */

#define LN_SESSION_MS INT64_C(259200000) /* security contract: 72 h, absolute */
#define LN_SESSION_PER_USER 20		 /* security contract */
#define LN_SESSION_COOKIE_SIZE 91	 /* "v1." id "." mac and a NUL */

struct ln_session {
	unsigned char hash[LN_KEY_BYTES];	/* keyed hash of the id */
	char *user_id;
	char *address;		/* where it was made, may be NULL */
	char *agent;		/* user agent, may be NULL */
	int64_t created_ms;
	int64_t expires_ms;
};

struct ln_session_list {
	struct ln_session **items;
	size_t count;
};

/**
 * ln_session_create(st, user_id, address, agent, out_cookie, err):
 * Start a session: "v1.<id>.<mac>", the id only there and never stored.  The
 * oldest ones beyond LN_SESSION_PER_USER go, and everybody's expired ones.
 * ${address} (64 bytes of it) and ${agent} (256) may be NULL and hold
 * anything.  LN_NOT_FOUND: no such user.  LN_BAD_KEY without keys.
 */
LN_API enum ln_status ln_session_create(struct ln_store *st,
    const char *user_id, const char *address, const char *agent,
    char out_cookie[LN_SESSION_COOKIE_SIZE], struct ln_error *err) LN_USE;

/**
 * ln_session_verify(keys, cookie, out_hash):
 * Check form and MAC in constant time, without the database.  False when it is
 * not one of ours.
 */
LN_API bool ln_session_verify(const struct ln_keys *keys, const char *cookie,
    unsigned char out_hash[LN_KEY_BYTES]);

/**
 * ln_session_user(st, cookie, out_hash, out_user, err):
 * The user of a live session (blocked ones too: look at is_blocked).  One
 * indexed read.  LN_UNAUTHENTICATED if forged, unknown, ended or expired (not
 * told apart).
 */
LN_API enum ln_status ln_session_user(struct ln_store *st, const char *cookie,
    unsigned char out_hash[LN_KEY_BYTES], struct ln_user **out_user,
    struct ln_error *err) LN_USE;

/**
 * ln_session_user_by_hash(st, hash, out_user, err):
 * The same for a hash that was verified before (a WebSocket's next frame).
 */
LN_API enum ln_status ln_session_user_by_hash(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], struct ln_user **out_user,
    struct ln_error *err) LN_USE;

/**
 * ln_session_end(st, hash, err) / ln_session_end_user(st, user_id, keep,
 * out_count, err) / ln_session_end_all(st, out_count, err):
 * Logout / end a user's sessions except ${keep} (a hash, or NULL) / everyone's.
 * Ending what is not there is LN_OK.  ${out_count} may be NULL.
 */
LN_API enum ln_status ln_session_end(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], struct ln_error *err) LN_USE;
LN_API enum ln_status ln_session_end_user(struct ln_store *st,
    const char *user_id, const unsigned char *keep, int64_t *out_count,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_session_end_all(struct ln_store *st,
    int64_t *out_count, struct ln_error *err) LN_USE;

/**
 * ln_session_list(st, user_id, out, err):
 * The live ones, newest first.
 */
LN_API enum ln_status ln_session_list(struct ln_store *st,
    const char *user_id, struct ln_session_list *out, struct ln_error *err)
    LN_USE;
LN_API void ln_session_list_free(struct ln_session_list *l);

#endif
