// SPDX-License-Identifier: GPL-2.0
/*
 * Siblings: the SAs of a peer with one reqid. What a new one takes over from the
 * others, and how those come together again that are not where the others are.
 */
#include "siblings.h"

#include "index.h"
#include "move.h"
#include "net.h"
#include "peer.h"
#include "policy.h"
#include "sa.h"

/* Our end of a flow, in this direction. */
static const struct esptrack_endpoint *local_end(const struct esptrack_flow *flow,
						 u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &flow->dst : &flow->src;
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

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (other != sa && other->dir == dir &&
		    (esptrack_ends_relation(&sa->flow, &other->flow) ||
		     esptrack_ends_relation(&sa->flow, &other->origin)))
			return other;

	return NULL;
}

/* Can the SA go there alone, without the others of its flow? If not for lack of
 * memory, it is tried again. @place: as esptrack_move_sa() wants it
 */
static bool prepare_alone(struct esptrack_sa *sa,
			  const struct esptrack_endpoint *to,
			  struct xfrm_state **place)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_endpoint *from = esptrack_flow_remote(&sa->flow, sa->dir);

	*place = NULL;
	if (READ_ONCE(sa->x->xso.dev))
		return false;
	if (xfrm_addr_equal(&to->addr, &from->addr, to->family))
		return true;
	if (!esptrack_move_mode(sa->x) ||
	    (sa->dir == ESPTRACK_DIR_OUT &&
	     esptrack_move_collides(sa->x, to)))
		return false;

	*place = esptrack_move_prepare(sa->x, sa->dir, to);
	if (*place)
		return true;
	sa->stray = true;
	esptrack_net_sweep_soon(sa->flow.net);
	return false;
}

static bool move_prepared(struct esptrack_sa *sa, struct xfrm_state *place,
			  const struct esptrack_endpoint *to)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_endpoint from = *esptrack_flow_remote(&sa->flow, sa->dir);
	bool moved = esptrack_move_sa(sa->x, place, sa->dir, &from, to);

	if (moved && place)
		esptrack_net_readdressed(sa, place);
	esptrack_index_update(sa);
	return moved;
}

/* Returns whether it was moved. */
static bool move_alone(struct esptrack_sa *sa, const struct esptrack_endpoint *to)
	__must_hold(&esptrack_lock)
{
	struct xfrm_state *place;

	return prepare_alone(sa, to, &place) && move_prepared(sa, place, to);
}

/* A daemon that did not follow gives a rekeyed SA the endpoint that it
 * remembers. What the peer has proven since holds for that SA too.
 */
static bool inherit_endpoint(struct esptrack_sa *sa,
			     const struct esptrack_sa *sibling)
	__must_hold(&esptrack_lock)
{
	if (!sa->dir || !esptrack_peer_has_moved(sibling) ||
	    !esptrack_ends_relation(&sibling->origin, &sa->flow))
		return false;
	/* The reqid is all that tells whose SA it is. */
	if (esptrack_peer_shares_reqid(sa, sibling->flow.peer))
		return false;

	esptrack_peer_succeed(sa, sibling);
	return move_alone(sa, esptrack_flow_remote(&sibling->flow, sibling->dir));
}

/**
 * esptrack_siblings_inherit() - let a new SA have what its siblings have
 * @sa: the SA, with its peer
 *
 * An outbound one is where the inbound one was, but nobody sets its switches.
 *
 * Context: process or softirq, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_siblings_inherit(struct esptrack_sa *sa)
{
	const struct esptrack_sa *sibling;

	lockdep_assert_held(&esptrack_lock);

	sibling = sibling_of(sa, ESPTRACK_DIR_IN);
	if (sibling) {
		sa->static_nat = sibling->static_nat;
		sa->port_only = sibling->port_only;
	} else if (sa->static_nat) {
		sibling = sibling_of(sa, ESPTRACK_DIR_OUT);
		/* Its tunnel may have ended, and this be another one. */
		if (sibling && !esptrack_policy_needs(sibling, false))
			sibling = NULL;
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

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (other != sa && other->flow.peer == was->peer)
			return other;

	return NULL;
}

/* A daemon that has put an inbound SA somewhere else does the same with the outbound
 * ones, but cannot with those whose address was moved: it does not know their names.
 */
