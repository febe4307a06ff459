#include "hub.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/session.h>
#include <ln/time.h>

#include "reply.h"
#include "shared.h"
#include "turn.h"

#define CLIENTS_PER_USER 32	/* sockets a user may have on one worker */
#define QUEUE_FRAMES_MAX 1024	/* unread frames before we hang up */
#define PING_MS 30000
#define CLOSE_POLICY 1008	/* RFC 6455: policy violation */

enum {
	MSG_EVENT = 200,	/* msg_event, JSON */
	MSG_RESUME,		/* msg_resume */
	MSG_DIRECT,		/* msg_direct, JSON */
};

struct msg_event {
	char user_id[64];
};
struct msg_resume {
	char user_id[64];
	char conversation_id[RQ_PARAM_SIZE];
	uint64_t after;
	uint32_t serial;
};
struct msg_direct {
	uint32_t serial;
};

static TAILQ_HEAD(, hub_client) clients = TAILQ_HEAD_INITIALIZER(clients);
static uint32_t last_serial;

static void
copy_text(char *out, size_t size, const char *s)
{
	(void)snprintf(out, size, "%s", s);
}

/* Its bucket of those that ${to} listens to. */
static _Atomic uint32_t *
ears(u_int16_t to, const char *user_id)
{
	uint32_t h = 5381;

	for (; *user_id != '\0'; user_id++)
		h = h * 33 + (unsigned char)*user_id;
	return &server.shm->ears[to % SHARED_WORKERS][h % SHARED_EARS];
}

bool
hub_add(const struct rq *q, struct connection *c)
{
	const struct hub_client *other;
	struct hub_client *cl;
	size_t n;

	n = 0;
	TAILQ_FOREACH(other, &clients, entry)
		if (strcmp(other->user_id, q->user->id) == 0)
			n++;
	if (n >= CLIENTS_PER_USER || strlen(q->user->id) >=
	    sizeof(cl->user_id))
		return false;
	cl = kore_calloc(1, sizeof(*cl));
	cl->c = c;
	cl->serial = ++last_serial;
	copy_text(cl->user_id, sizeof(cl->user_id), q->user->id);
	copy_text(cl->prefix, sizeof(cl->prefix), q->prefix);
	memcpy(cl->session, q->session, sizeof(cl->session));
	cl->ping_ms = ln_time_mono_ms();
	cl->is_listed = true;
	TAILQ_INSERT_TAIL(&clients, cl, entry);
	(void)atomic_fetch_add(ears(worker->id, cl->user_id), 1);
	c->hdlr_extra = cl;
	return true;
}

void
hub_remove(struct connection *c)
{
	struct hub_client *cl = c->hdlr_extra;

	if (cl == NULL || !cl->is_listed)
		return;
	cl->is_listed = false;
	TAILQ_REMOVE(&clients, cl, entry);
	(void)atomic_fetch_sub(ears(worker->id, cl->user_id), 1);
	ln_wipe(cl->session, sizeof(cl->session));
}

struct hub_client *
hub_find(uint32_t serial)
{
	struct hub_client *cl;

	TAILQ_FOREACH(cl, &clients, entry)
		if (cl->serial == serial)
			return cl;
	return NULL;
}

void
hub_send(struct hub_client *cl, const char *json, size_t n)
{
	const struct netbuf *nb;
	size_t waiting;

	waiting = 0;
	TAILQ_FOREACH(nb, &cl->c->send_queue, list)
		if (++waiting > QUEUE_FRAMES_MAX) {
			kore_connection_disconnect(cl->c);
			return;
		}
	kore_websocket_send(cl->c, WEBSOCKET_OP_TEXT, json, n);
}

static void
deliver(const char *user_id, const char *json, size_t n)
{
	struct hub_client *cl, *next;

	for (cl = TAILQ_FIRST(&clients); cl != NULL; cl = next) {
		next = TAILQ_NEXT(cl, entry);
		if (strcmp(cl->user_id, user_id) == 0)
			hub_send(cl, json, n);
	}
}

static void
send_message(u_int16_t to, u_int8_t id, const void *head, size_t head_len,
    const char *json, size_t n)
{
	struct kore_buf *b;

	b = kore_buf_alloc(head_len + n + 1);
	kore_buf_append(b, head, head_len);
	if (n > 0)
		kore_buf_append(b, json, n);
	kore_msg_send(to, id, b->data, b->offset);
	kore_buf_free(b);
}

