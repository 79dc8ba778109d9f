// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: its commands, and its multicast group.
 */
#include "netlink.h"

#include <linux/netdevice.h>

#include "compat.h"
#include "sa.h"
#include "switches.h"

static const struct genl_multicast_group esptrack_groups[] = {
	[ESPTRACK_NLGRP_EVENTS] = {
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
	.ops = esptrack_nl_ops,
	.n_ops = ARRAY_SIZE(esptrack_nl_ops),
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
	       genl_has_listeners(&esptrack_family, net, ESPTRACK_NLGRP_EVENTS);
}

/**
 * esptrack_netlink_reply() - begin the reply to a request
 * @reply: set to the message
 * @info: request
 *
 * Return: its header, or NULL if there is no memory.
 */
void *esptrack_netlink_reply(struct sk_buff **reply,
			     const struct genl_info *info)
{
	*reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!*reply)
		return NULL;

	/* An empty message has room for a header. */
	return genlmsg_put(*reply, info->snd_portid, info->snd_seq,
			   &esptrack_family, 0, info->genlhdr->cmd);
}

/**
 * esptrack_netlink_send() - end and send a reply, or let it go
 * @reply: from esptrack_netlink_reply()
 * @hdr: from there
 * @info: request
 * @err: what filling it in has come to
 *
 * Return: @err, or what sending came to.
 */
int esptrack_netlink_send(struct sk_buff *reply, void *hdr,
			  struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/**
 * esptrack_netlink_dump_refuses() - does a dump ask for less than all?
 * @cb: the dump
 *
 * Not for .start, which has no extack on 6.1.
 *
 * Return: true, with an extended ack, if the request has attributes.
 */
bool esptrack_netlink_dump_refuses(struct netlink_callback *cb)
{
	if (!nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return false;

	NL_SET_ERR_MSG(cb->extack, "a dump takes no attributes");
	return true;
}

/**
 * esptrack_netlink_switches() - what a request wants of the switches
 * @static_nat: attribute, NULL if it is not given
 * @port_only: attribute, NULL if it is not given
 *
 * Both are u8 of 0 or 1.
 */
struct esptrack_switches
esptrack_netlink_switches(const struct nlattr *static_nat,
			  const struct nlattr *port_only)
{
	struct esptrack_switches switches = { 0 };

	if (static_nat) {
		switches.given |= ESPTRACK_SWITCH_STATIC_NAT;
		if (nla_get_u8(static_nat))
			switches.on |= ESPTRACK_SWITCH_STATIC_NAT;
	}
	if (port_only) {
		switches.given |= ESPTRACK_SWITCH_PORT_ONLY;
		if (nla_get_u8(port_only))
			switches.on |= ESPTRACK_SWITCH_PORT_ONLY;
	}
	return switches;
}

/**
 * esptrack_netlink_sets_nothing() - refuse a request that gives nothing to set
 * @info: of the request
 * @attr: its attribute static-nat
 *
 * Return: -EINVAL, with an extended ack.
 */
int esptrack_netlink_sets_nothing(struct genl_info *info, int attr)
{
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, attr);
	GENL_SET_ERR_MSG(info, "nothing to set: static_nat is missing");
	return -EINVAL;
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
