#include "cmd.h"

#include <string.h>

#include <ln/model_admin.h>
#include <ln/provider.h>

/* Which models there are, one more, one less, and which one answers. */

static int
print_inventory(struct ctx *c, const struct ln_provider_conf *p)
{
	static const struct out_col cols[] = { { "model", OUT_STR, false },
		{ "size", OUT_BYTES, false }, { "modified_at", OUT_TIME, false },
		{ "parameters", OUT_STR, false },
		{ "quantization", OUT_STR, false }, { "family", OUT_STR, true },
		{ "digest", OUT_STR, true }, { NULL, OUT_STR, false } };
	struct ln_model_inventory list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_model_entry *e;
	enum ln_status s;
	size_t i;

	if ((s = ln_model_inventory(p, &list, &err)) != LN_OK)
		return ctx_fail_provider(c, s, &err, NULL, "%s at %s",
		    p->info->name, p->base_url);
	out_str(c->out, "provider", p->info->name);
	out_str(c->out, "base_url", p->base_url);
	out_list(c->out, "models", cols);
	for (i = 0; i < list.count; i++) {
		e = &list.items[i];
		out_row(c->out, e->name, e->bytes, e->modified_ms,
		    e->parameters, e->quantization, e->family, e->digest);
	}
	out_list_end(c->out);
	ln_model_inventory_free(&list);
	return ctx_finish(c);
}

static int
model_list(struct ctx *c)
{
	struct ln_provider_conf *p = NULL;
	int rc;

	if ((rc = provider_choice(c, ctx_opt(c, O_PROVIDER), &p)) != EX_OK)
		return rc;
	rc = ln_model_is_managed(p) ? print_inventory(c, p) :
	    provider_models(c, p, false);
	ln_provider_conf_free(p);
	return rc;
}

static void
fields(struct out *o, const char *result, const struct ln_provider_conf *p,
    const char *name)
{
	out_str(o, "result", result);
	out_str(o, "provider", p->info->name);
	out_str(o, "base_url", p->base_url);
	out_str(o, "model", name);
}

/* A name that is none, or a provider that cannot, is no failure of its. */
static int
fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *name)
{
	if (s == LN_INVALID || s == LN_UNSUPPORTED)
		return ctx_fail(c, s, err, NULL, "%s", name);
	return ctx_fail_provider(c, s, err, s == LN_NOT_FOUND &&
	    strcmp(c->verb->name, "delete") == 0 ?
	    "See `lnctl model list`" : NULL, "%s", name);
}

/* --- one more -------------------------------------------------------------- */

struct pull {
	struct progress bar;
	int64_t bytes;
};

static void
on_progress(void *arg, const struct ln_pull_progress *g)
{
	struct pull *p = arg;

	p->bytes = g->total;
	if (g->total > 0)
		(void)progress_step(&p->bar, (int)((double)g->completed * 100 /
		    (double)g->total));
}

static bool
is_interrupted(void *arg)
{
	(void)arg;
	return sig_interrupted();
}

/* Pull, and write down what came of it. */
static int
run_pull(struct ctx *c, struct ln_model_pull *pull, struct progress *bar,
    const char *name)
{
	struct ln_error err = LN_ERROR_INIT, audited = LN_ERROR_INIT;
	enum ln_status s, as;

	s = ln_model_pull_run(pull, is_interrupted, NULL, &err);
	progress_done(bar);
	as = ln_model_pull_audit(c->st, pull, s, &audited);
	if (s != LN_OK)
		return fail(c, s, &err, name);
	if (as != LN_OK)
		return ctx_fail(c, as, &audited, NULL, "%s", name);
	return EX_OK;
}

static int
model_pull(struct ctx *c)
{
	const char *name = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_conf *p = NULL;
	struct ln_model_pull *pull = NULL;
	struct pull state;
	char size[OUT_SIZE_SIZE];
	enum ln_status s;
	int rc;

	memset(&state, 0, sizeof(state));
	progress_init(&state.bar, c, "Pulling");
	if ((rc = provider_choice(c, ctx_opt(c, O_PROVIDER), &p)) != EX_OK)
		return rc;
	s = ln_model_pull_new(p, name, on_progress, &state, &pull, &err);
	rc = s == LN_OK ? run_pull(c, pull, &state.bar, name) :
	    fail(c, s, &err, name);
	if (rc == EX_OK) {
		fields(c->out, "pulled", p, name);
		out_bytes(c->out, "size", state.bytes);
		out_say(c->out, "%s is there, %s", name,
		    out_size(state.bytes, size));
		rc = ctx_finish(c);
	}
	ln_model_pull_free(pull);
	ln_provider_conf_free(p);
	return rc;
}

/* --- one less -------------------------------------------------------------- */

static int
model_delete(struct ctx *c)
{
	const char *name = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_conf *p = NULL;
	enum ln_status s;
	int rc;

	if ((rc = provider_choice(c, ctx_opt(c, O_PROVIDER), &p)) != EX_OK)
		return rc;
	if ((rc = tty_confirm(c, "Delete the model %s from %s?", name,
	    p->info->title)) != EX_OK)
		goto out;
	if ((s = ln_model_delete(c->st, p, name, &err)) != LN_OK) {
		rc = fail(c, s, &err, name);
		goto out;
	}
	fields(c->out, "deleted", p, name);
	out_say(c->out, "%s is deleted", name);
	rc = ctx_finish(c);
out:
	ln_provider_conf_free(p);
	return rc;
}

/* --- which one answers ----------------------------------------------------- */

static int
model_default(struct ctx *c)
{
	const char *name = ctx_word(c, 0), *user = ctx_opt(c, O_USER);
	struct ln_provider_change change = { .size = sizeof(change),
		.model = name };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_provider_conf *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if (user != NULL && opt_has(&c->args, O_GLOBAL))
		return ctx_usage(c, NULL, "%s: choose --user or --global",
		    c->path);
	if (user != NULL && (rc = ctx_user(c, user, &u)) != EX_OK)
		return rc;
	s = ln_provider_set(c->st, c->cfg, u != NULL ? u->id : NULL, &change,
	    &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
		goto out;
	}
	if ((rc = provider_choice(c, NULL, &p)) != EX_OK)
		goto out;
	fields(c->out, "set", p, name);
	out_str(c->out, "scope", u != NULL ? u->username : "global");
	out_say(c->out, "%s answers for %s", name,
	    u != NULL ? u->username : "everybody");
	rc = ctx_finish(c);
out:
	ln_provider_conf_free(p);
	ln_user_free(u);
	return rc;
}

static const enum opt_id opts[] = { O_PROVIDER, O_USER, O_END };
static const enum opt_id default_opts[] = { O_USER, O_GLOBAL, O_END };
static const struct verb verbs[] = {
	{ "list", model_list, opts, "", CMD_STORE_RO,
	    "list the models of the provider" },
	{ "pull", model_pull, opts, "MODEL",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS,
	    "have the model server load one" },
	{ "delete", model_delete, opts, "MODEL", CMD_STORE_RW | CMD_KEYS,
	    "remove one from the model server" },
	{ "default", model_default, default_opts, "MODEL",
	    CMD_STORE_RW | CMD_KEYS, "choose the one that answers" },
};
const struct noun noun_model = { "model", "models of the provider", verbs,
	nitems(verbs) };
