/* GET /ws/chat: one JSON object a frame, each frame judged anew. */

#include <string.h>
#include <strings.h>

#include <ln/message.h>
#include <ln/session.h>
#include <ln/time.h>

#include "guard.h"
#include "hub.h"
#include "reply.h"
#include "routes.h"
#include "turn.h"
#include "turn_queue.h"
#include "worker.h"

#define CLOSE_POLICY 1008	/* RFC 6455: policy violation */
#define BLOCKED_TEXT "Your account has been blocked."

static void
send_error(struct hub_client *cl, const char *session_id, const char *temp_id,
    const char *field, const char *text)
{
	struct ln_buf b = LN_BUF_INIT(4096);
	struct ln_jw *w;

	if ((w = ln_jw_new()) == NULL)
		return;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "error");
	ln_jw_string(w, "error", text);
	if (field != NULL)
		ln_jw_string(w, "field", field);
	if (session_id != NULL && strlen(session_id) < RQ_PARAM_SIZE)
		ln_jw_string(w, "session_id", session_id);
	if (temp_id != NULL && strlen(temp_id) < RQ_PARAM_SIZE)
		ln_jw_string(w, "temp_id", temp_id);
	if (ln_jw_print(w, false, &b) == LN_OK)
		hub_send(cl, ln_buf_str(&b), b.len);
	ln_jw_free(w);
	ln_buf_free(&b);
}

static void
send_failure(struct hub_client *cl, const struct ln_json *m, enum ln_status s,
    const struct ln_error *err)
{
	reply_log("ws", s, err);
	send_error(cl, ln_json_get_string(m, "session_id"),
	    ln_json_get_string(m, "temp_id"), err->field,
	    reply_status(s) == 500 ? "An internal error occurred" :
	    s == LN_FORBIDDEN ? BLOCKED_TEXT : ln_error_text(err, s));
}

static void
close_policy(struct connection *c)
{
	static const unsigned char code[2] = { CLOSE_POLICY >> 8,
		CLOSE_POLICY & 0xff };

	kore_websocket_close(c, code, sizeof(code));
}

static void
ask_failed(uint32_t serial, const struct ln_json *m, enum ln_status s,
    const struct ln_error *err)
{
	struct hub_client *cl;

	if ((cl = hub_find(serial)) != NULL)
		send_failure(cl, m, s, err);
}

/* The queue takes ${m}. */
static void
begin(struct hub_client *cl, struct ln_json **m, enum turn_kind kind)
{
	int retry_s;

	if (ratelimit_take(LIMIT_DEFAULT, cl->prefix, cl->user_id,
	    &retry_s) != LIMIT_PASS) {
		send_error(cl, ln_json_get_string(*m, "session_id"),
		    ln_json_get_string(*m, "temp_id"), NULL,
		    "Too many requests");
		return;
	}
	if (worker_draining()) {
		send_error(cl, ln_json_get_string(*m, "session_id"),
		    ln_json_get_string(*m, "temp_id"), NULL,
		    "The server is restarting. Try again in a few seconds");
		return;
	}
	if (turn_queue_add(cl, *m, kind, ask_failed))
		*m = NULL;
	else
		send_error(cl, ln_json_get_string(*m, "session_id"),
		    ln_json_get_string(*m, "temp_id"), NULL,
		    "The server is busy. Try again in a few seconds");
}

static void
stop(struct hub_client *cl, const struct ln_json *m)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *id = ln_json_get_string(m, "session_id");
	enum ln_status s;

	if (id == NULL) {
		send_error(cl, NULL, NULL, "session_id",
		    "A field is missing");
		return;
	}
	turn_queue_flush();
	s = turn_stop(cl->user_id, id, &err);
	/* It may have ended by itself a moment ago: nothing to report. */
	if (s != LN_OK && s != LN_NOT_FOUND)
		send_failure(cl, m, s, &err);
}

static void
decide(struct hub_client *cl, const struct ln_json *m)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = turn_decide(cl->user_id, m, &err);
	/* Another tab was faster, or the answer is over: both show. */
	if (s != LN_OK && s != LN_NOT_FOUND)
		send_failure(cl, m, s, &err);
}

static void
send_to_client(void *arg, const char *json, size_t n)
{
	hub_send(arg, json, n);
}

/* What is in the database, as the events that would have said it. */
static void
resume_saved(struct hub_client *cl, const char *id, uint64_t after,
    const struct ln_message *msg)
{
	struct ln_chat_event ev;
	struct ln_buf b = LN_BUF_INIT((size_t)16 * 1024 * 1024);
	size_t len = strlen(msg->content);

	memset(&ev, 0, sizeof(ev));
	ev.conversation_id = id;
	ev.message_id = msg->id;
	ev.tokens = msg->tokens;
	ev.prompt_tokens = msg->prompt_tokens;
	ev.duration_ms = msg->duration_ms;
	ev.is_estimated = msg->is_estimated;
	if (after < len) {
		ev.type = LN_CHAT_CHUNK;
		ev.text = msg->content + after;
		ev.len = len - (size_t)after;
		ev.from = after;
		ev.seq = len;
		if (turn_event_json(&ev, &b))
			hub_send(cl, ln_buf_str(&b), b.len);
		ln_buf_clear(&b);
	}
	if (cl->is_listed && msg->state != LN_MESSAGE_STREAMING) {
		ev.type = LN_CHAT_DONE;
		ev.finish_reason = msg->finish_reason != NULL ?
		    msg->finish_reason : ln_message_state_name(msg->state);
		if (turn_event_json(&ev, &b))
			hub_send(cl, ln_buf_str(&b), b.len);
	}
	ln_buf_free(&b);
}

