// SPDX-License-Identifier: GPL-2.0
/*
 * The SAs that we know of: from when we hear of one until it is let go.
 */
#include "sa.h"

#include <linux/slab.h>

#include "claim.h"
#include "compat.h"
#include "conf.h"
#include "hook.h"
#include "index.h"
#include "km.h"
#include "log.h"
#include "net.h"
#include "peer.h"
#include "policy.h"
#include "reqid.h"
#include "siblings.h"
#include "switches.h"

DEFINE_SPINLOCK(esptrack_lock);

static struct kmem_cache *sa_cache;

static void id_of(const struct xfrm_state *x, struct esptrack_sa_id *id)
{
	id->daddr = x->id.daddr;
	id->spi = x->id.spi;
	/* As the SAD keeps it, where a daemon has given more. */
	id->mark.v = x->mark.v & x->mark.m;
	id->mark.m = x->mark.m;
	id->family = x->props.family;
}

/* 6.1 has no direction in the SA, and daemons need not give it later on. With
 * both ends here there is no peer who could move.
 */
static u8 sa_dir(const struct esptrack_sa *sa)
{
	struct net *net = xs_net(sa->x);
	u8 dir = esptrack_xfrm_dir(sa->x);

	if (dir)
		return dir;
	if (esptrack_endpoint_is_local(net, &sa->flow.src))
		return ESPTRACK_DIR_OUT;
	if (esptrack_endpoint_is_local(net, &sa->flow.dst))
		return ESPTRACK_DIR_IN;
	return 0;
}

static void sa_attach(struct esptrack_sa *sa)
{
	int err = esptrack_hook_attach(sa->x);

	if (err) {
		net_warn_ratelimited("SA 0x%08x cannot be followed: %d\n",
				     ntohl(sa->x->id.spi), err);
		return;
	}
	sa->hooked = true;
	if (esptrack_claim_needed(sa->x)) {
		esptrack_claim_get(sa->x->props.family);
		sa->claims = true;
	}
}

static void sa_detach(struct esptrack_sa *sa)
{
	if (sa->hooked)
		esptrack_hook_detach(sa->x);
	if (sa->claims)
		esptrack_claim_release(sa->x->props.family);
	sa->claims = false;
	sa->hooked = false;
}

/**
 * esptrack_sa_settle() - find out the direction of an SA, and hook it
 * @sa: the SA
 *
 * Neither of its addresses need be ours when an SA is added: the address may
 * come up later. So this is tried until it is known: each second at first, then
 * as often as all SAs are looked at.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_sa_settle(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	if (!sa->dir) {
		sa->dir = sa_dir(sa);
		if (sa->dir == ESPTRACK_DIR_IN)
			esptrack_net_publish(sa);
	}
	if (sa->dir == ESPTRACK_DIR_IN && !sa->hooked)
		sa_attach(sa);
}

/**
 * esptrack_sa_newest() - the highest sequence number that an SA has accepted
 * @x: the SA, with a replay window
 *
 * Context: any, esptrack_lock held, x->lock not.
 */
u64 esptrack_sa_newest(struct xfrm_state *x)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;
	u64 newest = U64_MAX;

	lockdep_assert_held(&esptrack_lock);

	spin_lock(&x->lock);
	switch (x->repl_mode) {
	case XFRM_REPLAY_MODE_LEGACY:
		newest = x->replay.seq;
		break;
	case XFRM_REPLAY_MODE_BMP:
		newest = esn->seq;
		break;
	case XFRM_REPLAY_MODE_ESN:
		newest = (u64)esn->seq_hi << 32 | esn->seq;
		break;
	}
	spin_unlock(&x->lock);

	return newest;
}

/**
 * esptrack_sa_packets() - how many packets an SA has accepted
 * @sa: an inbound SA
 *
 * The kernel counts them under x->lock. A value that is one behind does no
 * harm.
 *
 * Context: any, esptrack_lock held.
 */
u64 esptrack_sa_packets(const struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	return sa->packets + READ_ONCE(sa->x->curlft.packets);
}

