/* The calls of tools that a model asks for: collected, logged, allowed, run,
 * answered with another request. */
#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/json.h>
#include <ln/time.h>

#include "service/toolbox.h"
#include "store/tx.h"

#include "base/banned.h"

#define DECISION_MS (10 * 60 * 1000)	/* then nobody is there */
#define CALLS_JSON_MAX ((size_t)2 * LN_LLM_LINE_MAX)
#define SENTENCE_NOBODY "Nobody allowed this call in time"
#define SENTENCE_UNSAVED "A tool that asks first needs a saved conversation"

/* --- one round ------------------------------------------------------------ */

void
lni_chat_calls_clear(struct ln_chat *c)
{
	size_t i;

	for (i = 0; i < c->call_count; i++) {
		free(c->calls[i].id);
		free(c->calls[i].signature);
		free(c->calls[i].name);
		free(c->calls[i].arguments);
		ln_buf_free(&c->calls[i].result);
	}
	memset(c->calls, 0, sizeof(c->calls));
	c->call_count = c->calls_left_out = 0;
}

void
lni_chat_call_add(struct ln_chat *c, const struct ln_llm_event *ev)
{
	struct lni_call *call = &c->calls[c->call_count];

	if (c->call_count == LNI_CHAT_CALLS_MAX) {
		c->calls_left_out++;
		return;
	}
	c->call_count++;
	call->result = (struct ln_buf)LN_BUF_INIT(LNI_TOOL_RESULT_MAX);
	if ((ev->call_id != NULL &&
	    (call->id = strdup(ev->call_id)) == NULL) ||
	    (ev->call_signature != NULL &&
	    (call->signature = strdup(ev->call_signature)) == NULL) ||
	    (call->name = strndup(ev->text, ev->len)) == NULL ||
	    (call->arguments = strdup(ev->arguments != NULL ?
	    ev->arguments : "{}")) == NULL)
		lni_chat_fail(c, LN_NOMEM, "", "tool call");
}

void
lni_chat_calls_begin(struct ln_chat *c)
{
	if (c->box == NULL || !c->is_offering) {
		lni_chat_fail(c, LN_UPSTREAM,
		    "The model asked for a tool although none was offered",
		    c->calls[0].name);
		return;
	}
	if (c->round == LN_CHAT_TOOL_ROUNDS_MAX) {
		lni_chat_fail(c, LN_UPSTREAM,
		    "The model kept asking for tools and was stopped after "
		    "five rounds", c->calls[0].name);
		return;
	}
	lni_chat_count(c, true);
	c->round++;
	c->phase = LNI_CHAT_CALLING;
}

const char *
lni_chat_call_told(const struct lni_call *call)
{
	return call->sentence == NULL || call->result.len > 0 ?
	    ln_buf_str(&call->result) : call->sentence;
}

static void
tell(struct ln_chat *c, const struct lni_call *call, const char *state)
{
	struct ln_chat_event ev = {
		.type = LN_CHAT_TOOL, .message_id = c->message_id,
		.text = call->name, .len = strlen(call->name),
		.call_id = call->run_id, .call_state = state,
		.arguments = call->arguments, .sentence = call->sentence,
	};

	if (call->state == LNI_CALL_OVER && call->sentence != NULL)
		ev.sentence = lni_chat_call_told(call);
	else if (call->state == LNI_CALL_OVER)
		ev.result = ln_buf_str(&call->result);
	lni_chat_show(c);
	lni_chat_emit(c, &ev);
}

/* --- running -------------------------------------------------------------- */

/* The first that may run; call_count when none may. */
size_t
lni_chat_call_ready(const struct ln_chat *c)
{
	size_t i;

	for (i = 0; i < c->call_count; i++) {
		if (c->calls[i].state == LNI_CALL_READY)
			break;
	}
	return i;
}

void
lni_chat_call_started(struct ln_chat *c, size_t i)
{
	c->calls[i].state = LNI_CALL_RUNNING;
	tell(c, &c->calls[i], "running");
}

static void
end_call(struct lni_call *call, enum lni_tool_run_state outcome,
    enum ln_status status, const char *sentence)
{
	call->state = LNI_CALL_RAN;
	call->outcome = outcome;
	call->status = status;
	call->sentence = sentence;
}

void
lni_chat_call_ran(struct ln_chat *c, size_t i, enum ln_status s,
    const struct ln_error *why, struct ln_buf *result)
{
	struct lni_call *call = &c->calls[i];

	if (s == LN_OK) {
		end_call(call, LNI_TOOL_RUN_DONE, s, NULL);
		ln_buf_free(&call->result);
		call->result = *result;
		*result = (struct ln_buf)LN_BUF_INIT(0);
	} else {
		end_call(call, LNI_TOOL_RUN_FAILED, s, ln_error_text(why, s));
		/* Which argument, which HTTP status. */
		ln_buf_clear(&call->result);
		if (result->len > 0)
			ln_buf_printf(&call->result, "%s: %s", call->sentence,
			    ln_buf_str(result));
	}
}

