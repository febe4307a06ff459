#include "guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/log.h>

#include "client.h"
#include "record.h"
#include "reply.h"

#define HOSTS_MAX 32

static char machine_name[256];
static char *allowed_hosts[HOSTS_MAX];
static size_t allowed_host_count;

enum ln_status
guard_configure(struct ln_error *err)
{
	const char *s;
	size_t n;

	if (gethostname(machine_name, sizeof(machine_name)) == -1)
		machine_name[0] = '\0';
	machine_name[sizeof(machine_name) - 1] = '\0';
	s = ln_config_get(server.cfg, "LOCALNEURAL_ALLOWED_HOSTS");
	while (s != NULL && *s != '\0') {
		s += strspn(s, ", \t");
		n = strcspn(s, ", \t");
		if (n == 0)
			break;
		if (allowed_host_count == HOSTS_MAX)
			return ln_fail(err, LN_INVALID,
			    "LOCALNEURAL_ALLOWED_HOSTS has too many entries",
			    "more than %d", HOSTS_MAX);
		if ((allowed_hosts[allowed_host_count] = strndup(s, n)) ==
		    NULL)
			return ln_fail(err, LN_NOMEM, "", "strndup");
		allowed_host_count++;
		s += n;
	}
	return client_configure(ln_config_get(server.cfg,
	    "LOCALNEURAL_TRUSTED_PROXIES"), err);
}

void
guard_address(struct rq *q)
{
	client_address(q->req->owner, rq_header(q, "x-forwarded-for"), q->addr,
	    sizeof(q->addr));
	client_prefix(q->addr, q->prefix, sizeof(q->prefix));
}

/* Headers that must not come twice: a proxy may have believed the other. */
static bool
framing_ok(const struct rq *q)
{
	static const char *const once[] = { "cookie", "x-requested-with",
		"origin", "content-type", "sec-fetch-site", "authorization" };
	const struct http_header *h;
	size_t i, n;

	for (i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		n = 0;
		TAILQ_FOREACH(h, &q->req->req_headers, list)
			if (strcasecmp(h->header, once[i]) == 0)
				n++;
		if (n > 1)
			return false;
	}
	return true;
}

static bool
host_allowed(const char *header)
{
	char name[256];
	unsigned char addr[16];
	const char *p;
	size_t i, n;

	if (header[0] == '[') {
		n = strcspn(header, "]");
		if (header[n] != ']' || n < 2 || n - 1 >= sizeof(name))
			return false;
		memcpy(name, header + 1, n - 1);
		name[n - 1] = '\0';
		p = header + n + 1;
		if (inet_pton(AF_INET6, name, addr) != 1)
			return false;
	} else {
		n = strcspn(header, ":");
		if (n == 0 || n >= sizeof(name))
			return false;
		memcpy(name, header, n);
		name[n] = '\0';
		p = header + n;
	}
	if (*p != '\0' && (*p != ':' || p[1] == '\0' ||
	    strspn(p + 1, "0123456789") != strlen(p + 1)))
		return false;
	if (header[0] == '[' || inet_pton(AF_INET, name, addr) == 1 ||
	    strcasecmp(name, "localhost") == 0 ||
	    (machine_name[0] != '\0' && strcasecmp(name, machine_name) == 0))
		return true;
	if (server.public_host != NULL &&
	    strcasecmp(name, server.public_host) == 0)
		return true;
	for (i = 0; i < allowed_host_count; i++)
		if (strcasecmp(name, allowed_hosts[i]) == 0)
			return true;
	return false;
}

static bool
refuse_close(struct rq *q, const char *text)
{
	q->req->owner->flags |= CONN_CLOSE_EMPTY;
	(void)reply_error(q, 400, text);
	return false;
}

/* The value of our cookie into ${out}; false when there is none. */
static bool
session_cookie(const struct rq *q, char *out, size_t outsize)
{
	const char *p, *name;
	size_t len, n;

	if ((p = rq_header(q, "cookie")) == NULL)
		return false;
	name = server.is_tls ? GUARD_COOKIE_TLS : GUARD_COOKIE_PLAIN;
	len = strlen(name);
	while (*p != '\0') {
		p += strspn(p, "; ");
		n = strcspn(p, ";");
		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=') {
			p += len + 1;
			n -= len + 1;
			if (n >= outsize)
				return false;
			memcpy(out, p, n);
			out[n] = '\0';
			return true;
		}
		p += n;
	}
	return false;
}

void
guard_actor(const struct rq *q)
{
	const struct ln_actor actor = { "user",
		q->user != NULL ? q->user->id : NULL, q->prefix, q->id };

	ln_store_actor_set(worker_store, &actor);
}

void
guard_session(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	char cookie[LN_SESSION_COOKIE_SIZE];
	enum ln_status s;

	ln_user_free(q->user);
	q->user = NULL;
	q->has_session = false;
	if (session_cookie(q, cookie, sizeof(cookie))) {
		s = ln_session_user(worker_store, cookie, q->session, &q->user,
		    &err);
		q->has_session = s == LN_OK;
		if (s != LN_OK && s != LN_UNAUTHENTICATED)
			reply_log(q->id, s, &err);
		ln_wipe(cookie, sizeof(cookie));
	}
	guard_actor(q);
}

