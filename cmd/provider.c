#include "cmd.h"

#include <string.h>

#include <ln/provider.h>

/* Which provider answers, for whom, and whether it does. */

static int
provider_list(struct ctx *c)
{
	static const struct out_col cols[] = { { "name", OUT_STR, false },
		{ "title", OUT_STR, false }, { "base_url", OUT_STR, false },
		{ "is_local", OUT_BOOL, false },
		{ "wants_key", OUT_BOOL, false }, { "help", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	const struct ln_provider_info *p;

	out_list(c->out, "providers", cols);
	for (p = ln_provider_list(); p->name != NULL; p++)
		out_row(c->out, p->name, p->title, p->base_url,
		    (int)p->is_local, (int)p->wants_key, p->help);
	out_list_end(c->out);
	return ctx_finish(c);
}

static int
unknown_provider(struct ctx *c, const char *name)
{
	return ctx_refuse(c, EX_NOT_FOUND, "not_found",
	    "there is no such provider", "See `lnctl provider list`", "%s",
	    name);
}

int
provider_choice(struct ctx *c, const char *name,
    struct ln_provider_conf **out)
{
	const char *user = ctx_opt(c, O_USER);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_wish wish;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if (name != NULL && ln_provider_find(name) == NULL)
		return unknown_provider(c, name);
	if (user != NULL && (rc = ctx_user(c, user, &u)) != EX_OK)
		return rc;
	memset(&wish, 0, sizeof(wish));
	wish.size = sizeof(wish);
	wish.request_provider = name;
	s = ln_provider_resolve(c->st, c->cfg, u != NULL ? u->id : NULL, &wish,
	    out, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "provider");
	return EX_OK;
}

/* The last four tell keys apart; of a short one they tell too much. */
static const char *
key_end(const struct ln_provider_conf *p)
{
	size_t n = p->api_key != NULL ? strlen(p->api_key) : 0;

	return n >= 12 ? p->api_key + n - 4 : NULL;
}

static void
conf_fields(struct out *o, const struct ln_provider_conf *p)
{

	out_str(o, "provider", p->info->name);
	out_str(o, "provider_from", ln_provider_origin_name(
	    p->provider_origin));
	out_str(o, "model", p->model);
	out_str(o, "model_from", ln_provider_origin_name(p->model_origin));
	out_str(o, "base_url", p->base_url);
	out_str(o, "base_url_from", ln_provider_origin_name(p->url_origin));
	out_bool(o, "api_key_set", p->api_key != NULL);
	out_str(o, "api_key_last4", key_end(p));
}

/* Each part of the choice in a row, with the place that it came from. */
static void
conf_table(struct out *o, const struct ln_provider_conf *p)
{
	static const struct out_col cols[] = { { "name", OUT_STR, false },
		{ "value", OUT_STR, false }, { "from", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	const struct {
		const char *name, *value;
		enum ln_provider_origin origin;
	} rows[] = {
		{ "provider", p->info->name, p->provider_origin },
		{ "model", p->model, p->model_origin },
		{ "base_url", p->base_url, p->url_origin },
	};
	char key[32] = "(set)";
	size_t i;

	out_list(o, "settings", cols);
	for (i = 0; i < nitems(rows); i++)
		out_row(o, rows[i].name, rows[i].value, rows[i].value != NULL ?
		    ln_provider_origin_name(rows[i].origin) : NULL);
	if (key_end(p) != NULL)
		(void)snprintf(key, sizeof(key), "(set) ...%s", key_end(p));
	out_row(o, "api_key", p->api_key != NULL ? key : NULL,
	    p->api_key != NULL ? ln_provider_origin_name(p->key_origin) :
	    NULL);
	out_list_end(o);
}

static int
provider_show(struct ctx *c)
{
	struct ln_provider_conf *p = NULL;
	int rc;

	if ((rc = provider_choice(c, NULL, &p)) != EX_OK)
		return rc;
	if (opt_has(&c->args, O_ORIGIN))
		conf_table(c->out, p);
	else
		conf_fields(c->out, p);
	ln_provider_conf_free(p);
	return ctx_finish(c);
}

static int
provider_set(struct ctx *c)
{
	const char *name = ctx_word(c, 0), *user = ctx_opt(c, O_USER);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_change change;
	struct ln_provider_conf *p = NULL;
	struct ln_user *u = NULL;
	char *key = NULL;
	enum ln_status s;
	int rc;

	if (ln_provider_find(name) == NULL)
		return unknown_provider(c, name);
	if (user != NULL && opt_has(&c->args, O_GLOBAL))
		return ctx_usage(c, NULL, "%s: choose --user or --global",
		    c->path);
	if (user != NULL && (rc = ctx_user(c, user, &u)) != EX_OK)
		return rc;
	if ((rc = tty_key(c, &key)) != EX_OK)
		goto out;
	memset(&change, 0, sizeof(change));
	change.size = sizeof(change);
	change.provider = name;
	change.base_url = ctx_opt(c, O_BASE_URL);
	change.model = ctx_opt(c, O_MODEL);
	change.embedding_model = ctx_opt(c, O_EMBEDDING_MODEL);
	change.api_key = key;
	s = ln_provider_set(c->st, c->cfg, u != NULL ? u->id : NULL, &change,
	    &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
		goto out;
	}
	if ((rc = provider_choice(c, NULL, &p)) != EX_OK)
		goto out;
	out_str(c->out, "result", "set");
	out_str(c->out, "scope", u != NULL ? u->username : "global");
	conf_fields(c->out, p);
	out_say(c->out, "%s answers for %s%s%s", p->info->name,
	    u != NULL ? u->username : "everybody",
	    p->model != NULL ? ", model " : "",
	    p->model != NULL ? p->model : "");
	rc = ctx_finish(c);
out:
	ln_provider_conf_free(p);
	ln_wipe_free(key);
	ln_user_free(u);
	return rc;
}

/* Ollama takes a name without a tag for the tag "latest". */
static bool
is_model(const char *name, const char *wanted)
{
	size_t n = strlen(wanted);

	return strncmp(name, wanted, n) == 0 &&
	    (name[n] == '\0' || strcmp(name + n, ":latest") == 0);
}

int
provider_models(struct ctx *c, const struct ln_provider_conf *p, bool is_test)
{
	static const struct out_col cols[] = { { "model", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_model_list models = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	bool has_model = p->model == NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((s = ln_provider_models(p, &models, &err)) != LN_OK)
		return ctx_fail_provider(c, s, &err, s == LN_UNAUTHENTICATED ?
		    "Set the key with `lnctl provider set --key-stdin`" : NULL,
		    "%s%s%s", p->info->name, p->base_url != NULL ? " at " : "",
		    p->base_url != NULL ? p->base_url : "");
	for (i = 0; i < models.count; i++)
		if (p->model != NULL && is_model(models.names[i], p->model))
			has_model = true;
	out_str(c->out, "provider", p->info->name);
	out_str(c->out, "base_url", p->base_url);
	if (is_test) {
		out_str(c->out, "model_in_use", p->model);
		out_bool(c->out, "has_model", has_model);
	}
	out_list(c->out, "models", cols);
	for (i = 0; i < models.count; i++)
		out_row(c->out, models.names[i]);
	out_list_end(c->out);
	ln_model_list_free(&models);
	rc = ctx_finish(c);
	if (rc == EX_OK && is_test && !has_model)
		rc = ctx_refuse(c, EX_UPSTREAM, "not_found",
		    "the provider does not have that model",
		    "Choose one of the list with `lnctl provider set -m MODEL`",
		    "%s", p->model);
	return rc;
}

static int
provider_test(struct ctx *c)
{
	struct ln_provider_conf *p = NULL;
	int rc;

	if ((rc = provider_choice(c, ctx_word(c, 0), &p)) != EX_OK)
		return rc;
	rc = provider_models(c, p, true);
	ln_provider_conf_free(p);
	return rc;
}

static const enum opt_id user_opts[] = { O_USER, O_END };
static const enum opt_id show_opts[] = { O_USER, O_ORIGIN, O_END };
static const enum opt_id set_opts[] = { O_BASE_URL, O_MODEL,
	O_EMBEDDING_MODEL, O_USER, O_GLOBAL,
	O_KEY_STDIN, O_KEY_FILE, O_CLEAR_KEY, O_END };
static const struct verb provider_verbs[] = {
	{ "list", provider_list, NULL, "", 0,
	    "list the providers of this build" },
	{ "show", provider_show, show_opts, "", CMD_STORE_RO,
	    "say which one answers, and why" },
	{ "set", provider_set, set_opts, "PROVIDER", CMD_STORE_RW | CMD_KEYS,
	    "choose the one that answers" },
	{ "test", provider_test, user_opts, "[PROVIDER]", CMD_STORE_RO,
	    "ask it for its models" },
};
const struct noun noun_provider = { "provider", "who answers",
	provider_verbs, nitems(provider_verbs) };
