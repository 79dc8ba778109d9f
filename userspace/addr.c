// SPDX-License-Identifier: GPL-2.0
/* Addresses and endpoints: as text, as JSON and in messages. */
#include <arpa/inet.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "nl.h"
#include "output.h"

static size_t addr_len(const struct addr *addr)
{
	return addr->family == AF_INET ? sizeof(struct in_addr) :
					 sizeof(struct in6_addr);
}

/* Returns -1 if @text is neither an IPv4 nor an IPv6 address. */
int addr_parse(struct addr *addr, const char *text)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(addr->family, text, addr->bytes) == 1 ? 0 : -1;
}

/* Takes the one of two attributes that is there; -1 if none is. */
int addr_get(struct addr *addr, const struct nlattr *ipv4,
	     const struct nlattr *ipv6)
{
	memset(addr, 0, sizeof(*addr));
	if (!ipv4 && !ipv6)
		return -1;
	addr->family = ipv4 ? AF_INET : AF_INET6;
	memcpy(addr->bytes, mnl_attr_get_payload(ipv4 ? ipv4 : ipv6),
	       addr_len(addr));
	return 0;
}

void addr_put(struct nlmsghdr *nlh, const struct addr *addr,
	      uint16_t ipv4_type, uint16_t ipv6_type)
{
	mnl_attr_put(nlh, addr->family == AF_INET ? ipv4_type : ipv6_type,
		     addr_len(addr), addr->bytes);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

struct addr_text addr_text(const struct addr *addr)
{
	struct addr_text text;

	inet_ntop(addr->family, addr->bytes, text.text, sizeof(text.text));
	return text;
}

/* Returns -1 if @nest is missing or not complete. */
int endpoint_get(struct endpoint *ep, const struct nlattr *nest)
{
	static const uint16_t len[ESPTRACK_A_ENDPOINT_MAX + 1] = {
		[ESPTRACK_A_ENDPOINT_IPV4] = 4,
		[ESPTRACK_A_ENDPOINT_IPV6] = 16,
		[ESPTRACK_A_ENDPOINT_PORT] = 2,
	};
	const struct nlattr *tb[ESPTRACK_A_ENDPOINT_MAX + 1];

	if (nl_parse_nest(nest, len, tb, ESPTRACK_A_ENDPOINT_MAX) < 0)
		return -1;
	ep->port = nl_get_be16(tb[ESPTRACK_A_ENDPOINT_PORT]);
	return addr_get(&ep->addr, tb[ESPTRACK_A_ENDPOINT_IPV4],
			tb[ESPTRACK_A_ENDPOINT_IPV6]);
}

struct endpoint_text endpoint_text(const struct endpoint *ep)
{
	bool ipv6 = ep->addr.family == AF_INET6;
	struct endpoint_text text;

	snprintf(text.text, sizeof(text.text), "%s%s%s:%u", ipv6 ? "[" : "",
		 addr_text(&ep->addr).text, ipv6 ? "]" : "", ep->port);
	return text;
}

struct json_object *endpoint_json(const struct endpoint *ep)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "address",
		 json_object_new_string(addr_text(&ep->addr).text));
	json_put(obj, "port", json_object_new_int(ep->port));
	return obj;
}
