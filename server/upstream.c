#include "upstream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <ln/multi.h>

#include "reply.h"
#include "transport.h"
#include "worker.h"

#define UPSTREAM_MAX 64		/* at once of a worker: each holds a prompt */
#define UPSTREAM_PERSON_MAX 4	/* of one person */

struct upstream {
	struct rq *q;
	const struct upstream_ops *ops;
	void *arg;
	struct ln_transfer *transfer;	/* NULL: it has ended, with: */
	enum ln_status status;
	int http_status;
	struct ln_error err;
	TAILQ_ENTRY(upstream) entry;
};

static TAILQ_HEAD(, upstream) upstreams = TAILQ_HEAD_INITIALIZER(upstreams);
static size_t count;

static void
release(struct upstream *u)
{
	TAILQ_REMOVE(&upstreams, u, entry);
	count--;
	u->ops->free(u->arg);
	free(u);
}

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct upstream *u = arg;

	/* What it does with them may end us, see upstream_stop. */
	return u->ops->data(u->arg, http_status, p, n) && u->transfer != NULL;
}

static void
on_done(void *arg, enum ln_status s, int http_status,
    const struct ln_error *err)
{
	struct upstream *u = arg;

	u->transfer = NULL;
	u->status = s;
	u->http_status = http_status;
	if (err != NULL)
		u->err = *err;
	http_request_wakeup(u->q->req);
}

static const struct ln_transfer_ops transfer_ops = { on_data, on_done };

/* Kore's hook: runs at once, long before a sleeping request is freed. */
static void
on_disconnect(struct connection *c)
{
	const struct http_request *req;
	struct rq *q;

	TAILQ_FOREACH(req, &c->http_requests, olist) {
		if ((q = req->hdlr_extra) != NULL)
			upstream_stop(q);
	}
}

void
upstream_stop(struct rq *q)
{
	struct upstream *u = q->upstream;

	if (u == NULL || u->transfer == NULL)
		return;
	ln_transfer_cancel(u->transfer);
	u->transfer = NULL;
	u->status = LN_CANCELLED;
}

static int
resume(struct rq *q)
{
	struct upstream *u = q->upstream;
	int rc;

	if (u->transfer != NULL)
		return rq_sleep(q, resume);
	if (q->stream == NULL)	/* else the hook is the stream's */
		q->req->owner->disconnect = NULL;
	q->upstream = NULL;
	rc = u->ops->done(q, u->arg, u->status, u->http_status, &u->err);
	release(u);
	return rc;
}

static size_t
count_of(const struct rq *q)
{
	const struct upstream *u;
	size_t n = 0;

	TAILQ_FOREACH(u, &upstreams, entry)
		n += strcmp(u->q->user->id, q->user->id) == 0;
	return n;
}

/* Whether one more may begin. */
static enum ln_status
judge(const struct rq *q, struct ln_error *err)
{
	if (count >= UPSTREAM_MAX || worker_draining())
		return ln_fail(err, LN_BUSY,
		    "The server is busy. Try again in a few seconds",
		    "%zu exchanges", count);
	if (count_of(q) >= UPSTREAM_PERSON_MAX)
		return ln_fail(err, LN_RATE_LIMITED,
		    "Too many of your requests wait for the model provider. "
		    "Try again when one of them is done", "%d exchanges",
		    UPSTREAM_PERSON_MAX);
	return LN_OK;
}

int
upstream_start(struct rq *q, const struct ln_http_request *req,
    const struct upstream_ops *ops, void *arg)
{
	struct ln_error err = LN_ERROR_INIT;
	struct upstream *u = NULL;
	enum ln_status s;

	if ((s = judge(q, &err)) == LN_OK &&
	    (u = calloc(1, sizeof(*u))) == NULL)
		s = LN_NOMEM;
	if (s == LN_OK)
		s = transport_add(req, &transfer_ops, u, &u->transfer, &err);
	if (s != LN_OK) {
		free(u);
		ops->free(arg);
		return reply_fail(q, s, &err);
	}
	u->q = q;
	u->ops = ops;
	u->arg = arg;
	u->err = (struct ln_error)LN_ERROR_INIT;
	TAILQ_INSERT_TAIL(&upstreams, u, entry);
	count++;
	q->upstream = u;
	q->req->owner->disconnect = on_disconnect;
	return rq_sleep(q, resume);
}

void
upstream_abandon(struct rq *q)
{
	struct upstream *u = q->upstream;

	if (u == NULL)
		return;
	q->upstream = NULL;
	ln_transfer_cancel(u->transfer);
	release(u);
}

int
upstream_fail(struct rq *q, enum ln_status s, const struct ln_error *err)
{
	struct ln_error ours = LN_ERROR_INIT;

	/* What the provider refuses to us is no refusal of ours. */
	if (s == LN_UNAUTHENTICATED || s == LN_FORBIDDEN ||
	    s == LN_NOT_FOUND || s == LN_CONFLICT || s == LN_INVALID ||
	    s == LN_UNSUPPORTED || s == LN_CANCELLED)
		s = LN_UPSTREAM;
	if (err != NULL)
		ours = *err;
	ours.status = s;
	return reply_fail(q, s, &ours);
}

void
upstreams_close(void)
{
	struct upstream *u;

	TAILQ_FOREACH(u, &upstreams, entry) {
		ln_transfer_cancel(u->transfer);
		u->transfer = NULL;
		u->status = LN_CANCELLED;
	}
}
