/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/esptrack.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_ESPTRACK_GEN_H
#define _LINUX_ESPTRACK_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/esptrack.h>

extern const struct nla_policy esptrack_sa_get_nl_policy[ESPTRACK_A_SA_MARK_MASK + 1];

extern const struct nla_policy esptrack_sa_set_nl_policy[ESPTRACK_A_SA_PORT_ONLY + 1];

extern const struct nla_policy esptrack_reqid_get_nl_policy[ESPTRACK_A_REQID_NUMBER + 1];

extern const struct nla_policy esptrack_reqid_set_nl_policy[ESPTRACK_A_REQID_PORT_ONLY + 1];

extern const struct nla_policy esptrack_reqid_del_nl_policy[ESPTRACK_A_REQID_NUMBER + 1];

extern const struct nla_policy esptrack_stats_get_nl_policy[ESPTRACK_A_STATS_PAD + 1];

extern const struct nla_policy esptrack_conf_get_nl_policy[ESPTRACK_A_CONF_PAD + 1];

extern const struct nla_policy esptrack_conf_set_nl_policy[ESPTRACK_A_CONF_THROTTLE_BURST + 1];

/* Ops table for esptrack */
extern const struct genl_ops esptrack_nl_ops[8];

int esptrack_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int esptrack_nl_sa_set_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_reqid_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_reqid_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int esptrack_nl_reqid_set_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_reqid_del_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_conf_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptrack_nl_conf_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	ESPTRACK_NLGRP_EVENTS,
};

#endif /* _LINUX_ESPTRACK_GEN_H */
