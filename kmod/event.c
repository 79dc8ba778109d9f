// SPDX-License-Identifier: GPL-2.0
/*
 * Reports to the multicast group.
 */
#include "event.h"

#include <linux/ktime.h>

#include "net.h"
#include "netlink.h"
#include "stats.h"

/* As many wait to be sent. It takes a stream of them from several processors to
 * have more; what is over is lost, and counted.
 */
#define EVENTS_MAX	1024

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

static struct sk_buff *event_message(const struct esptrack_sa *sa,
				     const struct esptrack_event *event,
				     u64 seq)
	__must_hold(&esptrack_lock)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	struct esptrack_sa_info info;
	struct nlattr *nest;
	void *hdr;

	if (!skb)
		return NULL;

	hdr = genlmsg_put(skb, 0, 0, &esptrack_family, 0, event->cmd);
	if (!hdr || put_event(skb, event, seq))
		goto free;
	esptrack_sa_inform(sa, &info);
	nest = nla_nest_start(skb, ESPTRACK_A_SA);
	if (!nest || esptrack_netlink_put_sa(skb, &info))
		goto free;
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return skb;

free:
	nlmsg_free(skb);
	return NULL;
}

/**
 * esptrack_event_post() - have an event reported to all listeners
 * @sa: the SA, as it is after the event
 * @event: what happened
 *
 * Its number, and its place among the others, are sure when this returns. It is
 * sent later: how long that takes depends on who listens, and no packet should
 * wait for them with the lock held. An event has its number even when it cannot
 * be sent, so that listeners notice the gap.
 *
 * Context: softirq, RCU read side, esptrack_lock held.
 */
void esptrack_event_post(const struct esptrack_sa *sa,
			 const struct esptrack_event *event)
{
	struct esptrack_net *tn = sa->flow.net;
	u64 seq = ++tn->event_seq;
	struct sk_buff *skb = NULL;

	lockdep_assert_held(&esptrack_lock);

	if (!esptrack_netlink_has_listeners(tn->net))
		return;

	if (skb_queue_len(&tn->events) < EVENTS_MAX)
		skb = event_message(sa, event, seq);
	if (!skb) {
		esptrack_stats_count(tn, ESPTRACK_STAT_EVENTS_LOST);
		return;
	}
	skb_queue_tail(&tn->events, skb);
	esptrack_net_deliver(tn);
}

static void event_multicast(struct esptrack_net *tn, struct sk_buff *skb)
{
	/* The family cannot go meanwhile. */
	rcu_read_lock();
	if (esptrack_netlink_has_listeners(tn->net))
		genlmsg_multicast_netns(&esptrack_family, tn->net, skb, 0,
					ESPTRACK_NLGRP_EVENTS, GFP_ATOMIC);
	else
		kfree_skb(skb);
	rcu_read_unlock();
}

/**
 * esptrack_event_deliver() - send the events that wait
 * @tn: namespace
 *
 * Context: process, one at a time, so that they go out in the order of their
 * numbers.
 */
void esptrack_event_deliver(struct esptrack_net *tn)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&tn->events))) {
		event_multicast(tn, skb);
		cond_resched();
	}
}
