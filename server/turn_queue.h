#ifndef TURN_QUEUE_H
#define TURN_QUEUE_H

#include "hub.h"
#include "turn.h"

/*
 * Questions that came by sockets and wait, for a moment, to be saved together:
 * each commit waits for the disk, and the loop with it.
 */

/**
 * turn_queue_fn:
 * Tells the socket with that ${serial} (it may be gone) why its ${body} came
 * to nothing.
 */
typedef void turn_queue_fn(uint32_t serial, const struct ln_json *body,
    enum ln_status s, const struct ln_error *err);

/**
 * turn_queue_add(cl, body, kind, failed):
 * Begin a turn of the user of ${cl} soon.  Takes ${body}, unless it
 * answers false: there is no memory, or too many wait.
 */
bool turn_queue_add(const struct hub_client *cl, struct ln_json *body,
    enum turn_kind kind, turn_queue_fn *failed);

/**
 * turn_queue_flush():
 * Begin them now: what follows on a socket may be about one of them.
 */
void turn_queue_flush(void);

#endif
