#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/json.h>
#include <ln/tool.h>

/* Tools that a model may call: everybody's, or one person's. */

static const char *
kind_name(enum ln_tool_kind kind)
{
	static const char *const names[] = {
		[LN_TOOL_BUILTIN] = "builtin",
		[LN_TOOL_HTTP] = "http",
		[LN_TOOL_BARE] = "bare",
	};

	return names[kind];
}

/* Whose tools are meant: --user, or everybody's. */
static int
find_owner(struct ctx *c, struct ln_user **out)
{
	const char *user = ctx_opt(c, O_USER);

	*out = NULL;
	if (user != NULL && opt_has(&c->args, O_GLOBAL))
		return ctx_usage(c, NULL, "%s: choose --user or --global",
		    c->path);
	return user != NULL ? ctx_user(c, user, out) : EX_OK;
}

static const char *
owner_id(const struct ln_user *u)
{
	return u != NULL ? u->id : NULL;
}

/* --- looking ------------------------------------------------------------ */

static int
tool_list(struct ctx *c)
{
	static const struct out_col cols[] = { { "id", OUT_STR, true },
		{ "name", OUT_STR, false }, { "kind", OUT_STR, false },
		{ "is_global", OUT_BOOL, false },
		{ "is_enabled", OUT_BOOL, false },
		{ "asks_first", OUT_BOOL, false },
		{ "is_available", OUT_BOOL, false },
		{ "description", OUT_STR, true }, { NULL, OUT_STR, false } };
	struct ln_tool_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	const struct ln_tool *t;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK)
		return rc;
	s = ln_tool_list(c->st, c->cfg, owner_id(u), &list, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "tools");
	out_list(c->out, "tools", cols);
	for (i = 0; i < list.count; i++) {
		t = list.items[i];
		out_row(c->out, t->id, t->name, kind_name(t->kind),
		    (int)(t->user_id == NULL), (int)t->is_enabled,
		    (int)t->asks_first, (int)t->is_available,
		    t->description);
	}
	out_list_end(c->out);
	ln_tool_list_free(&list);
	return ctx_finish(c);
}

static const char *
next_name(const void *arg, size_t i)
{
	const struct ln_tool_list *l = arg;

	return i < l->count ? l->items[i]->name : NULL;
}

static int
no_tool(struct ctx *c, const char *user_id, const char *name)
{
	struct ln_tool_list list = { NULL, 0 };
	const char *near = NULL;
	char hint[160];
	int rc;

	if (ln_tool_list(c->st, c->cfg, user_id, &list, NULL) == LN_OK)
		near = opt_nearest(name, next_name, &list);
	if (near != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "Did you mean %.64s?  See `lnctl tool list`", near);
	rc = ctx_refuse(c, EX_NOT_FOUND, "not_found", "there is no such tool",
	    near != NULL ? hint : "See `lnctl tool list`", "%s", name);
	ln_tool_list_free(&list);
	return rc;
}

static int
get(struct ctx *c, const char *user_id, const char *name,
    struct ln_tool **out)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_tool_get(c->st, c->cfg, user_id, name, out, &err);
	if (s == LN_NOT_FOUND)
		return no_tool(c, user_id, name);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", name);
	return EX_OK;
}

static void
fields(struct out *o, const struct ln_tool *t)
{
	out_str(o, "id", t->id);
	out_str(o, "name", t->name);
	out_str(o, "kind", kind_name(t->kind));
	out_bool(o, "is_global", t->user_id == NULL);
	out_bool(o, "is_enabled", t->is_enabled);
	out_bool(o, "asks_first", t->asks_first);
	out_bool(o, "is_available", t->is_available);
	out_time(o, "created_at", t->created_ms);
	out_str(o, "description", t->description);
	out_str(o, "definition", t->definition);
}

