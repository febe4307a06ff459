#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/prompt.h>

/* Prompts to begin conversations with: everybody's, or one person's. */

/* Whose prompts are meant: --user, or everybody's. */
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

static int
prompt_list(struct ctx *c)
{
	static const struct out_col cols[] = { { "id", OUT_INT, false },
		{ "is_global", OUT_BOOL, false },
		{ "created_at", OUT_TIME, true },
		{ "title", OUT_STR, false }, { NULL, OUT_STR, false } };
	struct ln_prompt_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_prompt *p;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK)
		return rc;
	s = ln_prompt_list(c->st, owner_id(u), &list, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "prompts");
	out_list(c->out, "prompts", cols);
	for (i = 0; i < list.count; i++) {
		p = list.items[i];
		out_row(c->out, p->id, (int)(p->user_id == NULL),
		    p->created_ms, p->title);
	}
	out_list_end(c->out);
	ln_prompt_list_free(&list);
	return ctx_finish(c);
}

/* By its title, else by its number. */
static int
get(struct ctx *c, const char *user_id, const char *name,
    struct ln_prompt **out)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	char *end;
	long long id;

	s = ln_prompt_find(c->st, user_id, name, out, &err);
	errno = 0;
	id = strtoll(name, &end, 10);
	if (s == LN_NOT_FOUND && errno == 0 && end != name && *end == '\0')
		s = ln_prompt_get(c->st, user_id, id, out, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such prompt", "See `lnctl prompt list`",
		    "%s", name);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", name);
	return EX_OK;
}

static void
fields(struct out *o, const struct ln_prompt *p)
{
	out_int(o, "id", p->id);
	out_str(o, "title", p->title);
	out_bool(o, "is_global", p->user_id == NULL);
	out_time(o, "created_at", p->created_ms);
	out_str(o, "content", p->content);
}

static int
prompt_show(struct ctx *c)
{
	struct ln_prompt *p = NULL;
	struct ln_user *u = NULL;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK)
		return rc;
	if ((rc = get(c, owner_id(u), ctx_word(c, 0), &p)) == EX_OK) {
		fields(c->out, p);
		rc = ctx_finish(c);
	}
	ln_prompt_free(p);
	ln_user_free(u);
	return rc;
}

static int
read_content(struct ctx *c, const char *path, struct ln_buf *text)
{
	int e, rc;

	if (strcmp(path, "-") == 0) {
		rc = tty_read_all(c, STDIN_FILENO, text, "prompt");
		if (rc != EX_OK)
			return rc;
	} else if ((e = file_read(path, LN_PROMPT_CONTENT_MAX, text)) != 0)
		return ctx_refuse(c, e == ENOENT ? EX_NOT_FOUND : EX_FAILED,
		    e == ENOENT ? "not_found" : "io", strerror(e), "", "%s",
		    path);
	if (memchr(ln_buf_str(text), '\0', text->len) != NULL)
		return ctx_refuse(c, EX_USAGE, "invalid", "it is no text", "",
		    "%s", path);
	while (text->len > 0 && text->data[text->len - 1] == '\n')
		text->data[--text->len] = '\0';
	return EX_OK;
}

static int
prompt_add(struct ctx *c)
{
	struct ln_buf text = LN_BUF_INIT(LN_PROMPT_CONTENT_MAX + 1);
	const char *title = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK ||
	    (rc = read_content(c, ctx_word(c, 1), &text)) != EX_OK)
		goto out;
	s = ln_prompt_create(c->st, owner_id(u), title, ln_buf_str(&text), &p,
	    &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", title);
		goto out;
	}
	out_str(c->out, "result", "added");
	fields(c->out, p);
	out_say(c->out, "\"%s\" is added for %s", p->title,
	    u != NULL ? u->username : "everybody");
	rc = ctx_finish(c);
out:
	ln_prompt_free(p);
	ln_user_free(u);
	ln_buf_free(&text);
	return rc;
}

static int
prompt_delete(struct ctx *c)
{
	const char *name = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = find_owner(c, &u)) != EX_OK ||
	    (rc = get(c, owner_id(u), name, &p)) != EX_OK)
		goto out;
	/* Who says whose is not taken at another's word. */
	if (u != NULL && p->user_id == NULL) {
		rc = ctx_refuse(c, EX_REFUSED, "forbidden",
		    "it is everybody's", "Leave --user away", "%s", name);
		goto out;
	}
	if ((rc = tty_confirm(c, "Delete the prompt \"%s\"?", p->title)) !=
	    EX_OK)
		goto out;
	s = ln_prompt_delete(c->st, owner_id(u), p->id, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", name);
		goto out;
	}
	out_str(c->out, "result", "deleted");
	out_int(c->out, "id", p->id);
	out_str(c->out, "title", p->title);
	out_say(c->out, "\"%s\" is deleted", p->title);
	rc = ctx_finish(c);
out:
	ln_prompt_free(p);
	ln_user_free(u);
	return rc;
}

static const enum opt_id opts[] = { O_USER, O_GLOBAL, O_END };
static const struct verb verbs[] = {
	{ "list", prompt_list, opts, "", CMD_STORE_RO,
	    "list the prompts that are kept" },
	{ "show", prompt_show, opts, "PROMPT", CMD_STORE_RO,
	    "show one and its text" },
	{ "add", prompt_add, opts, "TITLE FILE", CMD_STORE_RW | CMD_KEYS,
	    "keep the text of a file, or of standard input (-)" },
	{ "delete", prompt_delete, opts, "PROMPT", CMD_STORE_RW | CMD_KEYS,
	    "delete one" },
};
const struct noun noun_prompt = { "prompt",
	"prompts to begin conversations with", verbs, nitems(verbs) };
