// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: which SAs belong together, and what a new one takes over from the
 * others.
 */
#include "peer.h"

#include "index.h"
#include "move.h"
#include "net.h"
#include "sa.h"

/* Protected by esptrack_lock. */
static u64 last_peer;

static bool has_moved(const struct esptrack_sa *sa)
{
	return !esptrack_ends_relation(&sa->origin, &sa->flow);
}

/**
 * esptrack_peer_of() - whose SA is a new one?
 * @sa: in the index, but for its peer
 *
 * It belongs to the peer of the flow on which it is. A rekeyed SA is known by
 * the reqid of its predecessor. Else it must be the only peer who was installed
 * there: one whom we have moved there has merely the mapping that this one had,
 * or has now.
 *
 * Context: any, esptrack_lock held.
 */
u64 esptrack_peer_of(const struct esptrack_sa *sa)
{
	const struct esptrack_sa *other;
	u64 peer = 0;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		if (other == sa ||
		    !esptrack_ends_relation(&sa->flow, &other->flow))
			continue;
		if (other->x->props.reqid &&
		    other->x->props.reqid == sa->x->props.reqid)
			return other->flow.peer;
		if (has_moved(other))
			continue;
		if (peer && peer != other->flow.peer)
			peer = U64_MAX;
		else
			peer = other->flow.peer;
	}
	return peer && peer != U64_MAX ? peer : ++last_peer;
}

/* Of those in a chain of the index, the living ones that are meant. */
static bool has_reqid(const struct esptrack_sa *sa,
		      const struct esptrack_net *tn, u32 reqid)
	__must_hold(&esptrack_lock)
{
	return sa->flow.net == tn && sa->x->props.reqid == reqid &&
	       !esptrack_sa_is_dead(sa);
}

/**
 * esptrack_peer_shares_reqid() - has another peer an SA with the same reqid?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_shares_reqid(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid)
		if (has_reqid(other, sa->flow.net, reqid) &&
		    other->flow.peer != sa->flow.peer)
			return true;

	return false;
}

/* The SA after which a new one takes: an inbound one with the same reqid that
 * either has the same flow now, or had the new one's flow when the daemon made
 * it.
 */
static const struct esptrack_sa *sibling_of(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	struct esptrack_sa *other;

	if (!reqid)
		return NULL;

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid)
		if (other != sa && has_reqid(other, sa->flow.net, reqid) &&
		    other->dir == ESPTRACK_DIR_IN &&
		    (esptrack_ends_relation(&sa->flow, &other->flow) ||
		     esptrack_ends_relation(&sa->flow, &other->origin)))
			return other;

	return NULL;
}

/**
 * esptrack_peer_moved() - the newest inbound SA of a reqid, if it was moved
 * @tn: namespace
 * @reqid: other than 0
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, whose daemon still may speak of its @origin; or NULL.
 */
const struct esptrack_sa *esptrack_peer_moved(const struct esptrack_net *tn,
					      u32 reqid)
{
	const struct esptrack_sa *sa;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(sa, esptrack_index_reqid(tn, reqid), by_reqid)
		if (has_reqid(sa, tn, reqid) && sa->dir == ESPTRACK_DIR_IN)
			return has_moved(sa) && !esptrack_peer_shares_reqid(sa) ?
			       sa : NULL;

	return NULL;
}

static bool move_alone(struct esptrack_sa *sa, u8 dir,
		       const struct esptrack_endpoint *from,
		       const struct esptrack_endpoint *to)
	__must_hold(&esptrack_lock)
{
	struct xfrm_state *place = NULL;
	bool moved;

	if (sa->x->xso.dev)
		return false;
	if (!xfrm_addr_equal(&to->addr, &from->addr, to->family)) {
		if (!esptrack_move_mode(sa->x) ||
		    (dir == ESPTRACK_DIR_OUT &&
		     esptrack_move_collides(sa->x, to)))
			return false;
		place = esptrack_move_prepare(sa->x, dir, to);
		if (!place)
			return false;
	}
	moved = esptrack_move_sa(sa->x, place, dir, from, to);
	if (moved && place)
		esptrack_net_readdressed(sa, place);
	esptrack_index_update(sa);
	return moved;
}

/* A daemon that did not follow gives a rekeyed SA the endpoint that it
 * remembers. What the peer has proven since holds for that SA too.
 */
static bool inherit_endpoint(struct esptrack_sa *sa,
			     const struct esptrack_sa *sibling)
{
	const struct esptrack_endpoint to = sibling->flow.src;
	u8 dir = esptrack_ends_relation(&sibling->origin, &sa->flow);
	const u64 peer = sa->flow.peer;

	if (!dir || !has_moved(sibling))
		return false;
	/* The reqid is all that tells whose SA it is. */
	sa->flow.peer = sibling->flow.peer;
	if (esptrack_peer_shares_reqid(sa)) {
		sa->flow.peer = peer;
		return false;
	}
	return move_alone(sa, dir, &sibling->origin.src, &to);
}

/**
 * esptrack_peer_inherit() - let a new SA have what its siblings have
 * @sa: the SA, with its peer
 *
 * Context: process or softirq, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_peer_inherit(struct esptrack_sa *sa)
{
	const struct esptrack_sa *sibling;

	lockdep_assert_held(&esptrack_lock);

	sibling = sibling_of(sa);
	if (!sibling)
		return false;
	sa->static_nat = sibling->static_nat;
	sa->port_only = sibling->port_only;
	return inherit_endpoint(sa, sibling);
}

/* Another SA of the peer whose one was there, with the same reqid. */
static const struct esptrack_sa *survivor(const struct esptrack_sa *sa,
					  const struct esptrack_flow *was)
	__must_hold(&esptrack_lock)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid)
		if (other != sa && has_reqid(other, sa->flow.net, reqid) &&
		    other->flow.peer == was->peer)
			return other;

	return NULL;
}

/**
 * esptrack_peer_return() - find a place among the others for an SA that its
 * daemon has deleted and added again
 * @sa: the SA
 * @was: where it was before
 * @origin: where its daemon had put it before
 *
 * Others may have been added before it, and moved since. Where nothing with its
 * reqid is left of its peer, it is like a new one. Else it goes to where the
 * others are, if its daemon has not followed.
 *
 * Context: process or softirq, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_peer_return(struct esptrack_sa *sa,
			  const struct esptrack_flow *was,
			  const struct esptrack_flow *origin)
{
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	other = sibling_of(sa);
	if (other && inherit_endpoint(sa, other))
		return true;
	if (esptrack_ends_relation(was, &sa->flow))
		return false;

	other = survivor(sa, was);
	if (!other) {
		sa->flow.peer = esptrack_peer_of(sa);
		sa->origin = sa->flow;
		return false;
	}
	return sa->dir == ESPTRACK_DIR_IN &&
	       esptrack_ends_relation(origin, &sa->flow) &&
	       esptrack_ends_relation(was, &other->flow) &&
	       move_alone(sa, sa->dir, &origin->src, &was->src);
}

/**
 * esptrack_peer_is_together() - are all SAs with the reqid of one on its flow?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_is_together(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid)
		if (has_reqid(other, sa->flow.net, reqid) &&
		    !esptrack_flow_relation(&sa->flow, &other->flow))
			return false;

	return true;
}
