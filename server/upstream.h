#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <ln/http.h>

#include "api.h"

/*
 * One exchange with a provider for one request, which sleeps meanwhile.  The
 * bytes move on the event loop; when the client goes, the connection is closed.
 */

/**
 * struct upstream_ops:
 * ${data} gets the answer as it comes (false: no more is wanted) and may begin
 * a stream to the client (ostream.h), which ${done} then ends; ${done}
 * continues the request, ${free} releases ${arg}, always last, and also
 * without ${done} when the client has gone.
 */
struct upstream_ops {
	bool (*data)(void *arg, int http_status, const char *p, size_t n);
	int (*done)(struct rq *q, void *arg, enum ln_status s,
	    int http_status, const struct ln_error *err);
	void (*free)(void *arg);
};

/**
 * upstream_start(q, req, ops, arg):
 * Send ${req} (copied) and suspend the request of a signed-in user, of whom only
 * a few may wait at once.  ${arg} is taken in any case.
 * Returns what the handler has to return.
 */
int upstream_start(struct rq *q, const struct ln_http_request *req,
    const struct upstream_ops *ops, void *arg);

/**
 * upstream_stop(q):
 * The client of a stream has gone: close the connection to the provider.
 */
void upstream_stop(struct rq *q);

/**
 * upstream_abandon(q):
 * The request goes.
 */
void upstream_abandon(struct rq *q);

/**
 * upstream_fail(q, s, err):
 * reply_fail for what the provider said: a key that it refuses is no 401.
 */
int upstream_fail(struct rq *q, enum ln_status s, const struct ln_error *err);

/**
 * upstreams_close():
 * The transport goes: end all.
 */
void upstreams_close(void);

#endif
