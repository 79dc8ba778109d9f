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
#include "index.h"
#include "km.h"
#include "move.h"
#include "net.h"
#include "peer.h"
#include "policy.h"
#include "sa.h"

/* How long a packet of another SA may be under way that left the peer before
 * the one that moved the flow.
 */
#define LEFT_LATELY	(2ULL * NSEC_PER_SEC)

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

/* The rules about the flow as a whole. */
static void gather_flow(const struct esptrack_sa *sa,
			const struct esptrack_packet *packet,
			struct esptrack_facts *facts)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	facts->offloaded = false;
	facts->tunnel = true;
	facts->port_only = sa->port_only;
	facts->shared_reqid = false;
	facts->collision = false;
	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		struct xfrm_state *x = other->x;
		u8 dir = esptrack_flow_relation(&sa->flow, &other->flow);

		if (!dir || esptrack_sa_is_dead(other))
			continue;
		facts->offloaded |= !!x->xso.dev;
		if (!facts->new_address)
			continue;
		facts->port_only |= dir == ESPTRACK_DIR_IN &&
				    other->port_only;
		facts->shared_reqid |= esptrack_peer_shares_reqid(other);
		facts->tunnel &= esptrack_move_mode(x);
		facts->collision |= dir == ESPTRACK_DIR_OUT &&
				    esptrack_move_collides(x, &packet->source);
	}
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
	facts->new_address = !xfrm_addr_equal(&packet->source.addr,
					      &sa->flow.src.addr,
					      x->props.family);
	facts->left_lately = facts->now - sa->left_at < LEFT_LATELY &&
			     esptrack_endpoint_equal(&sa->left,
						     &packet->source);
	facts->any_port = !sa->flow.src.port || !sa->flow.dst.port;
	facts->static_nat = sa->static_nat;
	gather_flow(sa, packet, facts);
}

static void member_moved(struct esptrack_event *event,
			 const struct esptrack_sa *sa, u8 dir)
{
	struct esptrack_member *member;

	if (event->moved < ESPTRACK_MEMBERS_MAX) {
		member = &event->members[event->moved];
		member->spi = sa->x->id.spi;
		member->dir = dir;
		member->x = sa->x;
		xfrm_state_hold(sa->x);
	}
	event->moved++;
}

static void cancel_places(const struct esptrack_flow *flow)
	__must_hold(&esptrack_lock)
{
	struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(flow), by_flow)
		if (other->place) {
			esptrack_move_cancel(other->place);
			other->place = NULL;
		}
}

/* Of the peer, by his daemon, in an SA of his flow. */
static const xfrm_address_t *given_address(const struct esptrack_flow *flow,
					   const struct esptrack_sa *sa)
{
	return esptrack_flow_relation(flow, &sa->flow) == ESPTRACK_DIR_IN ?
	       &sa->origin.src.addr : &sa->origin.dst.addr;
}

/* First the placeholders, then the policies, last the SAs: so output always
 * finds an SA, or a placeholder that makes it wait, and never asks the daemon
 * for a new one.
 */
static bool prepare_address(const struct esptrack_flow *flow,
			    const struct esptrack_endpoint *to)
	__must_hold(&esptrack_lock)
{
	const struct xfrm_state *done = NULL;
	struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(flow), by_flow) {
		u8 dir = esptrack_flow_relation(flow, &other->flow);

		if (!dir || esptrack_sa_is_dead(other))
			continue;
		other->place = esptrack_move_prepare(other->x, dir, to);
		if (!other->place) {
			cancel_places(flow);
			return false;
		}
	}

	hlist_for_each_entry(other, esptrack_index_flow(flow), by_flow) {
		/* The SAs of a pair have the same policies. */
		if (!other->place ||
		    (done && done->props.reqid == other->x->props.reqid))
			continue;
		esptrack_policy_move(flow->net, other->x, &flow->dst.addr,
				     given_address(flow, other),
				     &flow->src.addr, &to->addr);
		done = other->x;
	}
	return true;
}

/* A moved SA may land in the same chain again, but at its head, behind us.
 *
 * The throttle is the flow's, or a peer with many SAs could make it flap by
 * one after the other.
 */
static void move_flow(struct esptrack_sa *sa,
		      const struct esptrack_endpoint *to,
		      const struct esptrack_facts *facts,
		      struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_flow from = sa->flow;
	struct esptrack_sa *other;
	struct hlist_node *next;

	if (facts->new_address && !prepare_address(&from, to))
		return;

	hlist_for_each_entry_safe(other, next, esptrack_index_flow(&from),
				  by_flow) {
		u8 dir = esptrack_flow_relation(&from, &other->flow);
		struct xfrm_state *place = other->place;

		other->place = NULL;
		if (!dir || (facts->new_address && !place) ||
		    !esptrack_move_sa(other->x, place, dir, &from.src, to))
			continue;
		esptrack_index_update(other);
		if (place)
			esptrack_net_readdressed(other, place);
		other->moves++;
		other->history.moves = sa->history.moves;
		other->left = from.src;
		other->left_at = facts->now;
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
		move_flow(sa, &packet->source, &facts, event);
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
	struct esptrack_sa *sa = esptrack_index_of_state(x);

	if (!sa || esptrack_sa_is_dead(sa))
		return NULL;

	/* Somebody may have written to the SA, or another packet moved it,
	 * since the hook compared.
	 */
	esptrack_index_update(sa);
	if (esptrack_endpoint_equal(&sa->flow.src, &packet->source) ||
	    !judge(sa, packet, event))
		return NULL;

	esptrack_sa_inform(sa, &event->sa);
	return sa->flow.net;
}

static void announce(const struct esptrack_event *event)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, event->moved,
			      ESPTRACK_MEMBERS_MAX); i++) {
		esptrack_km_announce(event->members[i].x);
		xfrm_state_put(event->members[i].x);
	}
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
	if (tn) {
		esptrack_event_send_unlock(tn, &event);
		announce(&event);
	} else {
		spin_unlock_bh(&esptrack_lock);
	}
	rcu_read_unlock();
}
