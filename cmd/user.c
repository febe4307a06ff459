#include "cmd.h"

#include <errno.h>
#include <string.h>

#include <ln/auth.h>
#include <ln/session.h>
#include <ln/time.h>
#include <ln/transfer.h>

#define LIST_MAX 100000
#define EXPIRES_MAX_MS (INT64_C(7) * 24 * 60 * 60 * 1000)

void
user_fields(struct out *o, const struct ln_user *u)
{
	out_str(o, "id", u->id);
	out_str(o, "username", u->username);
	out_str(o, "email", u->email);
	out_str(o, "full_name", u->full_name);
	out_str(o, "role", ln_user_role_name(u->role));
	out_bool(o, "is_blocked", u->is_blocked);
	out_time(o, "blocked_at", u->blocked_ms);
	out_time(o, "blocked_until", u->blocked_until_ms);
	out_str(o, "blocked_reason", u->blocked_reason);
	out_bool(o, "has_password", u->has_password);
	out_time(o, "created_at", u->created_ms);
	out_time(o, "last_login_at", u->last_login_ms);
}

/* {"result": "blocked", "user": {...}}, or a sentence for people. */
static int
finish(struct ctx *c, const char *id, const char *result)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = ln_user_get(c->st, id, &u, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", id);
	out_str(c->out, "result", result);
	out_open(c->out, "user");
	user_fields(c->out, u);
	out_close(c->out);
	out_say(c->out, "%s: %s", u->username, result);
	ln_user_free(u);
	return ctx_finish(c);
}

/* The guard of the last administrator refuses; it is not a clash of names. */
static int
fail_guarded(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *username)
{
	if (s == LN_CONFLICT)
		return ctx_refuse(c, EX_REFUSED, ln_status_token(s),
		    ln_error_text(err, s), "Make another one first with "
		    "`lnctl user role NAME admin`", "%s", username);
	return ctx_fail(c, s, err, NULL, "%s", username);
}

