#ifndef CLIENT_H
#define CLIENT_H

#include <ln/error.h>

#include "server.h"

/* Where a request really comes from. */

/**
 * client_configure(list, err):
 * The trusted proxies: addresses or networks ("10.0.0.0/8"), separated by
 * commas; may be NULL.  LN_INVALID.
 */
enum ln_status client_configure(const char *list, struct ln_error *err);

/**
 * client_address(c, forwarded, out, outsize):
 * The peer, or, when the peer is a trusted proxy, the right-most address of
 * ${forwarded} (X-Forwarded-For, may be NULL) that is not one.
 */
void client_address(const struct connection *c, const char *forwarded,
    char *out, size_t outsize);

/**
 * client_prefix(addr, out, outsize):
 * What limits count and records keep: an IPv4 address whole, an IPv6 one as
 * its /64.
 */
void client_prefix(const char *addr, char *out, size_t outsize);

#endif
