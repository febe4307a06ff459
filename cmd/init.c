#include "backup_cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <ln/auth.h>

#define ENV_FILE_DEFAULT ".env"
#define SECRET_BYTES 48		/* 64 characters of base64url */
#define SECRET_SIZE 65
#define ADMIN_NAME_DEFAULT "admin"

/* What init found or made. */
struct instance {
	bool db_was_made;
	const char *admin_result;	/* "created", "exists", "promoted" */
	struct ln_user *admin;
	char *password;			/* random, to be shown once; or NULL */
};

int
init_env(struct ctx *c, const char *path)
{
	struct ln_buf text = LN_BUF_SECRET_INIT(1024);
	unsigned char random[SECRET_BYTES];
	char key[SECRET_SIZE];
	int e, rc = EX_OK;

	ln_random(random, sizeof(random));
	if (ln_b64url_encode(random, sizeof(random), key, sizeof(key)) == NULL) {
		rc = ctx_fail(c, LN_INTERNAL, NULL, "", "SECRET_KEY");
		goto out;
	}
	ln_buf_printf(&text,
	    "# Settings of LocalNeural.  Keep this file: without SECRET_KEY\n"
	    "# nobody stays signed in and no stored API key can be opened.\n"
	    "SECRET_KEY=%s\n", key);
	if (ln_buf_status(&text) != LN_OK)
		rc = ctx_fail(c, LN_NOMEM, NULL, NULL, "%s", path);
	else if ((e = file_create(path, text.data, text.len)) != 0)
		rc = ctx_refuse(c, e == EEXIST ? EX_CONFLICT : EX_FAILED,
		    e == EEXIST ? "conflict" : "io", strerror(e),
		    "Nothing was changed", "%s", path);
	else
		c->has_made_env = true;
out:
	ln_wipe(random, sizeof(random));
	ln_wipe(key, sizeof(key));
	ln_buf_free(&text);
	return rc;
}

/* A first env file, unless the key comes from one or from elsewhere. */
static int
make_env(struct ctx *c)
{
	char *secret = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	if (ln_config_path(c->cfg) != NULL)
		return EX_OK;
	s = ln_config_secret(c->cfg, "SECRET_KEY", &secret, &err);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "SECRET_KEY");
	if (secret != NULL) {
		ln_wipe_free(secret);
		return EX_OK;
	}
	if ((rc = init_env(c, ENV_FILE_DEFAULT)) != EX_OK)
		return rc;
	/* Read it as every later command will. */
	ln_config_free(c->cfg);
	c->cfg = NULL;
	return ctx_config(c);
}

static int
has_admin(struct ctx *c, bool *out)
{
	struct ln_user_filter filter;
	struct ln_user_list list = { NULL, 0, 0 };
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	*out = false;
	memset(&filter, 0, sizeof(filter));
	filter.size = sizeof(filter);
	filter.only_admins = true;
	if ((s = ln_user_list(c->st, &filter, &list, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "accounts");
	for (size_t i = 0; i < list.count; i++)
		*out = *out || !list.items[i]->is_blocked;
	ln_user_list_free(&list);
	return EX_OK;
}

/* The password of the new administrator, from wherever it may come. */
static int
admin_password(struct ctx *c, bool is_serving, char **out, bool *out_is_random)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	rc = tty_secret(c, "password of the administrator", true, out,
	    out_is_random);
	if (rc != EX_OK || *out != NULL)
		return rc;
	s = ln_config_secret(c->cfg, "LOCALNEURAL_ADMIN_PASSWORD", out, &err);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL,
		    "LOCALNEURAL_ADMIN_PASSWORD");
	if (*out != NULL)
		return EX_OK;
	if (is_serving) {
		*out_is_random = true;
		return tty_random(c, out);
	}
	return tty_secret(c, "password of the administrator", false, out,
	    out_is_random);
}

static const char *
seed_word(enum ln_auth_seed_result r)
{
	switch (r) {
	case LN_AUTH_SEED_CREATED:
		return "created";
	case LN_AUTH_SEED_EXISTS:
		return "already_exists";
	case LN_AUTH_SEED_PROMOTED:
		return "promoted";
	}
	return "already_exists";
}

static int
seed(struct ctx *c, struct instance *in, const char *name, const char *email,
    bool may_promote, bool is_serving)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user_new admin;
	enum ln_auth_seed_result result;
	bool is_random = false;
	enum ln_status s;
	int rc;

	memset(&admin, 0, sizeof(admin));
	admin.size = sizeof(admin);
	admin.username = name;
	admin.email = email;
	admin.role = LN_USER_ROLE_ADMIN;
	rc = admin_password(c, is_serving, &in->password, &is_random);
	if (rc != EX_OK)
		return rc;
	admin.password = in->password;
	s = ln_auth_seed(c->st, &admin, may_promote, &result, &in->admin,
	    &err);
	/* Only a password that was just made up and is in force is shown. */
	if (s != LN_OK || !is_random || result != LN_AUTH_SEED_CREATED) {
		ln_wipe_free(in->password);
		in->password = NULL;
	}
	if (s == LN_CONFLICT)
		return ctx_fail(c, s, &err, "Make it an administrator with "
		    "`lnctl admin seed --promote`", "%s", name);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "administrator %s", name);
	in->admin_result = seed_word(result);
	return EX_OK;
}

static const char *
admin_name(const struct ctx *c)
{
	const char *name = ln_config_get(c->cfg, "LOCALNEURAL_ADMIN_USERNAME");

	return name != NULL ? name : ADMIN_NAME_DEFAULT;
}

