#include "api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/log.h>
#include <ln/time.h>

#include "guard.h"
#include "input.h"
#include "jobs.h"
#include "ostream.h"
#include "reply.h"
#include "routes.h"
#include "upstream.h"

static void
rq_free(struct http_request *req)
{
	struct rq *q = req->hdlr_extra;

	if (q == NULL)
		return;
	req->hdlr_extra = NULL;	/* not Kore's to free */
	if (q->timer != NULL)
		kore_timer_remove(q->timer);
	job_abandon(q);
	ostream_abandon(q);
	upstream_abandon(q);
	/* The pattern, not the path: that may hold a reset token. */
	ln_log(LN_LOG_INFO, "http", "req=%s method=%s route=%s status=%u "
	    "ms=%lld user=%s ip=%s", q->id, http_method_text(req->method),
	    q->route != NULL ? q->route->path : "-", (unsigned)req->status,
	    (long long)(ln_time_mono_ms() - q->start_ms),
	    q->user != NULL ? q->user->id : "-", q->addr);
	ln_user_free(q->user);
	ln_json_free(q->body);
	ln_wipe(q->session, sizeof(q->session));
	free(q);
}

static struct rq *
rq_new(struct http_request *req)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char r[RQ_ID_SIZE - 1];
	struct rq *q;
	size_t i;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->req = req;
	q->start_ms = ln_time_mono_ms();
	ln_random(r, sizeof(r));
	for (i = 0; i < sizeof(r); i++)
		q->id[i] = alphabet[r[i] % (sizeof(alphabet) - 1)];
	guard_address(q);
	req->hdlr_extra = q;
	req->onfree = rq_free;
	return q;
}

const char *
rq_header(const struct rq *q, const char *name)
{
	const char *value;

	if (!http_request_header(q->req, name, &value))
		return NULL;
	return value;
}

int
rq_sleep(struct rq *q, int (*resume)(struct rq *))
{
	q->resume = resume;
	http_request_sleep(q->req);
	return KORE_RESULT_RETRY;
}

static void
on_timer(void *arg, u_int64_t now)
{
	struct rq *q = arg;

	(void)now;
	q->timer = NULL;	/* one-shot: Kore frees it */
	http_request_wakeup(q->req);
}

bool
rq_wait(struct rq *q)
{
	int64_t left = q->floor_ms - ln_time_mono_ms();

	if (left <= 0)
		return false;
	if (q->timer == NULL)
		q->timer = kore_timer_add(on_timer, (u_int64_t)left, q,
		    KORE_TIMER_ONESHOT);
	return true;
}

bool
rq_query(const struct rq *q, const char *name, char *out, size_t outsize)
{
	const char *p = q->req->query_string;
	size_t len = strlen(name), n;

	while (p != NULL && *p != '\0') {
		n = strcspn(p, "&");
		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=')
			return input_percent(p + len + 1, n - len - 1, true,
			    out, outsize);
		p += n;
		if (*p == '&')
			p++;
	}
	return false;
}

static int
method_of(const struct http_request *req)
{
	return req->method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET :
	    req->method;
}

/* Compare by segment, filling q->param. */
static bool
path_matches(struct rq *q, const char *pattern, const char *path)
{
	size_t n, param;

	param = 0;
	while (*pattern != '\0') {
		if (*pattern != '*') {
			if (*pattern != *path)
				return false;
			pattern++;
			path++;
			continue;
		}
		n = strcspn(path, "/");
		if (n == 0 || param == RQ_PARAMS || !input_percent(path, n,
		    false, q->param[param], sizeof(q->param[param])))
			return false;
		param++;
		pattern++;
		path += n;
	}
	return *path == '\0';
}

/* The route, or NULL; ${allow} collects the methods the path does have. */
static const struct route *
find_route(struct rq *q, int *allow)
{
	const struct route *r;

	*allow = 0;
	for (r = routes; r->path != NULL; r++) {
		if (!path_matches(q, r->path, q->req->path))
			continue;
		if (r->method == method_of(q->req))
			return r;
		*allow |= r->method;
	}
	return NULL;
}

static int
reply_no_method(struct rq *q, int allow)
{
	static const struct {
		int method;
		const char *name;
	} names[] = {
		{ HTTP_METHOD_GET, "GET, HEAD" }, { HTTP_METHOD_POST, "POST" },
		{ HTTP_METHOD_PUT, "PUT" }, { HTTP_METHOD_DELETE, "DELETE" },
	};
	char value[64];
	size_t i, n;

	n = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((allow & names[i].method) != 0)
			n += (size_t)snprintf(value + n, sizeof(value) - n,
			    "%s%s", n > 0 ? ", " : "", names[i].name);
	http_response_header(q->req, "allow", value);
	return reply_error(q, 405, "Method not allowed");
}

/* Everything up to the body.  False when a refusal was written. */
static bool
admit(struct rq *q)
{
	enum limit limit;
	int allow;

	if (q->req->path[0] != '/') {
		q->req->owner->flags |= CONN_CLOSE_EMPTY;
		(void)reply_error(q, 400, "Bad request");
		return false;
	}
	q->route = find_route(q, &allow);
	limit = q->route != NULL ? q->route->limit :
	    strncmp(q->req->path, "/api/", 5) == 0 ? LIMIT_DEFAULT :
	    LIMIT_NONE;
	if (!guard_enter(q, limit))
		return false;
	if (q->route != NULL)
		return guard_route(q);
	if (allow != 0)
		(void)reply_no_method(q, allow);
	else
		(void)reply_error(q, 404, "Not found");
	return false;
}

int
api_body_allow(struct http_request *req)
{
	struct rq *q;

	/* Small enough to be read before anything is decided. */
	if (req->content_length <= SERVER_BODY_MAX)
		return KORE_RESULT_OK;
	if ((q = rq_new(req)) == NULL)
		return KORE_RESULT_ERROR;
	req->http_body_length = req->content_length;
	req->owner->flags |= CONN_CLOSE_EMPTY;	/* should we refuse */
	if (!admit(q) || !input_size_ok(q, req->content_length) ||
	    !input_type_ok(q, req->content_length))
		return KORE_RESULT_ERROR;
	req->owner->flags &= (u_int16_t)~CONN_CLOSE_EMPTY;
	q->is_admitted = true;
	return KORE_RESULT_OK;
}

int
server_handle(struct http_request *req)
{
	struct rq *q = req->hdlr_extra;

	if (q != NULL && q->resume != NULL)
		return q->resume(q);
	if (q == NULL && (q = rq_new(req)) == NULL)
		return KORE_RESULT_ERROR;
	if (!admit(q) || !input_check(q))
		return KORE_RESULT_OK;
	return q->route->handler(q);
}
