#include "chat.h"

#include <string.h>

#include <ln/conversation.h>
#include <ln/project.h>

#include "history.h"

/* Commands of a chat that look beyond the conversation. */

#define HITS_MAX 10

/* Whose documents the next answers may quote; "none": no other than those of
 * the conversation's own project. */
int
chat_project(struct chat *chat, const char *rest)
{
	struct ln_conversation *v = NULL;
	struct ln_project *p = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	const char *id = t->project_id;
	enum ln_status s = LN_OK;

	if (strcmp(rest, "none") == 0)
		return talk_assign(t, &t->project_id, NULL);
	if (rest[0] != '\0')
		return talk_project(t, rest);
	if (id == NULL && t->conversation_id != NULL) {
		s = ln_conversation_get(t->c->st, t->user->id,
		    t->conversation_id, &v, &err);
		id = s == LN_OK ? v->project_id : NULL;
	}
	if (s == LN_OK && id != NULL)
		s = ln_project_get(t->c->st, t->user->id, id, &p, &err);
	if (s == LN_OK)
		ctx_note(t->c, "project: %s", p != NULL ? p->title : "none");
	ln_project_free(p);
	ln_conversation_free(v);
	return s == LN_OK ? EX_OK : ctx_fail(t->c, s, &err, NULL, "project");
}

int
chat_search(struct chat *chat, const char *rest)
{
	const struct ln_search_opts opts = {
		.size = sizeof(opts), .limit = HITS_MAX,
	};
	struct ln_hit_list list = { .items = NULL };
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;

	if (rest[0] == '\0')
		return ctx_usage(t->c, NULL, "/search needs words");
	s = ln_search(t->c->st, t->user->id, rest, &opts, &list, &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "search");
	if (list.count == 0)
		ctx_note(t->c, "nothing was found");
	history_draw_hits(stderr, &list, t->c->has_color);
	ln_hit_list_free(&list);
	return EX_OK;
}
