#include "net/guard.h"

#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/banned.h"

struct block {
	unsigned char prefix[16];
	unsigned int bits;
};

/* IANA IPv4 Special-Purpose Address Registry, all that is not globally
 * reachable; plus multicast and the deprecated 6to4 relay anycast. */
static const struct block blocks4[] = {
	{ { 0 }, 8 },			/* this network */
	{ { 10 }, 8 },			/* private */
	{ { 100, 64 }, 10 },		/* shared: carrier NAT */
	{ { 127 }, 8 },			/* loopback */
	{ { 169, 254 }, 16 },		/* link-local */
	{ { 172, 16 }, 12 },		/* private */
	{ { 192, 0, 0 }, 24 },		/* protocol assignments */
	{ { 192, 0, 2 }, 24 },		/* documentation */
	{ { 192, 88, 99 }, 24 },	/* 6to4 relays */
	{ { 192, 168 }, 16 },		/* private */
	{ { 198, 18 }, 15 },		/* benchmark */
	{ { 198, 51, 100 }, 24 },	/* documentation */
	{ { 203, 0, 113 }, 24 },	/* documentation */
	{ { 224 }, 4 },			/* multicast */
	{ { 240 }, 4 },			/* reserved, broadcast */
};

/* The same for IPv6, inside 2000::/3; everything outside is refused. */
static const struct block blocks6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },		/* protocols, Teredo, ORCHID */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },	/* documentation */
	{ { 0x3f, 0xff, 0x00 }, 20 },		/* documentation */
};

/* An IPv4 address travels inside: judge that one. */
static const struct {
	struct block block;
	size_t offset;
} carriers[] = {
	{ { { [10] = 0xff, [11] = 0xff }, 96 }, 12 },		/* mapped */
	{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },		/* NAT64 */
	{ { { 0x20, 0x02 }, 16 }, 2 },				/* 6to4 */
};

static const struct block unicast6 = { { 0x20 }, 3 };

#define nitems(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_in(const unsigned char *address, const struct block *b)
{
	size_t whole = b->bits / 8;
	unsigned int rest = b->bits % 8, mask = 0xff00U >> rest & 0xffU;

	if (memcmp(address, b->prefix, whole) != 0)
		return false;
	return rest == 0 || (address[whole] & mask) == (b->prefix[whole] & mask);
}

static bool
is_global4(const unsigned char address[4])
{
	size_t i;

	for (i = 0; i < nitems(blocks4); i++) {
		if (is_in(address, &blocks4[i]))
			return false;
	}
	return true;
}

static bool
is_global6(const unsigned char address[16])
{
	size_t i;

	for (i = 0; i < nitems(carriers); i++) {
		if (is_in(address, &carriers[i].block))
			return is_global4(address + carriers[i].offset);
	}
	if (!is_in(address, &unicast6))
		return false;
	for (i = 0; i < nitems(blocks6); i++) {
		if (is_in(address, &blocks6[i]))
			return false;
	}
	return true;
}

bool
lni_address_is_global(const struct sockaddr *sa)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in4;
	unsigned char bytes[4];

	if (sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof(in4));
		memcpy(bytes, &in4.sin_addr, sizeof(bytes));
		return is_global4(bytes);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		return is_global6(in6.sin6_addr.s6_addr);
	}
	return false;
}

bool
lni_address_text_parse(const char *s, struct sockaddr_storage *out)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, s, &in4.sin_addr) == 1) {
		memcpy(out, &in4, sizeof(in4));
		return true;
	}
	if (inet_pton(AF_INET6, s, &in6.sin6_addr) == 1) {
		memcpy(out, &in6, sizeof(in6));
		return true;
	}
	return false;
}

bool
lni_address_text_is_global(const char *s)
{
	struct sockaddr_storage ss;

	return lni_address_text_parse(s, &ss) &&
	    lni_address_is_global((const struct sockaddr *)&ss);
}
