// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: their templates name the peer's address, so they move with his SAs
 * (policy_move.c). A walk over all policies would hold xfrm_policy_lock for too long
 * in a softirq; so we know them by reqid.
 */
#include "policy.h"

#include <linux/slab.h>

#include "compat.h"
#include "index.h"
#include "net.h"
#include "peer.h"
#include "policy_index.h"
#include "sa.h"
#include "table.h"
#include "template.h"

static struct esptrack_table by_reqid __read_mostly;
static struct esptrack_table by_policy __read_mostly;
static struct kmem_cache *policy_cache;

static struct hlist_head *reqid_head(const struct esptrack_net *tn, u32 reqid)
{
	return esptrack_table_by_value(&by_reqid, tn->net, reqid);
}

static struct hlist_head *policy_head(const struct xfrm_policy *policy)
{
	return esptrack_table_by_pointer(&by_policy, policy);
}

static bool is_indexed(const struct xfrm_policy *policy, u32 reqid)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_policy *p;

	hlist_for_each_entry(p, policy_head(policy), by_policy)
		if (p->policy == policy && p->reqid == reqid)
			return true;

	return false;
}

/* The SA whose daemon names by the policy where it had put it first, though it has
 * moved since. None if there is one where the policy says.
 */
static const struct esptrack_sa *departed(const struct esptrack_net *tn,
					  struct xfrm_policy *policy, u32 reqid)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *sa, *found = NULL;

	for (sa = esptrack_index_first_of(tn, reqid); sa;
	     sa = esptrack_index_next_of(sa)) {
		if (sa->dir != ESPTRACK_DIR_IN)
			continue;
		if (esptrack_policy_names(policy, sa, &sa->flow.src.addr))
			return NULL;
		if (!found && esptrack_peer_has_moved(sa) &&
		    esptrack_policy_names(policy, sa, &sa->origin.src.addr))
			found = sa;
	}
	/* The reqid is all that tells whose policy it is. */
	return found && !esptrack_peer_shares_reqid(found, found->flow.peer) ?
	       found : NULL;
}

static void policy_add(struct esptrack_net *tn, struct esptrack_policy *p,
		       struct xfrm_policy *policy, u32 reqid)
	__must_hold(&esptrack_lock)
{
	const struct esptrack_sa *moved;

	xfrm_pol_hold(policy);
	p->policy = policy;
	p->reqid = reqid;
	INIT_LIST_HEAD(&p->opened);
	hlist_add_head(&p->by_reqid, reqid_head(tn, reqid));
	hlist_add_head(&p->by_policy, policy_head(policy));
	list_add_tail(&p->all, &tn->policies);
	esptrack_net_sweep_later(tn);

	moved = reqid ? departed(tn, policy, reqid) : NULL;
	if (moved)
		esptrack_policy_follow(p, moved);
}

static void policy_track(struct esptrack_net *tn, struct xfrm_policy *policy,
			 u32 reqid)
{
	/* Without esptrack_lock, as the page allocator may have much to do. */
	struct esptrack_policy *p = kmem_cache_zalloc(policy_cache, GFP_ATOMIC);

	spin_lock_bh(&esptrack_lock);
	if (esptrack_net_is_dying(tn) || is_indexed(policy, reqid))
		goto out;
	if (p) {
		policy_add(tn, p, policy, reqid);
		p = NULL;
	} else {
		net_warn_ratelimited("no memory, policy %u does not follow yet\n",
				     policy->index);
		esptrack_net_missed(tn);
	}
out:
	spin_unlock_bh(&esptrack_lock);

	if (p)
		kmem_cache_free(policy_cache, p);
}

/**
 * esptrack_policy_track() - get to know a policy
 * @policy: any, held by the caller
 *
 * Where SAs are nested, each has a template with a reqid of its own.
 *
 * Context: process or softirq, policy->lock not held.
 */
void esptrack_policy_track(struct xfrm_policy *policy)
{
	struct esptrack_net *tn = esptrack_net(xp_net(policy));
	int i;

	/* One that is offloaded holds its device until it is freed. */
	if (esptrack_policy_is_offloaded(policy))
		return;

	for (i = 0; i < policy->xfrm_nr; i++)
		if (esptrack_template_names_addresses(&policy->xfrm_vec[i]))
			policy_track(tn, policy, policy->xfrm_vec[i].reqid);
}

