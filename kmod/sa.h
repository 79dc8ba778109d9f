/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_SA_H
#define ESPTRACK_SA_H

#include <linux/spinlock.h>

#include "endpoint.h"
#include "rules.h"

struct esptrack_knob;
struct esptrack_log;
struct esptrack_net;

/* Protects the tracked SAs and their indexes. Outside of x->lock, which
 * EXPIRE and NEWAE notifications hold: nothing that runs under them may take
 * it. Not taken for packets that come from the endpoint, nor for any packet
 * that its SA has not accepted.
 */
extern spinlock_t esptrack_lock;

/**
 * struct esptrack_flow - where the packets of an SA go
 * @net: namespace
 * @peer: whose SA it is
 * @src: source end
 * @dst: destination end
 * @chain: of the index, see esptrack_index_flow()
 *
 * The opposite direction of the flow has the ends exchanged.
 *
 * A NAT may give one peer the mapping that another one had, while the SAs of
 * the latter still point there. So an SA belongs to the peer on whose flow it
 * was when we first met it, and the ends alone never make it another's.
 */
struct esptrack_flow {
	struct esptrack_net *net;
	u64 peer;
	struct esptrack_endpoint src;
	struct esptrack_endpoint dst;
	struct hlist_head *chain;
};

/**
 * struct esptrack_left - an endpoint that an SA has left
 * @endpoint: where it was
 * @at: when it left, as &esptrack_facts.now; if it did so several times within
 *	some seconds, the first time
 */
struct esptrack_left {
	struct esptrack_endpoint endpoint;
	u64 at;
};

/**
 * struct esptrack_sa - an ESP-in-UDP SA that we know of
 * @by_state: in the index by xfrm_state; read under RCU
 * @by_flow: in the index by @flow
 * @by_id: in the index by SPI
 * @by_reqid: in the index by reqid
 * @unpublished: in esptrack_net.unpublished while it waits for its knob
 * @readdressed: in esptrack_net.readdressed for a while after a move to another
 *	address
 * @readdressed_at: jiffies of that move
 * @rcu: frees it
 * @x: the SA in the kernel; held, and maybe dead already. An IKE daemon that
 *	deletes it and adds it again gives it another xfrm_state
 * @id: in esptrack_net.sas
 * @gone: jiffies when @x was found dead, never 0 then; 0 while it lives.
 *	Written without the lock
 * @flow: as @x has it; the namespace is valid as long as the SA is linked
 * @origin: as the daemon gave it, and may give it again to a rekeyed SA
 * @dir: &enum esptrack_dir, 0: neither address is ours (yet)
 * @static_nat: the knob
 * @port_only: the other knob: addresses are not followed
 * @renamed: moved to another address at some time, so that its daemon may not
 *	find it, or have found it, by the one that it gave
 * @hooked: our transform is on @x
 * @claims: esptrack_claim_get() was called for @x
 * @parted: number of the first split of its peer, 0 if there was none: who is at
 *	its ends is not its peer for that, if he has another reqid
 * @reunited: of those who were split, some have met again
 * @apart: and were split once more, which is for good
 * @stray: it is to be moved to where the others of its peer are
 * @failed: x->stats.integrity_failed when it was last added up
 * @moves: how often it was moved
 * @refused: authenticated packets that broke a rule; counted without the lock
 * @history: for the rules
 * @place: placeholder of @x in the middle of a move
 * @spent: that of the last move, to be freed later
 * @joined: when its reqid came to its peer; greater if later
 * @home: where the SA was heard last before others of the flow moved it
 * @left: where it was before the last of them did
 * @left_by: reqid of that one; 0 if it has none, or if the SA has moved the flow itself
 *	since; its own once it was parted from that one
 * @astray: packets that it had accepted when it left @home, and those from
 *	elsewhere since that were looked at: no fewer than all of them, if nothing
 *	was heard from its endpoint since
 * @idle_packets: packets that the SA had sent at @idle_since
 * @idle_since: jiffies, 0: not known yet; for outbound SAs
 * @seen: the last source that was reported while static_nat is off, or that a
 *	rule about the flow or the SA has refused; read without the lock
 * @barred_until: jiffies until which @seen, and what breaks the rule as well, is
 *	refused for the same reason; read without the lock
 * @barred_by: that reason, 0 if @seen was only reported; read without the lock
 * @visit: number of the look at all SAs of a flow that has met it last
 * @packets: that SAs had accepted which were made anew as this one
 * @log: what came of its last packets from elsewhere; NULL if none did
 * @knob: its directory in sysfs; written under esptrack_net.mutex
 *
 * All but @gone, @refused and @knob is protected by esptrack_lock. Without it are read,
 * too: @x, @static_nat, @flow, of which a packet takes what it finds, and what is said of
 * @seen.
 *
 * There is one for each SA, so it is ordered to waste little.
 */
