// SPDX-License-Identifier: GPL-2.0
/*
 * The SAs that we know of, and their indexes.
 */
#include "sa.h"

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "claim.h"
#include "compat.h"
#include "hook.h"
#include "move.h"
#include "net.h"

DEFINE_SPINLOCK(esptrack_lock);

/* Fixed in size, so that linking cannot fail: a move must not lose an SA. At
 * 100,000 SAs there are six in a chain.
 */
#define INDEX_BITS	14
#define INDEX_SIZE	BIT(INDEX_BITS)

static struct hlist_head *by_state;
static struct hlist_head *by_flow;
static struct hlist_head *by_id;
static struct hlist_head *by_reqid;
static u32 hash_seed __read_mostly;
static u64 last_peer;

static struct kmem_cache *sa_cache;

static bool static_nat;
module_param(static_nat, bool, 0644);
MODULE_PARM_DESC(static_nat,
		 "follow the peers of SAs that appear from now on (default 0)");

static struct hlist_head *state_head(const struct xfrm_state *x)
{
	return &by_state[hash_ptr(x, INDEX_BITS)];
}

static struct hlist_head *id_head(__be32 spi)
{
	return &by_id[jhash_1word((__force u32)spi, hash_seed) &
		      (INDEX_SIZE - 1)];
}

static struct hlist_head *reqid_head(u32 reqid)
{
	return &by_reqid[jhash_1word(reqid, hash_seed) & (INDEX_SIZE - 1)];
}

static u32 endpoint_hash(const struct esptrack_endpoint *endpoint)
{
	return jhash2((const u32 *)endpoint, sizeof(*endpoint) / sizeof(u32),
		      hash_seed);
}

/**
 * esptrack_flow_chain() - the chain that holds all SAs of a flow, and others
 * @flow: either direction of it
 *
 * The sum makes both directions meet in one chain, so that we need not know
 * which of the ends is ours. Tell the SAs of the flow from others by
 * esptrack_flow_relation().
 */
struct hlist_head *esptrack_flow_chain(const struct esptrack_flow *flow)
{
	return &by_flow[(endpoint_hash(&flow->src) +
			 endpoint_hash(&flow->dst)) & (INDEX_SIZE - 1)];
}

static u8 ends_relation(const struct esptrack_flow *flow,
			const struct esptrack_flow *other)
{
	if (flow->net != other->net)
		return 0;
	if (esptrack_endpoint_equal(&flow->src, &other->src) &&
	    esptrack_endpoint_equal(&flow->dst, &other->dst))
		return ESPTRACK_DIR_IN;
	if (esptrack_endpoint_equal(&flow->src, &other->dst) &&
	    esptrack_endpoint_equal(&flow->dst, &other->src))
		return ESPTRACK_DIR_OUT;
	return 0;
}

/**
 * esptrack_flow_relation() - what the flow of an SA is to that of another
 * @flow: of an inbound SA
 * @other: of any SA
 *
 * Return: %ESPTRACK_DIR_IN if they are the same, %ESPTRACK_DIR_OUT if @other
 * is the opposite direction of @flow, and 0 if they are different flows.
 */
u8 esptrack_flow_relation(const struct esptrack_flow *flow,
			  const struct esptrack_flow *other)
{
	if (flow->peer != other->peer)
		return 0;
	return ends_relation(flow, other);
}

/**
 * esptrack_sa_of_state() - the tracked SA of an xfrm_state
 * @x: any SA
 *
 * Context: any, esptrack_lock or the RCU read lock held.
 * Return: the SA, or NULL. Not counted.
 */
struct esptrack_sa *esptrack_sa_of_state(const struct xfrm_state *x)
{
	struct esptrack_sa *sa;

	hlist_for_each_entry_rcu(sa, state_head(x), by_state,
				 lockdep_is_held(&esptrack_lock))
		if (READ_ONCE(sa->x) == x)
			return sa;

	return NULL;
}

static void id_of(const struct xfrm_state *x, struct esptrack_sa_id *id)
{
	id->daddr = x->id.daddr;
	id->spi = x->id.spi;
	id->mark = x->mark;
	id->family = x->props.family;
}

static bool has_id(const struct esptrack_sa *sa,
		   const struct esptrack_sa_id *id)
{
	const struct xfrm_state *x = sa->x;

	return x->id.spi == id->spi && x->props.family == id->family &&
	       x->mark.v == id->mark.v && x->mark.m == id->mark.m &&
	       xfrm_addr_equal(&x->id.daddr, &id->daddr, id->family);
}