/**
 * esptrack_sa_add_forged() - add up the packets that an SA has found forged
 * @sa: any SA; an outbound one finds none
 *
 * The kernel counts them in 32 bits, so what has come since the last time is to
 * be added now and then, as all SAs of a namespace are looked at.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_sa_add_forged(struct esptrack_sa *sa)
{
	u32 failed;

	lockdep_assert_held(&esptrack_lock);

	failed = READ_ONCE(sa->x->stats.integrity_failed);
	sa->flow.net->forged += failed - sa->failed;
	sa->failed = failed;
}

/* Behind a name there may be anything. */
static bool same_aead(const struct xfrm_algo_aead *a,
		      const struct xfrm_algo_aead *b)
{
	if (!a || !b)
		return a == b;
	return !strcmp(a->alg_name, b->alg_name) &&
	       a->alg_icv_len == b->alg_icv_len &&
	       a->alg_key_len == b->alg_key_len &&
	       !memcmp(a->alg_key, b->alg_key, DIV_ROUND_UP(a->alg_key_len, 8));
}

static bool same_auth(const struct xfrm_algo_auth *a,
		      const struct xfrm_algo_auth *b)
{
	if (!a || !b)
		return a == b;
	return !strcmp(a->alg_name, b->alg_name) &&
	       a->alg_trunc_len == b->alg_trunc_len &&
	       a->alg_key_len == b->alg_key_len &&
	       !memcmp(a->alg_key, b->alg_key, DIV_ROUND_UP(a->alg_key_len, 8));
}

static bool same_keys(const struct xfrm_state *a, const struct xfrm_state *b)
{
	return same_aead(a->aead, b->aead) && same_auth(a->aalg, b->aalg);
}

/* The daemon has deleted the SA and added it again, as strongSwan does after
 * a mapping change. To the operator it is the same one. With the same keys old
 * packets are still good, and the daemon may have copied the replay window
 * before the last of them: whatever the old SA had accepted stays old. With
 * new keys sequence numbers start anew.
 *
 * Returns whether the SA was moved at once.
 */
static bool take_over(struct esptrack_sa *sa, struct xfrm_state *x)
{
	const struct esptrack_flow origin = sa->origin;
	const struct esptrack_flow was = sa->flow;
	struct xfrm_state *old = sa->x;
	u32 reqid = old->props.reqid;
	u64 packets, carried;
	bool moved;

	sa_detach(sa);
	if (same_keys(old, x))
		sa->history.floor = max(sa->history.floor,
					esptrack_sa_newest(old));
	else
		sa->history.floor = 0;

	/* A daemon may give the new one the counter of the old. */
	packets = READ_ONCE(old->curlft.packets);
	carried = READ_ONCE(x->curlft.packets);
	sa->packets += packets - min(packets, carried);
	sa->astray += carried - packets;
	esptrack_sa_add_forged(sa);
	sa->failed = 0;
	xfrm_state_hold(x);
	esptrack_index_replace(sa, x);
	WRITE_ONCE(sa->gone, 0);
	sa->origin = sa->flow;
	sa->renamed = false;
	sa->idle_since = 0;
	esptrack_sa_forget_seen(sa);
	esptrack_sa_settle(sa);
	xfrm_state_put(old);
	if (reqid != x->props.reqid)
		esptrack_reqid_apply(sa);
	moved = esptrack_siblings_return(sa, &was, &origin);
	esptrack_switches_share(sa);
	return moved;
}

/* Without esptrack_lock, as the page allocator may have much to do. */
static struct esptrack_sa *sa_alloc(struct esptrack_net *tn)
{
	struct esptrack_sa *sa = kmem_cache_zalloc(sa_cache, GFP_ATOMIC);

	if (sa && esptrack_net_reserve(tn, sa)) {
		kmem_cache_free(sa_cache, sa);
		return NULL;
	}
	return sa;
}

static void sa_discard(struct esptrack_net *tn, struct esptrack_sa *sa)
{
	esptrack_net_unreserve(tn, sa);
	kmem_cache_free(sa_cache, sa);
}

/* Returns whether the SA was moved at once. */
static bool sa_add(struct esptrack_net *tn, struct esptrack_sa *sa,
		   struct xfrm_state *x)
{
	bool moved;