void
hub_publish(const char *user_id, const char *json, size_t n)
{
	struct msg_event m;
	u_int16_t to;

	deliver(user_id, json, n);
	memset(&m, 0, sizeof(m));
	copy_text(m.user_id, sizeof(m.user_id), user_id);
	for (to = 1; to <= server.worker_count; to++)
		if (to != worker->id && atomic_load(ears(to, user_id)) > 0)
			send_message(to, MSG_EVENT, &m, sizeof(m), json, n);
}

void
hub_ask_resume(const struct hub_client *cl, const char *conversation_id,
    uint64_t after)
{
	struct msg_resume m;
	u_int16_t to;

	if (strlen(conversation_id) >= sizeof(m.conversation_id))
		return;
	memset(&m, 0, sizeof(m));
	copy_text(m.user_id, sizeof(m.user_id), cl->user_id);
	copy_text(m.conversation_id, sizeof(m.conversation_id),
	    conversation_id);
	m.after = after;
	m.serial = cl->serial;
	/* "All" would include ourselves and the key manager. */
	for (to = 1; to <= server.worker_count; to++)
		if (to != worker->id)
			send_message(to, MSG_RESUME, &m, sizeof(m), NULL, 0);
}

static void
on_event(struct kore_msg *msg, const void *data)
{
	struct msg_event m;

	if (msg->length < sizeof(m))
		return;
	memcpy(&m, data, sizeof(m));
	m.user_id[sizeof(m.user_id) - 1] = '\0';
	deliver(m.user_id, (const char *)data + sizeof(m),
	    msg->length - sizeof(m));
}

/* Where a resumed piece goes: a socket of another worker. */
struct remote {
	u_int16_t worker_id;
	uint32_t serial;
};

static void
send_remote(void *arg, const char *json, size_t n)
{
	const struct remote *r = arg;
	struct msg_direct m = { r->serial };

	send_message(r->worker_id, MSG_DIRECT, &m, sizeof(m), json, n);
}

static void
on_resume(struct kore_msg *msg, const void *data)
{
	struct msg_resume m;
	struct remote r;

	if (msg->length != sizeof(m))
		return;
	memcpy(&m, data, sizeof(m));
	m.user_id[sizeof(m.user_id) - 1] = '\0';
	m.conversation_id[sizeof(m.conversation_id) - 1] = '\0';
	r.worker_id = msg->src;
	r.serial = m.serial;
	(void)turn_resume(m.user_id, m.conversation_id, m.after, send_remote,
	    &r);
}

static void
on_direct(struct kore_msg *msg, const void *data)
{
	struct hub_client *cl;
	struct msg_direct m;

	if (msg->length < sizeof(m))
		return;
	memcpy(&m, data, sizeof(m));
	if ((cl = hub_find(m.serial)) != NULL)
		hub_send(cl, (const char *)data + sizeof(m),
		    msg->length - sizeof(m));
}

void
hub_open(void)
{
	size_t i;

	/* What a worker that died had of them is closed. */
	for (i = 0; i < SHARED_EARS; i++)
		atomic_store(&server.shm->ears[worker->id % SHARED_WORKERS][i],
		    0);
	if (!kore_msg_register(MSG_EVENT, on_event) ||
	    !kore_msg_register(MSG_RESUME, on_resume) ||
	    !kore_msg_register(MSG_DIRECT, on_direct))
		fatalx("kore_msg_register");
}

void
hub_tick(int64_t now_ms)
{
	struct hub_client *cl, *next;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u;
	enum ln_status s;
	unsigned char code[2] = { CLOSE_POLICY >> 8, CLOSE_POLICY & 0xff };

	for (cl = TAILQ_FIRST(&clients); cl != NULL; cl = next) {
		next = TAILQ_NEXT(cl, entry);
		u = NULL;
		s = ln_session_user_by_hash(worker_store, cl->session, &u,
		    &err);
		ln_user_free(u);
		if (s == LN_UNAUTHENTICATED) {
			kore_websocket_close(cl->c, code, sizeof(code));
			continue;
		}
		if (now_ms - cl->ping_ms >= PING_MS) {
			cl->ping_ms = now_ms;
			kore_websocket_send(cl->c, WEBSOCKET_OP_PING, NULL, 0);
		}
	}
}