/**
 * esptrack_sa_find() - the SA with an identity
 * @net: its namespace
 * @id: what to look for
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, which may be dead, or NULL.
 */
struct esptrack_sa *esptrack_sa_find(struct net *net,
				     const struct esptrack_sa_id *id)
{
	struct esptrack_net *tn = esptrack_net(net);
	struct esptrack_sa *sa;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(sa, id_head(id->spi), by_id)
		if (sa->flow.net == tn && has_id(sa, id))
			return sa;

	return NULL;
}

/**
 * esptrack_sa_reindex() - follow a change of an SA's ends
 * @sa: whose xfrm_state has been written to
 *
 * Context: any, esptrack_lock held, x->lock not.
 */
void esptrack_sa_reindex(struct esptrack_sa *sa)
{
	struct esptrack_flow flow = {
		.net = sa->flow.net,
		.peer = sa->flow.peer,
	};
	struct xfrm_state *x = sa->x;

	lockdep_assert_held(&esptrack_lock);

	spin_lock_bh(&x->lock);
	esptrack_endpoint_set(&flow.src, &x->props.saddr,
			      x->encap->encap_sport, x->props.family);
	esptrack_endpoint_set(&flow.dst, &x->id.daddr,
			      x->encap->encap_dport, x->props.family);
	spin_unlock_bh(&x->lock);

	if (!hlist_unhashed(&sa->by_flow)) {
		if (esptrack_flow_relation(&sa->flow, &flow) ==
		    ESPTRACK_DIR_IN)
			return;
		hlist_del_init(&sa->by_flow);
	}
	sa->flow = flow;
	hlist_add_head(&sa->by_flow, esptrack_flow_chain(&flow));
}

static bool has_moved(const struct esptrack_sa *sa)
{
	return !ends_relation(&sa->origin, &sa->flow);
}

/* Which peer a new SA belongs to: that of the flow on which it is. A rekeyed SA
 * is known by the reqid of its predecessor. Else it must be the only peer who
 * was installed there: one whom we have moved there has merely the mapping that
 * this one had, or has now.
 */
static u64 peer_of(const struct esptrack_sa *sa)
{
	const struct esptrack_sa *other;
	u64 peer = 0;

	hlist_for_each_entry(other, esptrack_flow_chain(&sa->flow), by_flow) {
		if (other == sa || !ends_relation(&sa->flow, &other->flow))
			continue;
		if (other->x->props.reqid &&
		    other->x->props.reqid == sa->x->props.reqid)
			return other->flow.peer;
		if (has_moved(other))
			continue;
		if (peer && peer != other->flow.peer)
			peer = U64_MAX;
		else
			peer = other->flow.peer;
	}
	return peer && peer != U64_MAX ? peer : ++last_peer;
}

/* 6.1 has no direction in the SA, and daemons need not give it later on. With
 * both ends here there is no peer who could move.
 */
static u8 direction(const struct esptrack_sa *sa)
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

static void attach(struct esptrack_sa *sa)
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

static void detach(struct esptrack_sa *sa)
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
 * come up later. So this is tried until it is known.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_sa_settle(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	if (!sa->dir) {
		sa->dir = direction(sa);
		if (sa->dir == ESPTRACK_DIR_IN)
			esptrack_net_publish(sa);
	}
	if (sa->dir == ESPTRACK_DIR_IN && !sa->hooked)
		attach(sa);
}

/**
 * esptrack_sa_newest() - the highest sequence number that an SA has accepted
 * @x: the SA, with a replay window
 *
 * Context: any, x->lock not held.
 */
u64 esptrack_sa_newest(struct xfrm_state *x)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;
	u64 newest = U64_MAX;

	spin_lock_bh(&x->lock);
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
	spin_unlock_bh(&x->lock);

	return newest;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
	return a && b ? !memcmp(a, b, size) : a == b;
}

static bool same_keys(const struct xfrm_state *a, const struct xfrm_state *b)
{
	return same_bytes(a->aead, b->aead,
			  a->aead ? aead_len(a->aead) : 0) &&
	       same_bytes(a->aalg, b->aalg,
			  a->aalg ? xfrm_alg_auth_len(a->aalg) : 0);
}

/* The daemon has deleted the SA and added it again, as strongSwan does after
 * a mapping change. To the operator it is the same one. With the same keys old
 * packets are still good, and the daemon may have copied the replay window
 * before the last of them: whatever the old SA had accepted stays old. With
 * new keys sequence numbers start anew.
 */