static void call_renamed(const struct esptrack_sa *sa,
			 const struct esptrack_flow *was)
	__must_hold(&esptrack_lock)
{
	u32 reqid = sa->x->props.reqid;
	struct esptrack_sa *other;

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other)) {
		if (!other->renamed ||
		    esptrack_flow_relation(was, &other->flow) != ESPTRACK_DIR_OUT)
			continue;
		other->stray = true;
		esptrack_net_sweep_soon(sa->flow.net);
	}
}

/**
 * esptrack_siblings_return() - find a place among the others for an SA that its
 * daemon has deleted and added again
 * @sa: the SA
 * @was: where it was before
 * @origin: where its daemon had put it before
 *
 * Others may have been added before it, and moved since. Where nothing with its
 * reqid is left of its peer, it is like a new one. Else it goes to where the
 * others are, if its daemon has not followed; and if that has put it somewhere else, the
 * others come there that the daemon cannot put there.
 *
 * Context: process or softirq, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_siblings_return(struct esptrack_sa *sa,
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
	if (sa->dir != ESPTRACK_DIR_IN)
		return false;
	if (!esptrack_ends_relation(origin, &sa->flow)) {
		call_renamed(sa, was);
		return false;
	}
	if (esptrack_ends_relation(was, &other->flow))
		return move_alone(sa, &was->src);
	/* It was astray already, and the peer may be where it has been. */
	sa->stray = true;
	esptrack_net_sweep_soon(sa->flow.net);
	return false;
}

/* Another SA of the peer with the same reqid that is somewhere else. Where an inbound
 * one is that is not astray, this one is not, either.
 */
static const struct esptrack_sa *elsewhere(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other, *in = NULL, *out = NULL;
	u32 reqid = sa->x->props.reqid;

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other)) {
		bool here;

		if (other == sa || other->flow.peer != sa->flow.peer ||
		    !other->static_nat || !other->dir || other->stray)
			continue;
		here = esptrack_endpoint_equal(esptrack_flow_remote(&sa->flow, sa->dir),
					       esptrack_flow_remote(&other->flow,
								    other->dir));
		if (here && other->dir == ESPTRACK_DIR_IN)
			return NULL;
		if (here)
			continue;
		if (other->dir == ESPTRACK_DIR_OUT)
			out = other;
		else if (!in)
			in = other;
	}
	return in ?: out;
}

/**
 * esptrack_siblings_reunite() - bring a stray SA to where the others of its peer are
 * @sa: the SA; esptrack_sa.stray says whether it still is one
 *
 * If the peer is not there any more, his next packet moves all of them.
 *
 * Context: process, esptrack_lock held, x->lock not.
 * Return: whether the SA was moved.
 */
bool esptrack_siblings_reunite(struct esptrack_sa *sa)
{
	const struct esptrack_endpoint *from = esptrack_flow_remote(&sa->flow, sa->dir);
	const struct esptrack_endpoint *to;
	const struct esptrack_sa *other;
	struct xfrm_state *place;
	LIST_HEAD(opened);
	bool moved;

	lockdep_assert_held(&esptrack_lock);

	sa->stray = false;
	if (!sa->static_nat)
		return false;
	other = elsewhere(sa);
	if (!other)
		return false;
	to = esptrack_flow_remote(&other->flow, other->dir);
	/* The policies would be somebody else's as well. */
	if (!xfrm_addr_equal(&to->addr, &from->addr, to->family) &&
	    esptrack_peer_shares_reqid(sa, sa->flow.peer))
		return false;
	if (!prepare_alone(sa, to, &place))
		return false;

	/* Those that went with it come with it. */
	if (place)
		esptrack_policy_open(sa->flow.net, sa->x,
				     &local_end(&sa->flow, sa->dir)->addr,
				     &esptrack_flow_remote(&sa->origin, sa->dir)->addr,
				     &from->addr, &to->addr, &opened);
	moved = move_prepared(sa, place, to);
	esptrack_policy_close(&opened);
	return moved;
}

/**
 * esptrack_siblings_bereave() - an SA has died, and was not made anew
 * @sa: the SA; nothing is done if it is not the last inbound one with its reqid
 *
 * Context: process, esptrack_lock held.
 */
void esptrack_siblings_bereave(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	if (sa->dir != ESPTRACK_DIR_IN)
		return;
	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (other->dir != ESPTRACK_DIR_OUT)
			return;
	esptrack_policy_forsake(sa);
}

/**
 * esptrack_siblings_are_together() - are all SAs with the reqid of one on its flow?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_siblings_are_together(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (!esptrack_flow_relation(&sa->flow, &other->flow))
			return false;

	return true;
}
