#include "cmd.h"

#include <string.h>

#include <ln/backup.h>
#include <ln/rotate.h>

/* Settings of the process: what they are, where each came from. */

static const char *
origin_name(enum ln_config_origin origin)
{
	switch (origin) {
	case LN_CONFIG_DEFAULT:
		return "default";
	case LN_CONFIG_FILE:
		return "file";
	case LN_CONFIG_ENV:
		return "environment";
	case LN_CONFIG_FLAG:
		return "flag";
	}
	return "default";
}

/* Whether ${name}, or its _FILE twin when it is a secret, has a value. */
static bool
is_set(const struct ctx *c, const struct ln_config_key *k)
{
	char twin[128];

	if (ln_config_get(c->cfg, k->name) != NULL)
		return true;
	if (!k->is_secret)
		return false;
	(void)snprintf(twin, sizeof(twin), "%s_FILE", k->name);
	return ln_config_get(c->cfg, twin) != NULL;
}

static int
config_show(struct ctx *c)
{
	static const struct out_col cols[] = { { "name", OUT_STR, false },
		{ "value", OUT_STR, false }, { "is_set", OUT_BOOL, true },
		{ "is_secret", OUT_BOOL, true }, { "help", OUT_STR, true },
		{ NULL, OUT_STR, false } };
	static const struct out_col origin_cols[] = {
		{ "name", OUT_STR, false }, { "value", OUT_STR, false },
		{ "is_set", OUT_BOOL, true }, { "is_secret", OUT_BOOL, true },
		{ "help", OUT_STR, true }, { "origin", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	bool with_origin = opt_has(&c->args, O_ORIGIN), has_value;
	const struct ln_config_key *k;
	const char *value;

	out_str(c->out, "env_file", ln_config_path(c->cfg));
	out_list(c->out, "settings", with_origin ? origin_cols : cols);
	for (k = ln_config_keys(); k->name != NULL; k++) {
		has_value = is_set(c, k);
		value = ln_config_get(c->cfg, k->name);
		if (k->is_secret)
			value = has_value ? "(set)" : NULL;
		if (k->is_secret && out_format(c->out) != OUT_TABLE)
			value = NULL;
		if (with_origin)
			out_row(c->out, k->name, value, (int)has_value,
			    (int)k->is_secret, k->help,
			    origin_name(ln_config_origin(c->cfg, k->name)));
		else
			out_row(c->out, k->name, value, (int)has_value,
			    (int)k->is_secret, k->help);
	}
	out_list_end(c->out);
	return ctx_finish(c);
}

static const char *
next_key(const void *arg, size_t i)
{
	(void)arg;
	/* The closing row has a NULL name. */
	return ln_config_keys()[i].name;
}

static int
config_get(struct ctx *c)
{
	const char *name = ctx_word(c, 0), *near, *value;
	const struct ln_config_key *k;
	char hint[320];

	for (k = ln_config_keys(); k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			break;
	if (k->name == NULL) {
		near = opt_nearest(name, next_key, NULL);
		if (near != NULL)
			(void)snprintf(hint, sizeof(hint),
			    "Did you mean %s?  See `lnctl config show`", near);
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such setting",
		    near != NULL ? hint : "See `lnctl config show`", "%s",
		    name);
	}
	if (k->is_secret)
		return ctx_refuse(c, EX_REFUSED, "forbidden",
		    "secrets are not printed",
		    "See `lnctl config show` for whether it is set", "%s", name);
	if ((value = ln_config_get(c->cfg, name)) == NULL)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "it has no value", "", "%s", name);
	out_str(c->out, "name", name);
	out_str(c->out, "value", value);
	out_str(c->out, "origin", origin_name(ln_config_origin(c->cfg, name)));
	out_say(c->out, "%s", value);
	return ctx_finish(c);
}

/* Every line of the file was read when the command started. */
static int
config_check(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	char *secret = NULL, host[LISTEN_HOST_SIZE], port[8];
	const char *listen = ln_config_get(c->cfg, "LOCALNEURAL_LISTEN");
	struct ln_keys *keys = NULL;
	enum ln_status s;
	int64_t max_age_ms;
	int rc = EX_OK;

	s = ln_config_secret(c->cfg, "SECRET_KEY", &secret, &err);
	if (s == LN_OK)
		s = ln_keys_derive(secret, &keys, &err);
	ln_wipe_free(secret);
	ln_keys_free(keys);
	if (s != LN_OK) {
		rc = ctx_refuse(c, EX_INVALID, ln_status_token(s),
		    ln_error_text(&err, s), ctx_key_hint(c), "%s",
		    ctx_settings_name(c));
	}
	if (listen != NULL && !listen_parse(listen, host, port))
		rc = ctx_refuse(c, EX_INVALID, "invalid",
		    "it is not ADDRESS:PORT", "For example 127.0.0.1:59869",
		    "LOCALNEURAL_LISTEN=%s", listen);
	if ((s = ln_backup_max_age(c->cfg, &max_age_ms, &err)) != LN_OK)
		rc = ctx_refuse(c, EX_INVALID, ln_status_token(s),
		    ln_error_text(&err, s), "For example 26h", "%s",
		    ctx_settings_name(c));
	if (rc != EX_OK)
		return rc;
	out_str(c->out, "env_file", ln_config_path(c->cfg));
	out_str(c->out, "result", "valid");
	out_say(c->out, "%s: valid", ln_config_path(c->cfg) != NULL ?
	    ln_config_path(c->cfg) : "environment");
	return ctx_finish(c);
}

static void
say_step(void *arg, enum ln_rotate_step step)
{
	static const char *const words[] = {
		[LN_ROTATE_STAGED] = "the new key is stored beside the file",
		[LN_ROTATE_REHEARSED] = "the file can be replaced",
		[LN_ROTATE_RESEALED] = "the database is sealed anew",
		[LN_ROTATE_COMMITTED] = "the database has the new key",
		[LN_ROTATE_REPLACED] = "the file has the new key",
	};
	struct ctx *c = arg;

	if (c->is_verbose)
		ctx_note(c, "%s", words[step]);
}

static int
config_rotate(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_rotate_report r;
	char *file = NULL;
	enum ln_status s;
	int rc;

	if ((s = ln_rotate_file(c->cfg, &file, &err)) != LN_OK)
		return ctx_fail(c, s == LN_INVALID ? LN_FORBIDDEN : s, &err,
		    "", "SECRET_KEY");
	rc = tty_confirm(c, "Replace SECRET_KEY in %s and sign everybody out?",
	    file);
	if (rc != EX_OK)
		goto out;
	s = ln_rotate_secret(c->st, c->cfg, say_step, c, &r, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, s == LN_FORBIDDEN ? "" : NULL, "%s",
		    file);
		goto out;
	}
	out_str(c->out, "result", "rotated");
	out_str(c->out, "file", file);
	out_int(c->out, "api_keys", r.key_count);
	out_int(c->out, "sessions_ended", r.session_count);
	out_int(c->out, "reset_links_ended", r.token_count);
	out_int(c->out, "mails_dropped", r.mail_count);
	out_int(c->out, "audit_rows", r.audit_count);
	out_str(c->out, "audit", r.audit_first_bad == 0 ? "whole" : "broken");
	if (r.audit_first_bad != 0) {
		out_int(c->out, "first_bad_id", r.audit_first_bad);
		ctx_note(c, "the audit log was broken before, at row %lld,"
		    " and still is", (long long)r.audit_first_bad);
	}
	out_say(c->out, "%s: new SECRET_KEY; %lld API keys sealed anew, %lld"
	    " sign-in sessions ended", file, (long long)r.key_count,
	    (long long)r.session_count);
	rc = ctx_finish(c);
out:
	ln_free(file);
	return rc;
}

static const enum opt_id show_opts[] = { O_ORIGIN, O_END };
static const struct verb verbs[] = {
	{ "show", config_show, show_opts, "", CMD_CONFIG,
	    "show every setting" },
	{ "get", config_get, NULL, "NAME", CMD_CONFIG, "print one setting" },
	{ "check", config_check, NULL, "", CMD_CONFIG,
	    "say whether the settings can be used" },
	{ "rotate-secret", config_rotate, NULL, "", CMD_STORE_RW | CMD_KEYS,
	    "replace SECRET_KEY and sign everybody out" },
};
const struct noun noun_config = { "config", "settings of the process", verbs,
	nitems(verbs) };