static void take_over(struct esptrack_sa *sa, struct xfrm_state *x)
{
	struct xfrm_state *old = sa->x;

	detach(sa);
	hlist_del_rcu(&sa->by_state);
	if (same_keys(old, x))
		sa->history.floor = max(sa->history.floor,
					esptrack_sa_newest(old));
	else
		sa->history.floor = 0;

	xfrm_state_hold(x);
	WRITE_ONCE(sa->x, x);
	WRITE_ONCE(sa->gone, 0);
	hlist_add_head_rcu(&sa->by_state, state_head(x));
	esptrack_sa_reindex(sa);
	sa->origin = sa->flow;
	sa->renamed = false;
	esptrack_sa_settle(sa);
	xfrm_state_put(old);
}

/**
 * esptrack_sa_shares_reqid() - has another peer an SA with the same reqid?
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_sa_shares_reqid(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;
	const struct esptrack_sa *other;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(other, reqid_head(reqid), by_reqid)
		if (other->flow.net == sa->flow.net &&
		    other->flow.peer != sa->flow.peer &&
		    other->x->props.reqid == reqid &&
		    !esptrack_sa_is_dead(other))
			return true;

	return false;
}

/* The SA after which a new one takes: it has the same reqid, and either the
 * same flow now, or had the new one's flow when the daemon made it.
 */
static struct esptrack_sa *sibling_of(const struct esptrack_sa *sa, u8 dir)
{
	u32 reqid = sa->x->props.reqid;
	struct esptrack_sa *other;

	if (!reqid)
		return NULL;

	hlist_for_each_entry(other, reqid_head(reqid), by_reqid)
		if (other != sa && other->x->props.reqid == reqid &&
		    other->dir == dir && !esptrack_sa_is_dead(other) &&
		    (ends_relation(&sa->flow, &other->flow) ||
		     ends_relation(&sa->flow, &other->origin)))
			return other;

	return NULL;
}

/**
 * esptrack_sa_moved() - the newest inbound SA of a reqid, if it was moved
 * @tn: namespace
 * @reqid: other than 0
 *
 * Context: any, esptrack_lock held.
 * Return: the SA, whose daemon still may speak of its @origin; or NULL.
 */
const struct esptrack_sa *esptrack_sa_moved(const struct esptrack_net *tn,
					    u32 reqid)
{
	const struct esptrack_sa *sa;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(sa, reqid_head(reqid), by_reqid)
		if (sa->flow.net == tn && sa->x->props.reqid == reqid &&
		    sa->dir == ESPTRACK_DIR_IN && !esptrack_sa_is_dead(sa))
			return has_moved(sa) && !esptrack_sa_shares_reqid(sa) ?
			       sa : NULL;

	return NULL;
}

/* A daemon that did not follow gives a rekeyed SA the endpoint that it
 * remembers. What the peer has proven since holds for that SA too.
 */
static bool inherit_endpoint(struct esptrack_sa *sa,
			     const struct esptrack_sa *sibling)
{
	const struct esptrack_endpoint to = sibling->flow.src;
	const struct esptrack_endpoint from = sibling->origin.src;
	u8 dir = ends_relation(&sibling->origin, &sa->flow);
	const u64 peer = sa->flow.peer;
	struct xfrm_state *place = NULL;
	bool new_address, moved;

	if (!dir || !has_moved(sibling) || sa->x->xso.dev)
		return false;
	/* The reqid is all that tells whose SA it is. */
	sa->flow.peer = sibling->flow.peer;
	if (esptrack_sa_shares_reqid(sa)) {
		sa->flow.peer = peer;
		return false;
	}

	new_address = !xfrm_addr_equal(&to.addr, &from.addr, to.family);
	if (new_address) {
		if (!esptrack_move_mode(sa->x) ||
		    (dir == ESPTRACK_DIR_OUT &&
		     esptrack_move_collides(sa->x, &to)))
			return false;
		place = esptrack_move_prepare(sa->x, dir, &to);
		if (!place)
			return false;
	}
	moved = esptrack_move_sa(sa->x, place, dir, &from, &to);
	if (moved && new_address) {
		sa->readdressed = true;
		sa->renamed = true;
	}
	esptrack_sa_reindex(sa);
	return moved;
}

/* Returns whether the SA was moved. */
static bool inherit(struct esptrack_sa *sa)
{
	const struct esptrack_sa *sibling = sibling_of(sa, ESPTRACK_DIR_IN);

	if (!sibling)
		return false;
	sa->static_nat = sibling->static_nat;
	sa->port_only = sibling->port_only;
	return inherit_endpoint(sa, sibling);
}

