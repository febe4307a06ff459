#ifndef KCONF_H
#define KCONF_H

#include <ln/error.h>

/**
 * kconf_apply():
 * Set every Kore limit we care about.  Parent, before listening.
 */
void kconf_apply(void);

/**
 * kconf_listen(host, port, err):
 * Bind and listen on ${host} ("localhost" means both loopback addresses) and
 * attach the one catch-all route.  ${port} 0 takes a free one; server.port
 * holds the real one afterwards.  LN_CONFLICT when the port is taken,
 * LN_FORBIDDEN when it is reserved, LN_INVALID when there is no such address.
 */
enum ln_status kconf_listen(const char *host, int port, struct ln_error *err);

#endif
