// SPDX-License-Identifier: GPL-2.0
#include "rules.h"

static bool bucket_has(const struct esptrack_bucket *bucket, __u64 now,
		       __u64 interval, __u32 burst)
{
	/* The last one: the throttle was narrower before, and what it held
	 * back may go.
	 */
	return bucket->full_at <= now + (burst - 1) * interval ||
	       bucket->full_at > now + burst * interval;
}

static bool bucket_take(struct esptrack_bucket *bucket, __u64 now,
			__u64 interval, __u32 burst)
{
	__u64 full_at = bucket->full_at > now ? bucket->full_at : now;

	if (!bucket_has(bucket, now, interval, burst))
		return false;

	if (full_at > now + burst * interval)
		full_at = now + (burst - 1) * interval;
	bucket->full_at = full_at + interval;
	return true;
}

/* Newer than every packet accepted before, and than the one of the last move:
 * a packet that was held back, reordered or copied proves nothing about where
 * the peer is now (RFC 9146, section 6).
 */
static bool is_newest(const struct esptrack_facts *facts,
		      const struct esptrack_history *history)
{
	if (facts->seq <= history->floor || facts->left_lately)
		return false;
	if (facts->advanced)
		return facts->seq >= facts->newest;
	return facts->seq > facts->newest;
}

/**
 * esptrack_judge_packet() - the rules about a packet and its SA alone
 * @facts: the packet and its SA; nothing about the flow
 * @history: of the SA
 *
 * Context: as esptrack_judge().
 * Return: the rule that is broken, or 0.
 */
enum esptrack_reason
esptrack_judge_packet(const struct esptrack_facts *facts,
		      const struct esptrack_history *history)
{
	if (!facts->integrity)
		return ESPTRACK_REASON_NO_INTEGRITY;
	if (!facts->replay_window)
		return ESPTRACK_REASON_NO_REPLAY;
	if (!is_newest(facts, history))
		return ESPTRACK_REASON_STALE;
	if (!facts->source_valid)
		return ESPTRACK_REASON_SOURCE;
	if (facts->any_port)
		return ESPTRACK_REASON_ANY_PORT;
	return 0;
}

static enum esptrack_reason judge_flow(const struct esptrack_facts *facts)
{
	if (facts->crowded)
		return ESPTRACK_REASON_CROWDED;
	if (facts->offloaded)
		return ESPTRACK_REASON_OFFLOAD;
	if (!facts->new_address)
		return 0;
	if (facts->port_only)
		return ESPTRACK_REASON_ADDRESS;
	if (!facts->tunnel)
		return ESPTRACK_REASON_MODE;
	if (facts->shared_reqid)
		return ESPTRACK_REASON_SHARED_REQID;
	if (facts->collision)
		return ESPTRACK_REASON_COLLISION;
	return 0;
}

static __u64 move_interval(const struct esptrack_facts *facts)
{
	return facts->move_interval ?: ESPTRACK_THROTTLE_INTERVAL;
}

static __u32 move_burst(const struct esptrack_facts *facts)
{
	return facts->move_burst ?: ESPTRACK_THROTTLE_BURST;
}

/**
 * esptrack_is_due() - do the rules about the flow matter for a packet?
 * @facts: the packet and its SA; nothing about the flow
 * @history: of the SA
 *
 * To look at all SAs of a flow is not cheap. Where a packet can neither move
 * them nor be reported it is not done.
 *
 * Context: as esptrack_judge().
 */
bool esptrack_is_due(const struct esptrack_facts *facts,
		     const struct esptrack_history *history)
{
	return !esptrack_judge_packet(facts, history) &&
	       (facts->static_nat ?
		bucket_has(&history->moves, facts->now, move_interval(facts),
			   move_burst(facts)) :
		bucket_has(&history->reports, facts->now,
			   ESPTRACK_THROTTLE_INTERVAL,
			   ESPTRACK_THROTTLE_BURST));
}

/**
 * esptrack_judge() - may this packet move the endpoint?
 * @facts: the packet and its SA
 * @history: of the SA; updated when the verdict is %ESPTRACK_MOVE
 * @reason: set to the rule that is broken when it is %ESPTRACK_REFUSE
 *
 * The packet must have been accepted by the SA, and its source must differ
 * from the SA's endpoint. The rules hold the first two conditions of RFC 9146,
 * section 6 (verified, and newest), and RFC 7296, section 2.23: a host that is
 * itself behind a NAT does not follow, unless that NAT is known to be static.
 * The third condition of the former, that the new address can be shown to
 * receive, is not for ESP to check: it is IKE's.
 *
 * Context: any; the caller serialises calls for one history.
 * Return: the verdict.
 */
enum esptrack_verdict esptrack_judge(const struct esptrack_facts *facts,
				     struct esptrack_history *history,
				     enum esptrack_reason *reason)
{
	*reason = esptrack_judge_packet(facts, history);
	if (!*reason)
		*reason = judge_flow(facts);
	if (*reason)
		return ESPTRACK_REFUSE;

	if (!facts->static_nat)
		return ESPTRACK_OBSERVE;

	if (!bucket_take(&history->moves, facts->now,
			 move_interval(facts), move_burst(facts))) {
		*reason = ESPTRACK_REASON_THROTTLED;
		return ESPTRACK_REFUSE;
	}

	history->floor = facts->seq;
	return ESPTRACK_MOVE;
}

/**
 * esptrack_may_report() - is a report of a packet that moved nothing due?
 * @facts: the packet and its SA
 * @history: of the SA; a report that is allowed is accounted there
 *
 * Moves are always reported: they have a throttle of their own.
 *
 * Context: as esptrack_judge().
 * Return: true if the packet may be reported.
 */
bool esptrack_may_report(const struct esptrack_facts *facts,
			 struct esptrack_history *history)
{
	return bucket_take(&history->reports, facts->now,
			   ESPTRACK_THROTTLE_INTERVAL,
			   ESPTRACK_THROTTLE_BURST);
}