static int
tool_show(struct ctx *c)
{
	struct ln_user *u = NULL;
	struct ln_tool *t = NULL;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK)
		return rc;
	if ((rc = get(c, owner_id(u), ctx_word(c, 0), &t)) == EX_OK) {
		fields(c->out, t);
		rc = ctx_finish(c);
	}
	ln_tool_free(t);
	ln_user_free(u);
	return rc;
}

/* --- writing ------------------------------------------------------------ */

/* --ask and --no-ask; ${out} stays NULL when neither was said. */
static int
read_asks(struct ctx *c, const bool **out)
{
	static const bool yes = true, no = false;

	*out = NULL;
	if (opt_has(&c->args, O_ASK) && opt_has(&c->args, O_NO_ASK))
		return ctx_usage(c, NULL, "%s: choose --ask or --no-ask",
		    c->path);
	if (opt_has(&c->args, O_ASK))
		*out = &yes;
	else if (opt_has(&c->args, O_NO_ASK))
		*out = &no;
	return EX_OK;
}

/* Whether a definition carries the value of a header. */
static bool
has_secret(const struct ln_buf *text)
{
	const struct ln_json *endpoint, *node;
	struct ln_json *root = NULL;
	bool has_value = false;

	if (ln_json_parse(ln_buf_str(text), text->len, NULL, &root, NULL) !=
	    LN_OK)
		return false;
	endpoint = ln_json_get(root, "endpoint");
	if (endpoint == NULL)
		endpoint = ln_json_get(ln_json_get(root, "function"),
		    "endpoint");
	for (node = ln_json_first(ln_json_get(endpoint, "headers"));
	    node != NULL; node = ln_json_next(node))
		if (ln_json_string(node) != NULL &&
		    ln_json_string(node)[0] != '\0')
			has_value = true;
	ln_json_free(root);
	return has_value;
}

