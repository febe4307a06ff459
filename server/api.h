#ifndef API_H
#define API_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/json.h>
#include <ln/session.h>
#include <ln/user.h>

#include "ratelimit_shm.h"
#include "server.h"

/* One HTTP request of ours, from the first byte to the log line. */

#define RQ_ID_SIZE 13
#define RQ_ADDR_SIZE 46
#define RQ_PARAMS 3
#define RQ_PARAM_SIZE 272	/* a tag or an id, 64 code points, and some */

enum guard_level {
	G_ANYONE,
	G_USER,
	G_ADMIN,
	G_PAGE,		/* a page for anyone */
	G_PAGE_USER,	/* anonymous: 302 /login */
	G_PAGE_ADMIN,	/* besides, not admin: 302 / */
};

enum route_flag {
	R_JSON = 1,		/* wants a JSON object */
	R_JSON_OPTIONAL = 2,	/* the same, or no body at all */
	R_RAW = 4,		/* any body; the handler looks at the type */
	R_AUTH = 8,		/* /api/auth/: no X-Requested-With, but JSON */
	R_BLOCKED_OK = 16,	/* a blocked user may still do it */
	R_WEBSOCKET = 32,	/* a GET whose Origin matters */
};

struct rq;
struct job;
struct ostream;
struct upstream;

/**
 * struct route:
 * ${path} is compared by segment; "*" takes one segment, percent-decoded, into
 * rq->param.
 */
struct route {
	int method;		/* HTTP_METHOD_* */
	const char *path;
	enum guard_level guard;
	unsigned flags;
	size_t body_max;
	enum limit limit;
	int (*handler)(struct rq *);	/* returns KORE_RESULT_* */
};

struct rq {
	struct http_request *req;
	const struct route *route;
	char id[RQ_ID_SIZE];
	char addr[RQ_ADDR_SIZE];	/* the client, proxies looked through */
	char prefix[RQ_ADDR_SIZE + 4];	/* what may be kept of it */
	char param[RQ_PARAMS][RQ_PARAM_SIZE];
	int64_t start_ms;		/* monotonic */
	struct ln_user *user;		/* NULL: anonymous */
	bool has_session;
	unsigned char session[LN_KEY_BYTES];
	struct ln_json *body;		/* NULL: none was sent */
	bool is_admitted;		/* the guard ran before the body came */
	bool is_sent;
	struct job *job;
	struct ostream *stream;
	struct upstream *upstream;
	struct kore_timer *timer;
	int64_t floor_ms;		/* reply not before this (monotonic) */
	int (*resume)(struct rq *);	/* next step after a sleep */
};

/**
 * api_body_allow(req):
 * Kore's question before it reads a body.  Small ones pass; for a large one
 * the whole guard runs now.  False after a refusal was written.
 */
int api_body_allow(struct http_request *req);

/**
 * rq_sleep(q, resume):
 * Suspend until somebody wakes the request (http_request_wakeup), then go on
 * in ${resume}.  Returns what the handler has to return.
 */
int rq_sleep(struct rq *q, int (*resume)(struct rq *));

/**
 * rq_wait(q):
 * Whether q->floor_ms is still ahead.  If so a timer wakes the request then
 * and the caller returns rq_sleep().
 */
bool rq_wait(struct rq *q);

/**
 * rq_query(q, name, out, outsize):
 * The percent-decoded value of a query parameter; false when it is missing,
 * malformed or too long.
 */
bool rq_query(const struct rq *q, const char *name, char *out,
    size_t outsize);

/**
 * rq_header(q, name):
 * The value of a request header, or NULL.  Borrowed.
 */
const char *rq_header(const struct rq *q, const char *name);

#endif
