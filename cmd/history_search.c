#include "history.h"

#include <string.h>

#include <ln/project.h>
#include <ln/time.h>

#define LIST_DEFAULT 20

/* The snippet; what was found stands out where colours may be used. */
static void
draw_snippet(FILE *f, const struct ln_hit *h, bool has_color)
{
	size_t at = 0, i;

	for (i = 0; has_color && i < h->mark_count; i++) {
		out_text(f, h->snippet + at, h->marks[i].from - at);
		(void)fputs("\033[1;33m", f);
		out_text(f, h->snippet + h->marks[i].from,
		    h->marks[i].to - h->marks[i].from);
		(void)fputs("\033[0m", f);
		at = h->marks[i].to;
	}
	out_text(f, h->snippet + at, strlen(h->snippet) - at);
}

void
history_draw_hits(FILE *f, const struct ln_hit_list *l, bool has_color)
{
	const struct ln_hit *h;
	char when[LN_TIME_ISO_SIZE];
	size_t i;

	for (i = 0; i < l->count; i++) {
		h = &l->items[i];
		(void)ln_time_iso(h->created_ms, when);
		(void)fprintf(f, "%s  %.10s  %s  ", h->conversation_id, when,
		    h->role);
		out_text(f, h->conversation_title,
		    strlen(h->conversation_title));
		(void)fputs(h->is_archived ? "  (archived)\n    " : "\n    ",
		    f);
		draw_snippet(f, h, has_color);
		(void)fputc('\n', f);
	}
	if (l->is_partial)
		(void)fputs("The time was up: there may be more.\n", stderr);
}

/* Rows of JSON; marks are for whoever draws. */
static void
put_hits(struct out *o, const struct ln_hit_list *l)
{
	static const struct out_col cols[] = {
		{ "conversation_id", OUT_STR, false },
		{ "message_id", OUT_INT, true }, { "role", OUT_STR, false },
		{ "created_at", OUT_TIME, false }, { "model", OUT_STR, true },
		{ "is_archived", OUT_BOOL, true }, { "title", OUT_STR, false },
		{ "snippet", OUT_STR, false }, { NULL, OUT_STR, false } };
	const struct ln_hit *h;
	size_t i;

	out_list(o, "hits", cols);
	for (i = 0; i < l->count; i++) {
		h = &l->items[i];
		out_row(o, h->conversation_id, h->message_id, h->role,
		    h->created_ms, h->model, (int)h->is_archived,
		    h->conversation_title, h->snippet);
	}
	out_list_end(o);
	out_bool(o, "is_partial", l->is_partial);
	out_bool(o, "has_more", l->has_more);
}

static int
find_project(struct ctx *c, const char *user_id, struct ln_project **out)
{
	const char *name = ctx_opt(c, O_OF_PROJECT);
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	*out = NULL;
	if (name == NULL)
		return EX_OK;
	s = ln_project_find(c->st, user_id, name, out, &err);
	if (s == LN_OK)
		return EX_OK;
	return ctx_fail(c, s, &err, s == LN_NOT_FOUND ?
	    "See `lnctl project list`" : NULL, "%s", name);
}

/* What was found in the person's own messages and titles, best first. */
int
history_search(struct ctx *c)
{
	struct ln_search_opts opts;
	struct ln_hit_list list = { .items = NULL };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.model = ctx_opt(c, O_MODEL);
	opts.tag = ctx_opt(c, O_TAG);
	opts.role = ctx_opt(c, O_SAID_BY);
	if ((rc = opt_int(c, O_LIMIT, 1, LN_SEARCH_LIMIT_MAX, LIST_DEFAULT,
	    &opts.limit)) != EX_OK ||
	    (rc = opt_past(c, O_SINCE, &opts.from_ms)) != EX_OK ||
	    (rc = opt_past(c, O_UNTIL, &opts.to_ms)) != EX_OK ||
	    (rc = ctx_person(c, &u)) != EX_OK ||
	    (rc = find_project(c, u->id, &p)) != EX_OK)
		goto out;
	opts.project_id = p != NULL ? p->id : NULL;
	s = ln_search(c->st, u->id, ctx_word(c, 0), &opts, &list, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "search");
		goto out;
	}
	if (out_format(c->out) == OUT_TABLE)
		history_draw_hits(stdout, &list, out_has_color(c->out));
	else
		put_hits(c->out, &list);
	rc = ctx_finish(c);
out:
	ln_hit_list_free(&list);
	ln_project_free(p);
	ln_user_free(u);
	return rc;
}