/* --- the log -------------------------------------------------------------- */

bool
lni_chat_calls_pending(const struct ln_chat *c)
{
	size_t i;

	if (c->phase != LNI_CHAT_CALLING)
		return false;
	for (i = 0; i < c->call_count; i++) {
		if (c->calls[i].state == LNI_CALL_NEW ||
		    c->calls[i].state == LNI_CALL_RAN)
			return true;
	}
	return false;
}

static bool
must_ask(const struct ln_chat *c, const struct lni_call *call)
{
	return lni_toolbox_asks_first(c->box, call->name);
}

static enum ln_status
write_call(struct ln_chat *c, struct lni_call *call, struct ln_error *err)
{
	const struct lni_tool_run_new r = {
		.message_id = c->message_id, .round = c->round,
		.name = call->name, .arguments = call->arguments,
		.state = must_ask(c, call) ? LNI_TOOL_RUN_ASKING :
		    LNI_TOOL_RUN_RUNNING,
		.created_ms = ln_time_now_ms(),
	};
	enum ln_status s;

	if (call->state == LNI_CALL_NEW)
		return lni_tool_run_add(c->store, &r, &call->run_id, err);
	if (call->state != LNI_CALL_RAN)
		return LN_OK;
	if ((s = lni_tool_run_end(c->store, call->run_id, call->outcome,
	    lni_chat_call_told(call), ln_time_now_ms(), err)) != LN_OK)
		return s;
	return lni_chat_audit_call(c, call, err);
}

enum ln_status
lni_chat_calls_write(struct ln_chat *c, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t i;

	if (c->phase != LNI_CHAT_CALLING)
		return LN_OK;
	for (i = 0; i < c->call_count && s == LN_OK; i++)
		s = write_call(c, &c->calls[i], err);
	return s;
}

static void
call_written(struct ln_chat *c, struct lni_call *call)
{
	static const char *const names[] = {
		[LNI_TOOL_RUN_DONE] = "done",
		[LNI_TOOL_RUN_FAILED] = "failed",
		[LNI_TOOL_RUN_DENIED] = "denied",
	};

	if (call->state == LNI_CALL_NEW && !must_ask(c, call)) {
		call->state = LNI_CALL_READY;
	} else if (call->state == LNI_CALL_NEW) {
		call->state = LNI_CALL_ASKING;
		call->asked_ms = c->now_ms;
		tell(c, call, "asking");
	} else if (call->state == LNI_CALL_RAN) {
		call->state = LNI_CALL_OVER;
		tell(c, call, names[call->outcome]);
	}
}

/* An unsaved turn has no rows, and so nobody could decide. */
static void
skip_writing(struct ln_chat *c)
{
	struct lni_call *call;
	size_t i;

	for (i = 0; i < c->call_count; i++) {
		call = &c->calls[i];
		if (call->state != LNI_CALL_NEW)
			continue;
		call->run_id = ++c->unsaved_calls;
		if (must_ask(c, call))
			end_call(call, LNI_TOOL_RUN_DENIED, LN_FORBIDDEN,
			    SENTENCE_UNSAVED);
	}
}

void
lni_chat_calls_written(struct ln_chat *c)
{
	size_t i;

	if (c->phase != LNI_CHAT_CALLING)
		return;
	if (c->is_unsaved)
		skip_writing(c);
	for (i = 0; i < c->call_count; i++)
		call_written(c, &c->calls[i]);
	lni_chat_calls_proceed(c);
}

/* --- asking --------------------------------------------------------------- */

bool
lni_chat_calls_asking(const struct ln_chat *c)
{
	size_t i;

	if (c->phase != LNI_CHAT_CALLING)
		return false;
	for (i = 0; i < c->call_count; i++) {
		if (c->calls[i].state == LNI_CALL_ASKING)
			return true;
	}
	return false;
}

void
lni_chat_calls_look(struct ln_chat *c)
{
	struct lni_call *call;
	size_t i;

	for (i = 0; lni_chat_calls_asking(c) && i < c->call_count; i++) {
		call = &c->calls[i];
		if (call->state == LNI_CALL_ASKING &&
		    lni_tool_run_state(c->store, call->run_id, &call->decision,
		    NULL) != LN_OK)
			call->decision = LNI_TOOL_RUN_ASKING;
	}
}

