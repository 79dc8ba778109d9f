// SPDX-License-Identifier: GPL-2.0
/*
 * SAs over netlink. One function writes an SA, whether it goes into a reply, a
 * dump or a notification.
 */
#include "netlink.h"

#include <linux/esptrack.h>

#include "index.h"
#include "net.h"
#include "sa.h"

static int put_address(struct sk_buff *skb, int attr4, int attr6,
		       const struct esptrack_endpoint *endpoint)
{
	if (endpoint->family == AF_INET)
		return nla_put_in_addr(skb, attr4, endpoint->addr.a4);

	return nla_put_in6_addr(skb, attr6, &endpoint->addr.in6);
}

/**
 * esptrack_netlink_put_endpoint() - write an endpoint
 * @skb: message
 * @attr: attribute that is to hold it
 * @endpoint: to write
 *
 * Return: 0 or -EMSGSIZE.
 */
int esptrack_netlink_put_endpoint(struct sk_buff *skb, int attr,
				  const struct esptrack_endpoint *endpoint)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest ||
	    put_address(skb, ESPTRACK_A_ENDPOINT_IPV4,
			ESPTRACK_A_ENDPOINT_IPV6, endpoint) ||
	    nla_put_be16(skb, ESPTRACK_A_ENDPOINT_PORT, endpoint->port))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

/**
 * esptrack_netlink_put_sa() - write an SA
 * @skb: message
 * @info: to write
 *
 * Return: 0 or -EMSGSIZE.
 */
int esptrack_netlink_put_sa(struct sk_buff *skb,
			    const struct esptrack_sa_info *info)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTRACK_A_SA);
	unsigned int i;

	if (!nest ||
	    nla_put_be32(skb, ESPTRACK_A_SA_SPI, info->spi) ||
	    put_address(skb, ESPTRACK_A_SA_LOCAL_IPV4,
			ESPTRACK_A_SA_LOCAL_IPV6, &info->local) ||
	    nla_put_be16(skb, ESPTRACK_A_SA_LOCAL_PORT, info->local.port) ||
	    esptrack_netlink_put_endpoint(skb, ESPTRACK_A_SA_REMOTE,
					  &info->remote) ||
	    nla_put_u32(skb, ESPTRACK_A_SA_REQID, info->reqid) ||
	    nla_put_u8(skb, ESPTRACK_A_SA_MODE, info->mode) ||
	    nla_put_u8(skb, ESPTRACK_A_SA_STATIC_NAT, info->static_nat) ||
	    nla_put_u8(skb, ESPTRACK_A_SA_PORT_ONLY, info->port_only) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_SA_MOVES, info->moves,
			      ESPTRACK_A_SA_PAD) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_SA_REFUSED, info->refused,
			      ESPTRACK_A_SA_PAD))
		return -EMSGSIZE;

	if ((info->mark.v || info->mark.m) &&
	    (nla_put_u32(skb, ESPTRACK_A_SA_MARK, info->mark.v) ||
	     nla_put_u32(skb, ESPTRACK_A_SA_MARK_MASK, info->mark.m)))
		return -EMSGSIZE;
	if (info->if_id &&
	    nla_put_u32(skb, ESPTRACK_A_SA_IF_ID, info->if_id))
		return -EMSGSIZE;

	for (i = 0; i < info->n_outbound; i++)
		if (nla_put_be32(skb, ESPTRACK_A_SA_OUTBOUND,
				 info->outbound[i]))
			return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int put_sa_message(struct sk_buff *skb, u32 portid, u32 seq, int flags,
			  const struct esptrack_sa_info *info)
{
	void *hdr = genlmsg_put(skb, portid, seq, &esptrack_family, flags,
				ESPTRACK_CMD_SA_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (esptrack_netlink_put_sa(skb, info)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static const struct nla_policy sa_get_nest[] = {
	[ESPTRACK_A_SA_SPI] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_LOCAL_IPV4] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_LOCAL_IPV6] =
		NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[ESPTRACK_A_SA_MARK] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_MARK_MASK] = { .type = NLA_U32 },
};

