/* Pages and their files. */

#include <stdio.h>
#include <string.h>

#include "assets.h"
#include "reply.h"
#include "routes.h"

/* Whether ${coding} is listed without a weight of zero. */
static bool
accepts(const struct rq *q, const char *coding)
{
	const char *p = rq_header(q, "accept-encoding");
	size_t len = strlen(coding), n;

	while (p != NULL && *p != '\0') {
		p += strspn(p, ", \t");
		n = strcspn(p, ",");
		if (n >= len && strncasecmp(p, coding, len) == 0 &&
		    strchr(" \t;,", p[len]) != NULL)
			return memmem(p, n, "q=0", 3) == NULL ||
			    memmem(p, n, "q=0.", 4) != NULL;
		p += n;
	}
	return false;
}

static int
not_found(struct rq *q)
{
	return reply_error(q, 404, "Not found");
}

static int
send_page(struct rq *q, const char *name)
{
	const struct asset *a;
	bool is_gzip;

	if ((a = asset_find(name)) == NULL)
		return not_found(q);
	is_gzip = a->gzip != NULL && accepts(q, "gzip");
	return reply_page(q, 200, a->type, is_gzip ? a->gzip : a->bytes,
	    is_gzip ? a->gzip_len : a->len, is_gzip);
}

static int
keep(struct netbuf *nb)
{
	(void)nb;	/* embedded bytes: nothing to release */
	return KORE_RESULT_OK;
}

/* Hashed names never change, so they may be kept for ever. */
static int
send_asset(struct rq *q, const struct asset *a)
{
	const void *bytes;
	void *base;
	size_t len;
	bool is_gzip;

	is_gzip = a->gzip != NULL && accepts(q, "gzip");
	bytes = is_gzip ? a->gzip : a->bytes;
	len = is_gzip ? a->gzip_len : a->len;
	reply_headers(q, false, true);
	http_response_header(q->req, "content-type", a->type);
	http_response_header(q->req, "vary", "accept-encoding");
	if (is_gzip)
		http_response_header(q->req, "content-encoding", "gzip");
	q->is_sent = true;
	memcpy(&base, &bytes, sizeof(base));	/* Kore only reads it */
	http_response_stream(q->req, 200, base, len, keep, NULL);
	return KORE_RESULT_OK;
}

int
page_login(struct rq *q)
{
	if (q->user != NULL)
		return reply_redirect(q, "/");
	return send_page(q, "login.html");
}

int
page_app(struct rq *q)
{
	return send_page(q, "app.html");
}

int
page_settings(struct rq *q)
{
	return send_page(q, "settings.html");
}

int
page_admin(struct rq *q)
{
	return send_page(q, "admin.html");
}

int
page_reset(struct rq *q)
{
	return send_page(q, "reset.html");
}

int
page_static(struct rq *q)
{
	const struct asset *a;
	char name[2 * RQ_PARAM_SIZE + 2];

	if (q->param[1][0] != '\0')
		(void)snprintf(name, sizeof(name), "%s/%s", q->param[0],
		    q->param[1]);
	else
		(void)snprintf(name, sizeof(name), "%s", q->param[0]);
	/* The pages themselves are behind their guards. */
	if (strstr(name, ".html") != NULL || (a = asset_find(name)) == NULL)
		return not_found(q);
	return send_asset(q, a);
}

int
page_favicon(struct rq *q)
{
	const struct asset *a;

	if ((a = asset_find_hashed("assets/icon-")) == NULL)
		return not_found(q);
	return reply_bytes(q, 200, a->type, a->bytes, a->len);
}
