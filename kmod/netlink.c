// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: its commands, and its multicast group.
 */
#include "netlink.h"

#include <linux/esptrack.h>
#include <linux/netdevice.h>

static const struct genl_ops esptrack_ops[] = {
	{
		.cmd = ESPTRACK_CMD_SA_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = esptrack_netlink_sa_get,
		.dumpit = esptrack_netlink_sa_dump,
		.policy = esptrack_netlink_sa_get_policy,
		.maxattr = ESPTRACK_A_SA,
	},
	{
		.cmd = ESPTRACK_CMD_SA_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = esptrack_netlink_sa_set,
		.policy = esptrack_netlink_sa_set_policy,
		.maxattr = ESPTRACK_A_SA,
	},
	{
		.cmd = ESPTRACK_CMD_REQID_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.dumpit = esptrack_netlink_reqid_dump,
	},
	{
		.cmd = ESPTRACK_CMD_REQID_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = esptrack_netlink_reqid_set,
		.policy = esptrack_netlink_reqid_set_policy,
		.maxattr = ESPTRACK_A_REQID,
	},
	{
		.cmd = ESPTRACK_CMD_REQID_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = esptrack_netlink_reqid_del,
		.policy = esptrack_netlink_reqid_del_policy,
		.maxattr = ESPTRACK_A_REQID,
	},
};

static const struct genl_multicast_group esptrack_groups[] = {
	[ESPTRACK_GROUP_EVENTS] = {
		.name = ESPTRACK_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family esptrack_family __ro_after_init = {
	.name = ESPTRACK_FAMILY_NAME,
	.version = ESPTRACK_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = esptrack_ops,
	.n_ops = ARRAY_SIZE(esptrack_ops),
	.mcgrps = esptrack_groups,
	.n_mcgrps = ARRAY_SIZE(esptrack_groups),
};

/* Without its family an event would go to a group of some other one. */
static bool registered;

/**
 * esptrack_netlink_has_listeners() - does anybody want events?
 * @net: network namespace
 *
 * Context: RCU read side.
 */
bool esptrack_netlink_has_listeners(struct net *net)
{
	return READ_ONCE(registered) &&
	       genl_has_listeners(&esptrack_family, net, ESPTRACK_GROUP_EVENTS);
}

int __init esptrack_netlink_init(void)
{
	int err = genl_register_family(&esptrack_family);

	if (!err)
		WRITE_ONCE(registered, true);
	return err;
}

void esptrack_netlink_uninit(void)
{
	WRITE_ONCE(registered, false);
	synchronize_net();
	genl_unregister_family(&esptrack_family);
}
