/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules: may this packet move the endpoint?
 *
 * Pure C, no kernel calls: the same source is compiled into the module and
 * into the unit test. What the rules need to know is handed to them as facts,
 * what they must remember is in the history of the SA.
 */
#ifndef ESPTRACK_RULES_H
#define ESPTRACK_RULES_H

#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <linux/types.h>
#include <linux/esptrack.h>

/* One a second, after a burst: enough for a peer that roams, and too little
 * for an attacker who races captured packets against the peer's own.
 */
#define ESPTRACK_THROTTLE_INTERVAL	1000000000ULL
#define ESPTRACK_THROTTLE_BURST		8

/**
 * struct esptrack_bucket - token bucket, by the time at which it will be full
 * @full_at: nanoseconds on the clock of esptrack_facts.now; 0 is a full bucket
 *
 * One number instead of tokens and a stamp: a bucket that holds N of its B
 * tokens is full in (B - N) intervals.
 */
struct esptrack_bucket {
	__u64 full_at;
};

/**
 * struct esptrack_history - what an SA's earlier packets left for the rules
 * @floor: ESP sequence number that a packet must exceed, whatever the replay
 *	window says: that of the last move, since the window advances only after
 *	it and two copies of a packet must not both count; and the newest one
 *	that an SA had accepted which was made anew
 * @moves: throttle of moves
 * @reports: throttle of reports of packets that moved nothing
 */
struct esptrack_history {
	__u64 floor;
	struct esptrack_bucket moves;
	struct esptrack_bucket reports;
};

/**
 * struct esptrack_facts - an accepted packet from another source, and its SA
 * @seq: ESP sequence number, with its high half if the SA has ESN
 * @newest: highest sequence number that the replay window has accepted
 * @now: nanoseconds on any clock that does not jump back
 * @advanced: @newest takes this packet into account already, as it does when
 *	asynchronous crypto has delivered it
 * @integrity: the SA has an integrity algorithm, and the packet passed it
 * @replay_window: the SA has a replay window
 * @source_valid: the source's port is not 0, and its address is unicast and not
 *	ours, if it is a new one
 * @left_lately: another SA of the flow has just proven that the peer is not
 *	at the source any more, and sequence numbers of two SAs do not compare
 * @new_address: not only the port differs
 * @port_only: the operator wants addresses not to be followed for an SA of the
 *	flow
 * @tunnel: all SAs of the flow are in a mode that has addresses of its own
 *	outside (tunnel, BEET, IP-TFS); in transport mode the address is that of the
 *	connection inside as well
 * @crowded: the SAs of the flow that would have to move are more, or have more
 *	policies, than can be moved in a softirq
 * @shared_reqid: SAs have a reqid of the flow that would stay where they are:
 *	another peer's, or because they are switched off
 * @collision: with the new address an SA of the flow would have another's key, or a
 *	policy that asks for nothing else would take it, or one that is there already
 * @offloaded: a device holds a copy of an SA of the flow
 * @any_port: a port of the SA's encapsulation, or its peer's address, is 0
 * @static_nat: the operator says that our own NAT is static
 * @move_interval: nanoseconds until the flow may be moved once more, 0: the
 *	default
 * @move_burst: how often it may be moved at once, 0: the default
 *
 * What is said of the flow (@port_only, @tunnel, @crowded, @shared_reqid,
 * @collision, @offloaded) need only be known where esptrack_is_due().
 */
struct esptrack_facts {
	__u64 seq;
	__u64 newest;
	__u64 now;
	bool advanced;
	bool integrity;
	bool replay_window;
	bool source_valid;
	bool left_lately;
	bool new_address;
	bool port_only;
	bool tunnel;
	bool crowded;
	bool shared_reqid;
	bool collision;
	bool offloaded;
	bool any_port;
	bool static_nat;
	__u64 move_interval;
	__u32 move_burst;
};

/**
 * enum esptrack_verdict - what to do about the packet's source
 * @ESPTRACK_MOVE: all SAs of the flow are to point to it
 * @ESPTRACK_OBSERVE: all rules hold, but static_nat is off
 * @ESPTRACK_REFUSE: a rule is broken
 */
enum esptrack_verdict {
	ESPTRACK_MOVE,
	ESPTRACK_OBSERVE,
	ESPTRACK_REFUSE,
};

enum esptrack_reason
esptrack_judge_packet(const struct esptrack_facts *facts,
		      const struct esptrack_history *history);
bool esptrack_is_due(const struct esptrack_facts *facts,
		     const struct esptrack_history *history);
enum esptrack_verdict esptrack_judge(const struct esptrack_facts *facts,
				     struct esptrack_history *history,
				     enum esptrack_reason *reason);
bool esptrack_may_report(const struct esptrack_facts *facts,
			 struct esptrack_history *history);

#endif /* ESPTRACK_RULES_H */
