#ifndef HUB_H
#define HUB_H

#include <sys/queue.h>

#include "api.h"

/*
 * Who listens to whom: every open WebSocket of a user, on every worker, sees
 * that user's events.  Between workers they travel as Kore messages.
 */

/**
 * struct hub_client:
 * One WebSocket; hangs on its connection (Kore frees it).
 */
struct hub_client {
	struct connection *c;
	bool is_listed;
	uint32_t serial;	/* names it to other workers */
	char user_id[64];
	char prefix[RQ_ADDR_SIZE + 4];
	unsigned char session[LN_KEY_BYTES];
	int64_t ping_ms;	/* last ping sent, monotonic */
	TAILQ_ENTRY(hub_client) entry;
};

/**
 * hub_open():
 * Register with Kore.  Worker.
 */
void hub_open(void);

/**
 * hub_add(q, c) / hub_remove(c):
 * Begin / end listening.  The first is false when the user has too many
 * sockets here already.
 */
bool hub_add(const struct rq *q, struct connection *c);
void hub_remove(struct connection *c);

/**
 * hub_find(serial):
 * The socket of this worker, or NULL when it is gone.
 */
struct hub_client *hub_find(uint32_t serial);

/**
 * hub_send(cl, json, n):
 * One text frame to one socket.  A socket that does not read is closed.
 */
void hub_send(struct hub_client *cl, const char *json, size_t n);

/**
 * hub_publish(user_id, json, n):
 * One text frame to all of the user's sockets, everywhere.
 */
void hub_publish(const char *user_id, const char *json, size_t n);

/**
 * hub_ask_resume(cl, conversation_id, after):
 * Ask the other workers for the answer that one of them is writing.
 */
void hub_ask_resume(const struct hub_client *cl, const char *conversation_id,
    uint64_t after);

/**
 * hub_tick(now_ms):
 * Close sockets whose session has ended, ping the quiet ones.  About once a
 * second; monotonic time.
 */
void hub_tick(int64_t now_ms);

#endif
