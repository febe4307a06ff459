#include "reply.h"

#include <stdio.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/log.h>
#include <ln/secret.h>

#include "guard.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define REPLY_MAX ((size_t)256 * 1024 * 1024)

#define CSP_PAGE \
	"default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " \
	"media-src 'self' blob:; manifest-src 'self'; form-action 'self'; " \
	"base-uri 'none'; frame-ancestors 'none'; " \
	"require-trusted-types-for 'script'"
#define CSP_API "default-src 'none'; sandbox; frame-ancestors 'none'"
#define PERMISSIONS \
	"accelerometer=(), camera=(), display-capture=(), geolocation=(), " \
	"gyroscope=(), magnetometer=(), microphone=(self), midi=(), " \
	"payment=(), usb=()"
#define HSTS "max-age=31536000"

static const struct {
	const char *name, *value;
} everywhere[] = {
	{ "x-content-type-options", "nosniff" },
	{ "referrer-policy", "no-referrer" },
	{ "cross-origin-opener-policy", "same-origin" },
	{ "cross-origin-resource-policy", "same-origin" },
	{ "permissions-policy", PERMISSIONS },
};

static void
put_headers(struct rq *q, const char *csp, const char *cache)
{
	size_t i;

	for (i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
		http_response_header(q->req, everywhere[i].name,
		    everywhere[i].value);
	http_response_header(q->req, "content-security-policy", csp);
	http_response_header(q->req, "cache-control", cache);
	if (server.is_tls)
		http_response_header(q->req, "strict-transport-security",
		    HSTS);
	http_response_header(q->req, "x-request-id", q->id);
}

void
reply_headers(struct rq *q, bool is_page, bool is_cacheable)
{
	put_headers(q, is_page ? CSP_PAGE : CSP_API, is_cacheable ?
	    "public, max-age=31536000, immutable" : "no-store");
}

const char *
reply_static_headers(void)
{
	static char text[1024];
	size_t i, n;

	n = 0;
	for (i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: %s\r\n",
		    everywhere[i].name, everywhere[i].value);
	(void)snprintf(text + n, sizeof(text) - n,
	    "content-security-policy: " CSP_API "\r\n"
	    "cache-control: no-store\r\ncontent-type: " JSON_TYPE "\r\n%s",
	    server.is_tls ? "strict-transport-security: " HSTS "\r\n" : "");
	return text;
}

static int
send_body(struct rq *q, int status, const char *type, const void *p, size_t n)
{
	http_response_header(q->req, "content-type", type);
	q->is_sent = true;
	/* A non-NULL body always: Kore would write one of its own. */
	http_response(q->req, status, n > 0 ? p : "", n);
	return KORE_RESULT_OK;
}

int
reply_bytes(struct rq *q, int status, const char *type, const void *p,
    size_t n)
{
	reply_headers(q, false, false);
	return send_body(q, status, type, p, n);
}

int
reply_page(struct rq *q, int status, const char *type, const void *p,
    size_t n, bool is_gzip)
{
	reply_headers(q, true, false);
	http_response_header(q->req, "vary", "accept-encoding");
	if (is_gzip)
		http_response_header(q->req, "content-encoding", "gzip");
	return send_body(q, status, type, p, n);
}

int
reply_picture(struct rq *q, const char *type, const void *p, size_t n,
    bool is_lasting)
{
	put_headers(q, CSP_API, is_lasting ?
	    "private, max-age=31536000, immutable" : "private, no-cache");
	return send_body(q, 200, type, p, n);
}

void
reply_disposition(struct rq *q, const char *name)
{
	char value[160];
	size_t i, n;

	n = (size_t)snprintf(value, sizeof(value), "attachment; filename=\"");
	for (i = 0; i < 100 && name[i] != '\0'; i++)
		value[n++] = strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", name[i]) !=
		    NULL ? name[i] : '_';
	(void)snprintf(value + n, sizeof(value) - n, "\"");
	http_response_header(q->req, "content-disposition", value);
}

int
reply_attachment(struct rq *q, const char *type, const char *name,
    const void *p, size_t n)
{
	reply_disposition(q, name);
	return reply_bytes(q, 200, type, p, n);
}

void
reply_cookie(struct rq *q, const char *value, int64_t max_age_s)
{
	char header[256];

	(void)snprintf(header, sizeof(header),
	    "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s",
	    server.is_tls ? GUARD_COOKIE_TLS : GUARD_COOKIE_PLAIN, value,
	    (long long)max_age_s, server.is_tls ? "; Secure" : "");
	http_response_header(q->req, "set-cookie", header);
	ln_wipe(header, sizeof(header));
}

/* When even the writer of errors has no memory. */
static int
reply_last_resort(struct rq *q)
{
	static const char body[] =
	    "{\"error\":\"An internal error occurred\"}";

	return reply_bytes(q, 500, JSON_TYPE, body, sizeof(body) - 1);
}

int
reply_json(struct rq *q, int status, struct ln_jw *w)
{
	struct ln_buf b = LN_BUF_INIT(REPLY_MAX);
	int rc;

	if (w == NULL || ln_jw_print(w, false, &b) != LN_OK)
		rc = reply_last_resort(q);
	else
		rc = reply_bytes(q, status, JSON_TYPE, ln_buf_str(&b), b.len);
	ln_buf_free(&b);
	ln_jw_free(w);
	return rc;
}

int
reply_field(struct rq *q, int status, const char *field, const char *text)
{
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "error", text);
		if (field != NULL)
			ln_jw_string(w, "field", field);
	}
	return reply_json(q, status, w);
}

