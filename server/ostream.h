#ifndef OSTREAM_H
#define OSTREAM_H

#include "api.h"

/*
 * A response that grows: chunked, with a bound on what waits for a slow
 * reader, and told at once when the client goes.  One a request.
 */

#define OSTREAM_QUEUE_MAX ((size_t)1024 * 1024)

/**
 * ostream_start(q, type, on_gone, arg):
 * Send the head and keep the request alive.  ${on_gone} is called once, when
 * the client went or was too slow; not after ostream_end().  NULL without
 * memory.  The handler returns ostream_sleep(q) afterwards.
 */
struct ostream *ostream_start(struct rq *q, const char *type,
    void (*on_gone)(void *arg), void *arg);

/**
 * ostream_write(st, p, n):
 * Queue a piece.  False when the client is gone or cannot keep up (then
 * ${on_gone} was called and ${st} must not be used again).
 */
bool ostream_write(struct ostream *st, const void *p, size_t n);

/**
 * ostream_end(st):
 * No more: finish when everything was sent.
 */
void ostream_end(struct ostream *st);

/**
 * ostream_sleep(q):
 * What the handler returns while the stream lives.
 */
int ostream_sleep(struct rq *q);

/**
 * ostream_abandon(q):
 * The request is being freed.
 */
void ostream_abandon(struct rq *q);

#endif
