/* Messages of a conversation. */

#include <string.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/tool_run.h>

#include "input.h"
#include "reply.h"
#include "routes.h"
#include "tell.h"
#include "turn.h"

static void
images_json(struct ln_jw *w, const char *images)
{
	const struct ln_json_opts opts = { .size = sizeof(opts) };
	struct ln_json *root = NULL;

	if (images == NULL || ln_json_parse(images, strlen(images), &opts,
	    &root, NULL) != LN_OK || ln_json_type(root) != LN_JSON_ARRAY) {
		ln_jw_array(w, "images");
		ln_jw_end(w);
	} else
		ln_jw_node(w, "images", root);
	ln_json_free(root);
}

/* As the "tool_call" events said it. */
static void
tools_json(struct ln_jw *w, int64_t message_id,
    const struct ln_tool_run_list *runs)
{
	const struct ln_tool_run *r;
	bool is_done;
	size_t i;

	ln_jw_array(w, "tools");
	for (i = 0; i < runs->count; i++) {
		r = &runs->items[i];
		if (r->message_id != message_id)
			continue;
		is_done = strcmp(r->state, "done") == 0;
		ln_jw_object(w, NULL);
		ln_jw_int(w, "call_id", r->id);
		ln_jw_string(w, "name", r->name);
		ln_jw_string(w, "arguments", r->arguments);
		ln_jw_string(w, "status", r->state);
		ln_jw_string(w, "result", is_done ? r->result : NULL);
		ln_jw_string(w, "error", is_done ? NULL : r->result);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static void
list_json(struct ln_jw *w, const char *name,
    const struct ln_message_list *list, const struct ln_tool_run_list *runs)
{
	const struct ln_message *m;
	size_t i;

	ln_jw_array(w, name);
	for (i = 0; i < list->count; i++) {
		m = list->items[i];
		ln_jw_object(w, NULL);
		ln_jw_int(w, "id", m->id);
		ln_jw_string(w, "role", ln_message_role_name(m->role));
		ln_jw_string(w, "content", m->content);
		images_json(w, m->images);
		ln_jw_time(w, "timestamp", m->created_ms);
		ln_jw_bool(w, "pinned", m->pinned_ms != 0);
		ln_jw_int(w, "tokens", m->tokens);
		ln_jw_bool(w, "is_estimated", m->is_estimated);
		ln_jw_string(w, "model", m->model);
		ln_jw_string(w, "state", ln_message_state_name(m->state));
		ln_jw_string(w, "finish_reason", m->finish_reason);
		if (m->role == LN_MESSAGE_ASSISTANT) {
			ln_jw_string(w, "error", m->error);
			ln_jw_string(w, "thinking", m->thinking);
			turn_sources_json(w, m->sources);
			tools_json(w, m->id, runs);
		}
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static enum ln_status
read_list(const struct rq *q, struct ln_message_list *list,
    struct ln_tool_run_list *runs, struct ln_error *err)
{
	enum ln_status s;

	if ((s = ln_message_list(worker_store, q->user->id, q->param[0], list,
	    err)) != LN_OK)
		return s;
	s = ln_tool_run_list(worker_store, q->user->id, q->param[0], runs,
	    err);
	if (s != LN_OK)
		ln_message_list_free(list);
	return s;
}

int
chat_show(struct rq *q)
{
	struct ln_message_list list = { NULL, 0 };
	struct ln_tool_run_list runs = { NULL, 0 };
	struct ln_conversation *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;

	s = ln_conversation_get(worker_store, q->user->id, q->param[0], &c,
	    &err);
	if (s == LN_OK)
		s = read_list(q, &list, &runs, &err);
	if (s != LN_OK) {
		ln_conversation_free(c);
		return reply_fail(q, s, &err);
	}
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "session_id", c->id);
		ln_jw_string(w, "title", c->title);
		list_json(w, "messages", &list, &runs);
		ln_jw_string(w, "model", c->model);
		ln_jw_string(w, "system_prompt", c->system_prompt);
		ln_jw_string(w, "project_id", c->project_id);
	}
	ln_conversation_free(c);
	ln_message_list_free(&list);
	ln_tool_run_list_free(&runs);
	return reply_json(q, 200, w);
}

int
messages_list(struct rq *q)
{
	struct ln_message_list list = { NULL, 0 };
	struct ln_tool_run_list runs = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;

	s = read_list(q, &list, &runs, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL)
		list_json(w, NULL, &list, &runs);
	ln_message_list_free(&list);
	ln_tool_run_list_free(&runs);
	return reply_json(q, 200, w);
}

int
message_pin(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_message *m = NULL;
	bool value = false, is_given;
	struct ln_jw *w;
	enum ln_status s;
	int64_t id;

	if (!input_bool(q, "pinned", &value, &is_given))
		return KORE_RESULT_OK;
	if (!input_id(q->param[0], &id))
		return reply_fail(q, LN_NOT_FOUND, NULL);
	if ((s = ln_message_get(worker_store, q->user->id, id, &m, &err)) !=
	    LN_OK)
		return reply_fail(q, s, &err);
	if (!is_given)
		value = m->pinned_ms == 0;
	s = ln_message_pin(worker_store, q->user->id, id, value, &err);
	if (s == LN_OK)
		tell_history(q, m->conversation_id);
	ln_message_free(m);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_bool(w, "pinned", value);
	}
	return reply_json(q, 200, w);
}
