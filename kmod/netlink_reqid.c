// SPDX-License-Identifier: GPL-2.0
/*
 * Switches of reqids over netlink.
 */
#include "netlink.h"

#include <net/sock.h>

#include "net.h"
#include "reqid.h"
#include "switches.h"

/* The reqid that a request is about. */
static int parse_reqid(struct genl_info *info, u32 *reqid)
{
	if (GENL_REQ_ATTR_CHECK(info, ESPTRACK_A_REQID_NUMBER)) {
		GENL_SET_ERR_MSG(info, "number of the reqid is missing");
		return -EINVAL;
	}
	*reqid = nla_get_u32(info->attrs[ESPTRACK_A_REQID_NUMBER]);
	return 0;
}

static int nothing_set(struct genl_info *info)
{
	NL_SET_ERR_MSG_ATTR(info->extack,
			    info->attrs[ESPTRACK_A_REQID_NUMBER],
			    "nothing is set for this reqid");
	return -ENOENT;
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
	if (nla_put_u32(skb, ESPTRACK_A_REQID_NUMBER, reqid) ||
	    put_switch(skb, ESPTRACK_A_REQID_STATIC_NAT, switches,
		       ESPTRACK_SWITCH_STATIC_NAT) ||
	    put_switch(skb, ESPTRACK_A_REQID_PORT_ONLY, switches,
		       ESPTRACK_SWITCH_PORT_ONLY))
		return -EMSGSIZE;
	return 0;
}

int esptrack_nl_reqid_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_net *tn = esptrack_net(genl_info_net(info));
	struct esptrack_switches switches;
	struct sk_buff *reply;
	u32 reqid;
	void *hdr;
	int err;

	err = parse_reqid(info, &reqid);
	if (err)
		return err;
	switches = esptrack_reqid_switches(xa_load(&tn->reqids, reqid));
	if (!switches.given)
		return nothing_set(info);

	hdr = esptrack_netlink_reply(&reply, info);
	if (!hdr)
		return -ENOMEM;
	return esptrack_netlink_send(reply, hdr, info,
				     put_reqid(reply, reqid, &switches));
}

int esptrack_nl_reqid_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_net *tn = esptrack_net(genl_info_net(info));
	struct esptrack_switches switches;
	u32 reqid;
	int err;

	err = parse_reqid(info, &reqid);
	if (err)
		return err;

	switches = esptrack_netlink_switches(info->attrs[ESPTRACK_A_REQID_STATIC_NAT],
					     info->attrs[ESPTRACK_A_REQID_PORT_ONLY]);
	if (!switches.given)
		return esptrack_netlink_sets_nothing(info,
						     ESPTRACK_A_REQID_STATIC_NAT);
	return esptrack_reqid_set(tn, reqid, &switches);
}

int esptrack_nl_reqid_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_net *tn = esptrack_net(genl_info_net(info));
	u32 reqid;
	int err;

	err = parse_reqid(info, &reqid);
	if (err)
		return err;

	return esptrack_reqid_forget(tn, reqid) ? nothing_set(info) : 0;
}

/**
 * struct reqid_position - where a dump goes on
 * @reqid: first one that is still to come
 */
struct reqid_position {
	u64 reqid;
};

int esptrack_nl_reqid_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct esptrack_net *tn = esptrack_net(sock_net(skb->sk));
	struct reqid_position *position = (struct reqid_position *)cb->ctx;
	unsigned long reqid;
	void *entry;

	BUILD_BUG_ON(sizeof(*position) > sizeof(cb->ctx));

	if (esptrack_netlink_dump_refuses(cb))
		return -EINVAL;

	/* Behind the last number nothing is left. */
	if (position->reqid > U32_MAX)
		return skb->len;

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
		position->reqid = (u64)reqid + 1;
	}
	return skb->len;
}
