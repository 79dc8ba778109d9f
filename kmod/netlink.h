/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_NETLINK_H
#define ESPTRACK_NETLINK_H

#include <net/genetlink.h>

struct esptrack_endpoint;
struct esptrack_sa_info;

/* Index of the multicast group in the family */
enum { ESPTRACK_GROUP_EVENTS };

extern struct genl_family esptrack_family;

int esptrack_netlink_put_endpoint(struct sk_buff *skb, int attr,
				  const struct esptrack_endpoint *endpoint);
int esptrack_netlink_put_sa(struct sk_buff *skb,
			    const struct esptrack_sa_info *info);

bool esptrack_netlink_has_listeners(struct net *net);

int esptrack_netlink_init(void);
void esptrack_netlink_uninit(void);

#endif /* ESPTRACK_NETLINK_H */
