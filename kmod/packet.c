// SPDX-License-Identifier: GPL-2.0
/*
 * A packet from elsewhere that its SA has accepted: the facts that the rules need,
 * and what becomes of their verdict.
 */
#include "packet.h"

#include <crypto/aead.h>
#include <linux/ktime.h>

#include "event.h"
#include "flow.h"
#include "index.h"
#include "km.h"
#include "log.h"
#include "net.h"
#include "peer.h"
#include "rules.h"
#include "sa.h"
#include "stats.h"

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
			 struct esptrack_move *move,
			 struct esptrack_facts *facts)
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

	if (esptrack_peer_contradicts(sa, &packet->source,
				      accepted_before(sa, packet)) &&
	    !esptrack_judge_packet(facts, &sa->history))
		esptrack_peer_split(sa);
	if (esptrack_is_due(facts, &sa->history))
		esptrack_flow_facts(move, packet, facts);
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
	esptrack_log_add(sa, event, facts->now, ESPTRACK_KIND_REFUSED);
	return may_report(sa, facts);
}

static bool packet_moved(struct esptrack_sa *sa,
			 const struct esptrack_move *move,
			 const struct esptrack_facts *facts,
			 struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	event->cmd = ESPTRACK_CMD_SA_MOVED_NTF;
	if (!esptrack_flow_move(move, facts, event)) {
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
	esptrack_log_add(sa, event, facts->now, ESPTRACK_KIND_SEEN);
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
	struct esptrack_move move = { .by = sa };

	event->old = sa->flow.src;
	event->new = packet->source;
	event->esp_seq = packet->seq;

	gather_facts(sa, packet, &move, &facts);
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

static bool has_address(const struct esptrack_endpoint *endpoint,
			const struct esptrack_sa *sa)
{
	return xfrm_addr_equal(&endpoint->addr, &sa->flow.src.addr,
			       endpoint->family);
}

/* Was there a look at the source, or at one that broke a rule which it breaks as
 * well? What a new address has broken all of them do, or nearly, and what a new port
 * alone has, every source: a peer who comes from one after the other shall not have a
 * look for each packet.
 */
static bool was_looked_at(const struct esptrack_sa *sa,
			  const struct esptrack_packet *packet,
			  enum esptrack_reason reason)
{
	/* They may be written at the same time: at worst there is one look too
	 * many, or one too few of those that are throttled anyway.
	 */
	return data_race(esptrack_endpoint_equal(&sa->seen, &packet->source) ||
			 (reason && (has_address(&sa->seen, sa) ||
				     !has_address(&packet->source, sa))));
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

static void packet_accepted(struct esptrack_sa *sa, const struct xfrm_state *x,
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
	/* Part of the flow would stay, while the module is loaded or unloaded, and
	 * nobody would know later that it belongs to the rest.
	 */
	if (!sa->flow.net->complete)
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

static void announce_moves(const struct esptrack_event *event)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, event->moved,
			      ESPTRACK_MEMBERS_MAX); i++) {
		esptrack_km_announce(event->members[i].x);
		xfrm_state_put(event->members[i].x);
	}
}

/**
 * esptrack_packet_accepted() - an SA has accepted a packet from elsewhere
 * @x: the SA, held by the caller
 * @packet: what the hook saw of it
 *
 * Moves the flow if the rules allow it, so that even a reply to this very
 * packet goes to the new endpoint.
 *
 * Context: softirq, RCU read side, no lock held.
 */
void esptrack_packet_accepted(struct xfrm_state *x,
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
	packet_accepted(sa, x, packet, &event);
	spin_unlock_bh(&esptrack_lock);
	announce_moves(&event);
out:
	rcu_read_unlock();
}
