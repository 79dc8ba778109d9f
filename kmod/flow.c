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
#include "log.h"
#include "move.h"
#include "net.h"
#include "peer.h"
#include "policy.h"
#include "sa.h"
#include "stats.h"

/* More are not moved at once: it is done in a softirq, with the lock held, and
 * the kernel compares each SA that is inserted with all others that have the same
 * ends and reqid.
 */
#define FLOW_MAX	512
/* Nor is more done to their policies than to look at one so often, and once more at
 * those for input.
 */
#define POLICIES_MAX	8192

/* For so long what a rule about the flow has refused is refused again without
 * another look at the flow.
 */
#define BARRED		(HZ / 10)
/* And where nothing can be moved: until there is a report again. */
#define BARRED_OFF	(HZ + HZ / 10)

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

static bool same_reqid(const struct esptrack_sa *a, const struct esptrack_sa *b)
{
	return a->x->props.reqid == b->x->props.reqid;
}

/**
 * struct move - who moves
 * @by: the SA whose packet it is
 * @alone: only those with its reqid go with it
 */
struct move {
	const struct esptrack_sa *by;
	bool alone;
};

/* An SA whose switch is off stays. */
static bool stays(const struct move *move, const struct esptrack_sa *other)
	__must_hold(&esptrack_lock)
{
	return (!other->static_nat && other != move->by) ||
	       (move->alone && !same_reqid(move->by, other));
}

/* Is @other of the flow, which has not moved yet, and to be moved with it? Returns its
 * direction, or 0.
 */
static u8 member_dir(const struct move *move, const struct esptrack_sa *other)
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
	return !facts->offloaded && !facts->port_only && facts->tunnel &&
	       !facts->collision && !facts->shared_reqid;
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

/* The rules about the flow as a whole. SAs with another reqid have policies of their
 * own, and may be another peer's whom the daemon has put there: where one of them
 * cannot go they stay, and keep nobody.
 */
static void gather_flow(struct move *move,
			const struct esptrack_packet *packet,
			struct esptrack_facts *facts)
	__must_hold(&esptrack_lock)
{
	const u64 visit = esptrack_peer_visit();
	const struct esptrack_sa *sa = move->by, *other, *counted = NULL;
	struct esptrack_facts others = *facts, *whose;
	unsigned int n = 0, policies = 0;

	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		u8 dir = esptrack_flow_relation(&sa->flow, &other->flow);
		bool fresh;

		if (!dir || esptrack_sa_is_dead(other))
			continue;
		/* Those that stay are passed by at each step of the move. */
		n++;
		/* As often as they would be looked at by prepare_address(). */
		fresh = facts->new_address && !stays(move, other) &&
			!same_policies(&sa->flow, counted, other);
		if (fresh) {
			policies += esptrack_policy_count(sa->flow.net,
							  other->x->props.reqid,
							  POLICIES_MAX + 1);
			counted = other;
		}
		if (n > FLOW_MAX || policies > POLICIES_MAX) {
			facts->crowded = true;
			return;
		}
		whose = same_reqid(sa, other) ? facts : &others;
		if (fresh)
			whose->collision |= meets_somebody(sa, other, packet);
		if (!stays(move, other))
			gather_member(other, dir, sa, visit, packet, whose);
	}

	move->alone = !may_go(&others);
	if (facts->new_address)
		facts->collision |= is_trusted(sa, packet);
}

/* What the SA had accepted before the packet: crypto that answers later has it
 * counted by then.
 */
static u64 accepted_before(const struct esptrack_sa *sa,
			   const struct esptrack_packet *packet)
{
	return READ_ONCE(sa->x->curlft.packets) - packet->advanced;
}

/* The address that the SA has already is where we send to in any case. */
static bool source_valid(const struct esptrack_packet *packet,
			 struct xfrm_state *x, bool new_address)
{
	return new_address ?
	       esptrack_endpoint_is_peer(xs_net(x), &packet->source) :
	       !!packet->source.port;
}