static int
user_list(struct ctx *c)
{
	static const struct out_col cols[] = {
		{ "username", OUT_STR, false }, { "role", OUT_STR, false },
		{ "is_blocked", OUT_BOOL, false }, { "email", OUT_STR, false },
		{ "full_name", OUT_STR, true },
		{ "has_password", OUT_BOOL, true },
		{ "created_at", OUT_TIME, false },
		{ "last_login_at", OUT_TIME, false }, { "id", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_user_list list = { NULL, 0, 0 };
	struct ln_user_filter filter;
	struct ln_error err = LN_ERROR_INIT;
	const char *role = ctx_opt(c, O_ROLE);
	const struct ln_user *u;
	enum ln_status s;
	size_t i;
	int rc;

	memset(&filter, 0, sizeof(filter));
	filter.size = sizeof(filter);
	filter.query = ctx_opt(c, O_QUERY);
	filter.only_blocked = opt_has(&c->args, O_BLOCKED);
	filter.only_admins = role != NULL && strcmp(role, "admin") == 0;
	filter.only_users = role != NULL && !filter.only_admins;
	rc = opt_int(c, O_LIMIT, 1, LIST_MAX, LIST_MAX, &filter.limit);
	if (rc != EX_OK)
		return rc;
	rc = opt_int(c, O_OFFSET, 0, INT64_MAX, 0, &filter.offset);
	if (rc != EX_OK)
		return rc;
	if ((s = ln_user_list(c->st, &filter, &list, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "accounts");
	out_list(c->out, "users", cols);
	for (i = 0; i < list.count; i++) {
		u = list.items[i];
		out_row(c->out, u->username, ln_user_role_name(u->role),
		    (int)u->is_blocked, u->email, u->full_name,
		    (int)u->has_password, u->created_ms, u->last_login_ms,
		    u->id);
	}
	out_list_end(c->out);
	if (out_format(c->out) != OUT_TABLE)
		out_int(c->out, "total", list.total);
	else if ((int64_t)list.count < list.total)
		ctx_note(c, "%zu of %lld", list.count, (long long)list.total);
	ln_user_list_free(&list);
	return ctx_finish(c);
}

static int
user_show(struct ctx *c)
{
	struct ln_session_list sessions = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user_stats stats;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	if ((s = ln_user_stats(c->st, u->id, &stats, &err)) != LN_OK ||
	    (s = ln_session_list(c->st, u->id, &sessions, &err)) != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", u->username);
		goto out;
	}
	user_fields(c->out, u);
	out_int(c->out, "conversations", stats.conversation_count);
	out_int(c->out, "messages", stats.message_count);
	out_int(c->out, "total_tokens", stats.total_tokens);
	out_int(c->out, "sessions", (int64_t)sessions.count);
	rc = ctx_finish(c);
out:
	ln_session_list_free(&sessions);
	ln_user_free(u);
	return rc;
}

static void
show_password(struct ctx *c, const char *password, bool is_random)
{
	if (!is_random)
		return;
	out_str(c->out, "password", password);
	out_say(c->out, "password: %s (shown once)", password);
}

static int
user_create(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *role = ctx_opt(c, O_ROLE);
	struct ln_user_new account;
	struct ln_user *u = NULL;
	char *password = NULL;
	bool is_random = false;
	enum ln_status s;
	int rc;

	memset(&account, 0, sizeof(account));
	account.size = sizeof(account);
	account.username = ctx_word(c, 0);
	account.email = ctx_opt(c, O_EMAIL);
	account.full_name = ctx_opt(c, O_FULL_NAME);
	if (role != NULL && !ln_user_role_parse(role, &account.role))
		return ctx_usage(c, NULL, "%s: unknown role \"%s\"", c->path,
		    role);
	/* Do not ask for a password and only then refuse the name. */
	s = ln_user_check_name(account.username, &err);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", account.username);
	rc = tty_secret(c, "password", false, &password, &is_random);
	if (rc != EX_OK)
		return rc;
	account.password = password;
	if ((s = ln_auth_create(c->st, &account, &u, &err)) != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", account.username);
		goto out;
	}
	show_password(c, password, is_random);
	rc = finish(c, u->id, "created");
out:
	ln_wipe_free(password);
	ln_user_free(u);
	return rc;
}

static int
user_passwd(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	char *password = NULL, what[256];
	bool is_random = false;
	enum ln_status s;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	(void)snprintf(what, sizeof(what), "password for %s", u->username);
	rc = tty_secret(c, what, false, &password, &is_random);
	if (rc != EX_OK)
		goto out;
	s = ln_auth_password_set(c->st, u->id, password, NULL, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", u->username);
		goto out;
	}
	show_password(c, password, is_random);
	rc = finish(c, u->id, "password_set");
out:
	ln_wipe_free(password);
	ln_user_free(u);
	return rc;
}

static int
user_reset_link(struct ctx *c)
{
	const char *base = ln_config_get(c->cfg, "LOCALNEURAL_PUBLIC_URL");
	const char *expires = ctx_opt(c, O_EXPIRES);
	int64_t lifetime = LN_RESET_EXPIRES_MS;
	struct ln_error err = LN_ERROR_INIT;
	char token[LN_RESET_TOKEN_SIZE], link[4096];
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t n;
	int rc;

	if (expires != NULL) {
		s = ln_time_parse_duration(expires, &lifetime, &err);
		if (s != LN_OK || lifetime <= 0 || lifetime > EXPIRES_MAX_MS)
			return ctx_usage(c, "Write 30m, 1h or at most 7d",
			    "%s: --expires cannot be \"%s\"", c->path,
			    expires);
	}
	if (base == NULL)
		return ctx_refuse(c, EX_USAGE, "invalid", "it is not set",
		    "Set it to the address people open in their browser",
		    "LOCALNEURAL_PUBLIC_URL");
	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	s = ln_auth_reset_issue(c->st, u->id, lifetime, token, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", u->username);
		goto out;
	}
	n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	(void)snprintf(link, sizeof(link), "%.*s/reset-password/%s", (int)n,
	    base, token);
	out_str(c->out, "username", u->username);
	out_str(c->out, "link", link);
	out_time(c->out, "expires_at", ln_time_now_ms() + lifetime);
	out_say(c->out, "%s", link);
	rc = ctx_finish(c);
	if (rc == EX_OK)
		ctx_note(c, "Whoever has this link can set the password of %s,"
		    " once.", u->username);
out:
	ln_wipe(token, sizeof(token));
	ln_wipe(link, sizeof(link));
	ln_user_free(u);
	return rc;
}

static int
user_block(struct ctx *c)
{
	const char *until = ctx_opt(c, O_UNTIL);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	int64_t now = ln_time_now_ms(), until_ms = 0, ended = 0;
	bool has_changed = false;
	enum ln_status s;
	int rc;

	if (until != NULL) {
		s = ln_time_parse(until, now, &until_ms, &err);
		if (s != LN_OK || until_ms <= now)
			return ctx_usage(c, "Write a time to come: 7d,"
			    " 2030-12-01 or RFC 3339",
			    "%s: --until cannot be \"%s\"", c->path, until);
	}
	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	s = ln_auth_block(c->st, u->id, ctx_opt(c, O_REASON), until_ms,
	    &has_changed, &err);
	if (s != LN_OK) {
		rc = fail_guarded(c, s, &err, u->username);
		goto out;
	}
	if (opt_has(&c->args, O_REVOKE)) {
		s = ln_auth_sessions_end(c->st, u->id, &ended, &err);
		if (s != LN_OK) {
			rc = ctx_fail(c, s, &err, "The account is blocked",
			    "%s: ending sessions", u->username);
			/* Half of what was asked has happened. */
			rc = rc == EX_BUSY ? rc : EX_PARTIAL;
			goto out;
		}
		out_int(c->out, "sessions_ended", ended);
	}
	rc = finish(c, u->id, has_changed ? "blocked" : "already_blocked");
out:
	ln_user_free(u);
	return rc;
}

static int
user_unblock(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	bool has_changed = false;
	enum ln_status s;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	s = ln_auth_unblock(c->st, u->id, &has_changed, &err);
	if (s != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", u->username);
	else
		rc = finish(c, u->id, has_changed ? "unblocked" :
		    "already_unblocked");
	ln_user_free(u);
	return rc;
}

static int
user_role(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_user_role role;
	struct ln_user *u = NULL;
	bool has_changed = false;
	char result[32];
	enum ln_status s;
	int rc;

	if (!ln_user_role_parse(ctx_word(c, 1), &role))
		return ctx_usage(c, "There are user and admin",
		    "%s: unknown role \"%s\"", c->path, ctx_word(c, 1));
	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	s = ln_auth_role_set(c->st, u->id, role, &has_changed, &err);
	(void)snprintf(result, sizeof(result), "%s%s",
	    has_changed ? "" : "already_", ln_user_role_name(role));
	if (s != LN_OK)
		rc = fail_guarded(c, s, &err, u->username);
	else
		rc = finish(c, u->id, result);
	ln_user_free(u);
	return rc;
}

static int
user_rename(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *name = ctx_word(c, 1);
	struct ln_user *u = NULL;
	enum ln_status s = LN_OK;
	bool is_same;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	is_same = strcmp(u->username, name) == 0;
	if (!is_same)
		s = ln_auth_profile_set(c->st, u->id, name, NULL, NULL, &err);
	if (s != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
	else
		rc = finish(c, u->id, is_same ? "already_renamed" : "renamed");
	ln_user_free(u);
	return rc;
}

/* Everything of the account, before it goes. */
static int
save_account(struct ctx *c, const struct ln_user *u, const char *path)
{
	int64_t bytes;

	if (strcmp(path, "-") == 0)
		return ctx_usage(c, NULL, "%s: --export wants a file",
		    c->path);
	return person_export(c, u, path, &bytes, "Nothing was deleted");
}

static int
user_delete(struct ctx *c)
{
	const char *path = ctx_opt(c, O_EXPORT);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	if ((rc = tty_confirm_name(c, u->username)) != EX_OK)
		goto out;
	if (path != NULL && (rc = save_account(c, u, path)) != EX_OK)
		goto out;
	if ((s = ln_auth_delete(c->st, u->id, &err)) != LN_OK) {
		rc = fail_guarded(c, s, &err, u->username);
		goto out;
	}
	out_str(c->out, "result", "deleted");
	out_str(c->out, "id", u->id);
	out_str(c->out, "username", u->username);
	if (path != NULL)
		out_str(c->out, "export", path);
	out_say(c->out, "%s: deleted", u->username);
	rc = ctx_finish(c);
out:
	ln_user_free(u);
	return rc;
}

static int
user_sessions(struct ctx *c)
{
	static const struct out_col cols[] = {
		{ "created_at", OUT_TIME, false },
		{ "expires_at", OUT_TIME, false }, { "address", OUT_STR, false },
		{ "agent", OUT_STR, false }, { NULL, OUT_STR, false } };
	struct ln_session_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = ctx_user(c, ctx_word(c, 0), &u)) != EX_OK)
		return rc;
	if ((s = ln_session_list(c->st, u->id, &list, &err)) != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", u->username);
		goto out;
	}
	out_list(c->out, "sessions", cols);
	for (i = 0; i < list.count; i++)
		out_row(c->out, list.items[i]->created_ms,
		    list.items[i]->expires_ms, list.items[i]->address,
		    list.items[i]->agent);
	out_list_end(c->out);
	rc = ctx_finish(c);
out:
	ln_session_list_free(&list);
	ln_user_free(u);
	return rc;
}

static int
user_logout(struct ctx *c)
{
	const char *name = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	int64_t ended = 0;
	enum ln_status s;
	int rc;

	if ((name != NULL) == opt_has(&c->args, O_ALL))
		return ctx_usage(c, NULL, "%s: name an account, or --all",
		    c->path);
	if (name != NULL && (rc = ctx_user(c, name, &u)) != EX_OK)
		return rc;
	if (u == NULL && (rc = tty_confirm(c, "Sign everybody out?")) != EX_OK)
		return rc;
	s = ln_auth_sessions_end(c->st, u != NULL ? u->id : NULL, &ended,
	    &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", c->path);
		goto out;
	}
	out_str(c->out, "result", ended > 0 ? "logged_out" :
	    "already_logged_out");
	out_int(c->out, "sessions_ended", ended);
	out_say(c->out, "%s: %lld sessions ended",
	    u != NULL ? u->username : "everybody", (long long)ended);
	rc = ctx_finish(c);
out:
	ln_user_free(u);
	return rc;
}

static const enum opt_id list_opts[] = { O_ROLE, O_BLOCKED, O_QUERY, O_LIMIT,
	O_OFFSET, O_END };
static const enum opt_id create_opts[] = { O_EMAIL, O_FULL_NAME, O_ROLE,
	O_SECRET, O_END };
static const enum opt_id passwd_opts[] = { O_SECRET, O_END };
static const enum opt_id reset_opts[] = { O_EXPIRES, O_END };
static const enum opt_id block_opts[] = { O_REASON, O_UNTIL, O_REVOKE, O_END };
static const enum opt_id delete_opts[] = { O_EXPORT, O_CONFIRM, O_END };
static const enum opt_id logout_opts[] = { O_ALL, O_END };

#define READ CMD_STORE_RO
#define WRITE (CMD_STORE_RW | CMD_KEYS)

static const struct verb verbs[] = {
	{ "list", user_list, list_opts, "", READ, "list accounts" },
	{ "show", user_show, NULL, "USER", READ, "show one account" },
	{ "create", user_create, create_opts, "NAME", WRITE,
	    "create an account" },
	{ "passwd", user_passwd, passwd_opts, "USER", WRITE,
	    "set a password and end the account's sessions" },
	{ "reset-link", user_reset_link, reset_opts, "USER", WRITE,
	    "print a link that sets a new password, once" },
	{ "block", user_block, block_opts, "USER", WRITE,
	    "refuse further messages and changes" },
	{ "unblock", user_unblock, NULL, "USER", WRITE,
	    "lift a block" },
	{ "role", user_role, NULL, "USER ROLE", WRITE,
	    "make an account user or admin" },
	{ "rename", user_rename, NULL, "USER NAME", WRITE,
	    "change a user name" },
	{ "delete", user_delete, delete_opts, "USER", WRITE,
	    "delete an account and everything of it" },
	{ "sessions", user_sessions, NULL, "USER", READ,
	    "list where an account is signed in" },
	{ "logout", user_logout, logout_opts, "[USER]", WRITE,
	    "end sign-in sessions" },
};
const struct noun noun_user = { "user", "manage accounts", verbs,
	nitems(verbs) };
