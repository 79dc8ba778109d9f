// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: which SAs belong together, and what a new one takes over from the
 * others.
 */
#include "peer.h"

#include <linux/time64.h>

#include "index.h"
#include "move.h"
#include "net.h"
#include "policy.h"
#include "sa.h"

/* Protected by esptrack_lock. */
static u64 last_peer;
static u64 last_joined;
static u64 last_visit;

/* How long a packet of another SA may be under way that left the peer before
 * the one that moved the flow. Who still sends from there later is another peer.
 */
#define LEFT_LATELY	(2ULL * NSEC_PER_SEC)

static bool has_moved(const struct esptrack_sa *sa)
{
	return !esptrack_ends_relation(&sa->origin, &sa->flow);
}

/* The end of a flow that is the peer's, in this direction. */
static const struct esptrack_endpoint *remote(const struct esptrack_flow *flow,
					      u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &flow->src : &flow->dst;
}

/* And ours. */
static const struct esptrack_endpoint *local(const struct esptrack_flow *flow,
					     u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &flow->dst : &flow->src;
}

static bool same_reqid(const struct esptrack_sa *a, const struct esptrack_sa *b)
{
	return a->x->props.reqid && a->x->props.reqid == b->x->props.reqid;
}

static void join(struct esptrack_sa *sa, const struct esptrack_sa *other)
{
	sa->flow.peer = other->flow.peer;
	sa->apart = other->apart;
	sa->joined = same_reqid(sa, other) ? other->joined : ++last_joined;
}

/* An SA of the only peer who was installed where a new one is. One whom we have
 * moved there has merely the mapping that the new one's had, or has now; and
 * where two peers have met before, the place tells nothing any more.
 */
static const struct esptrack_sa *neighbour(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other, *found = NULL;
	bool several = false;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		if (other == sa ||
		    !esptrack_ends_relation(&sa->flow, &other->flow))
			continue;
		if (same_reqid(other, sa))
			return other;
		if (has_moved(other) || other->apart)
			continue;
		several |= found && found->flow.peer != other->flow.peer;
		found = other;
	}
	return several ? NULL : found;
}

/**
 * esptrack_peer_assign() - find out whose a new SA is
 * @sa: in the index, but for its peer
 *
 * It belongs to the peer of the flow on which it is. A rekeyed SA is known by
 * the reqid of its predecessor. Should it be another's, whom his NAT has given a
 * mapping that somebody else had, esptrack_peer_contradicts() will show it.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_assign(struct esptrack_sa *sa)
{
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	other = neighbour(sa);
	if (other) {
		join(sa, other);
		return;
	}
	sa->flow.peer = ++last_peer;
	sa->joined = ++last_joined;
}

/**
 * esptrack_peer_moved_by() - another SA of the flow has moved this one
 * @sa: the SA, at its new place
 * @by: the other one
 * @from: where both were
 * @now: as &esptrack_facts.now
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_moved_by(struct esptrack_sa *sa,
			    const struct esptrack_sa *by,
			    const struct esptrack_endpoint *from, u64 now)
{
	u64 packets = READ_ONCE(sa->x->curlft.packets);

	lockdep_assert_held(&esptrack_lock);

	sa->left.endpoint = *from;
	sa->left.at = now;
	if (!sa->left_by || sa->astray != packets) {
		sa->home = sa->left;
		sa->astray = packets;
	}
	sa->left_by = by->x->props.reqid;
}

/**
 * esptrack_peer_moved_itself() - an SA has moved its flow
 * @sa: the SA
 *
 * It has been heard at its endpoint. Its older packets are told by their
 * sequence numbers.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_moved_itself(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	memset(&sa->home, 0, sizeof(sa->home));
	memset(&sa->left, 0, sizeof(sa->left));
	sa->left_by = 0;
}

static bool was_lately(const struct esptrack_left *left,
		       const struct esptrack_endpoint *source, u64 now)
{
	return esptrack_endpoint_equal(&left->endpoint, source) &&
	       now - left->at < LEFT_LATELY;
}

/**
 * esptrack_peer_left_lately() - has an SA just been moved away from there?
 * @sa: the SA
 * @source: of a packet
 * @now: as &esptrack_facts.now
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_left_lately(const struct esptrack_sa *sa,
			       const struct esptrack_endpoint *source, u64 now)
{
	lockdep_assert_held(&esptrack_lock);

	return was_lately(&sa->home, source, now) ||
	       was_lately(&sa->left, source, now);
}

/**
 * esptrack_peer_contradicts() - does an SA show that its flow is two peers'?
 * @sa: has accepted a packet from elsewhere, newer than all before, and not from
 *	where it was lately
 * @source: where the packet came from
 * @accepted: packets that it had accepted before this one
 *
 * All SAs of a peer are on one mapping at any time. If an SA with another reqid
 * has moved this one away, and its own packets go on to come from where it was,
 * and none from where it was moved to, they are not of one peer.
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_contradicts(const struct esptrack_sa *sa,
			       const struct esptrack_endpoint *source,
			       u64 accepted)
{
	lockdep_assert_held(&esptrack_lock);

	return sa->left_by && sa->left_by != sa->x->props.reqid &&
	       sa->x->props.reqid && accepted == sa->astray &&
	       (esptrack_endpoint_equal(&sa->home.endpoint, source) ||
		esptrack_endpoint_equal(&sa->left.endpoint, source));
}

/* Of the SA's reqid and that of the one that moved it: which came later? */
static u32 newcomer(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (esptrack_flow_relation(&sa->flow, &other->flow) &&
		    other->x->props.reqid == sa->left_by)
			return other->joined > sa->joined ?
			       sa->left_by : sa->x->props.reqid;

	return sa->x->props.reqid;
}