static void gather_facts(struct esptrack_sa *sa,
			 const struct esptrack_packet *packet,
			 struct esptrack_facts *facts, struct move *move)
	__must_hold(&esptrack_lock)
{
	struct xfrm_state *x = sa->x;

	memset(facts, 0, sizeof(*facts));
	facts->seq = packet->seq;
	facts->newest = esptrack_sa_newest(x);
	facts->now = ktime_get_boottime_ns();
	facts->advanced = packet->advanced;
	facts->integrity = has_integrity(x);
	facts->replay_window = has_replay_window(x);
	facts->new_address = !xfrm_addr_equal(&packet->source.addr,
					      &sa->flow.src.addr,
					      x->props.family);
	facts->source_valid = source_valid(packet, x, facts->new_address);
	facts->left_lately = esptrack_peer_left_lately(sa, &packet->source,
						       facts->now);
	facts->any_port = !sa->flow.src.port || !sa->flow.dst.port ||
			  xfrm_addr_any(&sa->flow.src.addr, x->props.family);
	facts->static_nat = sa->static_nat;
	facts->move_interval = sa->flow.net->conf.interval * (u64)NSEC_PER_MSEC;
	facts->move_burst = sa->flow.net->conf.burst;
	facts->tunnel = true;

	if (!esptrack_judge_packet(facts, &sa->history) &&
	    esptrack_peer_contradicts(sa, &packet->source,
				      accepted_before(sa, packet)))
		esptrack_peer_split(sa);
	move->by = sa;
	move->alone = false;
	if (esptrack_is_due(facts, &sa->history))
		gather_flow(move, packet, facts);
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

/* First the placeholders, then the policies, last the SAs: so output always finds an
 * SA, or a placeholder, and never asks the daemon for a new one. Input compares with
 * policies that are open, until all is done.
 */
static bool prepare_address(const struct move *move,
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

static void log_packet(struct esptrack_sa *sa,
		       const struct esptrack_event *event,
		       const struct esptrack_facts *facts,
		       enum esptrack_kind kind)
	__must_hold(&esptrack_lock)
{
	struct esptrack_log_entry entry = {
		.time = facts->now,
		.esp_seq = event->esp_seq,
		.source = event->new,
		.count = 1,
		.kind = kind,
		.reason = event->reason,
	};

	esptrack_log_add(sa, &entry);
}

/* A moved SA may land in the same chain again, but at its head, behind us.
 *
 * The throttle is the flow's, or a peer with many SAs could make it flap by
 * one after the other.
 *
 * Returns false, with nothing moved, if there is no memory.
 */
static bool move_flow(struct esptrack_sa *sa, const struct move *move,
		      const struct esptrack_facts *facts,
		      struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_endpoint *to = &event->new;
	const struct esptrack_flow from = sa->flow;
	struct hlist_head *chain;
	struct esptrack_sa *other;
	struct hlist_node *next;
	LIST_HEAD(opened);

	if (facts->new_address && !prepare_address(move, to, &opened))
		return false;

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
		esptrack_peer_moved_by(other, sa, &from.src, facts->now);
		esptrack_sa_forget_seen(other);
		if (dir == ESPTRACK_DIR_IN)
			log_packet(other, event, facts, ESPTRACK_KIND_MOVED);
		member_moved(event, other, dir);
	}
	if (facts->new_address)
		esptrack_policy_close(&opened);

	if (esptrack_endpoint_equal(&sa->flow.src, to))
		esptrack_peer_moved_itself(sa);
	return true;
}

static bool may_report(struct esptrack_sa *sa,
		       const struct esptrack_facts *facts)
	__must_hold(&esptrack_lock)
{
	if (esptrack_may_report(facts, &sa->history))
		return true;

	esptrack_stats_count(sa->flow.net, ESPTRACK_STAT_UNREPORTED);
	return false;
}

static bool packet_refused(struct esptrack_sa *sa,
			   const struct esptrack_facts *facts,
			   struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	event->cmd = ESPTRACK_CMD_SA_REFUSED_NTF;
	atomic64_inc(&sa->refused);
	esptrack_stats_count(sa->flow.net, ESPTRACK_STAT_REFUSED + event->reason);
	log_packet(sa, event, facts, ESPTRACK_KIND_REFUSED);
	return may_report(sa, facts);
}

static bool packet_moved(struct esptrack_sa *sa, const struct move *move,
			 const struct esptrack_facts *facts,
			 struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	event->cmd = ESPTRACK_CMD_SA_MOVED_NTF;
	if (!move_flow(sa, move, facts, event)) {
		event->reason = ESPTRACK_REASON_NO_MEMORY;
		return packet_refused(sa, facts, event);
	}
	if (!event->moved)
		return false;

	esptrack_stats_count(sa->flow.net, ESPTRACK_STAT_MOVED);
	return true;
}

static bool packet_seen(struct esptrack_sa *sa,
			const struct esptrack_facts *facts,
			struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	event->cmd = ESPTRACK_CMD_SA_SEEN_NTF;
	esptrack_stats_count(sa->flow.net, ESPTRACK_STAT_SEEN);
	log_packet(sa, event, facts, ESPTRACK_KIND_SEEN);
	if (!may_report(sa, facts))
		return false;
	sa->seen = event->new;
	WRITE_ONCE(sa->barred_by, 0);
	return true;
}

/* A rule about the SA itself, which each of its packets breaks. */
static bool is_lasting(enum esptrack_reason reason)
{
	return reason == ESPTRACK_REASON_NO_INTEGRITY ||
	       reason == ESPTRACK_REASON_NO_REPLAY ||
	       reason == ESPTRACK_REASON_ANY_PORT;
}

/* What was decided holds for a while. */
static void bar_source(struct esptrack_sa *sa,
		       const struct esptrack_packet *packet,
		       enum esptrack_reason reason)
	__must_hold(&esptrack_lock)
{
	bool brief = sa->static_nat && !is_lasting(reason);

	sa->seen = packet->source;
	WRITE_ONCE(sa->barred_by, reason);
	WRITE_ONCE(sa->barred_until, jiffies + (brief ? BARRED : BARRED_OFF));
}

/* Returns whether there is anything to report. */
static bool judge_packet(struct esptrack_sa *sa,
			 const struct esptrack_packet *packet,
			 struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	struct esptrack_facts facts;
	struct move move;

	event->old = sa->flow.src;
	event->new = packet->source;
	event->esp_seq = packet->seq;

	gather_facts(sa, packet, &facts, &move);
	switch (esptrack_judge(&facts, &sa->history, &event->reason)) {
	case ESPTRACK_MOVE:
		return packet_moved(sa, &move, &facts, event);
	case ESPTRACK_OBSERVE:
		return packet_seen(sa, &facts, event);
	case ESPTRACK_REFUSE:
		if (is_lasting(event->reason) ||
		    esptrack_is_due(&facts, &sa->history))
			bar_source(sa, packet, event->reason);
		return packet_refused(sa, &facts, event);
	}
	return false;
}

/* Was there a look at the source, or at one that broke a rule which it breaks as
 * well? Those about the flow are the same for all addresses, or nearly; and a peer
 * who comes from one after the other shall not have a look for each packet.
 */
static bool was_looked_at(const struct esptrack_sa *sa,
			  const struct esptrack_packet *packet,
			  enum esptrack_reason reason)
{
	/* They may be written at the same time: at worst there is one look too
	 * many, or one too few of those that are throttled anyway.
	 */
	return data_race(esptrack_endpoint_equal(&sa->seen, &packet->source) ||
			 (reason &&
			  !xfrm_addr_equal(&sa->flow.src.addr,
					   &packet->source.addr,
					   packet->source.family)));
}

/* Nothing has changed since a packet from there was looked at, and no lock is
 * needed to say so: else the packets of a peer who is not followed would meet at
 * the one lock.
 */
static bool is_old_news(struct esptrack_sa *sa,
			const struct esptrack_packet *packet)
{
	const enum esptrack_reason reason = READ_ONCE(sa->barred_by);
	struct esptrack_net *tn = sa->flow.net;

	if (!was_looked_at(sa, packet, reason))
		return false;
	/* What would be done for it, and is not, does not change by itself; but
	 * why not, does.
	 */
	if ((reason || READ_ONCE(sa->static_nat)) &&
	    !time_before(jiffies, READ_ONCE(sa->barred_until)))
		return false;
	if (reason) {
		esptrack_stats_count(tn, ESPTRACK_STAT_REFUSED + reason);
		atomic64_inc(&sa->refused);
	} else {
		esptrack_stats_count(tn, ESPTRACK_STAT_SEEN);
	}
	esptrack_stats_count(tn, ESPTRACK_STAT_UNREPORTED);
	return true;
}

static void flow_accepted(struct esptrack_sa *sa, const struct xfrm_state *x,
			  const struct esptrack_packet *packet,
			  struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	/* Since it was found it may have been let go, or have got another
	 * xfrm_state.
	 */
	if (sa->x != x || hlist_unhashed(&sa->by_flow) ||
	    esptrack_sa_is_dead(sa))
		return;

	/* Somebody may have written to the SA, or another packet moved it,
	 * since the hook compared.
	 */
	esptrack_index_update(sa);
	if (esptrack_endpoint_equal(&sa->flow.src, &packet->source))
		return;
	if (judge_packet(sa, packet, event))
		esptrack_event_post(sa, event);
	sa->astray++;
}

static void flow_announce(const struct esptrack_event *event)
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
	struct esptrack_sa *sa;

	rcu_read_lock();
	sa = esptrack_index_of_state(x);
	if (!sa)
		goto out;
	esptrack_stats_count(sa->flow.net, ESPTRACK_STAT_ELSEWHERE);
	if (is_old_news(sa, packet))
		goto out;

	event.moved = 0;
	spin_lock_bh(&esptrack_lock);
	flow_accepted(sa, x, packet, &event);
	spin_unlock_bh(&esptrack_lock);
	flow_announce(&event);
out:
	rcu_read_unlock();
}
