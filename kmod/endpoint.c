// SPDX-License-Identifier: GPL-2.0
#include "endpoint.h"

#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/route.h>

/**
 * esptrack_endpoint_set() - fill in an endpoint, padding included
 * @endpoint: to fill in
 * @addr: of @family
 * @port: UDP port
 * @family: AF_INET or AF_INET6
 */
void esptrack_endpoint_set(struct esptrack_endpoint *endpoint,
			   const xfrm_address_t *addr, __be16 port, u16 family)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (family == AF_INET)
		endpoint->addr.a4 = addr->a4;
	else
		endpoint->addr.in6 = addr->in6;
	endpoint->port = port;
	endpoint->family = family;
}

/**
 * esptrack_endpoint_is_local() - is the address one of this host's?
 * @net: network namespace
 * @endpoint: whose address is looked at
 *
 * Looks at the devices rather than at one routing table, since addresses in a
 * VRF are in a table of their own.
 *
 * Context: any.
 */
bool esptrack_endpoint_is_local(struct net *net,
				const struct esptrack_endpoint *endpoint)
{
	if (endpoint->family == AF_INET)
		return __ip_dev_find(net, endpoint->addr.a4, false);

	return ipv6_chk_addr(net, &endpoint->addr.in6, NULL, 0);
}

static bool is_unicast4(struct net *net, __be32 addr)
{
	return !ipv4_is_zeronet(addr) && !ipv4_is_loopback(addr) &&
	       inet_addr_type(net, addr) == RTN_UNICAST;
}

static bool is_unicast6(const struct in6_addr *addr)
{
	int type = ipv6_addr_type(addr);

	return (type & IPV6_ADDR_UNICAST) &&
	       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED |
			 IPV6_ADDR_LINKLOCAL));
}

/**
 * esptrack_endpoint_is_peer() - can a peer be reached there?
 * @net: network namespace
 * @endpoint: the source of a packet
 *
 * Context: any.
 * Return: true if the address is unicast and not ours, and the port not 0.
 */
bool esptrack_endpoint_is_peer(struct net *net,
			       const struct esptrack_endpoint *endpoint)
{
	if (!endpoint->port || esptrack_endpoint_is_local(net, endpoint))
		return false;
	if (endpoint->family == AF_INET)
		return is_unicast4(net, endpoint->addr.a4);

	return is_unicast6(&endpoint->addr.in6);
}

/**
 * esptrack_endpoint_print() - write "address:port" or "[address]:port"
 * @buf: at least %ESPTRACK_ENDPOINT_STRLEN bytes
 * @size: of @buf
 * @endpoint: to write
 *
 * Return: the length of the text.
 */
int esptrack_endpoint_print(char *buf, size_t size,
			    const struct esptrack_endpoint *endpoint)
{
	if (endpoint->family == AF_INET)
		return scnprintf(buf, size, "%pI4:%u", &endpoint->addr.a4,
				 ntohs(endpoint->port));

	return scnprintf(buf, size, "[%pI6c]:%u", &endpoint->addr.in6,
			 ntohs(endpoint->port));
}
