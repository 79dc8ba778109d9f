// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: which SAs belong together.
 *
 * Nothing that the kernel knows says so. A new SA gets the peer on whose flow its
 * daemon puts it (assign), and when one SA moves the flow, the others go with it. Each
 * of them notes where it was and who has moved it: @left, @left_by, and @home, the last
 * place at which it was itself heard (moved_by). As long as it has accepted nothing
 * since but what came from elsewhere (@astray), a packet from there shows that the two
 * are not one peer's (contradicts). Then the newcomer of both gets a peer of his own
 * (@joined says who came later), and all of them are @parted (split). Should their flows
 * meet again they are one peer once more, @reunited (rejoin); and if they are split then,
 * too, they stay @apart. Who brings several reqids can begin anew with each: but where
 * two splits were not enough each other reqid becomes a peer of its own. So a peer is led
 * away by others four times at most, and for LEFT_LATELY and until his next packet each
 * time. (A time does not count if a packet of his was with its crypto just then: it is
 * counted after the move, and passes for one from the new place.)
 */
#include "peer.h"

#include <linux/time64.h>

#include "index.h"
#include "sa.h"

/* Protected by esptrack_lock. */
static u64 last_peer;
static u32 last_joined;
static u32 last_split;
static u64 last_visit;

/* How long a packet of another SA may be under way that left the peer before
 * the one that moved the flow. Who still sends from there later is another peer.
 */
#define LEFT_LATELY	(2ULL * NSEC_PER_SEC)
/* And when it has left for so long it may be so once more. */
#define LEFT_BEFORE	(10ULL * NSEC_PER_SEC)

/**
 * esptrack_peer_has_moved() - is an SA elsewhere than where its daemon put it?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_has_moved(const struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	return !esptrack_ends_relation(&sa->origin, &sa->flow);
}

/* SAs of one child, or of its successor. Reqid 0 says nothing. */
static bool one_child(const struct esptrack_sa *a, const struct esptrack_sa *b)
{
	return a->x->props.reqid && a->x->props.reqid == b->x->props.reqid;
}

/* By the kernel's clock, as a walk over all SAs meets the newest first; and within a
 * second by the order in which they came.
 */
static u64 arrival(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	return (u64)sa->x->curlft.add_time << 32 | ++last_joined;
}

/* Has an SA, which has accepted so many packets, been heard at its endpoint since
 * others have moved it? Of those from elsewhere more may be noted than xfrm has counted:
 * it does so later, or drops them. (With asynchronous crypto it does so before. Such a
 * packet passes for one from the endpoint, until the next one.)
 */
static bool was_heard(const struct esptrack_sa *sa, u64 packets)
	__must_hold(&esptrack_lock)
{
	return (s64)(packets - sa->astray) > 0;
}

/* Make an SA one of the peer of another one. */
static void join(struct esptrack_sa *sa, const struct esptrack_sa *other)
	__must_hold(&esptrack_lock)
{
	sa->flow.peer = other->flow.peer;
	sa->parted = other->parted;
	sa->apart = other->apart;
	sa->reunited = other->reunited;
	/* The throttle is the flow's: who joins brings no tokens. */
	sa->history.moves.full_at = max(sa->history.moves.full_at,
					other->history.moves.full_at);
	sa->joined = one_child(sa, other) ? other->joined : arrival(sa);
}

/**
 * esptrack_peer_succeed() - an SA takes after one that was moved
 * @sa: a new one, or one that was made anew
 * @other: that one, of the same reqid
 *
 * A peer who has not been heard since others moved his SA has not been by way of the
 * new one, either.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_succeed(struct esptrack_sa *sa, const struct esptrack_sa *other)
{
	lockdep_assert_held(&esptrack_lock);

	join(sa, other);
	/* One that was made anew, and had accepted something, knows itself. */
	if (esptrack_sa_packets(sa) || sa->dir != other->dir ||
	    !other->left_by ||
	    was_heard(other, READ_ONCE(other->x->curlft.packets)))
		return;
	sa->home = other->home;
	sa->left = other->left;
	sa->left_by = other->left_by;
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
		if (one_child(other, sa))
			return other;
		if (esptrack_peer_has_moved(other) || other->parted)
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
	sa->joined = arrival(sa);
}

static bool was_within(const struct esptrack_left *left,
		       const struct esptrack_endpoint *endpoint, u64 now,
		       u64 span)
{
	return now - left->at < span &&
	       esptrack_endpoint_equal(&left->endpoint, endpoint);
}

/* Since when is the SA away from an endpoint? If it was away before, since then: else
 * who leads its flow back and away again, time after time, could have all its packets
 * from there taken for late ones.
 */
static u64 left_at(const struct esptrack_sa *sa,
		   const struct esptrack_endpoint *from, u64 now)
	__must_hold(&esptrack_lock)
{
	if (was_within(&sa->home, from, now, LEFT_BEFORE))
		return sa->home.at;
	if (was_within(&sa->left, from, now, LEFT_BEFORE))
		return sa->left.at;
	return now;
}

/**
 * esptrack_peer_moved_by() - another SA of the flow has moved this one
 * @sa: the SA, an inbound one, at its new place
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

	sa->left.at = left_at(sa, from, now);
	sa->left.endpoint = *from;
	if (!sa->left_by || was_heard(sa, packets)) {
		sa->home = sa->left;
		sa->astray = packets;
	}
	sa->left_by = by->x->props.reqid;
}

/* Was the SA of one peer with this one, before they were split? */
static bool was_one(const struct esptrack_sa *sa, const struct esptrack_sa *other)
{
	return other->parted == sa->parted && !other->apart &&
	       esptrack_ends_relation(&sa->flow, &other->flow);
}

