/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_ENDPOINT_H
#define ESPTRACK_ENDPOINT_H

#include <linux/inet.h>
#include <net/ipv6.h>
#include <net/xfrm.h>

/**
 * struct esptrack_endpoint - one end of a flow: address and UDP port
 * @addr: of @family; the rest of the union is zero
 * @port: UDP port
 * @family: AF_INET or AF_INET6
 *
 * Has no holes, so that it can be hashed as bytes.
 */
struct esptrack_endpoint {
	xfrm_address_t addr;
	__be16 port;
	u16 family;
};

static_assert(sizeof(struct esptrack_endpoint) == sizeof(xfrm_address_t) + 4);

/* "[address]:port" at its longest, with the final NUL */
#define ESPTRACK_ENDPOINT_STRLEN	(INET6_ADDRSTRLEN + 8)

static inline bool esptrack_endpoint_equal(const struct esptrack_endpoint *a,
					   const struct esptrack_endpoint *b)
{
	/* Cheaper than memcmp(), which is a call. */
	return a->port == b->port && a->family == b->family &&
	       ipv6_addr_equal(&a->addr.in6, &b->addr.in6);
}

/* Into an SA or a template, whose address others read without a lock: they take what
 * they find, and look again when they see a new generation.
 */
static inline void esptrack_address_write(xfrm_address_t *addr,
					  const xfrm_address_t *to)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addr->a6); i++)
		WRITE_ONCE(addr->a6[i], to->a6[i]);
}

void esptrack_endpoint_set(struct esptrack_endpoint *endpoint,
			   const xfrm_address_t *addr, __be16 port, u16 family);
bool esptrack_endpoint_is_local(struct net *net,
				const struct esptrack_endpoint *endpoint);
bool esptrack_endpoint_is_peer(struct net *net,
			       const struct esptrack_endpoint *endpoint);
int esptrack_endpoint_print(char *buf, size_t size,
			    const struct esptrack_endpoint *endpoint);

#endif /* ESPTRACK_ENDPOINT_H */
