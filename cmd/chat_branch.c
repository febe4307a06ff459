#include "chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/message.h>
#include <ln/tag.h>

#include "history.h"

/* /fork, /branches and /tag. */

/* The id of the message that a person calls ${n}; all of them without. */
static int
find_message(struct talk *t, const char *n, int64_t *out)
{
	struct ln_message_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	size_t at = 0;
	enum ln_status s;
	int rc = EX_OK;

	*out = 0;
	s = ln_message_list(t->c->st, t->user->id, t->conversation_id, &list,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "fork");
	if (n[0] == '\0')
		at = list.count;
	else if (strspn(n, "0123456789") == strlen(n) && strlen(n) < 9)
		at = (size_t)strtol(n, NULL, 10);
	if (at < 1 || at > list.count)
		rc = ctx_usage(t->c, "See /history", "/fork needs the number"
		    " of a message, 1 to %zu", list.count);
	else
		*out = list.items[at - 1]->id;
	ln_message_list_free(&list);
	return rc;
}

int
chat_fork(struct chat *chat, const char *rest)
{
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;
	int64_t message_id;
	int rc;

	if ((rc = chat_needs_conversation(chat)) != EX_OK ||
	    (rc = find_message(t, rest, &message_id)) != EX_OK)
		return rc;
	s = ln_conversation_fork(t->c->st, t->user->id, t->conversation_id,
	    message_id, &v, &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "fork");
	if ((rc = talk_assign(t, &t->conversation_id, v->id)) == EX_OK)
		rc = talk_assign(t, &t->title, v->title);
	if (rc == EX_OK)
		ctx_note(t->c, "Going on with: %s", t->title);
	ln_conversation_free(v);
	return rc;
}

int
chat_branches(struct chat *chat, const char *rest)
{
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	struct ln_branch_list l;
	enum ln_status s;
	int rc;

	(void)rest;
	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	s = ln_branch_list(t->c->st, t->user->id, t->conversation_id, &l,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "branches");
	history_draw(stderr, &l, t->conversation_id);
	ln_branch_list_free(&l);
	return EX_OK;
}

int
chat_tag(struct chat *chat, const char *rest)
{
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s = LN_OK;
	char *p;
	int rc;

	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	if (rest[0] == '-')
		s = ln_tag_remove(t->c->st, t->user->id, t->conversation_id,
		    rest + 1, &err);
	else if (rest[0] != '\0')
		s = ln_tag_add(t->c->st, t->user->id, t->conversation_id,
		    rest, &err);
	if (s == LN_OK)
		s = ln_conversation_get(t->c->st, t->user->id,
		    t->conversation_id, &v, &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "tag");
	for (p = v->tags; p != NULL && *p != '\0'; p++)
		if (*p == '\x1f')
			*p = ' ';
	ctx_note(t->c, "tags: %s", v->tags != NULL ? v->tags : "none");
	ln_conversation_free(v);
	return EX_OK;
}