/**
 * esptrack_peer_split() - make two peers of one
 * @sa: of which esptrack_peer_contradicts() is true
 *
 * The SAs with the reqid that came later get a peer of their own. The other one
 * may have used up the throttle of @sa.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_split(struct esptrack_sa *sa)
{
	const struct esptrack_flow flow = sa->flow;
	const u32 reqid = newcomer(sa);
	const u64 peer = ++last_peer;
	struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_flow(&flow), by_flow) {
		if (!esptrack_flow_relation(&flow, &other->flow))
			continue;
		other->apart = true;
		if (other->x->props.reqid == reqid)
			other->flow.peer = peer;
	}
	memset(&sa->history.moves, 0, sizeof(sa->history.moves));
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
 * esptrack_peer_visit() - begin to look at SAs, each reqid once
 *
 * Context: any, esptrack_lock held.
 * Return: what esptrack_sa.visit of an SA is set to when it was looked at.
 */
u64 esptrack_peer_visit(void)
{
	lockdep_assert_held(&esptrack_lock);

	return ++last_visit;
}

/**
 * esptrack_peer_shares_reqid() - has another peer an SA with the same reqid?
 * @sa: the SA
 * @visit: marks all SAs with the reqid, for which the answer is the same
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_shares_reqid(const struct esptrack_sa *sa, u64 visit)
{
	u32 reqid = sa->x->props.reqid;
	struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid) {
		if (!has_reqid(other, sa->flow.net, reqid))
			continue;
		if (other->flow.peer != sa->flow.peer)
			return true;
		other->visit = visit;
	}
	return false;
}

/* The SA in this direction after which a new one takes: one with the same reqid that
 * either has the same flow now, or had the new one's flow when the daemon made it.
 */
static const struct esptrack_sa *sibling_of(const struct esptrack_sa *sa, u8 dir)
	__must_hold(&esptrack_lock)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	if (!reqid)
		return NULL;

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid)
		if (other != sa && has_reqid(other, sa->flow.net, reqid) &&
		    other->dir == dir &&
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
			return has_moved(sa) &&
			       !esptrack_peer_shares_reqid(sa, ++last_visit) ?
			       sa : NULL;

	return NULL;
}

/* Without the others of its flow. Returns whether it was moved; if not for lack of
 * memory, it is tried again.
 */
