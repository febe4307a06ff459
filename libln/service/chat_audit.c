/* Runs of tools in the audit log, in the name of whoever asked the question:
 * the handle that writes them serves other people meanwhile. */
#include "service/chat.h"

#include <stdio.h>
#include <string.h>

#include <ln/audit.h>

#include "service/toolbox.h"
#include "store/tx.h"

#include "base/banned.h"

static void
copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from != NULL ? from : "");
}

static void
keep_actor(const struct ln_store *st, struct lni_chat_actor *out)
{
	const struct ln_actor *a = lni_store_actor(st);

	copy(out->kind, sizeof(out->kind), a->kind);
	copy(out->user_id, sizeof(out->user_id), a->user_id);
	copy(out->address, sizeof(out->address), a->address);
	copy(out->request_id, sizeof(out->request_id), a->request_id);
}

/* Questions of several people may begin together, through one handle. */
void
lni_chat_actor_of(const struct ln_store *st, const char *user_id,
    struct lni_chat_actor *out)
{
	keep_actor(st, out);
	if (strcmp(out->kind, "user") == 0)
		copy(out->user_id, sizeof(out->user_id), user_id);
}

static const char *
or_null(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static void
set_actor(struct ln_store *st, const struct lni_chat_actor *a)
{
	const struct ln_actor actor = {
		.kind = a->kind, .user_id = or_null(a->user_id),
		.address = or_null(a->address),
		.request_id = or_null(a->request_id),
	};

	ln_store_actor_set(st, &actor);
}

/* What a model makes up as a name is text of a conversation. */
static const char *
known_name(const struct ln_chat *c, const char *name)
{
	const struct ln_llm_tool *tools;
	size_t count, i;

	tools = lni_toolbox_tools(c->box, &count);
	for (i = 0; i < count; i++) {
		if (strcmp(tools[i].name, name) == 0)
			return tools[i].name;
	}
	return NULL;
}

enum ln_status
lni_chat_audit_call(struct ln_chat *c, const struct lni_call *call,
    struct ln_error *err)
{
	struct lni_chat_actor before;
	enum ln_status s;

	keep_actor(c->store, &before);
	set_actor(c->store, &c->actor);
	s = ln_audit_add(c->store, "tool.run", known_name(c, call->name),
	    call->status, NULL, err);
	set_actor(c->store, &before);
	return s;
}