bool
guard_enter(struct rq *q, enum limit limit)
{
	char quoted[300], retry[16];
	enum limit_verdict verdict;
	const char *account;
	int retry_s;

	if (!framing_ok(q))
		return refuse_close(q, "Bad request");
	if (!host_allowed(q->req->host)) {
		ln_log(LN_LOG_WARN, "host.refused", "req=%s host=%s "
		    "hint=LOCALNEURAL_ALLOWED_HOSTS", q->id,
		    ln_log_quote(q->req->host, quoted, sizeof(quoted)));
		return refuse_close(q, "Unknown host");
	}
	guard_session(q);
	if (q->is_admitted)
		return true;
	account = q->user != NULL ? q->user->id : NULL;
	/* Trying passwords is counted by address, signed in or not. */
	if (limit != LIMIT_DEFAULT && limit != LIMIT_PASSWORD &&
	    limit != LIMIT_ACCOUNT_DELETE)
		account = NULL;
	verdict = ratelimit_take(limit, q->prefix, account, &retry_s);
	if (verdict != LIMIT_PASS) {
		(void)snprintf(retry, sizeof(retry), "%d", retry_s);
		http_response_header(q->req, "retry-after", retry);
		ln_log(LN_LOG_WARN, "rate.limit", "req=%s ip=%s user=%s",
		    q->id, q->addr, account != NULL ? account : "-");
		/* One row a window: a flood must not become one of rows. */
		if (verdict == LIMIT_HIT)
			record(q, "rate.limit", LN_RATE_LIMITED);
		(void)reply_error(q, 429, "Too many requests");
		return false;
	}
	return true;
}

enum ln_status
guard_again(struct ln_store *st, const unsigned char session[LN_KEY_BYTES],
    bool is_admin, struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_session_user_by_hash(st, session, &u, err);
	if (s == LN_UNAUTHENTICATED)
		s = ln_fail(err, s, "Authentication required",
		    "ended meanwhile");
	else if (s == LN_OK && u->is_blocked)
		s = ln_fail(err, LN_FORBIDDEN, GUARD_BLOCKED_TEXT,
		    "blocked meanwhile");
	else if (s == LN_OK && is_admin && u->role != LN_USER_ROLE_ADMIN)
		s = ln_fail(err, LN_FORBIDDEN, GUARD_ADMIN_TEXT,
		    "demoted meanwhile");
	ln_user_free(u);
	return s;
}

bool
guard_origin(const struct rq *q)
{
	const char *origin, *site, *rest;

	site = rq_header(q, "sec-fetch-site");
	if (site != NULL && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if ((origin = rq_header(q, "origin")) == NULL)
		return true;
	if (server.public_origin != NULL &&
	    strcasecmp(origin, server.public_origin) == 0)
		return true;
	if (strncmp(origin, "https://", 8) == 0)
		rest = origin + 8;	/* a proxy may have ended TLS for us */
	else if (!server.is_tls && strncmp(origin, "http://", 7) == 0)
		rest = origin + 7;
	else
		return false;
	return strcasecmp(rest, q->req->host) == 0;
}

static bool
changes_state(const struct rq *q)
{
	return q->req->method != HTTP_METHOD_GET &&
	    q->req->method != HTTP_METHOD_HEAD;
}

static bool
guard_page(struct rq *q)
{
	if (q->route->guard == G_PAGE)
		return true;
	if (q->user == NULL) {
		(void)reply_redirect(q, "/login");
		return false;
	}
	if (q->route->guard == G_PAGE_ADMIN &&
	    q->user->role != LN_USER_ROLE_ADMIN) {
		(void)reply_redirect(q, "/");
		return false;
	}
	return true;
}

/* Somebody who is signed in was told no: that goes on record. */
static bool
refuse(struct rq *q, const char *text)
{
	if (q->user != NULL)
		record(q, "http.refused", LN_FORBIDDEN);
	(void)reply_error(q, 403, text);
	return false;
}

bool
guard_route(struct rq *q)
{
	const struct route *r = q->route;
	const char *with;
	bool is_csrf_safe;

	if (r->guard == G_PAGE || r->guard == G_PAGE_USER ||
	    r->guard == G_PAGE_ADMIN)
		return guard_page(q);
	if (r->guard != G_ANYONE && q->user == NULL) {
		(void)reply_error(q, 401, "Authentication required");
		return false;
	}
	is_csrf_safe = true;
	if (changes_state(q) && (r->flags & R_AUTH) == 0) {
		with = rq_header(q, "x-requested-with");
		is_csrf_safe = with != NULL &&
		    strcmp(with, "XMLHttpRequest") == 0;
	}
	if (changes_state(q) || (r->flags & R_WEBSOCKET) != 0)
		is_csrf_safe = is_csrf_safe && guard_origin(q);
	if (!is_csrf_safe)
		return refuse(q, "CSRF validation failed");
	if (changes_state(q) && q->user != NULL && q->user->is_blocked &&
	    (r->flags & R_BLOCKED_OK) == 0 && r->guard != G_ANYONE)
		return refuse(q, GUARD_BLOCKED_TEXT);
	if (r->guard == G_ADMIN && (q->user == NULL ||
	    q->user->role != LN_USER_ROLE_ADMIN))
		return refuse(q, GUARD_ADMIN_TEXT);
	return true;
}
