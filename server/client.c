#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROXIES_MAX 32

/* All addresses as IPv6; IPv4 as ::ffff:a.b.c.d. */
struct network {
	struct in6_addr addr;
	unsigned bits;
};

static struct network proxies[PROXIES_MAX];
static size_t proxy_count;

static void
map_v4(const struct in_addr *v4, struct in6_addr *out)
{
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = 0xff;
	out->s6_addr[11] = 0xff;
	memcpy(&out->s6_addr[12], v4, 4);
}

static bool
parse(const char *s, struct in6_addr *out, bool *out_is_v4)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, s, &v4) == 1) {
		map_v4(&v4, out);
		*out_is_v4 = true;
		return true;
	}
	*out_is_v4 = false;
	return inet_pton(AF_INET6, s, out) == 1;
}

static bool
parse_network(const char *s, struct network *out)
{
	char text[INET6_ADDRSTRLEN + 8], *slash, *end;
	unsigned long bits, max;
	bool is_v4;

	if (strlen(s) >= sizeof(text))
		return false;
	memcpy(text, s, strlen(s) + 1);
	if ((slash = strchr(text, '/')) != NULL)
		*slash++ = '\0';
	if (!parse(text, &out->addr, &is_v4))
		return false;
	max = is_v4 ? 32 : 128;
	bits = max;
	if (slash != NULL) {
		bits = strtoul(slash, &end, 10);
		if (*slash < '0' || *slash > '9' || *end != '\0' || bits > max)
			return false;
	}
	out->bits = (unsigned)(is_v4 ? bits + 96 : bits);
	return true;
}

enum ln_status
client_configure(const char *list, struct ln_error *err)
{
	char one[64];
	size_t n;

	proxy_count = 0;
	while (list != NULL && *list != '\0') {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == 0)
			break;
		if (n >= sizeof(one) || proxy_count == PROXIES_MAX)
			return ln_fail(err, LN_INVALID,
			    "LOCALNEURAL_TRUSTED_PROXIES is too long",
			    "entry %zu", proxy_count);
		memcpy(one, list, n);
		one[n] = '\0';
		if (!parse_network(one, &proxies[proxy_count]))
			return ln_fail(err, LN_INVALID,
			    "LOCALNEURAL_TRUSTED_PROXIES wants addresses or "
			    "networks", "%s", one);
		proxy_count++;
		list += n;
	}
	return LN_OK;
}

static bool
is_proxy(const struct in6_addr *a)
{
	const struct network *p;
	size_t i;
	unsigned whole, rest;
	unsigned char mask;

	for (i = 0; i < proxy_count; i++) {
		p = &proxies[i];
		whole = p->bits / 8;
		rest = p->bits % 8;
		mask = (unsigned char)(0xff00u >> rest);
		if (memcmp(a, &p->addr, whole) == 0 && (rest == 0 ||
		    ((a->s6_addr[whole] ^ p->addr.s6_addr[whole]) & mask) ==
		    0))
			return true;
	}
	return false;
}

static void
print(const struct in6_addr *a, char *out, size_t outsize)
{
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		if (inet_ntop(AF_INET, &a->s6_addr[12], out,
		    (socklen_t)outsize) != NULL)
			return;
	} else if (inet_ntop(AF_INET6, a, out, (socklen_t)outsize) != NULL)
		return;
	(void)snprintf(out, outsize, "unknown");
}

void
client_address(const struct connection *c, const char *forwarded, char *out,
    size_t outsize)
{
	struct in6_addr a, hop;
	const char *end, *start;
	char one[64];
	bool is_v4;
	size_t n;

	if (c->family == AF_INET6)
		a = c->addr.ipv6.sin6_addr;
	else
		map_v4(&c->addr.ipv4.sin_addr, &a);
	end = forwarded != NULL ? forwarded + strlen(forwarded) : NULL;
	/* From the right: each hop vouches only for the one before it. */
	while (end != NULL && end > forwarded && is_proxy(&a)) {
		start = end;
		while (start > forwarded && start[-1] != ',')
			start--;
		n = (size_t)(end - start);
		end = start > forwarded ? start - 1 : start;
		while (n > 0 && (*start == ' ' || *start == '\t')) {
			start++;
			n--;
		}
		while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
			n--;
		if (n == 0 || n >= sizeof(one))
			break;
		memcpy(one, start, n);
		one[n] = '\0';
		if (!parse(one, &hop, &is_v4))
			break;
		a = hop;
	}
	print(&a, out, outsize);
}

void
client_prefix(const char *addr, char *out, size_t outsize)
{
	struct in6_addr a;
	bool is_v4;
	char text[INET6_ADDRSTRLEN];

	if (!parse(addr, &a, &is_v4) || is_v4) {
		(void)snprintf(out, outsize, "%s", addr);
		return;
	}
	memset(&a.s6_addr[8], 0, 8);
	print(&a, text, sizeof(text));
	(void)snprintf(out, outsize, "%s/64", text);
}
