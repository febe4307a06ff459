/* Is it alive? */

#include <ln/provider.h>
#include <ln/setting.h>

#include "reply.h"
#include "routes.h"

static enum ln_status
ask_database(struct ln_error *err)
{
	bool ignored;

	return ln_setting_bool(worker_store, "allow_registration", true,
	    &ignored, err);
}

int
healthz(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if ((s = ask_database(&err)) != LN_OK) {
		reply_log(q->id, s, &err);
		return reply_bytes(q, 503, "text/plain; charset=utf-8",
		    "unavailable\n", 12);
	}
	return reply_bytes(q, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

int
health_show(struct rq *q)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_conf *c = NULL;
	bool has_db, has_provider;
	struct ln_jw *w;

	has_db = ask_database(&err) == LN_OK;
	has_provider = has_db && ln_provider_resolve(worker_store, server.cfg,
	    q->user->id, &wish, &c, &err) == LN_OK;
	if (!has_db || !has_provider)
		reply_log(q->id, err.status, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", has_db && has_provider ? "ok" :
		    "degraded");
		ln_jw_string(w, "db", has_db ? "ok" : "unavailable");
		ln_jw_string(w, "provider",
		    has_provider ? c->info->name : "misconfigured");
	}
	ln_provider_conf_free(c);
	return reply_json(q, has_db ? 200 : 503, w);
}
