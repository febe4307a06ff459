#include "net/exchange.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/secret.h>
#include <ln/time.h>

#include "net/guard.h"
#include "net/url.h"

#include "base/banned.h"

#define RETRY_AFTER_MAX_S 3600	/* nobody waits longer */

/*
 * Where the guard stands: no socket is opened to an address that is not
 * public, however the name was spelled and whatever it resolved to.
 */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct lni_exchange *x = arg;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    (a->family != AF_INET && a->family != AF_INET6))
		return CURL_SOCKET_BAD;
	if (!x->may_be_local && !lni_address_is_global(&a->addr)) {
		x->was_refused = true;
		errno = EACCES;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/*
 * The second gate, for connections that were already open: one that an allowed
 * local endpoint left behind must not serve a request that may not be local.
 */
static int
before_request(void *arg, char *primary_ip, char *local_ip, int primary_port,
    int local_port)
{
	struct lni_exchange *x = arg;

	(void)local_ip;
	(void)primary_port;
	(void)local_port;
	if (!x->may_be_local && (primary_ip == NULL ||
	    !lni_address_text_is_global(primary_ip))) {
		x->was_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	x->last_sign_ms = ln_time_mono_ms();
	return CURL_PREREQFUNC_OK;
}

static int
on_progress(void *arg, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct lni_exchange *x = arg;

	(void)down_total;
	(void)down;
	(void)up_total;
	if (up != x->uploaded) {
		x->uploaded = up;
		x->last_sign_ms = ln_time_mono_ms();
	}
	return 0;
}

static int
http_status(const struct lni_exchange *x)
{
	long code = 0;

	if (lni_curl.easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code) !=
	    CURLE_OK)
		return 0;
	return (int)code;
}

static size_t
on_write(char *p, size_t size, size_t count, void *arg)
{
	struct lni_exchange *x = arg;
	size_t n = size * count;

	x->last_sign_ms = ln_time_mono_ms();
	if (n > x->response_max - x->received) {
		x->was_too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	x->received += n;
	if (x->on_data != NULL && !x->on_data(x->arg, http_status(x), p, n)) {
		x->was_stopped = true;
		return CURL_WRITEFUNC_ERROR;
	}
	return n;
}

static enum ln_status
add_header(struct lni_exchange *x, const char *header, struct ln_error *err)
{
	struct curl_slist *grown;

	/* A line break would smuggle in a header of somebody else's. */
	if (strpbrk(header, "\r\n") != NULL)
		return ln_fail(err, LN_INVALID, "", "line break in a header");
	if ((grown = lni_curl.slist_append(x->headers, header)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "curl_slist_append");
	x->headers = grown;
	return LN_OK;
}

static enum ln_status
set_headers(struct lni_exchange *x, const struct ln_http_request *req,
    struct ln_error *err)
{
	const char *const *h;
	enum ln_status s;

	/* Without it curl waits a second before it sends a large body. */
	if ((s = add_header(x, "Expect:", err)) != LN_OK)
		return s;
	for (h = req->headers; h != NULL && *h != NULL; h++) {
		if ((s = add_header(x, *h, err)) != LN_OK)
			return s;
	}
	return LN_OK;
}

static enum ln_status
set_body(struct lni_exchange *x, const struct ln_http_request *req,
    bool copies, struct ln_error *err)
{
	if (!copies || req->body_len == 0)
		return LN_OK;
	if ((x->body = malloc(req->body_len)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	memcpy(x->body, req->body, req->body_len);
	x->body_len = req->body_len;
	return LN_OK;
}

static bool
is_method(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < 'A' || s[i] > 'Z')
			return false;
	}
	return i > 0;
}

static CURLcode
set_method(struct lni_exchange *x, const struct ln_http_request *req)
{
	const struct lni_curl *c = &lni_curl;
	const void *body = x->body != NULL ? x->body : req->body;
	const char *method = req->method;
	CURLcode rc = CURLE_OK;

	if (method == NULL)
		method = req->body != NULL ? "POST" : "GET";
	if (strcmp(method, "HEAD") == 0)
		return c->easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	if (req->body != NULL || strcmp(method, "POST") == 0) {
		rc = c->easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)req->body_len);
		if (rc == CURLE_OK)
			rc = c->easy_setopt(x->easy, CURLOPT_POSTFIELDS,
			    req->body_len > 0 ? body : "");
	}
	if (rc == CURLE_OK)
		rc = c->easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, method);
	return rc;
}

