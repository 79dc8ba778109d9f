/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_NETLINK_H
#define ESPTRACK_NETLINK_H

#include "netlink_gen.h"

struct esptrack_endpoint;
struct esptrack_sa_info;
struct esptrack_switches;

extern struct genl_family esptrack_family;

int esptrack_netlink_put_endpoint(struct sk_buff *skb, int attr,
				  const struct esptrack_endpoint *endpoint);
int esptrack_netlink_put_sa(struct sk_buff *skb,
			    const struct esptrack_sa_info *info);

bool esptrack_netlink_has_listeners(struct net *net);

void *esptrack_netlink_reply(struct sk_buff **reply,
			     const struct genl_info *info);
int esptrack_netlink_send(struct sk_buff *reply, void *hdr,
			  struct genl_info *info, int err);
bool esptrack_netlink_dump_refuses(struct netlink_callback *cb);
struct esptrack_switches
esptrack_netlink_switches(const struct nlattr *static_nat,
			  const struct nlattr *port_only);
int esptrack_netlink_sets_nothing(struct genl_info *info, int attr);

int esptrack_netlink_init(void);
void esptrack_netlink_uninit(void);

#endif /* ESPTRACK_NETLINK_H */