/* Returns whether the SA was moved at once. */
static bool add(struct esptrack_net *tn, struct xfrm_state *x)
{
	struct esptrack_sa *sa = kmem_cache_zalloc(sa_cache, GFP_ATOMIC);

	if (!sa)
		goto untracked;
	if (esptrack_net_add(tn, sa))
		goto free;

	xfrm_state_hold(x);
	sa->x = x;
	sa->static_nat = READ_ONCE(static_nat);
	INIT_LIST_HEAD(&sa->unpublished);
	hlist_add_head_rcu(&sa->by_state, state_head(x));
	hlist_add_head(&sa->by_id, id_head(x->id.spi));
	hlist_add_head(&sa->by_reqid, reqid_head(x->props.reqid));
	esptrack_sa_reindex(sa);
	sa->flow.peer = peer_of(sa);
	sa->origin = sa->flow;
	esptrack_sa_settle(sa);
	if (!sa->dir)
		esptrack_net_sweep_soon(tn);
	return inherit(sa);

free:
	kmem_cache_free(sa_cache, sa);
untracked:
	net_warn_ratelimited("no memory, SA 0x%08x is not tracked\n",
			     ntohl(x->id.spi));
	return false;
}

static bool trackable(const struct xfrm_state *x)
{
	return x->id.proto == IPPROTO_ESP && x->encap &&
	       x->encap->encap_type == UDP_ENCAP_ESPINUDP &&
	       (x->props.family == AF_INET || x->props.family == AF_INET6) &&
	       x->km.state == XFRM_STATE_VALID;
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
	const struct km_event update = { .event = XFRM_MSG_UPDSA };
	struct esptrack_sa_id id;
	struct esptrack_sa *sa;
	bool moved = false;

	if (!trackable(x))
		return;
	id_of(x, &id);

	spin_lock_bh(&esptrack_lock);
	if (esptrack_net_is_dying(tn))
		goto out;

	sa = esptrack_sa_of_state(x);
	if (sa) {
		esptrack_sa_reindex(sa);
		goto out;
	}

	sa = esptrack_sa_find(xs_net(x), &id);
	if (!sa)
		moved = add(tn, x);
	else if (esptrack_sa_is_dead(sa))
		take_over(sa, x);
out:
	spin_unlock_bh(&esptrack_lock);

	/* Others were told of the SA as the daemon gave it. */
	if (moved)
		km_state_notify(x, &update);
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
	sa = esptrack_sa_find(xs_net(x), &id);
	if (sa)
		esptrack_sa_reindex(sa);
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
	sa = esptrack_sa_of_state(x);
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

	detach(sa);
	list_del_init(&sa->unpublished);
	hlist_del_rcu(&sa->by_state);
	hlist_del_init(&sa->by_flow);
	hlist_del_init(&sa->by_id);
	hlist_del_init(&sa->by_reqid);
}

static void sa_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(sa_cache, container_of(rcu, struct esptrack_sa, rcu));
}

/**
 * esptrack_sa_free() - let an SA go
 * @sa: has been unlinked, and has no knob any more
 */
void esptrack_sa_free(struct esptrack_sa *sa)
{
	xfrm_state_put(sa->x);
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
	info->refused = sa->refused;

	info->n_outbound = 0;
	hlist_for_each_entry(other, esptrack_flow_chain(&sa->flow), by_flow) {
		if (esptrack_flow_relation(&sa->flow, &other->flow) !=
		    ESPTRACK_DIR_OUT || esptrack_sa_is_dead(other))
			continue;
		if (info->n_outbound == ESPTRACK_OUTBOUND_MAX)
			break;
		info->outbound[info->n_outbound++] = other->x->id.spi;
	}
}

static struct hlist_head *index_alloc(void)
{
	return kvcalloc(INDEX_SIZE, sizeof(struct hlist_head), GFP_KERNEL);
}

static void indexes_free(void)
{
	kvfree(by_state);
	kvfree(by_flow);
	kvfree(by_id);
	kvfree(by_reqid);
}

int esptrack_sa_init(void)
{
	hash_seed = get_random_u32();
	by_state = index_alloc();
	by_flow = index_alloc();
	by_id = index_alloc();
	by_reqid = index_alloc();
	if (!by_state || !by_flow || !by_id || !by_reqid)
		goto err;

	sa_cache = KMEM_CACHE(esptrack_sa, 0);
	if (!sa_cache)
		goto err;
	return 0;

err:
	indexes_free();
	return -ENOMEM;
}

void esptrack_sa_uninit(void)
{
	rcu_barrier();
	kmem_cache_destroy(sa_cache);
	indexes_free();
}