	esptrack_net_add(tn, sa);
	xfrm_state_hold(x);
	sa->x = x;
	INIT_LIST_HEAD(&sa->unpublished);
	INIT_LIST_HEAD(&sa->readdressed);
	esptrack_index_add(sa);
	esptrack_peer_assign(sa);
	sa->origin = sa->flow;
	esptrack_sa_settle(sa);
	if (!sa->dir)
		esptrack_net_sweep_soon(tn);
	/* What was set for a sibling counts more, as it is newer. */
	esptrack_conf_apply(sa);
	esptrack_reqid_apply(sa);
	moved = esptrack_siblings_inherit(sa);
	esptrack_switches_share(sa);
	return moved;
}

/* An SA that is where its daemon has put it, and all others with its reqid as
 * well, can only use policies that name that place.
 */
static void fit_policies(const struct xfrm_state *x)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *sa = esptrack_index_of_state(x);

	if (sa && sa->dir == ESPTRACK_DIR_IN && esptrack_siblings_are_together(sa))
		esptrack_policy_return(sa);
}

/* The kernel takes an SA without SPI, but no packet can name it. */
static bool is_trackable(const struct xfrm_state *x)
{
	return x->id.proto == IPPROTO_ESP && x->id.spi && x->encap &&
	       x->encap->encap_type == UDP_ENCAP_ESPINUDP &&
	       (x->props.family == AF_INET || x->props.family == AF_INET6) &&
	       READ_ONCE(x->km.state) == XFRM_STATE_VALID;
}

static bool is_tracked(const struct xfrm_state *x)
{
	bool ret;

	rcu_read_lock();
	ret = esptrack_index_of_state(x);
	rcu_read_unlock();

	return ret;
}

/**
 * esptrack_sa_track() - get to know an SA, or what has changed about it
 * @x: any SA, held by the caller
 *
 * SAs that are not ESP in UDP are left alone.
 *
 * Context: process or softirq, x->lock not held.
 */
void esptrack_sa_track(struct xfrm_state *x)
{
	struct esptrack_net *tn = esptrack_net(xs_net(x));
	struct esptrack_sa *sa, *spare = NULL;
	bool moved = false, known;
	struct esptrack_sa_id id;

	if (!is_trackable(x))
		return;
	id_of(x, &id);
	known = is_tracked(x);
	if (!known)
		spare = sa_alloc(tn);

	spin_lock_bh(&esptrack_lock);
	if (esptrack_net_is_dying(tn))
		goto out;

	sa = esptrack_index_of_state(x);
	if (sa) {
		esptrack_index_update(sa);
		goto out;
	}

	sa = esptrack_index_find(xs_net(x), &id);
	if (sa && esptrack_sa_is_dead(sa)) {
		moved = take_over(sa, x);
	} else if (!sa && spare) {
		moved = sa_add(tn, spare, x);
		spare = NULL;
	} else if (!sa && !known) {
		net_warn_ratelimited("no memory, SA 0x%08x is not tracked yet\n",
				     ntohl(x->id.spi));
		esptrack_net_missed(tn);
	}
	if (!moved)
		fit_policies(x);
out:
	spin_unlock_bh(&esptrack_lock);

	if (spare)
		sa_discard(tn, spare);
	/* Others were told of the SA as the daemon gave it. */
	if (moved)
		esptrack_km_announce(x);
}

/* An outbound SA whose daemon says once more where it had put it does not lead to the
 * peer any more, and no packet of his would tell.
 */
static void led_back(struct esptrack_sa *sa, struct xfrm_state *x)
	__must_hold(&esptrack_lock)
{
	struct esptrack_flow given = sa->origin;

	esptrack_flow_set_ends(&given, x);
	if (sa->dir == ESPTRACK_DIR_OUT && esptrack_peer_has_moved(sa) &&
	    esptrack_ends_relation(&given, &sa->origin)) {
		sa->stray = true;
		esptrack_net_sweep_soon(sa->flow.net);
	}
	sa->origin = given;
}

/**
 * esptrack_sa_changed() - an SA was changed in place
 * @x: looks like the SA, but need not be it
 *
 * Context: process or softirq, x->lock not held.
 */
