#include "ostream.h"

#include <stdio.h>
#include <stdlib.h>

#include "reply.h"

struct ostream {
	struct connection *c;	/* NULL once the client is gone */
	struct rq *q;		/* NULL once the request is gone */
	struct kore_buf *pending;	/* not yet handed to Kore */
	size_t inflight;	/* bytes in Kore's queue, one netbuf */
	unsigned refs;		/* the request, the netbuf */
	bool is_chunked;
	bool wants_close;
	bool is_ended;
	bool is_in_callback;
	void (*on_gone)(void *);
	void *arg;
};

static int on_sent(struct netbuf *);

static void
unref(struct ostream *st)
{
	if (--st->refs > 0)
		return;
	if (st->pending != NULL)
		kore_buf_free(st->pending);
	free(st);
}

static void
gone(struct ostream *st)
{
	void (*fn)(void *) = st->on_gone;

	st->c = NULL;
	st->on_gone = NULL;
	if (fn != NULL)
		fn(st->arg);
}

/* Give all that is pending to Kore as one buffer, without copying. */
static void
push(struct ostream *st)
{
	struct netbuf *nb;
	u_int8_t *data;
	size_t len;

	if (st->c == NULL || st->pending == NULL || st->inflight > 0)
		return;
	data = kore_buf_release(st->pending, &len);
	st->pending = NULL;
	st->inflight = len;
	st->refs++;
	net_send_stream(st->c, data, len, on_sent, &nb);
	nb->extra = st;
}

static void
flush(struct ostream *st)
{
	/* Inside on_sent() the buffer is still queued: flushing frees it. */
	if (st->c != NULL && !st->is_in_callback && !net_send_flush(st->c))
		kore_connection_disconnect(st->c);
}

/* The last byte was taken, or the connection died: then c is NULL. */
static int
on_sent(struct netbuf *nb)
{
	struct ostream *st = nb->extra;

	kore_free(nb->buf);
	nb->buf = NULL;
	st->inflight = 0;
	st->is_in_callback = true;
	if (st->c != NULL && st->pending != NULL)
		push(st);
	else if (st->c != NULL && st->is_ended && st->q != NULL)
		http_request_wakeup(st->q->req);
	st->is_in_callback = false;
	unref(st);
	return KORE_RESULT_OK;
}

/* Kore's hook: runs at once, before the request is freed. */
static void
on_disconnect(struct connection *c)
{
	const struct http_request *req;
	const struct rq *q;

	TAILQ_FOREACH(req, &c->http_requests, olist) {
		q = req->hdlr_extra;
		if (q != NULL && q->stream != NULL && q->stream->c == c)
			gone(q->stream);
	}
}

struct ostream *
ostream_start(struct rq *q, const char *type, void (*on_gone)(void *),
    void *arg)
{
	struct connection *c = q->req->owner;
	struct ostream *st;

	if ((st = calloc(1, sizeof(*st))) == NULL)
		return NULL;
	st->c = c;
	st->q = q;
	st->refs = 1;
	st->is_chunked = (q->req->flags & HTTP_VERSION_1_1) != 0;
	st->on_gone = on_gone;
	st->arg = arg;
	q->stream = st;
	q->is_sent = true;

	c->disconnect = on_disconnect;
	c->flags |= CONN_IS_BUSY;	/* no next request meanwhile */
	c->http_timeout = 0;
	q->req->flags |= HTTP_REQUEST_NO_CONTENT_LENGTH;
	reply_headers(q, false, false);
	http_response_header(q->req, "content-type", type);
	if (st->is_chunked)
		http_response_header(q->req, "transfer-encoding", "chunked");
	http_response(q->req, 200, NULL, 0);
	/* "Connection: close" would hang up on the first empty queue. */
	st->wants_close = (c->flags & CONN_CLOSE_EMPTY) != 0 ||
	    !st->is_chunked;
	c->flags &= (u_int16_t)~CONN_CLOSE_EMPTY;
	flush(st);
	return st;
}

bool
ostream_write(struct ostream *st, const void *p, size_t n)
{
	size_t waiting;

	if (st->c == NULL || st->is_ended)
		return false;
	if (n == 0)
		return true;
	waiting = st->inflight +
	    (st->pending != NULL ? st->pending->offset : 0);
	if (waiting + n > OSTREAM_QUEUE_MAX) {
		kore_connection_disconnect(st->c);
		return false;
	}
	if (st->pending == NULL)
		st->pending = kore_buf_alloc(n + 32);
	if (st->is_chunked)
		kore_buf_appendf(st->pending, "%zx\r\n", n);
	kore_buf_append(st->pending, p, n);
	if (st->is_chunked)
		kore_buf_append(st->pending, "\r\n", 2);
	push(st);
	flush(st);
	return st->c != NULL;
}

void
ostream_end(struct ostream *st)
{
	if (st->is_ended)
		return;
	st->is_ended = true;
	st->on_gone = NULL;
	if (st->c != NULL && st->is_chunked) {
		if (st->pending == NULL)
			st->pending = kore_buf_alloc(16);
		kore_buf_append(st->pending, "0\r\n\r\n", 5);
		push(st);
	}
	flush(st);
	if (st->c != NULL && st->q != NULL && st->inflight == 0 &&
	    st->pending == NULL)
		http_request_wakeup(st->q->req);
}

static int
resume(struct rq *q)
{
	struct ostream *st = q->stream;
	struct connection *c = st->c;

	if (c == NULL)
		return KORE_RESULT_OK;
	if (!st->is_ended || st->inflight > 0 || st->pending != NULL)
		return rq_sleep(q, resume);
	c->disconnect = NULL;
	c->flags &= (u_int16_t)~CONN_IS_BUSY;
	if (st->wants_close)
		c->flags |= CONN_CLOSE_EMPTY;
	else
		http_start_recv(c);
	return KORE_RESULT_OK;
}

int
ostream_sleep(struct rq *q)
{
	return resume(q);
}

void
ostream_abandon(struct rq *q)
{
	struct ostream *st;

	if ((st = q->stream) == NULL)
		return;
	q->stream = NULL;
	if (st->c != NULL)
		gone(st);
	st->q = NULL;
	unref(st);
}
