/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_NETLINK_H
#define ESPTRACK_NETLINK_H

#include <net/genetlink.h>

struct esptrack_endpoint;
struct esptrack_sa_info;
struct esptrack_switches;

/* Index of the multicast group in the family */
enum { ESPTRACK_GROUP_EVENTS };

extern struct genl_family esptrack_family;

int esptrack_netlink_put_endpoint(struct sk_buff *skb, int attr,
				  const struct esptrack_endpoint *endpoint);
int esptrack_netlink_put_sa(struct sk_buff *skb,
			    const struct esptrack_sa_info *info);

bool esptrack_netlink_has_listeners(struct net *net);

struct esptrack_switches
esptrack_netlink_switches(const struct nlattr *static_nat,
			  const struct nlattr *port_only);

/* Operations of the family; each policy ends with its one attribute. */
extern const struct nla_policy esptrack_netlink_sa_get_policy[];
extern const struct nla_policy esptrack_netlink_sa_set_policy[];
extern const struct nla_policy esptrack_netlink_reqid_set_policy[];
extern const struct nla_policy esptrack_netlink_reqid_del_policy[];

int esptrack_netlink_sa_get(struct sk_buff *skb, struct genl_info *info);
int esptrack_netlink_sa_dump(struct sk_buff *skb, struct netlink_callback *cb);
int esptrack_netlink_sa_set(struct sk_buff *skb, struct genl_info *info);
int esptrack_netlink_reqid_dump(struct sk_buff *skb,
				struct netlink_callback *cb);
int esptrack_netlink_reqid_set(struct sk_buff *skb, struct genl_info *info);
int esptrack_netlink_reqid_del(struct sk_buff *skb, struct genl_info *info);

int esptrack_netlink_init(void);
void esptrack_netlink_uninit(void);

#endif /* ESPTRACK_NETLINK_H */