static CURLcode
set_options(struct lni_exchange *x, const struct ln_http_request *req)
{
	const struct {
		CURLoption option;
		long value;
	} longs[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 0 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		/* Closing must not wait for a slow name server. */
		{ CURLOPT_QUICK_EXIT, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, (long)(req->connect_ms > 0 ?
		    req->connect_ms : LN_HTTP_CONNECT_MS) },
		{ CURLOPT_TIMEOUT_MS, (long)req->total_ms },
	};
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_URL, req->url },
		{ CURLOPT_PROTOCOLS_STR, "http,https" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_NOPROXY, "*" },
		{ CURLOPT_USERAGENT, "LocalNeural/" LN_VERSION },
		{ CURLOPT_HTTPHEADER, x->headers },
		{ CURLOPT_ERRORBUFFER, x->error },
		{ CURLOPT_WRITEDATA, x },
		{ CURLOPT_OPENSOCKETDATA, x },
		{ CURLOPT_PREREQDATA, x },
		{ CURLOPT_XFERINFODATA, x },
	};
	CURLcode rc = CURLE_OK;
	size_t i;

	for (i = 0; i < sizeof(longs) / sizeof(longs[0]) && rc == CURLE_OK; i++)
		rc = lni_curl.easy_setopt(x->easy, longs[i].option,
		    longs[i].value);
	for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]) &&
	    rc == CURLE_OK; i++)
		rc = lni_curl.easy_setopt(x->easy, pointers[i].option,
		    pointers[i].value);
	if (rc == CURLE_OK)
		rc = lni_curl.easy_setopt(x->easy, CURLOPT_WRITEFUNCTION,
		    on_write);
	if (rc == CURLE_OK)
		rc = lni_curl.easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION,
		    open_socket);
	if (rc == CURLE_OK)
		rc = lni_curl.easy_setopt(x->easy, CURLOPT_PREREQFUNCTION,
		    before_request);
	if (rc == CURLE_OK)
		rc = lni_curl.easy_setopt(x->easy, CURLOPT_XFERINFOFUNCTION,
		    on_progress);
	return rc;
}

enum ln_status
lni_exchange_open(struct lni_exchange *x, const struct ln_http_request *req,
    bool copies,
    bool (*on_data)(void *arg, int http_status, const char *p, size_t n),
    void *arg, struct ln_error *err)
{
	enum ln_status s;
	CURLcode rc;

	memset(x, 0, sizeof(*x));
	if ((s = lni_url_syntax(req->url, err)) != LN_OK)
		return s;
	if (req->method != NULL && !is_method(req->method))
		return ln_fail(err, LN_INVALID, "", "HTTP method");
	x->on_data = on_data;
	x->arg = arg;
	x->may_be_local = req->may_be_local;
	x->stall_ms = req->stall_ms > 0 ? req->stall_ms : LN_HTTP_STALL_MS;
	x->first_byte_ms = req->first_byte_ms > 0 ? req->first_byte_ms :
	    x->stall_ms;
	x->response_max = req->response_max > 0 ? req->response_max :
	    LN_HTTP_RESPONSE_MAX;
	x->last_sign_ms = ln_time_mono_ms();
	if ((s = set_headers(x, req, err)) != LN_OK ||
	    (s = set_body(x, req, copies, err)) != LN_OK)
		goto out;
	if ((x->easy = lni_curl.easy_init()) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "curl_easy_init");
		goto out;
	}
	if ((rc = set_options(x, req)) != CURLE_OK ||
	    (rc = set_method(x, req)) != CURLE_OK)
		s = ln_fail(err, rc == CURLE_OUT_OF_MEMORY ? LN_NOMEM :
		    LN_INTERNAL, "", "curl_easy_setopt: %s",
		    lni_curl.easy_strerror(rc));
out:
	if (s != LN_OK)
		lni_exchange_close(x);
	return s;
}

void
lni_exchange_close(struct lni_exchange *x)
{
	struct curl_slist *h;

	if (x->easy != NULL)
		lni_curl.easy_cleanup(x->easy);
	for (h = x->headers; h != NULL; h = h->next)
		ln_wipe(h->data, strlen(h->data));
	if (x->headers != NULL)
		lni_curl.slist_free_all(x->headers);
	ln_wipe(x->body, x->body_len);
	free(x->body);
	memset(x, 0, sizeof(*x));
}