/* No NAT gives one mapping to two peers at once: who come together are one. But by
 * forging the source of his packets somebody else can come, too, so it counts until
 * they are split once more.
 */
static void rejoin(struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	struct esptrack_sa *other;
	u64 peer = 0;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (was_one(sa, other) && other->flow.peer != sa->flow.peer)
			peer = other->flow.peer;
	if (!peer)
		return;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (was_one(sa, other)) {
			other->flow.peer = peer;
			other->reunited = true;
		}
}

/**
 * esptrack_peer_moved_itself() - an SA has moved its flow
 * @sa: the SA, at its new place
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
	if (sa->parted && !sa->apart)
		rejoin(sa);
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

	return was_within(&sa->home, source, now, LEFT_LATELY) ||
	       was_within(&sa->left, source, now, LEFT_LATELY);
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
 * and none from where it was moved to, they are not of one peer; or he has been
 * elsewhere, where he used the other one only, and is back.
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_contradicts(const struct esptrack_sa *sa,
			       const struct esptrack_endpoint *source,
			       u64 accepted)
{
	lockdep_assert_held(&esptrack_lock);

	return sa->left_by && sa->left_by != sa->x->props.reqid &&
	       sa->x->props.reqid && !was_heard(sa, accepted) &&
	       (esptrack_endpoint_equal(&sa->home.endpoint, source) ||
		esptrack_endpoint_equal(&sa->left.endpoint, source));
}

/* Of the SA's reqid and that of the one that moved it: which came later? 0 if that one
 * is gone, so that nobody is left from whom to part.
 */
static u32 newcomer(const struct esptrack_sa *sa)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow)
		if (esptrack_flow_relation(&sa->flow, &other->flow) &&
		    other->x->props.reqid == sa->left_by)
			return other->joined > sa->joined ?
			       sa->left_by : sa->x->props.reqid;

	return 0;
}

/* Numbers of peers, one for each reqid, which is to be added. */
static u64 peers_of_reqids(void)
	__must_hold(&esptrack_lock)
{
	const u64 first = last_peer + 1;

	last_peer += 1ULL << 32;
	return first;
}

/**
 * esptrack_peer_split() - make two peers of one
 * @sa: of which esptrack_peer_contradicts() is true
 *
 * The SAs with the reqid that came later get a peer of their own: until they meet
 * again, but if they have met again before, for good. Several may leave one after the
 * other, so all splits of a peer have the number of the first. The other one may have
 * used up the throttle of @sa.
 *
 * Should one more be needed, somebody has several reqids among those of the other one,
 * and nothing tells which: then each other reqid gets a peer of its own.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_peer_split(struct esptrack_sa *sa)
{
	const bool all = sa->parted && (sa->apart || !sa->reunited);
	const u32 split = sa->parted ?: ++last_split ?: ++last_split;
	const struct esptrack_flow flow = sa->flow;
	const bool apart = sa->reunited;
	const u32 reqid = newcomer(sa);
	const u64 peers = peers_of_reqids();
	struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_flow(&flow), by_flow) {
		u32 its = other->x->props.reqid;

		if (!esptrack_flow_relation(&flow, &other->flow))
			continue;
		other->parted = split;
		other->apart |= apart;
		if (all ? its != sa->x->props.reqid : reqid && its == reqid)
			other->flow.peer = peers + its;
	}
	/* Should the move fail: what has led it away is dealt with. */
	sa->left_by = sa->x->props.reqid;
	memset(&sa->history.moves, 0, sizeof(sa->history.moves));
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

/* Would the policies of a reqid, as they name the peer, be those of this SA as well?
 * Input takes the reqid from elsewhere, too, while policies are open. Output does not:
 * that an outbound SA is somewhere else, as one that its daemon could not delete, does
 * no harm.
 */
static bool has_policies(const struct esptrack_sa *sa,
			 const struct esptrack_endpoint *remote)
	__must_hold(&esptrack_lock)
{
	return sa->dir != ESPTRACK_DIR_OUT ||
	       (sa->flow.dst.family == remote->family &&
		xfrm_addr_equal(&sa->flow.dst.addr, &remote->addr,
				remote->family));
}

/**
 * esptrack_peer_shares_reqid() - has another peer an SA with the same reqid?
 * @sa: the SA
 * @peer: whose it is, or would be
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_shares_reqid(const struct esptrack_sa *sa, u64 peer)
{
	const struct esptrack_endpoint *remote =
		esptrack_flow_remote(&sa->flow, sa->dir);
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other))
		if (other != sa && other->flow.peer != peer &&
		    has_policies(other, remote))
			return true;

	return false;
}

/**
 * esptrack_peer_leaves_behind() - does an SA stay whose policies would go?
 * @sa: an SA that is to move to another address
 * @by: the one that moves it
 * @visit: marks all SAs with the reqid of @sa, for which the answer is the same
 *
 * Policies go by reqid. One with the same may be another peer's, or may be switched
 * off; its packets would fit no policy any more. Where @by is off itself the
 * question is what would be if it were on, and so the others.
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_peer_leaves_behind(const struct esptrack_sa *sa,
				 const struct esptrack_sa *by, u64 visit)
{
	u32 reqid = sa->x->props.reqid;
	struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	for (other = esptrack_index_first_of(sa->flow.net, reqid); other;
	     other = esptrack_index_next_of(other)) {
		if (has_policies(other, &by->flow.src) &&
		    (other->flow.peer != sa->flow.peer ||
		     (by->static_nat && !other->static_nat)))
			return true;
		other->visit = visit;
	}
	return false;
}
