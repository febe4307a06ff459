#ifndef REPLY_H
#define REPLY_H

#include <ln/error.h>
#include <ln/json.h>

#include "api.h"

/*
 * Everything that leaves the server as an HTTP response is made here.  All
 * functions return KORE_RESULT_OK, so that a handler ends in "return
 * reply_...()".
 */

/**
 * reply_json(q, status, w):
 * The document in ${w}, which is freed.  NULL or a failed writer: 500.
 */
int reply_json(struct rq *q, int status, struct ln_jw *w);

/**
 * reply_error(q, status, text) / reply_field(q, status, field, text):
 * {"error": text}, a literal that is safe for anybody; the second names the
 * offending input.
 */
int reply_error(struct rq *q, int status, const char *text);
int reply_field(struct rq *q, int status, const char *field,
    const char *text);

/**
 * reply_fail(q, s, err):
 * What ${s} means in HTTP, with the sentence of ${err}; the detail is logged
 * under the request id.
 */
int reply_fail(struct rq *q, enum ln_status s, const struct ln_error *err);

/**
 * reply_success(q):
 * {"status": "success"}.
 */
int reply_success(struct rq *q);

/**
 * reply_redirect(q, where):
 * 302 to a path of ours.
 */
int reply_redirect(struct rq *q, const char *where);

/**
 * reply_bytes(q, status, type, p, n):
 * A body of ours (copied) with a fixed type.  Headers that the caller wants
 * besides are set before with http_response_header.
 */
int reply_bytes(struct rq *q, int status, const char *type, const void *p,
    size_t n);

/**
 * reply_page(q, status, type, p, n, is_gzip):
 * The same for an HTML page: with the page's content security policy.
 */
int reply_page(struct rq *q, int status, const char *type, const void *p,
    size_t n, bool is_gzip);

/**
 * reply_picture(q, type, p, n, is_lasting):
 * A picture of somebody's, for his browser alone: to be kept for good when its
 * address means these bytes, else to be asked for each time.
 */
int reply_picture(struct rq *q, const char *type, const void *p, size_t n,
    bool is_lasting);

/**
 * reply_attachment(q, type, name, p, n):
 * A download.  ${name} is made safe for a header.
 */
int reply_attachment(struct rq *q, const char *type, const char *name,
    const void *p, size_t n);
void reply_disposition(struct rq *q, const char *name);

/**
 * reply_cookie(q, value, max_age_s):
 * Set the session cookie of the reply to come; "" and 0 remove it.
 */
void reply_cookie(struct rq *q, const char *value, int64_t max_age_s);

/**
 * reply_headers(q, is_page, is_cacheable):
 * The security headers alone, for replies that write their body themselves.
 */
void reply_headers(struct rq *q, bool is_page, bool is_cacheable);

/**
 * reply_static_headers():
 * The same as one string, for errors that Kore makes before there is a
 * request.  Static.
 */
const char *reply_static_headers(void);

/**
 * reply_status(s):
 * The HTTP status of an outcome.
 */
int reply_status(enum ln_status s);

/**
 * reply_log(id, s, err) / server_log_detail(what, err):
 * Write the detail of a failure to the log: for a request / at start.
 */
void reply_log(const char *id, enum ln_status s, const struct ln_error *err);
void server_log_detail(const char *what, const struct ln_error *err);

#endif
