// SPDX-License-Identifier: GPL-2.0
/*
 * The flow: all SAs on one NAT mapping. A mapping is one peer, so when one of
 * his SAs proves that it changed, all of them move.
 */
#include "flow.h"

#include <crypto/aead.h>
#include <linux/ktime.h>

#include "event.h"
#include "hook.h"
#include "net.h"
#include "sa.h"

/* How long a packet of another SA may be under way that left the peer before
 * the one that moved the flow.
 */
#define LEFT_LATELY	(5ULL * NSEC_PER_SEC)

static bool has_replay_window(const struct xfrm_state *x)
{
	return x->replay_esn ? x->replay_esn->replay_window :
			       x->props.replay_window;
}

/* Neither digest_null nor a tag that is truncated to nothing count. */
static bool has_integrity(const struct xfrm_state *x)
{
	return crypto_aead_authsize(x->data);
}

/* A device keeps its own copy of the ports. */
static bool is_offloaded(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_flow_chain(&sa->flow), by_flow)
		if (esptrack_flow_relation(&sa->flow, &other->flow) &&
		    other->x->xso.dev)
			return true;

	return false;
}

static void gather(const struct esptrack_sa *sa,
		   const struct esptrack_packet *packet,
		   struct esptrack_facts *facts)
{
	struct xfrm_state *x = sa->x;

	facts->seq = packet->seq;
	facts->newest = esptrack_sa_newest(x);
	facts->now = ktime_get_boottime_ns();
	facts->advanced = packet->advanced;
	facts->integrity = has_integrity(x);
	facts->replay_window = has_replay_window(x);
	facts->source_valid = esptrack_endpoint_is_peer(xs_net(x),
							&packet->source);
	facts->same_address = xfrm_addr_equal(&packet->source.addr,
					      &sa->flow.src.addr, x->props.family);
	facts->left_lately = facts->now - sa->left_at < LEFT_LATELY &&
			     esptrack_endpoint_equal(&sa->left,
						     &packet->source);
	facts->offloaded = is_offloaded(sa);
	facts->any_port = !sa->flow.src.port || !sa->flow.dst.port;
	facts->static_nat = sa->static_nat;
}

/* As xfrm_state_update() does it: output reads the ports under x->lock. An SA
 * that died, or that a daemon has just written to, is left alone.
 */
static bool set_port(struct xfrm_state *x, u8 dir, __be16 from, __be16 to)
{
	struct xfrm_encap_tmpl *encap = x->encap;
	__be16 *port = dir == ESPTRACK_DIR_IN ? &encap->encap_sport :
						&encap->encap_dport;
	bool set;

	spin_lock_bh(&x->lock);
	set = x->km.state == XFRM_STATE_VALID && *port == from;
	if (set)
		WRITE_ONCE(*port, to);
	spin_unlock_bh(&x->lock);

	return set;
}

static void member_moved(struct esptrack_event *event,
			 const struct esptrack_sa *sa, u8 dir)
{
	struct esptrack_member *member;

	if (event->moved < ESPTRACK_MEMBERS_MAX) {
		member = &event->members[event->moved];
		member->spi = sa->x->id.spi;
		member->dir = dir;
	}
	event->moved++;
}

/* A moved SA may land in the same chain again, but at its head, behind us.
 *
 * The throttle is the flow's, or a peer with many SAs could make it flap by
 * one after the other.
 */
static void move_flow(struct esptrack_sa *sa,
		      const struct esptrack_endpoint *to, u64 now,
		      struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_flow from = sa->flow;
	struct esptrack_sa *other;
	struct hlist_node *next;

	hlist_for_each_entry_safe(other, next, esptrack_flow_chain(&from),
				  by_flow) {
		u8 dir = esptrack_flow_relation(&from, &other->flow);

		if (!dir || !set_port(other->x, dir, from.src.port, to->port))
			continue;
		esptrack_sa_reindex(other);
		other->moves++;
		other->history.moves = sa->history.moves;
		other->left = from.src;
		other->left_at = now;
		memset(&other->seen, 0, sizeof(other->seen));
		member_moved(event, other, dir);
	}

	/* Its own packets can be told from older ones. */
	memset(&sa->left, 0, sizeof(sa->left));
}

/* Returns whether there is anything to report. */
static bool judge(struct esptrack_sa *sa, const struct esptrack_packet *packet,
		  struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	struct esptrack_facts facts;

	event->old = sa->flow.src;
	event->new = packet->source;
	event->esp_seq = packet->seq;
	event->moved = 0;

	gather(sa, packet, &facts);
	switch (esptrack_judge(&facts, &sa->history, &event->reason)) {
	case ESPTRACK_MOVE:
		event->cmd = ESPTRACK_CMD_SA_MOVED_NTF;
		move_flow(sa, &packet->source, facts.now, event);
		return event->moved;
	case ESPTRACK_OBSERVE:
		event->cmd = ESPTRACK_CMD_SA_SEEN_NTF;
		if (esptrack_endpoint_equal(&sa->seen, &packet->source) ||
		    !esptrack_may_report(&facts, &sa->history))
			return false;
		sa->seen = packet->source;
		return true;
	case ESPTRACK_REFUSE:
		event->cmd = ESPTRACK_CMD_SA_REFUSED_NTF;
		sa->refused++;
		return esptrack_may_report(&facts, &sa->history);
	}
	return false;
}

static struct esptrack_net *accepted(struct xfrm_state *x,
				     const struct esptrack_packet *packet,
				     struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	struct esptrack_sa *sa = esptrack_sa_of_state(x);

	if (!sa || esptrack_sa_is_dead(sa))
		return NULL;

	/* Somebody may have written to the SA, or another packet moved it,
	 * since the hook compared.
	 */
	esptrack_sa_reindex(sa);
	if (esptrack_endpoint_equal(&sa->flow.src, &packet->source) ||
	    !judge(sa, packet, event))
		return NULL;

	esptrack_sa_inform(sa, &event->sa);
	return sa->flow.net;
}

/**
 * esptrack_flow_accepted() - an SA has accepted a packet from elsewhere
 * @x: the SA, held by the caller
 * @packet: what the hook saw of it
 *
 * Moves the flow if the rules allow it, so that even a reply to this very
 * packet goes to the new endpoint.
 *
 * Context: softirq, RCU read side, no lock held.
 */
void esptrack_flow_accepted(struct xfrm_state *x,
			    const struct esptrack_packet *packet)
{
	struct esptrack_event event;
	struct esptrack_net *tn;

	rcu_read_lock();
	spin_lock_bh(&esptrack_lock);
	tn = accepted(x, packet, &event);
	if (tn)
		esptrack_event_send_unlock(tn, &event);
	else
		spin_unlock_bh(&esptrack_lock);
	rcu_read_unlock();
}