struct esptrack_sa {
	struct hlist_node by_state;
	struct hlist_node by_flow;
	struct hlist_node by_id;
	struct hlist_node by_reqid;
	struct list_head unpublished;
	struct list_head readdressed;
	unsigned long readdressed_at;
	struct rcu_head rcu;
	struct xfrm_state *x;
	unsigned long gone;
	struct esptrack_flow flow;
	struct esptrack_flow origin;
	u8 dir;
	bool static_nat;
	bool port_only;
	bool renamed:1;
	bool reunited:1;
	bool apart:1;
	bool hooked:1;
	bool claims:1;
	bool stray:1;
	u32 failed;
	u64 moves;
	atomic64_t refused;
	struct esptrack_history history;
	struct xfrm_state *place;
	struct xfrm_state *spent;
	u64 joined;
	struct esptrack_left home;
	struct esptrack_left left;
	u32 left_by;
	u32 parted;
	u32 id;
	u64 astray;
	u64 idle_packets;
	unsigned long idle_since;
	struct esptrack_endpoint seen;
	enum esptrack_reason barred_by;
	unsigned long barred_until;
	u64 visit;
	u64 packets;
	struct esptrack_log *log;
	struct esptrack_knob *knob;
};

/**
 * struct esptrack_sa_id - what tells an SA from others of its namespace
 * @daddr: destination address
 * @spi: SPI
 * @mark: lookup mark
 * @family: of @daddr
 *
 * The protocol is always ESP.
 */
struct esptrack_sa_id {
	xfrm_address_t daddr;
	__be32 spi;
	struct xfrm_mark mark;
	u16 family;
};

/* As many outbound SPIs are shown; a flow has one or two pairs as a rule. */
#define ESPTRACK_OUTBOUND_MAX	32

/**
 * struct esptrack_sa_info - an inbound SA at one moment, for userspace
 * @spi: SPI
 * @local: our end
 * @remote: the endpoint
 * @reqid: 0 if there is none
 * @mark: lookup mark
 * @if_id: xfrm interface, 0 if there is none
 * @mode: XFRM_MODE_*
 * @static_nat: the knob
 * @port_only: the other knob
 * @moves: how often it was moved
 * @refused: authenticated packets that broke a rule
 * @n_outbound: entries in @outbound
 * @outbound: SPIs of the outbound SAs on its flow
 */
struct esptrack_sa_info {
	__be32 spi;
	struct esptrack_endpoint local;
	struct esptrack_endpoint remote;
	u32 reqid;
	struct xfrm_mark mark;
	u32 if_id;
	u8 mode;
	bool static_nat;
	bool port_only;
	u64 moves;
	u64 refused;
	unsigned int n_outbound;
	__be32 outbound[ESPTRACK_OUTBOUND_MAX];
};

/* Let the next packet from elsewhere be looked at. */
static inline void esptrack_sa_forget_seen(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	memset(&sa->seen, 0, sizeof(sa->seen));
	WRITE_ONCE(sa->barred_by, 0);
}

void esptrack_sa_track(struct xfrm_state *x);
void esptrack_sa_changed(struct xfrm_state *x);
void esptrack_sa_settle(struct esptrack_sa *sa);
void esptrack_sa_unlink(struct esptrack_sa *sa);
void esptrack_sa_free(struct esptrack_sa *sa);
void esptrack_sa_died(const struct xfrm_state *x);
bool esptrack_sa_is_dead(const struct esptrack_sa *sa);

u64 esptrack_sa_newest(struct xfrm_state *x);
u64 esptrack_sa_packets(const struct esptrack_sa *sa);
void esptrack_sa_add_forged(struct esptrack_sa *sa);
void esptrack_sa_inform(const struct esptrack_sa *sa,
			struct esptrack_sa_info *info);

int esptrack_sa_init(void);
void esptrack_sa_uninit(void);

#endif /* ESPTRACK_SA_H */