static int
read_definition(struct ctx *c, const char *path, struct ln_buf *text)
{
	struct stat sb;
	int e;

	if (strcmp(path, "-") == 0)
		return tty_read_all(c, STDIN_FILENO, text, "definition");
	if ((e = file_read(path, LN_TOOL_DEFINITION_MAX, text)) != 0)
		return ctx_refuse(c, e == ENOENT ? EX_NOT_FOUND : EX_FAILED,
		    e == ENOENT ? "not_found" : "io", strerror(e), "", "%s",
		    path);
	if (has_secret(text) && stat(path, &sb) == 0 &&
	    (sb.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return ctx_refuse(c, EX_REFUSED, "forbidden", "it holds the "
		    "value of a header, and others can read it",
		    "Run chmod 600 on it", "%s", path);
	return EX_OK;
}

static int
tool_add(struct ctx *c)
{
	const char *path = ctx_word(c, 0);
	struct ln_buf text = LN_BUF_SECRET_INIT(LN_TOOL_DEFINITION_MAX + 1);
	struct ln_buf problem = LN_BUF_INIT(4000);
	struct ln_buf hint = LN_BUF_INIT(5000);
	struct ln_tool_change change = { .size = sizeof(change),
		.problem = &problem };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	struct ln_tool *t = NULL;
	enum ln_status s;
	int rc;

	if ((rc = read_asks(c, &change.asks_first)) != EX_OK ||
	    (rc = find_owner(c, &u)) != EX_OK ||
	    (rc = read_definition(c, path, &text)) != EX_OK)
		goto out;
	change.definition = ln_buf_str(&text);
	s = ln_tool_create(c->st, c->cfg, owner_id(u), &change, &t, &err);
	if (s != LN_OK) {
		if (problem.len > 0)
			ln_buf_printf(&hint, "See %s", ln_buf_str(&problem));
		rc = ctx_fail(c, s, &err, hint.len > 0 ? ln_buf_str(&hint) :
		    NULL, "%s", path);
		goto out;
	}
	out_str(c->out, "result", "added");
	fields(c->out, t);
	out_say(c->out, "%s is added for %s%s", t->name,
	    u != NULL ? u->username : "everybody",
	    t->asks_first ? ", and asks first" : "");
	rc = ctx_finish(c);
out:
	ln_tool_free(t);
	ln_user_free(u);
	ln_buf_free(&text);
	ln_buf_free(&problem);
	ln_buf_free(&hint);
	return rc;
}

/* Turn it on or off, and with --ask or --no-ask the other switch. */
static int
turn(struct ctx *c, bool is_enabled)
{
	const char *name = ctx_word(c, 0);
	struct ln_tool_change change = { .size = sizeof(change),
		.is_enabled = &is_enabled };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tool *before = NULL, *after = NULL;
	struct ln_user *u = NULL;
	bool is_same;
	enum ln_status s;
	int rc;

	if ((rc = read_asks(c, &change.asks_first)) != EX_OK ||
	    (rc = find_owner(c, &u)) != EX_OK ||
	    (rc = get(c, owner_id(u), name, &before)) != EX_OK)
		goto out;
	is_same = before->is_enabled == is_enabled &&
	    (change.asks_first == NULL ||
	    before->asks_first == *change.asks_first);
	s = ln_tool_update(c->st, c->cfg, owner_id(u), before->id, &change,
	    &after, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
		goto out;
	}
	out_str(c->out, "result", is_same ?
	    (is_enabled ? "already_enabled" : "already_disabled") :
	    (is_enabled ? "enabled" : "disabled"));
	fields(c->out, after);
	out_say(c->out, "%s is %s%s%s", after->name, is_same ? "already " : "",
	    is_enabled ? "enabled" : "disabled",
	    after->asks_first ? ", and asks first" : "");
	if (is_enabled && !after->is_available)
		ctx_note(c, "%s is not offered: see LOCALNEURAL_SEARCH and "
		    "LOCALNEURAL_READ_FOLDERS in `lnctl config show`",
		    after->name);
	rc = ctx_finish(c);
out:
	ln_tool_free(before);
	ln_tool_free(after);
	ln_user_free(u);
	return rc;
}

static int
tool_enable(struct ctx *c)
{
	return turn(c, true);
}

static int
tool_disable(struct ctx *c)
{
	return turn(c, false);
}

static int
tool_delete(struct ctx *c)
{
	const char *name = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_tool *t = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK ||
	    (rc = get(c, owner_id(u), name, &t)) != EX_OK ||
	    (rc = tty_confirm(c, "Delete the tool %s?", t->name)) != EX_OK)
		goto out;
	s = ln_tool_delete(c->st, owner_id(u), t->id, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
		goto out;
	}
	out_str(c->out, "result", "deleted");
	out_str(c->out, "id", t->id);
	out_str(c->out, "name", t->name);
	out_say(c->out, "%s is deleted", t->name);
	rc = ctx_finish(c);
out:
	ln_tool_free(t);
	ln_user_free(u);
	return rc;
}

static const enum opt_id list_opts[] = { O_USER, O_GLOBAL, O_END };
static const enum opt_id write_opts[] = { O_USER, O_GLOBAL, O_ASK, O_NO_ASK,
	O_END };
static const struct verb verbs[] = {
	{ "list", tool_list, list_opts, "", CMD_STORE_RO,
	    "list what a model may call" },
	{ "show", tool_show, list_opts, "TOOL", CMD_STORE_RO,
	    "show one and its definition" },
	{ "add", tool_add, write_opts, "FILE", CMD_STORE_RW | CMD_KEYS,
	    "add one from its definition in JSON" },
	{ "enable", tool_enable, write_opts, "TOOL", CMD_STORE_RW | CMD_KEYS,
	    "offer it to the model" },
	{ "disable", tool_disable, write_opts, "TOOL",
	    CMD_STORE_RW | CMD_KEYS, "offer it no more" },
	{ "delete", tool_delete, list_opts, "TOOL", CMD_STORE_RW | CMD_KEYS,
	    "delete one" },
};
const struct noun noun_tool = { "tool", "tools that a model may call", verbs,
	nitems(verbs) };
