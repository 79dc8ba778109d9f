// SPDX-License-Identifier: GPL-2.0
/*
 * The flow: all SAs on one NAT mapping. A mapping is one peer, so when one of
 * his SAs proves that it changed, all of them move.
 */
#include "flow.h"

#include <linux/ktime.h>

#include "event.h"
#include "hook.h"
#include "net.h"
#include "sa.h"

/* The highest sequence number that the SA has accepted. */
static u64 replay_newest(const struct xfrm_state *x)
	__must_hold(&x->lock)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;

	lockdep_assert_held(&x->lock);

	switch (x->repl_mode) {
	case XFRM_REPLAY_MODE_LEGACY:
		return x->replay.seq;
	case XFRM_REPLAY_MODE_BMP:
		return esn->seq;
	case XFRM_REPLAY_MODE_ESN:
		return (u64)esn->seq_hi << 32 | esn->seq;
	}
	return U64_MAX;
}

static bool has_replay_window(const struct xfrm_state *x)
{
	return x->replay_esn ? x->replay_esn->replay_window :
			       x->props.replay_window;
}

static bool has_integrity(const struct xfrm_state *x)
{
	if (x->aead)
		return true;
	return x->aalg && x->aalg->alg_trunc_len &&
	       strcmp(x->aalg->alg_name, "digest_null");
}

static void gather(const struct esptrack_sa *sa,
		   const struct esptrack_packet *packet,
		   struct esptrack_facts *facts)
{
	struct xfrm_state *x = sa->x;

	facts->seq = packet->seq;
	facts->now = ktime_get_boottime_ns();
	facts->advanced = packet->advanced;
	facts->integrity = has_integrity(x);
	facts->replay_window = has_replay_window(x);
	facts->source_valid = esptrack_endpoint_is_peer(xs_net(x),
							&packet->source);
	facts->same_address = xfrm_addr_equal(&packet->source.addr,
					      &sa->flow.src.addr, x->props.family);
	facts->offloaded = x->xso.dev;
	facts->any_port = !sa->flow.src.port || !sa->flow.dst.port;
	facts->static_nat = sa->static_nat;

	spin_lock_bh(&x->lock);
	facts->newest = replay_newest(x);
	spin_unlock_bh(&x->lock);
}

/* As xfrm_state_update() does it: output reads the ports under x->lock. */
static bool set_port(struct xfrm_state *x, u8 dir, __be16 port)
{
	bool alive;

	spin_lock_bh(&x->lock);
	alive = x->km.state == XFRM_STATE_VALID;
	if (alive && dir == ESPTRACK_DIR_IN)
		WRITE_ONCE(x->encap->encap_sport, port);
	else if (alive)
		WRITE_ONCE(x->encap->encap_dport, port);
	spin_unlock_bh(&x->lock);

	return alive;
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

/* Every SA of the flow is written to before it is indexed anew, so that the
 * chain that is walked never changes but behind us: a moved SA may land in it
 * again, at its head.
 */
static void move_flow(struct esptrack_sa *sa,
		      const struct esptrack_endpoint *to,
		      struct esptrack_event *event)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_flow from = sa->flow;
	struct esptrack_sa *other;
	struct hlist_node *next;

	hlist_for_each_entry_safe(other, next, esptrack_flow_chain(&from),
				  by_flow) {
		u8 dir = esptrack_flow_relation(&from, &other->flow);

		if (!dir || !set_port(other->x, dir, to->port))
			continue;
		esptrack_sa_reindex(other);
		other->moves++;
		memset(&other->seen, 0, sizeof(other->seen));
		member_moved(event, other, dir);
	}
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

	gather(sa, packet, &facts);
	switch (esptrack_judge(&facts, &sa->history, &event->reason)) {
	case ESPTRACK_MOVE:
		event->cmd = ESPTRACK_CMD_SA_MOVED_NTF;
		move_flow(sa, &packet->source, event);
		return true;
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
	struct esptrack_event event = {};
	struct esptrack_net *tn = NULL;
	struct esptrack_sa *sa;

	rcu_read_lock();
	spin_lock_bh(&esptrack_lock);
	sa = esptrack_sa_of_state(x);
	if (!sa)
		goto unlock;

	/* Somebody may have written to the SA, or another packet moved it,
	 * since the hook compared.
	 */
	esptrack_sa_reindex(sa);
	if (!esptrack_endpoint_equal(&sa->flow.src, &packet->source) &&
	    judge(sa, packet, &event)) {
		tn = sa->flow.net;
		esptrack_sa_inform(sa, &event.sa);
	}
unlock:
	spin_unlock_bh(&esptrack_lock);

	if (tn)
		esptrack_event_send(tn, &event);
	rcu_read_unlock();
}
