#include "history.h"

#include <string.h>

#include <ln/tag.h>

/* Tags of conversations. */

typedef enum ln_status tag_fn(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *tag, struct ln_error *err);

struct work {
	struct ctx *c;
	const char *user_id;
	tag_fn *apply;
};

/* All tags of the command line, in one transaction. */
static enum ln_status
apply_all(struct ln_store *st, void *arg, struct ln_error *err)
{
	const struct work *w = arg;
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 1; i < w->c->args.count && s == LN_OK; i++)
		s = w->apply(st, w->user_id, ctx_word(w->c, 0),
		    ctx_word(w->c, i), err);
	return s;
}

/* "[a, b]" as rows of JSON, or as words for people. */
static void
tell_tags(struct ctx *c, const char *tags)
{
	static const struct out_col cols[] = { { "tag", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_buf b = LN_BUF_INIT(8192);
	size_t n;

	out_list(c->out, "tags", cols);
	while (tags != NULL && *tags != '\0') {
		n = strcspn(tags, "\x1f");
		ln_buf_clear(&b);
		ln_buf_put(&b, tags, n);
		out_row(c->out, ln_buf_str(&b));
		tags += n + (tags[n] != '\0');
	}
	out_list_end(c->out);
	ln_buf_free(&b);
}

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static int
change_tags(struct ctx *c, tag_fn *apply, const char *done,
    const char *already)
{
	const char *id = ctx_word(c, 0);
	struct ln_conversation *before = NULL, *after = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct work w = { .c = c, .apply = apply };
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	w.user_id = u->id;
	if ((s = ln_conversation_get(c->st, u->id, id, &before, &err)) !=
	    LN_OK ||
	    (s = ln_store_transaction(c->st, apply_all, &w, &err)) != LN_OK ||
	    (s = ln_conversation_get(c->st, u->id, id, &after, &err)) !=
	    LN_OK) {
		rc = history_fail(c, s, &err, id);
		goto out;
	}
	out_str(c->out, "result", is_same(before->tags, after->tags) ?
	    already : done);
	out_str(c->out, "id", id);
	tell_tags(c, after->tags);
	rc = ctx_finish(c);
out:
	ln_conversation_free(before);
	ln_conversation_free(after);
	ln_user_free(u);
	return rc;
}

int
history_tag(struct ctx *c)
{
	return change_tags(c, ln_tag_add, "tagged", "already_tagged");
}

int
history_untag(struct ctx *c)
{
	return change_tags(c, ln_tag_remove, "untagged", "already_untagged");
}

int
history_tags(struct ctx *c)
{
	static const struct out_col cols[] = { { "tag", OUT_STR, false },
		{ "count", OUT_INT, false }, { NULL, OUT_STR, false } };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	struct ln_tag_list l;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_tag_list(c->st, u->id, &l, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "tags");
	out_list(c->out, "tags", cols);
	for (i = 0; i < l.count; i++)
		out_row(c->out, l.items[i].tag, l.items[i].conversation_count);
	out_list_end(c->out);
	ln_tag_list_free(&l);
	return ctx_finish(c);
}
