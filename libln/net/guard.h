#ifndef LNI_GUARD_H
#define LNI_GUARD_H

#include <stdbool.h>

#include <sys/socket.h>

/**
 * lni_address_is_global(sa):
 * Whether the IPv4 or IPv6 address is a public unicast one: not loopback,
 * private, link-local, shared (CGNAT), multicast, unspecified, documentation,
 * benchmark or reserved, nor such an IPv4 address in IPv6 clothes (mapped,
 * NAT64, 6to4).  False for every other family.
 */
bool lni_address_is_global(const struct sockaddr *sa);

/* The same for an address in text ("::1", without brackets). */
bool lni_address_text_is_global(const char *s);

/* Whether ${s} is an IPv4 or IPv6 address in text. */
bool lni_address_text_parse(const char *s, struct sockaddr_storage *out);

#endif
