/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_NET_H
#define ESPTRACK_NET_H

#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "conf.h"

struct esptrack_sa;
struct esptrack_stats;
struct xfrm_state;

enum { ESPTRACK_SWEEPING_SOON, ESPTRACK_MIGRATED, ESPTRACK_MISSED };

/**
 * struct esptrack_net - what we keep for a network namespace
 * @net: the namespace
 * @sas: all its SAs by &esptrack_sa.id, and places reserved for more; SAs come
 *	and go under esptrack_lock
 * @next_id: for the next of them; protected by the lock of @sas
 * @reqids: switches by reqid; written under @mutex
 * @policies: that we know of; protected by esptrack_lock
 * @readdressed: SAs that were moved to another address just now; protected by
 *	esptrack_lock
 * @unpublished: SAs that wait for their knob; protected by esptrack_lock
 * @dying: no SA may be added any more; written under esptrack_lock
 * @complete: all SAs and policies are known, so that flows can move as a whole; else
 *	packets move nothing; protected by esptrack_lock
 * @mutex: whoever holds it can rely on an SA that he found
 * @publish: makes knobs
 * @refresh: ends the moves of @readdressed
 * @sweep: finds SAs that died
 * @flags: %ESPTRACK_SWEEPING_SOON: @sweep runs after the grace time at the
 *	latest; %ESPTRACK_MIGRATED: even before that; %ESPTRACK_MISSED: there may
 *	be SAs and policies that we do not know, and @sweep looks for them
 * @conf: what holds for it; protected by esptrack_lock
 * @stats: its counters
 * @packets: that SAs had accepted which are let go; protected by esptrack_lock
 * @forged: packets that failed the integrity check of their SA, as far as they
 *	are added up; protected by esptrack_lock
 * @event_seq: number of the last event; protected by esptrack_lock
 * @events: messages that wait to be sent; added to under esptrack_lock
 * @deliver: sends them
 */
struct esptrack_net {
	struct net *net;
	struct xarray sas;
	u32 next_id;
	struct xarray reqids;
	struct list_head policies;
	struct list_head readdressed;
	struct list_head unpublished;
	bool dying;
	bool complete;
	struct mutex mutex;	/* serialises knobs, reqids, freeing of SAs */
	struct work_struct publish;
	struct delayed_work refresh;
	struct delayed_work sweep;
	unsigned long flags;
	struct esptrack_conf conf;
	struct esptrack_stats __percpu *stats;
	u64 packets;
	u64 forged;
	u64 event_seq;
	struct sk_buff_head events;
	struct work_struct deliver;
};

struct esptrack_net *esptrack_net(const struct net *net);
bool esptrack_net_is_dying(const struct esptrack_net *tn);
void esptrack_net_set_complete(struct esptrack_net *tn, bool complete);
int esptrack_net_reserve(struct esptrack_net *tn, struct esptrack_sa *sa);
void esptrack_net_unreserve(struct esptrack_net *tn,
			    const struct esptrack_sa *sa);
void esptrack_net_add(struct esptrack_net *tn, struct esptrack_sa *sa);
void esptrack_net_publish(struct esptrack_sa *sa);
void esptrack_net_readdressed(struct esptrack_sa *sa, struct xfrm_state *place);
void esptrack_net_deliver(struct esptrack_net *tn);
void esptrack_net_flushed(struct esptrack_net *tn, u8 proto);
void esptrack_net_sweep_soon(struct esptrack_net *tn);
void esptrack_net_missed(struct esptrack_net *tn);
void esptrack_net_migrated(struct esptrack_net *tn);
void esptrack_net_sweep_later(struct esptrack_net *tn);

int esptrack_net_init(void);
void esptrack_net_uninit(void);

#endif /* ESPTRACK_NET_H */
