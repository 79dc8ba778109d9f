// SPDX-License-Identifier: GPL-2.0
/*
 * Leaks: a daemon names an outbound SA by the address that it gave it. Where
 * that was moved and the daemon did not follow, its delete finds no SA, and
 * nobody would ever remove the one that it means.
 *
 * That nobody asked to delete an SA we cannot know. So it is deleted only where
 * it is of no use to anybody: all of what esptrack_leak_found() looks at must
 * hold.
 */
#include "leak.h"

#include <linux/jiffies.h>

#include "compat.h"
#include "index.h"
#include "policy.h"

/* Without a packet for this long. Output takes the newest SA, so one that was
 * rekeyed is idle from then on.
 */
#define LEAK_IDLE	(30 * HZ)

static bool is_idle(struct esptrack_sa *sa)
{
	struct xfrm_state *x = sa->x;
	u64 packets;

	spin_lock_bh(&x->lock);
	packets = x->curlft.packets;
	spin_unlock_bh(&x->lock);

	if (!sa->idle_since || sa->idle_packets != packets) {
		sa->idle_packets = packets;
		sa->idle_since = jiffies ?: 1;
		return false;
	}
	return time_after_eq(jiffies, sa->idle_since + LEAK_IDLE);
}

/* Output takes the newest. */
static s64 age_difference(const struct esptrack_sa *a, const struct esptrack_sa *b)
{
	return a->x->curlft.add_time - b->x->curlft.add_time;
}

/* Would output that could take @sa take @other? */
static bool covers(const struct esptrack_sa *other, const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct xfrm_state *a = other->x, *b = sa->x;

	return other->dir == ESPTRACK_DIR_OUT && !esptrack_sa_is_dead(other) &&
	       age_difference(other, sa) > 0 &&
	       a->props.family == b->props.family &&
	       xfrm_addr_equal(&other->flow.dst.addr, &sa->flow.dst.addr,
			       b->props.family) &&
	       xfrm_addr_equal(&other->flow.src.addr, &sa->flow.src.addr,
			       b->props.family) &&
	       a->props.mode == b->props.mode && a->if_id == b->if_id &&
	       a->mark.v == b->mark.v && a->mark.m == b->mark.m &&
	       esptrack_xfrm_same_pcpu(a, b) &&
	       !memcmp(&a->sel, &b->sel, sizeof(a->sel));
}

static bool is_covered(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (covers(other, sa))
			return true;

	return false;
}

/**
 * esptrack_leak_found() - is an SA one that its daemon failed to delete?
 * @sa: any SA
 *
 * It is if it is outbound; if its address was moved, so that the daemon cannot
 * name it; if it has not been used for half a minute; if output would take a newer
 * one in its stead, and no policy names its SPI; if among the SAs of its flow with
 * its reqid there are more outbound than inbound ones, as the inbound SA of its pair
 * was deleted; and if it is the oldest of them. While two pairs overlap in a rekeying
 * there are as many inbound SAs as outbound ones.
 *
 * Where all inbound ones are gone the tunnel was ended, or is somewhere else. Then it
 * is enough that no policy wants the SA.
 *
 * Context: process, now and then, esptrack_lock held.
 */
bool esptrack_leak_found(struct esptrack_sa *sa)
{
	unsigned int in = 0, out = 0;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	if (sa->dir != ESPTRACK_DIR_OUT || !is_idle(sa) || !sa->renamed)
		return false;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		u8 relation = esptrack_flow_relation(&sa->flow, &other->flow);

		if (!relation || esptrack_sa_is_dead(other) ||
		    other->x->props.reqid != sa->x->props.reqid)
			continue;
		/* The relation is seen from an outbound SA. */
		if (relation == ESPTRACK_DIR_OUT) {
			in++;
			continue;
		}
		out++;
		if (age_difference(other, sa) < 0)
			return false;
	}

	if (!in && !esptrack_policy_needs(sa, false))
		return true;
	return out > in && is_covered(sa) && !esptrack_policy_needs(sa, true);
}

/**
 * esptrack_leak_delete() - delete an SA in the stead of who wanted to
 * @x: the SA, held by the caller
 *
 * Context: process, no lock held; RCU read side or not.
 */
void esptrack_leak_delete(struct xfrm_state *x)
{
	const struct km_event event = { .event = XFRM_MSG_DELSA };

	int err = xfrm_state_delete(x);

	xfrm_audit_state_delete(x, !err, false);
	if (!err)
		km_state_notify(x, &event);
}
