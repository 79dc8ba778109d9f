/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ADDR_H
#define ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct json_object;
struct nlattr;
struct nlmsghdr;

struct addr {
	sa_family_t family;
	unsigned char bytes[16];	/* network byte order, the rest is 0 */
};

struct addr_text {
	char text[INET6_ADDRSTRLEN];
};

int addr_parse(struct addr *addr, const char *text);
int addr_get(struct addr *addr, const struct nlattr *ipv4,
	     const struct nlattr *ipv6);
void addr_put(struct nlmsghdr *nlh, const struct addr *addr,
	      uint16_t ipv4_type, uint16_t ipv6_type);
bool addr_equal(const struct addr *a, const struct addr *b);
struct addr_text addr_text(const struct addr *addr);

struct endpoint {
	struct addr addr;
	uint16_t port;
};

struct endpoint_text {
	char text[INET6_ADDRSTRLEN + sizeof("[]:65535")];
};

int endpoint_get(struct endpoint *ep, const struct nlattr *nest);
struct endpoint_text endpoint_text(const struct endpoint *ep);
struct json_object *endpoint_json(const struct endpoint *ep);

#endif
