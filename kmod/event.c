// SPDX-License-Identifier: GPL-2.0
/*
 * Reports to the multicast group.
 */
#include "event.h"

#include <linux/ktime.h>

#include "net.h"
#include "netlink.h"
#include "stats.h"

static int put_members(struct sk_buff *skb, const struct esptrack_event *event)
{
	unsigned int i, n = min_t(unsigned int, event->moved,
				  ESPTRACK_MEMBERS_MAX);

	if (nla_put_u32(skb, ESPTRACK_A_EVENT_MOVED_COUNT, event->moved))
		return -EMSGSIZE;

	for (i = 0; i < n; i++) {
		const struct esptrack_member *member = &event->members[i];
		struct nlattr *nest;

		nest = nla_nest_start(skb, ESPTRACK_A_EVENT_MOVED);
		if (!nest ||
		    nla_put_be32(skb, ESPTRACK_A_MEMBER_SPI, member->spi) ||
		    nla_put_u8(skb, ESPTRACK_A_MEMBER_DIR, member->dir))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int put_event(struct sk_buff *skb, const struct esptrack_event *event,
		     u64 seq)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTRACK_A_EVENT);

	if (!nest ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_EVENT_SEQ, seq,
			      ESPTRACK_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_EVENT_TIME,
			      ktime_get_boottime_ns(), ESPTRACK_A_EVENT_PAD) ||
	    esptrack_netlink_put_endpoint(skb, ESPTRACK_A_EVENT_OLD,
					  &event->old) ||
	    esptrack_netlink_put_endpoint(skb, ESPTRACK_A_EVENT_NEW,
					  &event->new) ||
	    nla_put_u64_64bit(skb, ESPTRACK_A_EVENT_ESP_SEQ, event->esp_seq,
			      ESPTRACK_A_EVENT_PAD))
		return -EMSGSIZE;

	if (event->cmd == ESPTRACK_CMD_SA_REFUSED_NTF &&
	    nla_put_u32(skb, ESPTRACK_A_EVENT_REASON, event->reason))
		return -EMSGSIZE;
	if (event->cmd == ESPTRACK_CMD_SA_MOVED_NTF && put_members(skb, event))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static struct sk_buff *event_message(const struct esptrack_event *event,
				     u64 seq)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	struct nlattr *nest;
	void *hdr;

	if (!skb)
		return NULL;

	hdr = genlmsg_put(skb, 0, 0, &esptrack_family, 0, event->cmd);
	if (!hdr || put_event(skb, event, seq))
		goto free;
	nest = nla_nest_start(skb, ESPTRACK_A_SA);
	if (!nest || esptrack_netlink_put_sa(skb, &event->sa))
		goto free;
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return skb;

free:
	nlmsg_free(skb);
	return NULL;
}

static void send(struct esptrack_net *tn, const struct esptrack_event *event)
	__must_hold(&tn->event_lock)
{
	u64 seq = ++tn->event_seq;
	struct sk_buff *skb;

	lockdep_assert_held(&tn->event_lock);

	if (!esptrack_netlink_has_listeners(tn->net))
		return;

	skb = event_message(event, seq);
	if (!skb) {
		esptrack_stats_count(tn, ESPTRACK_STAT_EVENTS_LOST);
		return;
	}
	genlmsg_multicast_netns(&esptrack_family, tn->net, skb, 0,
				ESPTRACK_NLGRP_EVENTS, GFP_ATOMIC);
}

/**
 * esptrack_event_send_unlock() - report to all listeners
 * @tn: namespace of the SA
 * @event: what happened
 *
 * Drops esptrack_lock before the work begins, but not before the event's place
 * among the others is sure: events go out in the order in which they happened.
 * An event has its number even when it cannot be sent, so that listeners
 * notice the gap.
 *
 * Context: softirq, RCU read side, esptrack_lock held.
 */
void esptrack_event_send_unlock(struct esptrack_net *tn,
				const struct esptrack_event *event)
	__releases(&esptrack_lock)
{
	spin_lock(&tn->event_lock);
	spin_unlock(&esptrack_lock);
	send(tn, event);
	spin_unlock_bh(&tn->event_lock);
}