static bool move_alone(struct esptrack_sa *sa, const struct esptrack_endpoint *to)
	__must_hold(&esptrack_lock)
{
	const u8 dir = sa->dir;
	const struct esptrack_endpoint from = *remote(&sa->flow, dir);
	struct xfrm_state *place = NULL;
	bool moved;

	if (READ_ONCE(sa->x->xso.dev))
		return false;
	if (!xfrm_addr_equal(&to->addr, &from.addr, to->family)) {
		if (!esptrack_move_mode(sa->x) ||
		    (dir == ESPTRACK_DIR_OUT &&
		     esptrack_move_collides(sa->x, to)))
			return false;
		place = esptrack_move_prepare(sa->x, dir, to);
		if (!place) {
			sa->stray = true;
			esptrack_net_sweep_soon(sa->flow.net);
			return false;
		}
	}
	moved = esptrack_move_sa(sa->x, place, dir, &from, to);
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
	const u64 peer = sa->flow.peer, joined = sa->joined;
	const bool apart = sa->apart;

	if (!sa->dir || !has_moved(sibling) ||
	    !esptrack_ends_relation(&sibling->origin, &sa->flow))
		return false;
	/* The reqid is all that tells whose SA it is. */
	join(sa, sibling);
	if (esptrack_peer_shares_reqid(sa, ++last_visit)) {
		sa->flow.peer = peer;
		sa->joined = joined;
		sa->apart = apart;
		return false;
	}
	return move_alone(sa, remote(&sibling->flow, sibling->dir));
}

/**
 * esptrack_peer_inherit() - let a new SA have what its siblings have
 * @sa: the SA, with its peer
 *
 * An outbound one is where the inbound one was, but nobody sets its switches.
 *
 * Context: process or softirq, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_peer_inherit(struct esptrack_sa *sa)
{
	const struct esptrack_sa *sibling;

	lockdep_assert_held(&esptrack_lock);

	sibling = sibling_of(sa, ESPTRACK_DIR_IN);
	if (sibling) {
		sa->static_nat = sibling->static_nat;
		sa->port_only = sibling->port_only;
	} else if (sa->static_nat) {
		sibling = sibling_of(sa, ESPTRACK_DIR_OUT);
	}
	return sibling && inherit_endpoint(sa, sibling);
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

	other = sibling_of(sa, ESPTRACK_DIR_IN);
	if (other && inherit_endpoint(sa, other))
		return true;
	if (esptrack_ends_relation(was, &sa->flow))
		return false;

	other = survivor(sa, was);
	if (!other) {
		esptrack_peer_assign(sa);
		sa->origin = sa->flow;
		return false;
	}
	if (sa->dir != ESPTRACK_DIR_IN || !esptrack_ends_relation(origin, &sa->flow))
		return false;
	if (esptrack_ends_relation(was, &other->flow))
		return move_alone(sa, &was->src);
	/* It was astray already, and the peer may be where it has been. */
	sa->stray = true;
	esptrack_net_sweep_soon(sa->flow.net);
	return false;
}

/* Another SA of the peer with the same reqid that is somewhere else. */
static const struct esptrack_sa *elsewhere(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other, *found = NULL;
	u32 reqid = sa->x->props.reqid;

	hlist_for_each_entry(other, esptrack_index_reqid(sa->flow.net, reqid),
			     by_reqid) {
		if (other == sa || !has_reqid(other, sa->flow.net, reqid) ||
		    other->flow.peer != sa->flow.peer ||
		    !other->static_nat || !other->dir ||
		    esptrack_endpoint_equal(remote(&sa->flow, sa->dir),
					    remote(&other->flow, other->dir)))
			continue;
		if (other->dir == ESPTRACK_DIR_IN)
			return other;
		found = other;
	}
	return found;
}

/**
 * esptrack_peer_reunite() - bring a stray SA to where the others of its peer are
 * @sa: the SA; esptrack_sa.stray says whether it still is one
 *
 * If the peer is not there any more, his next packet moves all of them.
 *
 * Context: process, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_peer_reunite(struct esptrack_sa *sa)
{
	const struct esptrack_flow was = sa->flow;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	sa->stray = false;
	other = elsewhere(sa);
	if (!other || !move_alone(sa, remote(&other->flow, other->dir)))
		return false;

	/* Those that went with it come with it. */
	esptrack_policy_move(was.net, sa->x, &local(&was, sa->dir)->addr,
			     &remote(&sa->origin, sa->dir)->addr,
			     &remote(&was, sa->dir)->addr,
			     &remote(&sa->flow, sa->dir)->addr);
	return true;
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
