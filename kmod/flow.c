// SPDX-License-Identifier: GPL-2.0
/*
 * The flow: all SAs on one NAT mapping. A mapping is one peer, so when one of
 * his SAs proves that it changed, all of them move.
 */
#include "flow.h"

#include "event.h"
#include "index.h"
#include "log.h"
#include "move.h"
#include "net.h"
#include "packet.h"
#include "peer.h"
#include "policy.h"
#include "rules.h"
#include "sa.h"

/* More are not moved at once: it is done in a softirq, with the lock held, and
 * the kernel compares each SA that is inserted with all others that have the same
 * ends and reqid.
 */
#define FLOW_MAX	512
/* Nor is more done to their policies than to look at one so often, and once more at
 * those for input.
 */
#define POLICIES_MAX	8192
/* Nor do more stay behind, who are passed by at each step of the move. */
#define WALK_MAX	4096

static bool same_reqid(const struct esptrack_sa *a, const struct esptrack_sa *b)
{
	return a->x->props.reqid == b->x->props.reqid;
}

/* An SA whose switch is off stays. */
static bool stays(const struct esptrack_move *move, const struct esptrack_sa *other)
	__must_hold(&esptrack_lock)
{
	return (!other->static_nat && other != move->by) ||
	       (move->alone && !same_reqid(move->by, other));
}

/* Is @other of the flow, which has not moved yet, and to be moved with it? Returns its
 * direction, or 0.
 */
static u8 member_dir(const struct esptrack_move *move, const struct esptrack_sa *other)
	__must_hold(&esptrack_lock)
{
	/* Most of those in a chain are somebody else's. */
	u8 dir = esptrack_flow_relation(&move->by->flow, &other->flow);

	return dir && !stays(move, other) && !esptrack_sa_is_dead(other) ? dir : 0;
}

static void gather_member(const struct esptrack_sa *sa, u8 dir,
			  const struct esptrack_sa *by, u64 visit,
			  const struct esptrack_packet *packet,
			  struct esptrack_facts *facts)
	__must_hold(&esptrack_lock)
{
	facts->offloaded |= !!READ_ONCE(sa->x->xso.dev);
	if (!facts->new_address)
		return;

	facts->port_only |= dir == ESPTRACK_DIR_IN && sa->port_only;
	facts->tunnel &= esptrack_move_mode(sa->x);
	facts->collision |= dir == ESPTRACK_DIR_OUT &&
			    esptrack_move_collides(sa->x, &packet->source);
	if (sa->visit != visit)
		facts->shared_reqid |= esptrack_peer_leaves_behind(sa, by, visit);
}

/* Of the peer, by his daemon, in an SA of his flow. */
static const xfrm_address_t *given_address(const struct esptrack_flow *flow,
					   const struct esptrack_sa *sa)
{
	return esptrack_flow_relation(flow, &sa->flow) == ESPTRACK_DIR_IN ?
	       &sa->origin.src.addr : &sa->origin.dst.addr;
}

/* The SAs of a pair have. @a: NULL if there is none */
static bool same_policies(const struct esptrack_flow *flow,
			  const struct esptrack_sa *a,
			  const struct esptrack_sa *b)
{
	return a && same_reqid(a, b) &&
	       xfrm_addr_equal(given_address(flow, a), given_address(flow, b),
			       a->x->props.family);
}

static bool may_go(const struct esptrack_facts *facts)
{
	return !facts->crowded && !facts->offloaded && !facts->port_only &&
	       facts->tunnel && !facts->collision && !facts->shared_reqid;
}

/**
 * struct load - how much there is to move
 * @sas: SAs
 * @policies: how often one of theirs is looked at
 */
struct load {
	unsigned int sas;
	unsigned int policies;
};

static void load_add(struct load *load, unsigned int policies,
		     struct esptrack_facts *facts)
{
	load->sas++;
	load->policies += policies;
	facts->crowded |= load->sas > FLOW_MAX ||
			  load->policies > POLICIES_MAX;
}

/* Is somebody where policies would go that ask for nothing but the address? */
static bool meets_somebody(const struct esptrack_sa *sa,
			   const struct esptrack_sa *member,
			   const struct esptrack_packet *packet)
	__must_hold(&esptrack_lock)
{
	return esptrack_policy_trust_goes(sa->flow.net, member->x,
					  given_address(&sa->flow, member),
					  &sa->flow.src) &&
	       esptrack_move_meets(member->x, &sa->flow.dst, &packet->source);
}

/* Would the SA come to where such policies are? Where its daemon had put it, it may be
 * in spite of those that his had put there as well.
 */
static bool is_trusted(const struct esptrack_sa *sa,
		       const struct esptrack_packet *packet)
	__must_hold(&esptrack_lock)
{
	bool back = xfrm_addr_equal(&sa->origin.src.addr, &packet->source.addr,
				    packet->source.family);

	return esptrack_policy_trusts(sa->flow.net, &packet->source, back);
}

/**
 * esptrack_flow_facts() - what the rules ask about the flow as a whole
 * @move: by whom; who else goes is told
 * @packet: from where
 * @facts: those about the packet are there
 *
 * SAs with another reqid have policies of their own, and may be another peer's whom
 * the daemon has put there: where one of them cannot go they stay, and keep nobody.
 *
 * Context: softirq, esptrack_lock held.
 */