/* How long the other side may be silent now. */
static int64_t
silence_max_ms(const struct lni_exchange *x)
{
	return x->received > 0 ? x->stall_ms : x->first_byte_ms;
}

bool
lni_exchange_is_stalled(struct lni_exchange *x, int64_t now_mono_ms)
{
	if (now_mono_ms - x->last_sign_ms > silence_max_ms(x))
		x->was_stalled = true;
	return x->was_stalled;
}

static enum ln_status
connect_failure(const struct lni_exchange *x, const char *why,
    struct ln_error *err)
{
	long os_errno = 0;

	(void)lni_curl.easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno == ECONNREFUSED)
		return ln_fail(err, LN_UPSTREAM,
		    "The model provider refused the connection. Check that it "
		    "runs and that its address is right", "%s", why);
	return ln_fail(err, LN_UPSTREAM,
	    "The model provider could not be reached", "%s (errno %ld)", why,
	    os_errno);
}

static enum ln_status
curl_failure(const struct lni_exchange *x, CURLcode rc, struct ln_error *err)
{
	const char *why = x->error[0] != '\0' ? x->error :
	    lni_curl.easy_strerror(rc);

	/* libcurl has a hundred codes; ours are these, the rest is general. */
	if (rc == CURLE_COULDNT_RESOLVE_HOST)
		return ln_fail(err, LN_UPSTREAM,
		    "The name of the model provider was not found. Check its "
		    "address", "%s", why);
	if (rc == CURLE_COULDNT_CONNECT)
		return connect_failure(x, why, err);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return ln_fail(err, LN_TIMEOUT, "", "%s", why);
	if (rc == CURLE_PEER_FAILED_VERIFICATION ||
	    rc == CURLE_SSL_CACERT_BADFILE || rc == CURLE_SSL_ISSUER_ERROR)
		return ln_fail(err, LN_UPSTREAM,
		    "The certificate of the model provider could not be "
		    "verified", "%s", why);
	if (rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_SSL_CIPHER)
		return ln_fail(err, LN_UPSTREAM,
		    "The TLS connection to the model provider failed. Check "
		    "whether its address begins with http or https", "%s",
		    why);
	if (rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR ||
	    rc == CURLE_SEND_ERROR || rc == CURLE_GOT_NOTHING)
		return ln_fail(err, LN_UPSTREAM,
		    "The model provider cut the connection", "%s", why);
	if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ||
	    rc == CURLE_LOGIN_DENIED)
		return ln_fail(err, LN_INVALID,
		    "This is not an http or https address", "%s", why);
	if (rc == CURLE_OUT_OF_MEMORY)
		return ln_fail(err, LN_NOMEM, "", "%s", why);
	return ln_fail(err, LN_UPSTREAM, "", "curl %d: %s", (int)rc, why);
}

/* libcurl reads both forms, seconds and a date. */
static int64_t
retry_after_s(const struct lni_exchange *x, int status)
{
	curl_off_t s = 0;

	if (status != 429 && status != 503 && status != 529)
		return 0;
	if (lni_curl.easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &s) !=
	    CURLE_OK || s <= 0)
		return 0;
	return s < RETRY_AFTER_MAX_S ? (int64_t)s : RETRY_AFTER_MAX_S;
}

enum ln_status
lni_exchange_outcome(struct lni_exchange *x, CURLcode rc,
    int *out_http_status, struct ln_error *err)
{
	*out_http_status = http_status(x);
	if (rc == CURLE_OK) {
		if (err != NULL)
			err->retry_after_s = retry_after_s(x,
			    *out_http_status);
		return LN_OK;
	}
	if (x->was_stopped)
		return ln_fail(err, LN_CANCELLED, "", "stopped by the caller");
	if (x->was_too_large)
		return ln_fail(err, LN_TOO_LARGE,
		    "The answer of the model provider is too large",
		    "more than %zu bytes", x->response_max);
	if (x->was_stalled)
		return ln_fail(err, LN_TIMEOUT, "", "no byte for %lld ms",
		    (long long)silence_max_ms(x));
	if (x->was_refused && rc != CURLE_OPERATION_TIMEDOUT)
		return ln_fail(err, LN_FORBIDDEN,
		    "The address of the model provider is inside the local "
		    "network, and no administrator has allowed it",
		    "address refused by the guard");
	return curl_failure(x, rc, err);
}
