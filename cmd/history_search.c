#include "cmd.h"

#include <string.h>

#include <ln/search.h>

#define LIST_DEFAULT 20

/* What was found in the person's own messages and titles, best first. */
int
history_search(struct ctx *c)
{
	static const struct out_col cols[] = {
		{ "conversation_id", OUT_STR, false },
		{ "message_id", OUT_INT, true }, { "role", OUT_STR, false },
		{ "created_at", OUT_TIME, false }, { "model", OUT_STR, true },
		{ "is_archived", OUT_BOOL, true }, { "title", OUT_STR, false },
		{ "snippet", OUT_STR, false }, { NULL, OUT_STR, false } };
	struct ln_search_opts opts;
	struct ln_hit_list list = { .items = NULL };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	const struct ln_hit *h;
	enum ln_status s;
	size_t i;
	int rc;

	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.model = ctx_opt(c, O_MODEL);
	opts.tag = ctx_opt(c, O_TAG);
	rc = opt_int(c, O_LIMIT, 1, LN_SEARCH_LIMIT_MAX, LIST_DEFAULT,
	    &opts.limit);
	if (rc != EX_OK ||
	    (rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_search(c->st, u->id, ctx_word(c, 0), &opts, &list, &err);
	ln_user_free(u);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "search");
	out_list(c->out, "hits", cols);
	for (i = 0; i < list.count; i++) {
		h = &list.items[i];
		out_row(c->out, h->conversation_id, h->message_id, h->role,
		    h->created_ms, h->model, (int)h->is_archived,
		    h->conversation_title, h->snippet);
	}
	out_list_end(c->out);
	if (list.is_partial)
		ctx_note(c, "the time was up: there may be more");
	ln_hit_list_free(&list);
	return ctx_finish(c);
}
