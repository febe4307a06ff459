#ifndef GUARD_H
#define GUARD_H

#include <ln/error.h>

#include "api.h"

/* Who may do what, in the one order of the security contract. */

#define GUARD_COOKIE_TLS "__Host-ln_session"
#define GUARD_COOKIE_PLAIN "ln_session"
#define GUARD_BLOCKED_TEXT \
	"Your account has been blocked. Contact an administrator."
#define GUARD_ADMIN_TEXT "Administrator access required"

/**
 * guard_configure(err):
 * Read the allowed hosts and trusted proxies.  Parent.  LN_INVALID.
 */
enum ln_status guard_configure(struct ln_error *err);

/**
 * guard_address(q):
 * Fill q->addr and q->prefix.
 */
void guard_address(struct rq *q);

/**
 * guard_enter(q) / guard_route(q):
 * Framing, Host, session lookup and rate limit / then session, CSRF, blocked
 * and role of q->route.  False when a refusal was written.
 */
bool guard_enter(struct rq *q, enum limit limit);
bool guard_route(struct rq *q);

/**
 * guard_session(q):
 * Look the session up (again): q->user is the account as it is now, or NULL.
 */
void guard_session(struct rq *q);

/**
 * guard_actor(q):
 * Say in the audit rows of worker_store who, from where and by which request.
 * guard_session does it; what slept meanwhile has to have it done again.
 */
void guard_actor(const struct rq *q);

/**
 * guard_again(st, session, is_admin, err):
 * Inside the transaction of an act: whether the session still lives and its
 * user is not blocked and, if asked for, an administrator.  The guard's look
 * was another moment.  LN_UNAUTHENTICATED, LN_FORBIDDEN.
 */
enum ln_status guard_again(struct ln_store *st,
    const unsigned char session[LN_KEY_BYTES], bool is_admin,
    struct ln_error *err);

/**
 * guard_origin(q):
 * Whether Origin and Sec-Fetch-Site, when present, say that the request comes
 * from a page of ours.
 */
bool guard_origin(const struct rq *q);

#endif