/* Whether the operator named an administrator, so that one must be there. */
static bool
names_admin(const struct ctx *c)
{
	return ln_config_get(c->cfg, "LOCALNEURAL_ADMIN_EMAIL") != NULL ||
	    ln_config_origin(c->cfg, "LOCALNEURAL_ADMIN_USERNAME") !=
	    LN_CONFIG_DEFAULT;
}

static int
take_backup(struct ctx *c, const char *database)
{
	struct ln_backup b;
	int rc;

	/* Before the file is made: it is to be its folder's owner's. */
	if ((rc = ctx_act_as_owner(c)) != EX_OK)
		return rc;
	rc = backup_place(c, ctx_opt(c, O_FROM_BACKUP), database, &b);
	ln_backup_clear(&b);
	return rc;
}

static int
build(struct ctx *c, struct instance *in, bool is_serving)
{
	const char *path;
	struct stat sb;
	bool is_there;
	int rc;

	if ((rc = make_env(c)) != EX_OK)
		return rc;
	if ((rc = ctx_keys(c, true)) != EX_OK)
		return rc;
	path = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	in->db_was_made = stat(path, &sb) != 0 && errno == ENOENT;
	if (ctx_opt(c, O_FROM_BACKUP) != NULL &&
	    (rc = take_backup(c, path)) != EX_OK)
		return rc;
	if ((rc = ctx_store(c, LN_STORE_CREATE)) != EX_OK)
		return rc;
	if (opt_has(&c->args, O_NO_ADMIN))
		return EX_OK;
	if ((rc = has_admin(c, &is_there)) != EX_OK)
		return rc;
	if (is_there && (is_serving || !names_admin(c)))
		return EX_OK;
	return seed(c, in, admin_name(c),
	    ln_config_get(c->cfg, "LOCALNEURAL_ADMIN_EMAIL"), false,
	    is_serving);
}

static void
instance_clear(struct instance *in)
{
	ln_user_free(in->admin);
	ln_wipe_free(in->password);
	memset(in, 0, sizeof(*in));
}

int
init_instance(struct ctx *c, bool is_serving)
{
	struct instance in;
	const char *path;
	int rc;

	memset(&in, 0, sizeof(in));
	if ((rc = build(c, &in, is_serving)) != EX_OK)
		goto end;
	if (is_serving) {
		if (in.password != NULL)
			(void)printf("admin: %s\npassword: %s (shown once)\n",
			    in.admin->username, in.password);
		rc = fflush(stdout) == 0 ? EX_OK : EX_FAILED;
		goto end;
	}
	path = ln_store_path(c->st);
	out_str(c->out, "env_file", ln_config_path(c->cfg));
	out_bool(c->out, "env_file_created", c->has_made_env);
	out_str(c->out, "database", path);
	out_bool(c->out, "database_created", in.db_was_made);
	out_str(c->out, "admin", in.admin != NULL ? in.admin->username : NULL);
	out_str(c->out, "admin_result", in.admin_result != NULL ?
	    in.admin_result : opt_has(&c->args, O_NO_ADMIN) ? "not_wanted" :
	    "already_exists");
	if (in.password != NULL)
		out_str(c->out, "password", in.password);
	rc = ctx_finish(c);
	if (rc == EX_OK && in.password != NULL)
		ctx_note(c, "The password is shown only this once.");
end:
	instance_clear(&in);
	return rc;
}

static int
init_run(struct ctx *c)
{
	return init_instance(c, false);
}

static int
admin_seed(struct ctx *c)
{
	struct instance in;
	const char *name = ctx_opt(c, O_USERNAME);
	const char *email = ctx_opt(c, O_EMAIL);
	int rc;

	memset(&in, 0, sizeof(in));
	if (email == NULL)
		email = ln_config_get(c->cfg, "LOCALNEURAL_ADMIN_EMAIL");
	rc = seed(c, &in, name != NULL ? name : admin_name(c), email,
	    opt_has(&c->args, O_PROMOTE), false);
	if (rc != EX_OK)
		goto end;
	out_str(c->out, "result", in.admin_result);
	out_open(c->out, "user");
	user_fields(c->out, in.admin);
	out_close(c->out);
	if (in.password != NULL)
		out_str(c->out, "password", in.password);
	out_say(c->out, "%s: %s", in.admin->username, in.admin_result);
	if (in.password != NULL)
		out_say(c->out, "password: %s (shown once)", in.password);
	rc = ctx_finish(c);
end:
	instance_clear(&in);
	return rc;
}

static const enum opt_id init_opts[] = { O_ADMIN_EMAIL, O_ADMIN_USERNAME,
	O_NO_ADMIN, O_SECRET, O_FROM_BACKUP, O_SECRET_KEY_FILE,
	O_PASSPHRASE_FILE, O_END };
static const struct verb init_verbs[] = {
	{ NULL, init_run, init_opts, "", CMD_CONFIG | CMD_MAKE_ENV,
	    "make the env file, the database and the administrator" },
};
const struct noun noun_init = { "init", "set up what is missing", init_verbs,
	nitems(init_verbs) };

static const enum opt_id seed_opts[] = { O_EMAIL, O_USERNAME, O_PROMOTE,
	O_SECRET, O_END };
static const struct verb admin_verbs[] = {
	{ "seed", admin_seed, seed_opts, "", CMD_STORE_RW | CMD_KEYS,
	    "make the super administrator, unless it is there" },
};
const struct noun noun_admin = { "admin", "the super administrator",
	admin_verbs, nitems(admin_verbs) };