void esptrack_flow_facts(struct esptrack_move *move,
			 const struct esptrack_packet *packet,
			 struct esptrack_facts *facts)
{
	const u64 visit = esptrack_peer_visit();
	const struct esptrack_sa *sa = move->by, *other, *counted = NULL;
	struct esptrack_facts others = *facts;
	struct load own = { 0 }, all = { 0 };
	unsigned int n = 0;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		u8 dir = esptrack_flow_relation(&sa->flow, &other->flow);
		struct esptrack_facts *whose;
		unsigned int policies = 0;
		bool its_own, fresh;

		if (!dir || esptrack_sa_is_dead(other))
			continue;
		facts->crowded |= ++n > WALK_MAX;
		if (facts->crowded)
			return;
		its_own = same_reqid(sa, other);
		if (stays(move, other) || !(its_own || may_go(&others)))
			continue;
		whose = its_own ? facts : &others;
		/* As often as they would be looked at by prepare_address(). */
		fresh = facts->new_address &&
			!same_policies(&sa->flow, counted, other);
		if (fresh) {
			policies = esptrack_policy_count(sa->flow.net,
							 other->x->props.reqid,
							 POLICIES_MAX + 1);
			counted = other;
			whose->collision |= meets_somebody(sa, other, packet);
		}
		/* Too many together may be few enough alone. */
		load_add(&all, policies, &others);
		if (its_own)
			load_add(&own, policies, facts);
		gather_member(other, dir, sa, visit, packet, whose);
	}

	move->alone = !may_go(&others);
	if (facts->new_address)
		facts->collision |= is_trusted(sa, packet);
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

/* First the placeholders, then the policies, last the SAs: so output that looks for the
 * new address finds an SA, or a placeholder, and does not ask the daemon for a new one.
 * (Who has read the old one from the policy before, and looks for it later, does.) Input
 * compares with policies that are open, until all is done.
 */
static bool prepare_address(const struct esptrack_move *move,
			    const struct esptrack_endpoint *to,
			    struct list_head *opened)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_flow *flow = &move->by->flow;
	const struct esptrack_sa *done = NULL;
	struct esptrack_sa *other;

	hlist_for_each_entry(other, esptrack_index_flow(flow), by_flow) {
		u8 dir = member_dir(move, other);

		if (!dir)
			continue;
		other->place = esptrack_move_prepare(other->x, dir, to);
		if (!other->place) {
			cancel_places(flow);
			return false;
		}
	}

	hlist_for_each_entry(other, esptrack_index_flow(flow), by_flow) {
		if (!other->place || same_policies(flow, done, other))
			continue;
		esptrack_policy_open(flow->net, other->x, &flow->dst.addr,
				     given_address(flow, other),
				     &flow->src.addr, &to->addr, opened);
		done = other;
	}
	return true;
}

/**
 * esptrack_flow_move() - let the flow go to where a packet came from
 * @move: by whom, and who else goes
 * @facts: of the packet; no rule is broken
 * @event: whence and whither; those that have moved are noted
 *
 * The throttle is the flow's, or a peer with many SAs could make it flap by
 * one after the other.
 *
 * Context: softirq, esptrack_lock held.
 * Return: false, with nothing moved, if there is no memory.
 */
bool esptrack_flow_move(const struct esptrack_move *move,
			const struct esptrack_facts *facts,
			struct esptrack_event *event)
{
	const struct esptrack_endpoint *to = &event->new;
	const struct esptrack_flow from = move->by->flow;
	struct esptrack_sa *sa = move->by;
	struct hlist_head *chain;
	struct esptrack_sa *other;
	struct hlist_node *next;
	LIST_HEAD(opened);

	lockdep_assert_held(&esptrack_lock);

	if (facts->new_address && !prepare_address(move, to, &opened))
		return false;

	/* One that has moved may land in the same chain again, but at its head,
	 * behind us.
	 */
	chain = esptrack_index_leave(&from, to);
	hlist_for_each_entry_safe(other, next, esptrack_index_flow(&from),
				  by_flow) {
		struct xfrm_state *place = other->place;
		u8 dir = esptrack_flow_relation(&from, &other->flow);

		/* One that has died since has a placeholder that must go. */
		other->place = NULL;
		if (!dir || stays(move, other) ||
		    (facts->new_address && !place) ||
		    !esptrack_move_sa(other->x, place, dir, &from.src, to))
			continue;
		esptrack_index_move(other, dir, to, chain);
		if (place)
			esptrack_net_readdressed(other, place);
		other->moves++;
		other->history.moves = sa->history.moves;
		if (dir == ESPTRACK_DIR_IN) {
			esptrack_peer_moved_by(other, sa, &from.src, facts->now);
			esptrack_sa_forget_seen(other);
			esptrack_log_add(other, event, facts->now,
					 ESPTRACK_KIND_MOVED);
		}
		member_moved(event, other, dir);
	}
	if (facts->new_address)
		esptrack_policy_close(&opened);

	if (esptrack_endpoint_equal(&sa->flow.src, to))
		esptrack_peer_moved_itself(sa);
	return true;
}
