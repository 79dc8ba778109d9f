// SPDX-License-Identifier: GPL-2.0
/*
 * SAs over netlink. One function writes an SA, whether it goes into a reply, a
 * dump or a notification.
 */
#include "netlink.h"

#include "index.h"
#include "log.h"
#include "net.h"
#include "sa.h"
#include "switches.h"

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
 * esptrack_netlink_put_sa() - write the attributes of an SA
 * @skb: message
 * @info: to write
 *
 * Return: 0 or -EMSGSIZE.
 */
int esptrack_netlink_put_sa(struct sk_buff *skb,
			    const struct esptrack_sa_info *info)
{
	unsigned int i;

	if (nla_put_be32(skb, ESPTRACK_A_SA_SPI, info->spi) ||
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

static int parse_address(struct genl_info *info, struct esptrack_sa_id *id)
{
	struct nlattr *attr4 = info->attrs[ESPTRACK_A_SA_LOCAL_IPV4];
	struct nlattr *attr6 = info->attrs[ESPTRACK_A_SA_LOCAL_IPV6];

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
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, ESPTRACK_A_SA_LOCAL_IPV4);
	GENL_SET_ERR_MSG(info, "local address of the SA is missing");
	return -EINVAL;
}

/* The SA that a request is about. */
static int parse_id(struct genl_info *info, struct esptrack_sa_id *id)
{
	struct nlattr *mark = info->attrs[ESPTRACK_A_SA_MARK];
	struct nlattr *mask = info->attrs[ESPTRACK_A_SA_MARK_MASK];

	memset(id, 0, sizeof(*id));
	if (GENL_REQ_ATTR_CHECK(info, ESPTRACK_A_SA_SPI)) {
		GENL_SET_ERR_MSG(info, "SPI of the SA is missing");
		return -EINVAL;
	}
	id->spi = nla_get_be32(info->attrs[ESPTRACK_A_SA_SPI]);

	if (mark) {
		id->mark.v = nla_get_u32(mark);
		id->mark.m = U32_MAX;
	}
	if (mask) {
		if (!mark) {
			NL_SET_ERR_MSG_ATTR(info->extack, mask,
					    "mask of a mark that is not given");
			return -EINVAL;
		}
		id->mark.m = nla_get_u32(mask);
		/* As xfrm_state_insert() stores it. */
		id->mark.v &= id->mark.m;
	}
	return parse_address(info, id);
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

static int not_found(struct genl_info *info)
{
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPTRACK_A_SA_SPI],
			    "no inbound ESP-in-UDP SA with this SPI, address and mark");
	return -ENOENT;
}

static int put_entry(struct sk_buff *skb, const struct esptrack_log_entry *entry)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTRACK_A_SA_HISTORY);

	if (!nest ||
	    nla_put_u32(skb, ESPTRACK_A_HISTORY_KIND, entry->kind) ||
	    (entry->reason &&
	     nla_put_u32(skb, ESPTRACK_A_HISTORY_REASON, entry->reason)) ||
	    esptrack_netlink_put_endpoint(skb, ESPTRACK_A_HISTORY_SOURCE,
					  &entry->source) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_HISTORY_TIME, entry->time,
			      ESPTRACK_A_HISTORY_PAD) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_HISTORY_ESP_SEQ, entry->esp_seq,
			      ESPTRACK_A_HISTORY_PAD) ||
	    nla_put_u32(skb, ESPTRACK_A_HISTORY_COUNT, entry->count))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int put_entries(struct sk_buff *skb,
		       const struct esptrack_log_entry *entries, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (put_entry(skb, &entries[i]))
			return -EMSGSIZE;
	return 0;
}

int esptrack_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_log_entry entries[ESPTRACK_LOG_ENTRIES];
	struct esptrack_sa_info sa_info;
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;
	unsigned int n = 0;
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = parse_id(info, &id);
	if (err)
		return err;

	spin_lock_bh(&esptrack_lock);
	sa = find_inbound(genl_info_net(info), &id);
	if (sa) {
		esptrack_sa_inform(sa, &sa_info);
		n = esptrack_log_read(sa, entries);
	}
	spin_unlock_bh(&esptrack_lock);
	if (!sa)
		return not_found(info);

	hdr = esptrack_netlink_reply(&reply, info);
	if (!hdr)
		return -ENOMEM;

	err = esptrack_netlink_put_sa(reply, &sa_info) ?:
	      put_entries(reply, entries, n);
	return esptrack_netlink_send(reply, hdr, info, err);
}

int esptrack_nl_sa_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptrack_switches switches;
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;
	int err;

	err = parse_id(info, &id);
	if (err)
		return err;
	switches = esptrack_netlink_switches(info->attrs[ESPTRACK_A_SA_STATIC_NAT],
					     info->attrs[ESPTRACK_A_SA_PORT_ONLY]);
	if (!switches.given)
		return esptrack_netlink_sets_nothing(info,
						     ESPTRACK_A_SA_STATIC_NAT);

	spin_lock_bh(&esptrack_lock);
	sa = find_inbound(genl_info_net(info), &id);
	if (sa)
		esptrack_switches_set(sa, &switches);
	spin_unlock_bh(&esptrack_lock);

	return sa ? 0 : not_found(info);
}

/**
 * struct dump_position - where a dump goes on
 * @id: first &esptrack_sa.id that is still to come
 */
struct dump_position {
	u64 id;
};

int esptrack_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esptrack_net *tn = esptrack_net(sock_net(skb->sk));
	struct dump_position *position = (struct dump_position *)cb->ctx;
	struct esptrack_sa_info info;
	struct esptrack_sa *sa;
	unsigned long id;

	BUILD_BUG_ON(sizeof(*position) > sizeof(cb->ctx));

	if (esptrack_netlink_dump_refuses(cb))
		return -EINVAL;

	/* Behind the last number nothing is left. */
	if (position->id > U32_MAX)
		return skb->len;

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
		position->id = (u64)id + 1;
	}
	rcu_read_unlock();

	return skb->len;
}
