#ifndef LN_MULTI_H
#define LN_MULTI_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/http.h>

/*
 * Many transfers on somebody else's event loop.  All sockets live in a private
 * epoll set: the loop watches one descriptor and keeps one timer.  One thread.
 */

struct ln_multi;
struct ln_transfer;

/**
 * struct ln_multi_loop:
 * What the loop offers.  ${set_timer} asks for one call of ln_multi_timeout
 * after ${ms} (replacing the previous wish; -1: none).
 */
struct ln_multi_loop {
	void *arg;
	void (*set_timer)(void *arg, long ms);
};

/**
 * struct ln_transfer_ops:
 * ${on_data} gets body bytes; return false to stop.  ${on_done} comes exactly
 * once, also after a stop, but not after ln_transfer_cancel; the transfer is
 * gone when it returns.  Outcomes as ln_http_perform.
 */
struct ln_transfer_ops {
	bool (*on_data)(void *arg, int http_status, const char *p, size_t n);
	void (*on_done)(void *arg, enum ln_status s, int http_status,
	    const struct ln_error *err);
};

LN_API enum ln_status ln_multi_new(const struct ln_multi_loop *loop,
    struct ln_multi **out, struct ln_error *err) LN_USE;
/* Cancels what still runs. */
LN_API void ln_multi_free(struct ln_multi *m);

/**
 * ln_multi_fd(m):
 * Watch it for reading, level-triggered, and then call ln_multi_ready(m).
 */
LN_API int ln_multi_fd(const struct ln_multi *m);
LN_API void ln_multi_ready(struct ln_multi *m);
LN_API void ln_multi_timeout(struct ln_multi *m);

/**
 * ln_multi_add(m, req, ops, arg, out, err):
 * Start a transfer.  ${req} and what it points to are copied.  Callbacks come
 * only from ln_multi_ready and ln_multi_timeout.
 */
LN_API enum ln_status ln_multi_add(struct ln_multi *m,
    const struct ln_http_request *req, const struct ln_transfer_ops *ops,
    void *arg, struct ln_transfer **out, struct ln_error *err) LN_USE;

/**
 * ln_transfer_cancel(t):
 * Close the connection at once.  Allowed inside ${on_data} of ${t}, which then
 * must return false.  NULL does nothing.
 */
LN_API void ln_transfer_cancel(struct ln_transfer *t);

#endif