/* From a node of a chain by reqid on, which other policies share. */
static struct esptrack_policy *
living_of(struct hlist_node *node, const struct net *net, u32 reqid)
	__must_hold(&esptrack_lock)
{
	struct esptrack_policy *p =
		hlist_entry_safe(node, struct esptrack_policy, by_reqid);

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry_from(p, by_reqid)
		if (p->reqid == reqid && net_eq(xp_net(p->policy), net) &&
		    !READ_ONCE(p->policy->walk.dead))
			return p;

	return NULL;
}

/**
 * esptrack_policy_first_of() - the newest living policy with a reqid
 * @tn: namespace
 * @reqid: any; of a policy with nested templates the one or the other
 *
 * Context: any, esptrack_lock held.
 * Return: the policy, or NULL.
 */
struct esptrack_policy *esptrack_policy_first_of(const struct esptrack_net *tn,
						 u32 reqid)
{
	return living_of(reqid_head(tn, reqid)->first, tn->net, reqid);
}

/**
 * esptrack_policy_next_of() - the next older living policy with the same reqid
 * @p: a policy in the index
 *
 * Context: any, esptrack_lock held.
 * Return: the policy, or NULL.
 */
struct esptrack_policy *esptrack_policy_next_of(const struct esptrack_policy *p)
{
	return living_of(p->by_reqid.next, xp_net(p->policy), p->reqid);
}

static unsigned int chain_length(const struct hlist_head *chain,
				 unsigned int max)
	__must_hold(&esptrack_lock)
{
	const struct hlist_node *node;
	unsigned int n = 0;

	for (node = chain->first; node && n < max; node = node->next)
		n++;
	return n;
}

/**
 * esptrack_policy_count() - how many policies esptrack_policy_open() looks at
 * @tn: namespace
 * @reqid: of the SA
 * @max: no more are counted for a reqid
 *
 * Context: any, esptrack_lock held.
 */
unsigned int esptrack_policy_count(const struct esptrack_net *tn, u32 reqid,
				   unsigned int max)
{
	unsigned int n;

	lockdep_assert_held(&esptrack_lock);

	n = chain_length(reqid_head(tn, reqid), max);
	return reqid ? n + chain_length(reqid_head(tn, 0), max) : n;
}

static void policy_release(struct esptrack_policy *p)
	__must_hold(&esptrack_lock)
{
	hlist_del(&p->by_reqid);
	hlist_del(&p->by_policy);
	list_del(&p->all);
	xfrm_pol_put(p->policy);
	kmem_cache_free(policy_cache, p);
}

/**
 * esptrack_policy_sweep() - let dead policies go
 * @tn: namespace
 * @all: let the others go as well
 *
 * Policies are replaced, flushed and expired without a word, so the dead ones
 * are looked for.
 *
 * Context: process.
 */
void esptrack_policy_sweep(struct esptrack_net *tn, bool all)
{
	struct esptrack_policy *p;
	LIST_HEAD(alive);

	/* One at a time: packets must not wait for all of them. */
	do {
		spin_lock_bh(&esptrack_lock);
		p = list_first_entry_or_null(&tn->policies, struct esptrack_policy,
					     all);
		if (p && (all || READ_ONCE(p->policy->walk.dead)))
			policy_release(p);
		else if (p)
			list_move_tail(&p->all, &alive);
		else
			list_splice(&alive, &tn->policies);
		spin_unlock_bh(&esptrack_lock);
		cond_resched();
	} while (p);
}

int esptrack_policy_init(void)
{
	int err = esptrack_table_init(&by_reqid) ?:
		  esptrack_table_init(&by_policy);

	policy_cache = kmem_cache_create("esptrack_policy",
					 sizeof(struct esptrack_policy), 0, 0, NULL);
	if (!err && policy_cache)
		return 0;

	esptrack_policy_uninit();
	return -ENOMEM;
}

void esptrack_policy_uninit(void)
{
	kmem_cache_destroy(policy_cache);
	esptrack_table_uninit(&by_policy);
	esptrack_table_uninit(&by_reqid);
}
