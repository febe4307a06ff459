/* The route table as a document, for tests and for people. */

#include <stdio.h>

#include "routes.h"

static const char *const guards[] = {
	[G_ANYONE] = "anyone",
	[G_USER] = "user",
	[G_ADMIN] = "admin",
	[G_PAGE] = "page",
	[G_PAGE_USER] = "page-user",
	[G_PAGE_ADMIN] = "page-admin",
};

static const struct {
	unsigned flag;
	const char *name;
} flags[] = {
	{ R_JSON, "json" },
	{ R_JSON_OPTIONAL, "json-optional" },
	{ R_RAW, "raw" },
	{ R_AUTH, "auth" },
	{ R_BLOCKED_OK, "blocked-ok" },
	{ R_WEBSOCKET, "websocket" },
};

static const char *const limit_names[] = {
	[LIMIT_NONE] = NULL,
	[LIMIT_DEFAULT] = "default",
	[LIMIT_LOGIN] = "login",
	[LIMIT_REGISTER] = "register",
	[LIMIT_FORGOT] = "forgot-password",
	[LIMIT_RESET] = "reset-password",
	[LIMIT_PASSWORD] = "password",
	[LIMIT_ACCOUNT_DELETE] = "account-delete",
	[LIMIT_FAILURE] = "failure",
};

static void
print_route(struct ln_jw *w, const struct route *r)
{
	size_t i;

	ln_jw_object(w, NULL);
	ln_jw_string(w, "method", http_method_text(r->method));
	ln_jw_string(w, "path", r->path);
	ln_jw_string(w, "who", guards[r->guard]);
	ln_jw_array(w, "flags");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((r->flags & flags[i].flag) != 0)
			ln_jw_string(w, NULL, flags[i].name);
	ln_jw_end(w);
	ln_jw_int(w, "body_max", (int64_t)r->body_max);
	if (limit_names[r->limit] == NULL) {
		ln_jw_null(w, "limit");
	} else {
		ln_jw_object(w, "limit");
		ln_jw_string(w, "name", limit_names[r->limit]);
		ln_jw_int(w, "per_minute", ratelimit_per_minute(r->limit));
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

int
routes_print(void)
{
	struct ln_buf b = LN_BUF_INIT(SERVER_BODY_MAX * 4);
	const struct route *r;
	struct ln_jw *w;
	int rc = 1;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "routes");
		for (r = routes; r->path != NULL; r++)
			print_route(w, r);
	}
	if (ln_jw_print(w, true, &b) == LN_OK &&
	    puts(ln_buf_str(&b)) != EOF && fflush(stdout) == 0)
		rc = 0;
	else
		(void)fputs("localneural-server: the routes could not be "
		    "written\n", stderr);
	ln_jw_free(w);
	ln_buf_free(&b);
	return rc;
}
