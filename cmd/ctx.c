#include "cmd.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/log.h>
#include <ln/password.h>
#include <ln/rotate.h>

/* What commands need before they can run, and whom they run for. */

static int
set_flag(struct ctx *c, enum opt_id id, const char *name)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (c->args.value[id] == NULL)
		return EX_OK;
	s = ln_config_set(c->cfg, name, c->args.value[id], &err);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "--%s", opt_table[id].name);
	return EX_OK;
}

static bool
may_make_env(const struct ctx *c)
{
	return (c->verb->flags & CMD_MAKE_ENV) != 0 &&
	    (c->noun == &noun_init || opt_has(&c->args, O_INIT));
}

int
ctx_config(struct ctx *c)
{
	static const struct {
		enum opt_id id;
		const char *name;
	} flags[] = {
		{ O_DB, "LOCALNEURAL_DB" },
		{ O_LISTEN, "LOCALNEURAL_LISTEN" },
		{ O_WORKERS, "LOCALNEURAL_WORKERS" },
		{ O_TLS_CERT, "LOCALNEURAL_TLS_CERT" },
		{ O_TLS_KEY, "LOCALNEURAL_TLS_KEY" },
		{ O_ADMIN_EMAIL, "LOCALNEURAL_ADMIN_EMAIL" },
		{ O_ADMIN_USERNAME, "LOCALNEURAL_ADMIN_USERNAME" },
	};
	const char *file = ctx_opt(c, O_ENV_FILE), *cost;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	size_t i;
	int rc, line;

	if (file != NULL && may_make_env(c) && access(file, F_OK) != 0 &&
	    errno == ENOENT && (rc = init_env(c, file)) != EX_OK)
		return rc;
	s = ln_config_load(file, &c->cfg, &err);
	if (s == LN_INVALID && (line = ln_config_error_line()) > 0)
		return ctx_fail(c, s, &err, "A line is NAME=value",
		    "%s, line %d", file != NULL ? file : "env file", line);
	if (s == LN_FORBIDDEN)
		return ctx_fail(c, s, &err,
		    "It holds secrets",
		    "%s", file != NULL ? file : "env file");
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s",
		    file != NULL ? file : "env file");
	for (i = 0; i < nitems(flags); i++)
		if ((rc = set_flag(c, flags[i].id, flags[i].name)) != EX_OK)
			return rc;
	cost = ln_config_get(c->cfg, "LOCALNEURAL_PWHASH");
	if (cost != NULL && strcmp(cost, "small") == 0)
		ln_password_small(true);
	return EX_OK;
}

const char *
ctx_settings_name(const struct ctx *c)
{
	const char *file = ln_config_path(c->cfg);

	return file != NULL ? file : "no .env here";
}

const char *
ctx_key_hint(const struct ctx *c)
{
	return ln_config_path(c->cfg) == NULL ?
	    "Or let `lnctl init` make a .env with one" :
	    "Put it there as SECRET_KEY=VALUE";
}

/* A change of SECRET_KEY that was killed is finished before the key is used. */
static int
settle_secret(struct ctx *c, bool is_required)
{
	struct ln_error err = LN_ERROR_INIT;
	bool is_changed = false;
	enum ln_status s;

	s = ln_rotate_settle(c->cfg, &is_changed, &err);
	if (s != LN_OK)
		return is_required ? ctx_fail(c, s, &err, NULL, "%s",
		    ctx_settings_name(c)) : EX_OK;
	if (!is_changed)
		return EX_OK;
	ctx_note(c, "finished a change of SECRET_KEY that was interrupted");
	ln_config_free(c->cfg);
	c->cfg = NULL;
	return ctx_config(c);
}

int
ctx_keys(struct ctx *c, bool is_required)
{
	struct ln_error err = LN_ERROR_INIT;
	char *secret = NULL;
	enum ln_status s;
	int rc;

	if ((rc = settle_secret(c, is_required)) != EX_OK)
		return rc;
	s = ln_config_secret(c->cfg, "SECRET_KEY", &secret, &err);
	if (s == LN_OK)
		s = ln_keys_derive(secret, &c->keys, &err);
	ln_wipe_free(secret);
	if (s == LN_OK || !is_required)
		return EX_OK;
	if (s != LN_INVALID)
		return ctx_fail(c, s, &err, NULL, "SECRET_KEY");
	return ctx_fail(c, s, &err, ctx_key_hint(c), "%s",
	    ctx_settings_name(c));
}

int
ctx_store(struct ctx *c, enum ln_store_mode mode)
{
	struct ln_store_opts opts;
	struct ln_actor actor;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	char who[32];

	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.path = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	opts.mode = mode;
	opts.keys = c->keys;
	s = ln_store_open(&opts, &c->st, &err);
	if (s == LN_NOT_FOUND) {
		(void)ctx_refuse(c, EX_NO_DATABASE, "no_database",
		    "there is no database", "Make it with `lnctl init`", "%s",
		    opts.path);
		return EX_NO_DATABASE;
	}
	if (s != LN_OK)
		return ctx_fail(c, s, &err, s == LN_CORRUPT ?
		    "Is it the right file? See --db and LOCALNEURAL_DB" : NULL,
		    "%s", opts.path);
	memset(&actor, 0, sizeof(actor));
	(void)snprintf(who, sizeof(who), "uid:%ld", (long)getuid());
	actor.kind = "shell";
	actor.address = who;
	ln_store_actor_set(c->st, &actor);
	return EX_OK;
}

int
ctx_user(struct ctx *c, const char *name, struct ln_user **out)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_user_find(c->st, name, out, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such account", "See `lnctl user list`", "%s",
		    name);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", name);
	return EX_OK;
}

/* The first administrator who is not blocked. */
static enum ln_status
first_admin(struct ctx *c, struct ln_user **out, struct ln_error *err)
{
	struct ln_user_filter filter;
	struct ln_user_list list = { NULL, 0, 0 };
	enum ln_status s;
	size_t i;

	memset(&filter, 0, sizeof(filter));
	filter.size = sizeof(filter);
	filter.only_admins = true;
	if ((s = ln_user_list(c->st, &filter, &list, err)) != LN_OK)
		return s;
	s = ln_fail(err, LN_NOT_FOUND, "", "no active administrator");
	for (i = 0; i < list.count; i++) {
		if (list.items[i]->is_blocked)
			continue;
		s = ln_user_get(c->st, list.items[i]->id, out, err);
		break;
	}
	ln_user_list_free(&list);
	return s;
}

int
ctx_person(struct ctx *c, struct ln_user **out)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *name = ctx_opt(c, O_USER);
	const struct passwd *pw;
	enum ln_status s = LN_NOT_FOUND;

	*out = NULL;
	if (name == NULL)
		name = ln_config_get(c->cfg, "LOCALNEURAL_USER");
	if (name != NULL)
		return ctx_user(c, name, out);
	if ((pw = getpwuid(getuid())) != NULL)
		s = ln_user_find(c->st, pw->pw_name, out, &err);
	if (s == LN_NOT_FOUND)
		s = first_admin(c, out, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no account to act as",
		    "Make one with `lnctl admin seed`", "%s", c->path);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", c->path);
	if (isatty(STDERR_FILENO) == 1)
		ctx_note(c, "as %s (choose with --user)", (*out)->username);
	return EX_OK;
}