void
lni_chat_calls_decide(struct ln_chat *c)
{
	struct lni_call *call;
	size_t i;

	for (i = 0; lni_chat_calls_asking(c) && i < c->call_count; i++) {
		call = &c->calls[i];
		if (call->state != LNI_CALL_ASKING)
			continue;
		if (call->decision == LNI_TOOL_RUN_ALLOWED)
			call->state = LNI_CALL_READY;
		else if (call->decision == LNI_TOOL_RUN_DENIED)
			end_call(call, LNI_TOOL_RUN_DENIED, LN_FORBIDDEN,
			    LNI_TOOL_RUN_DENIAL);
		else if (c->now_ms - call->asked_ms >= DECISION_MS)
			end_call(call, LNI_TOOL_RUN_DENIED, LN_TIMEOUT,
			    SENTENCE_NOBODY);
	}
}

enum ln_status
ln_chat_decide(struct ln_store *st, const char *user_id,
    const char *conversation_id, int64_t call_id, bool is_allowed,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_tool_run_decide(st, user_id, conversation_id, call_id,
	    is_allowed, ln_time_now_ms(), err);
	return lni_tx_end(st, s, err);
}

/* --- the next round -------------------------------------------------------- */

/* Arguments that are no JSON object have failed already; the model's own turn
 * must still be one that its provider takes back. */
static enum ln_status
write_arguments(struct ln_jw *w, const char *text)
{
	struct ln_json *root = NULL;
	enum ln_status s;

	s = ln_json_parse(text, strlen(text), NULL, &root, NULL);
	if (s == LN_OK && ln_json_type(root) == LN_JSON_OBJECT) {
		ln_jw_node(w, "arguments", root);
	} else {
		ln_jw_object(w, "arguments");
		ln_jw_end(w);
	}
	ln_json_free(root);
	return s == LN_NOMEM ? s : LN_OK;
}

static enum ln_status
calls_json(const struct ln_chat *c, char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(CALLS_JSON_MAX);
	enum ln_status s = LN_OK;
	struct ln_jw *w;
	size_t i;

	*out = NULL;
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool calls");
	ln_jw_array(w, NULL);
	for (i = 0; i < c->call_count && s == LN_OK; i++) {
		ln_jw_object(w, NULL);
		if (c->calls[i].id != NULL)
			ln_jw_string(w, "id", c->calls[i].id);
		ln_jw_string(w, "name", c->calls[i].name);
		s = write_arguments(w, c->calls[i].arguments);
		if (c->calls[i].signature != NULL)
			ln_jw_string(w, "signature", c->calls[i].signature);
		ln_jw_end(w);
	}
	if (s == LN_OK)
		s = ln_jw_print(w, false, &b);
	if (s == LN_OK && (*out = ln_buf_steal(&b)) == NULL)
		s = LN_NOMEM;
	ln_jw_free(w);
	ln_buf_free(&b);
	if (s != LN_OK)
		return ln_fail(err, s, "", "tool calls");
	return LN_OK;
}

static enum ln_status
next_round(struct ln_chat *c, struct ln_error *err)
{
	char *calls = NULL;
	enum ln_status s;

	if ((s = calls_json(c, &calls, err)) != LN_OK)
		return s;
	s = lni_prompt_add_calls(&c->prompt,
	    ln_buf_str(&c->answer) + c->round_from, calls, err);
	ln_free(calls);
	if (s != LN_OK || (s = lni_chat_add_results(c, err)) != LN_OK)
		return s;
	lni_chat_calls_clear(c);
	/* The texts of rounds are one answer, a blank line between. */
	c->needs_gap = c->answer.len > 0;
	c->round_from = c->answer.len;
	return lni_chat_request(c, err);
}

void
lni_chat_calls_proceed(struct ln_chat *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	size_t i;

	if (c->phase != LNI_CHAT_CALLING)
		return;
	for (i = 0; i < c->call_count; i++) {
		if (c->calls[i].state != LNI_CALL_OVER)
			return;
	}
	if ((s = next_round(c, &err)) == LN_OK)
		c->phase = LNI_CHAT_SENDING;
	else
		lni_chat_fail(c, s, ln_error_text(&err, s),
		    "next round of tools");
}

void
lni_chat_calls_end(struct ln_chat *c)
{
	struct lni_call *call;
	size_t i;

	for (i = 0; i < c->call_count; i++) {
		call = &c->calls[i];
		if (call->run_id == 0 || call->state == LNI_CALL_OVER)
			continue;
		end_call(call, LNI_TOOL_RUN_FAILED, LN_CANCELLED,
		    LNI_TOOL_RUN_ABANDONED);
		tell(c, call, "failed");
	}
	lni_chat_calls_clear(c);
}

enum ln_status
lni_chat_calls_abandon(struct ln_chat *c, struct ln_error *err)
{
	if (c->round == 0)
		return LN_OK;
	return lni_tool_run_abandon(c->store, c->message_id, ln_time_now_ms(),
	    err);
}
