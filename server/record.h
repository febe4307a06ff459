#ifndef RECORD_H
#define RECORD_H

#include <ln/error.h>

#include "api.h"

/**
 * record(q, action, outcome):
 * One row in the audit log about what the request was refused, with the
 * pattern of its route.  Written by a thread, so that no refusal waits for the
 * database; what cannot be queued or written is logged.
 */
void record(const struct rq *q, const char *action, enum ln_status outcome);

#endif
