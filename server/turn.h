#ifndef TURN_H
#define TURN_H

#include <ln/chat.h>
#include <ln/json.h>

#include "api.h"

/*
 * Answers that this worker is writing.  A turn belongs to its conversation: it
 * goes on when the socket or the request that began it is gone.
 */

/**
 * turns_open() / turns_close():
 * The provider transport on Kore's event loop / end all, keeping what came.
 */
void turns_open(void);
void turns_close(void);

/**
 * turns_cancel_local():
 * Ask searches and tools that threads are running to return soon.
 */
void turns_cancel_local(void);

/**
 * turns_running():
 * How many are being written here.
 */
size_t turns_running(void);

/**
 * struct turn_sink:
 * Somebody besides the user's sockets who wants the events of one turn:
 * ${event} gets each as JSON, ${end} comes once when the turn is over.
 */
struct turn_sink {
	void (*event)(void *arg, const char *json, size_t n);
	void (*end)(void *arg);
	void *arg;
};

enum turn_kind {
	TURN_QUESTION,		/* "user_message" */
	TURN_AGAIN,		/* "regenerate" */
	TURN_CONTINUE,		/* "continue" */
};

/**
 * struct turn_request / turn_start_all(rqs, n):
 * Begin turns from objects of the wire, TURN_BATCH_MAX at most, together: see
 * ln_chat_begin_all.  ${sink} may be NULL; it gets events, perhaps even the
 * end, before this returns, never the end when its turn fails.  ${status} is
 * LN_INVALID with field; else as ln_chat_begin.
 */
#define TURN_BATCH_MAX 32
struct turn_request {
	const char *user_id;
	const struct ln_json *body;
	enum turn_kind kind;
	const struct turn_sink *sink;
	enum ln_status status;
	struct ln_error error;
};
void turn_start_all(struct turn_request *rqs, size_t n);

/**
 * turn_start(user_id, body, kind, sink, err):
 * The same for one.
 */
enum ln_status turn_start(const char *user_id, const struct ln_json *body,
    enum turn_kind kind, const struct turn_sink *sink, struct ln_error *err);

/**
 * turn_stop(user_id, conversation_id, err):
 * Stop the answer there, whichever process writes it.  LN_NOT_FOUND.
 */
enum ln_status turn_stop(const char *user_id, const char *conversation_id,
    struct ln_error *err);

/**
 * turn_decide(user_id, body, err):
 * Obey a "tool_decision" object, whichever process waits for it.  LN_INVALID
 * with field, LN_NOT_FOUND.
 */
enum ln_status turn_decide(const char *user_id, const struct ln_json *body,
    struct ln_error *err);

/**
 * turn_resume(user_id, conversation_id, after, fn, arg):
 * Give ${fn} what this worker has of the answer beyond byte ${after}.  False
 * when it is not written here.
 */
bool turn_resume(const char *user_id, const char *conversation_id,
    uint64_t after, void (*fn)(void *arg, const char *json, size_t n),
    void *arg);

/**
 * turn_event_json(ev, out):
 * One event as the wire has it.  False without memory.
 */
bool turn_event_json(const struct ln_chat_event *ev, struct ln_buf *out);

/**
 * turn_sources_json(w, sources):
 * The member "sources" as an array; empty for NULL.
 */
void turn_sources_json(struct ln_jw *w, const char *sources);

#endif