static void
resume(struct hub_client *cl, const struct ln_json *m)
{
	const char *id = ln_json_get_string(m, "session_id");
	struct ln_error err = LN_ERROR_INIT;
	struct ln_message_list list = { NULL, 0 };
	const struct ln_message *last;
	enum ln_status s;
	int64_t after = 0;

	if (id == NULL) {
		send_error(cl, NULL, NULL, "session_id",
		    "A field is missing");
		return;
	}
	if ((ln_json_get(m, "after") != NULL &&
	    !ln_json_int(ln_json_get(m, "after"), &after)) || after < 0) {
		send_error(cl, id, NULL, "after",
		    "A field has the wrong type");
		return;
	}
	turn_queue_flush();
	if (turn_resume(cl->user_id, id, (uint64_t)after, send_to_client, cl))
		return;
	s = ln_message_list(worker_store, cl->user_id, id, &list, &err);
	if (s != LN_OK) {
		send_failure(cl, m, s, &err);
		return;
	}
	last = list.count > 0 ? list.items[list.count - 1] : NULL;
	if (last != NULL && last->role == LN_MESSAGE_ASSISTANT) {
		/* Another worker may hold more than the journal does. */
		if (last->state == LN_MESSAGE_STREAMING)
			hub_ask_resume(cl, id, (uint64_t)after);
		else
			resume_saved(cl, id, (uint64_t)after, last);
	}
	ln_message_list_free(&list);
}

static void
dispatch(struct hub_client *cl, const struct ln_user *u,
    struct ln_json **message)
{
	static const char pong[] = "{\"type\":\"pong\"}";
	const struct ln_json *m = *message;
	const char *type = ln_json_get_string(m, "type");

	if (type == NULL)
		send_error(cl, NULL, NULL, "type", "A field is missing");
	else if (strcmp(type, "ping") == 0)
		hub_send(cl, pong, sizeof(pong) - 1);
	else if (strcmp(type, "resume") == 0)
		resume(cl, m);
	else if (u->is_blocked)
		send_error(cl, ln_json_get_string(m, "session_id"),
		    ln_json_get_string(m, "temp_id"), NULL, BLOCKED_TEXT);
	else if (strcmp(type, "user_message") == 0)
		begin(cl, message, TURN_QUESTION);
	else if (strcmp(type, "regenerate") == 0)
		begin(cl, message, TURN_AGAIN);
	else if (strcmp(type, "continue") == 0)
		begin(cl, message, TURN_CONTINUE);
	else if (strcmp(type, "tool_decision") == 0)
		decide(cl, m);
	else if (strcmp(type, "stop_generation") == 0)
		stop(cl, m);
	else
		send_error(cl, NULL, NULL, "type", "Unknown type");
}

void
ws_message(struct connection *c, u_int8_t op, void *data, size_t len)
{
	struct hub_client *cl = c->hdlr_extra;
	struct ln_actor actor = { "user", NULL, NULL, "ws" };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_json *m = NULL;
	struct ln_user *u = NULL;
	enum ln_status s;

	if (cl == NULL || !cl->is_listed)
		return;
	/* The account as it is now: blocked, signed out, deleted. */
	s = ln_session_user_by_hash(worker_store, cl->session, &u, &err);
	if (s == LN_UNAUTHENTICATED) {
		send_error(cl, NULL, NULL, NULL, "Authentication required");
		close_policy(c);
		return;
	}
	if (s != LN_OK) {
		send_failure(cl, NULL, s, &err);
		return;
	}
	actor.user_id = u->id;
	actor.address = cl->prefix;
	ln_store_actor_set(worker_store, &actor);
	s = LN_INVALID;
	if (op == WEBSOCKET_OP_TEXT)
		s = ln_json_parse(data, len, NULL, &m, &err);
	if (s != LN_OK || ln_json_type(m) != LN_JSON_OBJECT)
		send_error(cl, NULL, NULL, NULL, "Invalid JSON");
	else
		dispatch(cl, u, &m);
	ln_json_free(m);
	ln_user_free(u);
}

void
ws_disconnected(struct connection *c)
{
	hub_remove(c);
}

int
ws_open(struct rq *q)
{
	struct connection *c = q->req->owner;
	const char *upgrade = rq_header(q, "upgrade");

	if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0) {
		http_response_header(q->req, "upgrade", "websocket");
		return reply_error(q, 426, "This address wants a WebSocket");
	}
	if (!hub_add(q, c))
		return reply_error(q, 429, "Too many requests");
	kore_websocket_handshake(q->req, NULL, "ws_message",
	    "ws_disconnected");
	if (c->proto != CONN_PROTO_WEBSOCKET)
		hub_remove(c);
	q->is_sent = true;
	return KORE_RESULT_OK;
}
