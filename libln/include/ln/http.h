#ifndef LN_HTTP_H
#define LN_HTTP_H

#include <ln/base.h>
#include <ln/error.h>

/*
 * Outbound HTTP through libcurl, which is loaded on first use: a program that
 * never talks to a network does not pay for it.
 */

/**
 * struct ln_http_answer:
 * What an answer's head says.  ${type} is its Content-Type, ${redirect} the
 * whole address that it points to instead; "" when it has none, or a longer
 * one.
 */
#define LN_HTTP_URL_SIZE 2048
struct ln_http_answer {
	char type[160];
	char redirect[LN_HTTP_URL_SIZE];
};

/**
 * struct ln_http_request:
 * All borrowed for the length of the transfer.  ${headers} is a NULL-ended
 * list of "Name: value".  Zero numbers mean the defaults below.  ${stall_ms}
 * is the longest time without a byte; ${first_byte_ms}, when it is not 0, goes
 * instead of it until the first byte of the answer's body is there.
 */
struct ln_http_request {
	size_t size;
	const char *method;		/* NULL: GET, or POST with a body */
	const char *url;		/* http or https, no user info */
	const char *const *headers;
	const void *body;
	size_t body_len;
	int64_t connect_ms;
	int64_t stall_ms;
	int64_t first_byte_ms;
	int64_t total_ms;		/* 0: no bound (streams) */
	size_t response_max;		/* bytes of body; 0: the default */
	bool may_be_local;		/* an admin allowed this endpoint */
	struct ln_http_answer *answer;	/* filled by ln_http_perform; or NULL */
};

#define LN_HTTP_CONNECT_MS 10000
#define LN_HTTP_STALL_MS 60000
#define LN_HTTP_RESPONSE_MAX ((size_t)64 * 1024 * 1024)

/**
 * ln_http_load(err):
 * Load libcurl now (a sandboxed process must, before it seals itself).
 * Idempotent; not thread-safe against its first call.  LN_UNSUPPORTED when the
 * library is not installed.
 */
LN_API enum ln_status ln_http_load(struct ln_error *err) LN_USE;

/**
 * ln_http_data_fn:
 * Gets the body as it comes; return false to stop the transfer.
 */
typedef bool ln_http_data_fn(void *arg, int http_status, const char *p,
    size_t n);

/**
 * ln_http_perform(req, on_data, on_tick, arg, out_http_status, err):
 * Blocking.  ${on_tick} (may be NULL) is called at least every 100 ms; return
 * false to stop.  LN_OK once a response came whole, whatever its HTTP status
 * (of a 429, 503 or 529 ${err}->retry_after_s is set if the server said so);
 * LN_CANCELLED when stopped; LN_TIMEOUT for a stall or the total bound;
 * LN_UPSTREAM for a connection, TLS or protocol failure (what happened is in
 * the sentence: refused, name not found, TLS failed, cut); LN_TOO_LARGE;
 * LN_FORBIDDEN for an address the guard refuses; LN_INVALID for the URL.
 */
LN_API enum ln_status ln_http_perform(const struct ln_http_request *req,
    ln_http_data_fn *on_data, bool (*on_tick)(void *arg), void *arg,
    int *out_http_status, struct ln_error *err) LN_USE;

/**
 * ln_url_check(url, allowed, out_may_be_local, err):
 * Whether ${url} is an http(s) URL without user info that is public or matches
 * one of the comma-separated ${allowed} endpoints (scheme://host[:port], ":*"
 * for any port; NULL: none).  ${out_may_be_local} says that it matched.  This
 * looks at the text only; addresses are checked where the socket is opened.
 * LN_INVALID.
 */
LN_API enum ln_status ln_url_check(const char *url, const char *allowed,
    bool *out_may_be_local, struct ln_error *err) LN_USE;

#endif
