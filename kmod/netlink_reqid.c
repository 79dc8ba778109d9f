// SPDX-License-Identifier: GPL-2.0
/*
 * Switches of reqids over netlink.
 */
#include "netlink.h"

#include <linux/esptrack.h>

#include "net.h"
#include "reqid.h"
#include "sa.h"

static const struct nla_policy set_nest[] = {
	[ESPTRACK_A_REQID_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTRACK_A_REQID_STATIC_NAT] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_REQID_PORT_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct nla_policy del_nest[] = {
	[ESPTRACK_A_REQID_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
};

const struct nla_policy esptrack_netlink_reqid_set_policy[] = {
	[ESPTRACK_A_REQID] = NLA_POLICY_NESTED(set_nest),
};

const struct nla_policy esptrack_netlink_reqid_del_policy[] = {
	[ESPTRACK_A_REQID] = NLA_POLICY_NESTED(del_nest),
};

/* The reqid that a request is about; @tb gets all that it says of it. */
static int parse_reqid(struct genl_info *info, struct nlattr **tb, int max,
		       const struct nla_policy *policy, u32 *reqid)
{
	struct nlattr *nest = info->attrs[ESPTRACK_A_REQID];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, ESPTRACK_A_REQID)) {
		GENL_SET_ERR_MSG(info, "no reqid is given");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, max, nest, policy, info->extack);
	if (err)
		return err;
	if (NL_REQ_ATTR_CHECK(info->extack, nest, tb,
			      ESPTRACK_A_REQID_NUMBER)) {
		GENL_SET_ERR_MSG(info, "number of the reqid is missing");
		return -EINVAL;
	}
	*reqid = nla_get_u32(tb[ESPTRACK_A_REQID_NUMBER]);
	return 0;
}

int esptrack_netlink_reqid_set(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_net *tn = esptrack_net(genl_info_net(info));
	struct nlattr *tb[ARRAY_SIZE(set_nest)];
	struct esptrack_switches switches;
	u32 reqid;
	int err;

	err = parse_reqid(info, tb, ARRAY_SIZE(tb) - 1, set_nest, &reqid);
	if (err)
		return err;

	switches = esptrack_netlink_switches(tb[ESPTRACK_A_REQID_STATIC_NAT],
					     tb[ESPTRACK_A_REQID_PORT_ONLY]);
	if (!switches.given) {
		NL_SET_ERR_ATTR_MISS(info->extack,
				     info->attrs[ESPTRACK_A_REQID],
				     ESPTRACK_A_REQID_STATIC_NAT);
		GENL_SET_ERR_MSG(info, "nothing to set: static_nat is missing");
		return -EINVAL;
	}
	return esptrack_reqid_set(tn, reqid, &switches);
}

int esptrack_netlink_reqid_del(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_net *tn = esptrack_net(genl_info_net(info));
	struct nlattr *tb[ARRAY_SIZE(del_nest)];
	u32 reqid;
	int err;

	err = parse_reqid(info, tb, ARRAY_SIZE(tb) - 1, del_nest, &reqid);
	if (err)
		return err;

	err = esptrack_reqid_forget(tn, reqid);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, tb[ESPTRACK_A_REQID_NUMBER],
				    "nothing is set for this reqid");
	return err;
}

static int put_switch(struct sk_buff *skb, int attr,
		      const struct esptrack_switches *switches, u8 which)
{
	if (!(switches->given & which))
		return 0;
	return nla_put_u8(skb, attr, !!(switches->on & which));
}

static int put_reqid(struct sk_buff *skb, u32 reqid,
		     const struct esptrack_switches *switches)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTRACK_A_REQID);

	if (!nest || nla_put_u32(skb, ESPTRACK_A_REQID_NUMBER, reqid) ||
	    put_switch(skb, ESPTRACK_A_REQID_STATIC_NAT, switches,
		       ESPTRACK_SWITCH_STATIC_NAT) ||
	    put_switch(skb, ESPTRACK_A_REQID_PORT_ONLY, switches,
		       ESPTRACK_SWITCH_PORT_ONLY))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

/**
 * struct reqid_position - where a dump goes on
 * @reqid: first one that is still to come
 */
struct reqid_position {
	unsigned long reqid;
};

int esptrack_netlink_reqid_dump(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct esptrack_net *tn = esptrack_net(sock_net(skb->sk));
	struct reqid_position *position = (struct reqid_position *)cb->ctx;
	unsigned long reqid;
	void *entry;

	BUILD_BUG_ON(sizeof(*position) > sizeof(cb->ctx));

	xa_for_each_start(&tn->reqids, reqid, entry, position->reqid) {
		struct esptrack_switches switches =
			esptrack_reqid_switches(entry);
		void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					cb->nlh->nlmsg_seq, &esptrack_family,
					NLM_F_MULTI, ESPTRACK_CMD_REQID_GET);

		if (!hdr)
			break;
		if (put_reqid(skb, reqid, &switches)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		position->reqid = reqid + 1;
	}
	return skb->len;
}