static const struct nla_policy sa_set_nest[] = {
	[ESPTRACK_A_SA_SPI] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_LOCAL_IPV4] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_LOCAL_IPV6] =
		NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[ESPTRACK_A_SA_MARK] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_MARK_MASK] = { .type = NLA_U32 },
	[ESPTRACK_A_SA_STATIC_NAT] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTRACK_A_SA_PORT_ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
};

const struct nla_policy esptrack_netlink_sa_get_policy[] = {
	[ESPTRACK_A_SA] = NLA_POLICY_NESTED(sa_get_nest),
};

const struct nla_policy esptrack_netlink_sa_set_policy[] = {
	[ESPTRACK_A_SA] = NLA_POLICY_NESTED(sa_set_nest),
};

static int parse_sa(struct genl_info *info, struct nlattr **tb, int max,
		    const struct nla_policy *policy)
{
	if (GENL_REQ_ATTR_CHECK(info, ESPTRACK_A_SA)) {
		GENL_SET_ERR_MSG(info, "no SA is given");
		return -EINVAL;
	}
	return nla_parse_nested(tb, max, info->attrs[ESPTRACK_A_SA], policy,
				info->extack);
}

static int parse_address(struct genl_info *info, struct nlattr **tb,
			 struct esptrack_sa_id *id)
{
	struct nlattr *attr4 = tb[ESPTRACK_A_SA_LOCAL_IPV4];
	struct nlattr *attr6 = tb[ESPTRACK_A_SA_LOCAL_IPV6];

	if (attr4 && attr6) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr6,
				    "local address is given twice");
		return -EINVAL;
	}
	if (attr4) {
		id->family = AF_INET;
		id->daddr.a4 = nla_get_in_addr(attr4);
		return 0;
	}
	if (attr6) {
		id->family = AF_INET6;
		id->daddr.in6 = nla_get_in6_addr(attr6);
		return 0;
	}
	NL_SET_ERR_ATTR_MISS(info->extack, info->attrs[ESPTRACK_A_SA],
			     ESPTRACK_A_SA_LOCAL_IPV4);
	GENL_SET_ERR_MSG(info, "local address of the SA is missing");
	return -EINVAL;
}

/* The SA that a request is about; @tb gets all that it says of it. */
static int parse_id(struct genl_info *info, struct nlattr **tb, int max,
		    const struct nla_policy *policy, struct esptrack_sa_id *id)
{
	struct nlattr *nest = info->attrs[ESPTRACK_A_SA];
	int err = parse_sa(info, tb, max, policy);

	if (err)
		return err;

	memset(id, 0, sizeof(*id));
	if (NL_REQ_ATTR_CHECK(info->extack, nest, tb, ESPTRACK_A_SA_SPI)) {
		GENL_SET_ERR_MSG(info, "SPI of the SA is missing");
		return -EINVAL;
	}
	id->spi = nla_get_be32(tb[ESPTRACK_A_SA_SPI]);

	if (tb[ESPTRACK_A_SA_MARK]) {
		id->mark.v = nla_get_u32(tb[ESPTRACK_A_SA_MARK]);
		id->mark.m = U32_MAX;
	}
	if (tb[ESPTRACK_A_SA_MARK_MASK]) {
		if (!tb[ESPTRACK_A_SA_MARK]) {
			NL_SET_ERR_MSG_ATTR(info->extack,
					    tb[ESPTRACK_A_SA_MARK_MASK],
					    "mask of a mark that is not given");
			return -EINVAL;
		}
		id->mark.m = nla_get_u32(tb[ESPTRACK_A_SA_MARK_MASK]);
	}
	return parse_address(info, tb, id);
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

/* Outbound SAs have no knob; to userspace they are not there. */
static struct esptrack_sa *find_inbound(struct net *net,
					const struct esptrack_sa_id *id)
	__must_hold(&esptrack_lock)
{
	struct esptrack_sa *sa = esptrack_index_find(net, id);

	if (!sa || sa->dir != ESPTRACK_DIR_IN || esptrack_sa_is_dead(sa))
		return NULL;
	return sa;
}

static int not_found(struct genl_info *info, struct nlattr **tb)
{
	NL_SET_ERR_MSG_ATTR(info->extack, tb[ESPTRACK_A_SA_SPI],
			    "no inbound ESP-in-UDP SA with this SPI and address");
	return -ENOENT;
}

int esptrack_netlink_sa_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(sa_get_nest)];
	struct esptrack_sa_info sa_info;
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;
	struct sk_buff *reply;
	int err;

	err = parse_id(info, tb, ARRAY_SIZE(tb) - 1, sa_get_nest, &id);
	if (err)
		return err;

	spin_lock_bh(&esptrack_lock);
	sa = find_inbound(genl_info_net(info), &id);
	if (sa)
		esptrack_sa_inform(sa, &sa_info);
	spin_unlock_bh(&esptrack_lock);
	if (!sa)
		return not_found(info, tb);

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;

	err = put_sa_message(reply, info->snd_portid, info->snd_seq, 0,
			     &sa_info);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