int
reply_error(struct rq *q, int status, const char *text)
{
	return reply_field(q, status, NULL, text);
}

int
reply_success(struct rq *q)
{
	static const char body[] = "{\"status\":\"success\"}";

	return reply_bytes(q, 200, JSON_TYPE, body, sizeof(body) - 1);
}

int
reply_redirect(struct rq *q, const char *where)
{
	http_response_header(q->req, "location", where);
	return reply_bytes(q, 302, "text/plain; charset=utf-8", "", 0);
}

int
reply_status(enum ln_status s)
{
	switch (s) {
	case LN_OK:
		return 200;
	case LN_INVALID:
		return 400;
	case LN_UNAUTHENTICATED:
		return 401;
	case LN_FORBIDDEN:
		return 403;
	case LN_NOT_FOUND:
		return 404;
	case LN_CONFLICT:
		return 409;
	case LN_TOO_LARGE:
		return 413;
	case LN_RATE_LIMITED:
		return 429;
	case LN_BUSY:
	case LN_BAD_KEY:
		return 503;
	case LN_UPSTREAM:
		return 502;
	case LN_TIMEOUT:
		return 504;
	case LN_CANCELLED:
		return 499;
	case LN_UNSUPPORTED:
		return 501;
	case LN_TOO_NEW:
	case LN_CORRUPT:
	case LN_NOMEM:
	case LN_IO:
	case LN_INTERNAL:
		return 500;
	}
	return 500;
}

void
reply_log(const char *id, enum ln_status s, const struct ln_error *err)
{
	char quoted[LN_ERROR_DETAIL_MAX];

	ln_log(reply_status(s) >= 500 ? LN_LOG_ERROR : LN_LOG_INFO, "fail",
	    "req=%s status=%s detail=%s", id, ln_status_token(s),
	    ln_log_quote(err != NULL ? err->detail : NULL, quoted,
	    sizeof(quoted)));
}

void
server_log_detail(const char *what, const struct ln_error *err)
{
	char quoted[LN_ERROR_DETAIL_MAX];

	if (err == NULL || err->detail[0] == '\0')
		return;
	ln_log(LN_LOG_ERROR, "server.fail", "what=%s detail=%s",
	    ln_log_quote(what, (char[128]){ 0 }, 128),
	    ln_log_quote(err->detail, quoted, sizeof(quoted)));
}

int
reply_fail(struct rq *q, enum ln_status s, const struct ln_error *err)
{
	int status;

	status = reply_status(s);
	reply_log(q->id, s, err);
	if (status == 500)
		return reply_error(q, 500, "An internal error occurred");
	/* Another key does not help by waiting. */
	if (s == LN_BUSY)
		http_response_header(q->req, "retry-after", "5");
	return reply_field(q, status, err != NULL ? err->field : NULL,
	    ln_error_text(err, s));
}
