#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <ln/multi.h>

/* Outbound transfers of this worker on Kore's event loop. */

/**
 * transport_open() / transport_close():
 * Worker start and end.
 */
void transport_open(void);
void transport_close(void);

/**
 * transport_add(req, ops, arg, out, err):
 * As ln_multi_add on this worker's set.
 */
enum ln_status transport_add(const struct ln_http_request *req,
    const struct ln_transfer_ops *ops, void *arg, struct ln_transfer **out,
    struct ln_error *err);

/**
 * transport_owner():
 * "server:<boot>:<worker>": who writes an answer, for the journal.  Borrowed.
 */
const char *transport_owner(void);

#endif