int esptrack_netlink_sa_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(sa_set_nest)];
	struct esptrack_switches switches;
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;
	int err;

	err = parse_id(info, tb, ARRAY_SIZE(tb) - 1, sa_set_nest, &id);
	if (err)
		return err;
	switches = esptrack_netlink_switches(tb[ESPTRACK_A_SA_STATIC_NAT],
					     tb[ESPTRACK_A_SA_PORT_ONLY]);
	if (!switches.given) {
		NL_SET_ERR_ATTR_MISS(info->extack, info->attrs[ESPTRACK_A_SA],
				     ESPTRACK_A_SA_STATIC_NAT);
		GENL_SET_ERR_MSG(info, "nothing to set: static_nat is missing");
		return -EINVAL;
	}

	spin_lock_bh(&esptrack_lock);
	sa = find_inbound(genl_info_net(info), &id);
	if (sa)
		esptrack_sa_switch(sa, &switches);
	spin_unlock_bh(&esptrack_lock);

	return sa ? 0 : not_found(info, tb);
}

/**
 * struct dump_position - where a dump goes on
 * @id: first &esptrack_sa.id that is still to come
 */
struct dump_position {
	unsigned long id;
};

int esptrack_netlink_sa_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esptrack_net *tn = esptrack_net(sock_net(skb->sk));
	struct dump_position *position = (struct dump_position *)cb->ctx;
	struct esptrack_sa_info info;
	struct esptrack_sa *sa;
	unsigned long id;

	BUILD_BUG_ON(sizeof(*position) > sizeof(cb->ctx));

	/* Not in .start, which has no extack on 6.1. */
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN)) {
		NL_SET_ERR_MSG(cb->extack, "a dump takes no attributes");
		return -EINVAL;
	}

	/* SAs are freed by RCU; the lock is taken anew for each, so that a
	 * long dump holds up no packet.
	 */
	rcu_read_lock();
	xa_for_each_start(&tn->sas, id, sa, position->id) {
		bool shown;

		spin_lock_bh(&esptrack_lock);
		shown = sa->dir == ESPTRACK_DIR_IN &&
			!hlist_unhashed(&sa->by_id) &&
			!esptrack_sa_is_dead(sa);
		if (shown)
			esptrack_sa_inform(sa, &info);
		spin_unlock_bh(&esptrack_lock);

		if (shown && put_sa_message(skb, NETLINK_CB(cb->skb).portid,
					    cb->nlh->nlmsg_seq, NLM_F_MULTI,
					    &info))
			break;
		position->id = id + 1;
	}
	rcu_read_unlock();

	return skb->len;
}
