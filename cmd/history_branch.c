#include "history.h"

#include <string.h>

#include <ln/message.h>

/* Forks of conversations, and the trees they make. */

static const struct out_col branch_cols[] = {
	{ "id", OUT_STR, false }, { "title", OUT_STR, false },
	{ "parent_id", OUT_STR, false }, { "message_id", OUT_INT, false },
	{ "depth", OUT_INT, false }, { "updated_at", OUT_TIME, false },
	{ NULL, OUT_STR, false },
};

int
history_fork(struct ctx *c)
{
	const char *id = ctx_word(c, 0);
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;
	int64_t message_id;
	int rc;

	if (!opt_has(&c->args, O_AT))
		return ctx_usage(c, "See `lnctl history show ID --json`",
		    "%s: name the last message of the branch with --at",
		    c->path);
	rc = opt_int(c, O_AT, 1, INT64_MAX, 0, &message_id);
	if (rc != EX_OK || (rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_conversation_fork(c->st, u->id, id, message_id, &v, &err);
	ln_user_free(u);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such conversation with that message",
		    "See `lnctl history show ID --json`", "%s", id);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", id);
	out_str(c->out, "result", "forked");
	out_str(c->out, "id", v->id);
	out_str(c->out, "title", v->title);
	out_str(c->out, "parent_id", id);
	out_int(c->out, "message_id", message_id);
	out_say(c->out, "%s: %s", v->id, v->title);
	ln_conversation_free(v);
	return ctx_finish(c);
}

static bool
is_listed(const struct ln_branch_list *l, const char *id)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (strcmp(l->items[i].id, id) == 0)
			return true;
	return false;
}

static void
indent(FILE *f, int64_t depth)
{
	for (; depth > 0; depth--)
		(void)fputs("   ", f);
}

/* Those of a parent that is gone stand together below a line for it. */
void
history_draw(FILE *f, const struct ln_branch_list *l, const char *current)
{
	const char *gone = NULL;
	const struct ln_branch *b;
	size_t i;

	for (i = 0; i < l->count; i++) {
		b = &l->items[i];
		if (b->parent_id != NULL && !is_listed(l, b->parent_id) &&
		    (gone == NULL || strcmp(gone, b->parent_id) != 0)) {
			gone = b->parent_id;
			indent(f, b->depth - 1);
			(void)fputs(" - (deleted)\n", f);
		}
		indent(f, b->depth);
		(void)fputs(strcmp(b->id, current) == 0 ? " * " : " - ", f);
		out_text(f, b->title, strlen(b->title));
		(void)fputs("  ", f);
		out_text(f, b->id, strlen(b->id));
		(void)fputc('\n', f);
	}
}

int
history_tree(struct ctx *c)
{
	const char *id = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_branch_list l;
	const struct ln_branch *b;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_branch_list(c->st, u->id, id, &l, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return history_fail(c, s, &err, id);
	if (out_format(c->out) == OUT_TABLE) {
		history_draw(stdout, &l, id);
	} else {
		out_list(c->out, "branches", branch_cols);
		for (i = 0; i < l.count; i++) {
			b = &l.items[i];
			out_row(c->out, b->id, b->title, b->parent_id,
			    b->message_id, b->depth, b->updated_ms);
		}
		out_list_end(c->out);
	}
	ln_branch_list_free(&l);
	return ctx_finish(c);
}
