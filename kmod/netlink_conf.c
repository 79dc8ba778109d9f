// SPDX-License-Identifier: GPL-2.0
/*
 * What holds for a network namespace, over netlink.
 */
#include "netlink.h"

#include "conf.h"
#include "net.h"

static int put_conf(struct sk_buff *skb, const struct esptrack_conf *conf)
{
	u8 on = conf->switches.on;

	if (nla_put_u8(skb, ESPTRACK_A_CONF_STATIC_NAT,
		       !!(on & ESPTRACK_SWITCH_STATIC_NAT)) ||
	    nla_put_u8(skb, ESPTRACK_A_CONF_PORT_ONLY,
		       !!(on & ESPTRACK_SWITCH_PORT_ONLY)) ||
	    nla_put_u32(skb, ESPTRACK_A_CONF_THROTTLE_INTERVAL,
			conf->interval) ||
	    nla_put_u32(skb, ESPTRACK_A_CONF_THROTTLE_BURST, conf->burst))
		return -EMSGSIZE;
	return 0;
}

int esptrack_nl_conf_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_conf conf;
	struct sk_buff *reply;
	void *hdr;

	esptrack_conf_inform(esptrack_net(genl_info_net(info)), &conf);

	hdr = esptrack_netlink_reply(&reply, info);
	if (!hdr)
		return -ENOMEM;
	return esptrack_netlink_send(reply, hdr, info, put_conf(reply, &conf));
}

int esptrack_nl_conf_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *interval, *burst;
	struct esptrack_conf conf = { 0 };

	interval = info->attrs[ESPTRACK_A_CONF_THROTTLE_INTERVAL];
	burst = info->attrs[ESPTRACK_A_CONF_THROTTLE_BURST];
	conf.switches =
		esptrack_netlink_switches(info->attrs[ESPTRACK_A_CONF_STATIC_NAT],
					  info->attrs[ESPTRACK_A_CONF_PORT_ONLY]);
	if (interval)
		conf.interval = nla_get_u32(interval);
	if (burst)
		conf.burst = nla_get_u32(burst);
	if (!conf.switches.given && !conf.interval && !conf.burst)
		return esptrack_netlink_sets_nothing(info,
						     ESPTRACK_A_CONF_STATIC_NAT);

	esptrack_conf_set(esptrack_net(genl_info_net(info)), &conf);
	return 0;
}