void esptrack_sa_changed(struct xfrm_state *x)
{
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;

	id_of(x, &id);
	spin_lock_bh(&esptrack_lock);
	sa = esptrack_index_find(xs_net(x), &id);
	if (sa) {
		/* It has what the daemon gave, the SA what came of it. */
		if (x->encap)
			led_back(sa, x);
		esptrack_index_update(sa);
	}
	spin_unlock_bh(&esptrack_lock);
}

/**
 * esptrack_sa_is_dead() - was the SA deleted?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_sa_is_dead(const struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	return READ_ONCE(sa->x->km.state) != XFRM_STATE_VALID;
}

/**
 * esptrack_sa_died() - note the time of an SA's death
 * @x: the SA, held by the caller
 *
 * Should it be missed, where a daemon makes the SA anew at the same time, the
 * sweep finds it.
 *
 * Context: any; x->lock may be held, so esptrack_lock is not taken.
 */
void esptrack_sa_died(const struct xfrm_state *x)
{
	struct esptrack_sa *sa;

	rcu_read_lock();
	sa = esptrack_index_of_state(x);
	if (sa) {
		WRITE_ONCE(sa->gone, jiffies ?: 1);
		esptrack_net_sweep_soon(sa->flow.net);
	}
	rcu_read_unlock();
}

/**
 * esptrack_sa_unlink() - stop to track an SA
 * @sa: the SA; only esptrack_net.sas still has it afterwards
 *
 * Context: process, esptrack_lock held.
 */
void esptrack_sa_unlink(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	if (sa->dir == ESPTRACK_DIR_IN) {
		sa->flow.net->packets += esptrack_sa_packets(sa);
		esptrack_sa_add_forged(sa);
	}
	sa_detach(sa);
	list_del_init(&sa->unpublished);
	list_del_init(&sa->readdressed);
	esptrack_index_del(sa);
}

static void sa_free_rcu(struct rcu_head *rcu)
{
	struct esptrack_sa *sa = container_of(rcu, struct esptrack_sa, rcu);

	esptrack_log_free(sa);
	kmem_cache_free(sa_cache, sa);
}

/**
 * esptrack_sa_free() - let an SA go
 * @sa: has been unlinked, and has no knob any more
 */
void esptrack_sa_free(struct esptrack_sa *sa)
{
	xfrm_state_put(sa->x);
	if (sa->spent)
		xfrm_state_put(sa->spent);
	/* Not kfree_rcu(): rcu_barrier() does not wait for that on 6.1. */
	call_rcu(&sa->rcu, sa_free_rcu);
}

/**
 * esptrack_sa_inform() - take down what userspace is told of an SA
 * @sa: an inbound SA
 * @info: to fill in
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_sa_inform(const struct esptrack_sa *sa,
			struct esptrack_sa_info *info)
{
	const struct xfrm_state *x = sa->x;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	info->spi = x->id.spi;
	info->local = sa->flow.dst;
	info->remote = sa->flow.src;
	info->reqid = x->props.reqid;
	info->mark = x->mark;
	info->if_id = x->if_id;
	info->mode = x->props.mode;
	info->static_nat = sa->static_nat;
	info->port_only = sa->port_only;
	info->moves = sa->moves;
	info->refused = atomic64_read(&sa->refused);

	info->n_outbound = 0;
	hlist_for_each_entry(other, esptrack_index_flow(&sa->flow), by_flow) {
		if (esptrack_flow_relation(&sa->flow, &other->flow) !=
		    ESPTRACK_DIR_OUT || esptrack_sa_is_dead(other))
			continue;
		if (info->n_outbound == ESPTRACK_OUTBOUND_MAX)
			break;
		info->outbound[info->n_outbound++] = other->x->id.spi;
	}
}

int esptrack_sa_init(void)
{
	int err = esptrack_index_init();

	if (err)
		return err;

	sa_cache = KMEM_CACHE(esptrack_sa, 0);
	if (!sa_cache) {
		esptrack_index_uninit();
		return -ENOMEM;
	}
	return 0;
}

void esptrack_sa_uninit(void)
{
	rcu_barrier();
	kmem_cache_destroy(sa_cache);
	esptrack_index_uninit();
}
