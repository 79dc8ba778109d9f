// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: their templates name the peer's address, so they move with his SAs.
 * A walk over all policies would hold xfrm_policy_lock for too long in a
 * softirq; so we know them by reqid.
 */
#include "policy.h"

#include <linux/slab.h>

#include "compat.h"
#include "net.h"
#include "peer.h"
#include "sa.h"
#include "table.h"

/**
 * struct policy - a policy with an ESP template that names addresses
 * @by_reqid: in the index by @reqid
 * @by_policy: in the index by @policy
 * @all: in esptrack_net.policies
 * @reqid: of an ESP template of it; there is one of these for each
 * @policy: the policy, held; maybe dead already
 * @moved: its templates have named @now since, instead of @given
 * @given: the peer's address as the daemon gave it
 * @now: the peer's address that we want there
 * @moved_by: reqid of the SAs with which it was moved
 * @opened: in the list of a move that has opened it
 * @open: one bit per template that names no address for now
 *
 * Protected by esptrack_lock.
 */
struct policy {
	struct hlist_node by_reqid;
	struct hlist_node by_policy;
	struct list_head all;
	u32 reqid;
	struct xfrm_policy *policy;
	bool moved;
	xfrm_address_t given;
	xfrm_address_t now;
	u32 moved_by;
	struct list_head opened;
	u8 open;
};

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

static bool names_addresses(const struct xfrm_tmpl *tmpl)
{
	return tmpl->id.proto == IPPROTO_ESP &&
	       esptrack_xfrm_mode_is_outer(tmpl->mode);
}

static bool is_indexed(const struct xfrm_policy *policy, u32 reqid)
	__must_hold(&esptrack_lock)
{
	const struct policy *p;

	hlist_for_each_entry(p, policy_head(policy), by_policy)
		if (p->policy == policy && p->reqid == reqid)
			return true;

	return false;
}

/* A socket's policies are numbered from XFRM_POLICY_MAX on. */
static bool is_output(const struct xfrm_policy *policy)
{
	return xfrm_policy_id2dir(policy->index) % XFRM_POLICY_MAX ==
	       XFRM_POLICY_OUT;
}

/* As xfrm's lookups read templates: on the way in only the source counts, and
 * reqid 0 is any; on the way out our own address may be left open, and reqid 0
 * is no other.
 */
static xfrm_address_t *template_remote(struct xfrm_tmpl *tmpl, bool output,
				       const struct xfrm_state *x,
				       const xfrm_address_t *local)
{
	u16 family = x->props.family;

	if (!names_addresses(tmpl) || tmpl->encap_family != family)
		return NULL;
	if (!output)
		return !tmpl->reqid || tmpl->reqid == x->props.reqid ?
		       &tmpl->saddr : NULL;
	if (tmpl->reqid != x->props.reqid)
		return NULL;
	if (!xfrm_addr_any(&tmpl->saddr, family) &&
	    !xfrm_addr_equal(&tmpl->saddr, local, family))
		return NULL;
	return &tmpl->id.daddr;
}

/* As xfrm_migrate() does it. Readers take what they find; output looks again when it
 * sees a new generation, input does not look at it.
 */
static void name_remote(struct xfrm_policy *policy, xfrm_address_t *remote,
			const xfrm_address_t *to)
	__must_hold(&policy->lock)
{
	esptrack_address_write(remote, to);
	if (is_output(policy))
		atomic_inc(&policy->genid);
}

/* On the way in a template without address takes an SA from anywhere. Its reqid
 * still says whose.
 */
static bool can_open(const struct xfrm_policy *policy,
		     const struct xfrm_tmpl *tmpl)
{
	return !is_output(policy) && tmpl->reqid;
}

/**
 * struct change - what is written into policies
 * @x: the SA, whose reqid and family count
 * @local: our address
 * @from: the peer's address so far
 * @to: the peer's address from now on
 * @opened: NULL, or those that are to be closed afterwards
 */
struct change {
	const struct xfrm_state *x;
	const xfrm_address_t *local;
	const xfrm_address_t *from;
	const xfrm_address_t *to;
	struct list_head *opened;
};

static void change_policy(struct policy *p, const struct change *change)
	__must_hold(&esptrack_lock)
{
	static const xfrm_address_t any;
	struct xfrm_policy *policy = p->policy;
	bool changed = false;
	int i;

	BUILD_BUG_ON(BITS_PER_BYTE * sizeof(p->open) < XFRM_MAX_DEPTH);

	write_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr; i++) {
		struct xfrm_tmpl *tmpl = &policy->xfrm_vec[i];
		xfrm_address_t *remote = template_remote(tmpl, is_output(policy),
							 change->x,
							 change->local);
		bool open = change->opened && can_open(policy, tmpl);

		if (!remote || !xfrm_addr_equal(remote, change->from,
						change->x->props.family))
			continue;
		name_remote(policy, remote, open ? &any : change->to);
		if (open)
			p->open |= BIT(i);
		changed = true;
	}
	write_unlock_bh(&policy->lock);

	if (!changed)
		return;
	if (p->open && list_empty(&p->opened))
		list_add_tail(&p->opened, change->opened);
	if (!p->moved)
		p->given = *change->from;
	p->now = *change->to;
	p->moved_by = change->x->props.reqid;
	p->moved = true;
}

static void policy_add(struct esptrack_net *tn, struct policy *p,
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

	/* The daemon may name an address that the peer has left since. */
	moved = reqid ? esptrack_peer_moved(tn, reqid) : NULL;
	if (moved) {
		const struct change change = {
			.x = moved->x,
			.local = &moved->flow.dst.addr,
			.from = &moved->origin.src.addr,
			.to = &moved->flow.src.addr,
		};

		change_policy(p, &change);
	}
}

static void policy_track(struct esptrack_net *tn, struct xfrm_policy *policy,
			 u32 reqid)
{
	/* Without esptrack_lock, as the page allocator may have much to do. */
	struct policy *p = kmem_cache_zalloc(policy_cache, GFP_ATOMIC);

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
		if (names_addresses(&policy->xfrm_vec[i]))
			policy_track(tn, policy, policy->xfrm_vec[i].reqid);
}

static bool is_live(const struct policy *p, const struct esptrack_net *tn,
		    u32 reqid)
	__must_hold(&esptrack_lock)
{
	return p->reqid == reqid && xp_net(p->policy) == tn->net &&
	       !READ_ONCE(p->policy->walk.dead);
}

/* Was the policy made for the peer whom his daemon had put at @origin? */
static bool is_of(const struct policy *p, const xfrm_address_t *from,
		  const xfrm_address_t *origin, u16 family)
{
	return xfrm_addr_equal(p->moved ? &p->given : from, origin, family);
}

/* Policies without reqid may be another peer's, who is where this one has come to: only
 * those that were made for his first address, @origin, go with him.
 */
static void change_policies(const struct esptrack_net *tn,
			    const struct change *change,
			    const xfrm_address_t *origin, bool output)
	__must_hold(&esptrack_lock)
{
	const struct xfrm_state *x = change->x;
	u32 reqid = x->props.reqid;
	struct policy *p;

	hlist_for_each_entry(p, reqid_head(tn, reqid), by_reqid)
		if (is_live(p, tn, reqid) && is_output(p->policy) == output)
			change_policy(p, change);
	if (!reqid)
		return;
	hlist_for_each_entry(p, reqid_head(tn, 0), by_reqid)
		if (is_live(p, tn, 0) && is_output(p->policy) == output &&
		    is_of(p, change->from, origin, x->props.family))
			change_policy(p, change);
}

/**
 * esptrack_policy_open() - let the policies of an SA go with it to a new address
 * @tn: namespace
 * @x: the SA, whose reqid and family count
 * @local: our address
 * @origin: the peer's address as the daemon gave it
 * @from: the peer's address so far
 * @to: the peer's address from now on
 * @opened: what esptrack_policy_close() needs
 *
 * On the way in they take their reqid at any address until esptrack_policy_close(), as
 * another processor may look at them for a packet of the same peer before and after the
 * SA moves. Those without reqid would take any peer then, so they name the address at
 * once, and such a packet may be dropped.
 *
 * On the way out they name it at once, and last: until the SA is there, what is sent to
 * the peer is dropped.
 *
 * Calling it for several SAs with one reqid does no harm.
 *
 * Context: any, esptrack_lock held until esptrack_policy_close().
 */
void esptrack_policy_open(struct esptrack_net *tn, const struct xfrm_state *x,
			  const xfrm_address_t *local,
			  const xfrm_address_t *origin,
			  const xfrm_address_t *from, const xfrm_address_t *to,
			  struct list_head *opened)
{
	const struct change change = {
		.x = x,
		.local = local,
		.from = from,
		.to = to,
		.opened = opened,
	};

	lockdep_assert_held(&esptrack_lock);

	change_policies(tn, &change, origin, false);
	change_policies(tn, &change, origin, true);
}

static void close_policy(struct policy *p)
	__must_hold(&esptrack_lock)
{
	struct xfrm_policy *policy = p->policy;
	int i;

	write_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr; i++) {
		struct xfrm_tmpl *tmpl = &policy->xfrm_vec[i];

		/* Another template's reqid may have opened, and closed, it too. */
		if (p->open & BIT(i) &&
		    xfrm_addr_any(&tmpl->saddr, tmpl->encap_family))
			name_remote(policy, &tmpl->saddr, &p->now);
	}
	write_unlock_bh(&policy->lock);

	p->open = 0;
	list_del_init(&p->opened);
}

/**
 * esptrack_policy_close() - the SAs are where they are
 * @opened: from esptrack_policy_open()
 *
 * Policies name the new address now, also where an SA has died meanwhile, or its
 * place was taken away.
 *
 * Context: any, esptrack_lock held since esptrack_policy_open().
 */
void esptrack_policy_close(struct list_head *opened)
{
	struct policy *p, *next;

	lockdep_assert_held(&esptrack_lock);

	list_for_each_entry_safe(p, next, opened, opened)
		close_policy(p);
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

static void return_reqid(const struct esptrack_sa *sa, u32 reqid)
	__must_hold(&esptrack_lock)
{
	const struct xfrm_state *x = sa->x;
	struct policy *p;

	hlist_for_each_entry(p, reqid_head(sa->flow.net, reqid), by_reqid) {
		const xfrm_address_t now = p->now;
		const struct change change = {
			.x = x,
			.local = &sa->flow.dst.addr,
			.from = &now,
			.to = &sa->flow.src.addr,
		};

		if (p->moved && p->moved_by == x->props.reqid &&
		    is_live(p, sa->flow.net, reqid) &&
		    xfrm_addr_equal(&p->given, &sa->flow.src.addr,
				    x->props.family))
			change_policy(p, &change);
	}
}

/**
 * esptrack_policy_return() - let policies name the address that they had first
 * @sa: an inbound SA that its daemon has just put there
 *
 * The SAs with which they were moved are gone, and the daemon knows nothing of
 * where they were: the policies must fit those that it gives now.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_policy_return(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;

	lockdep_assert_held(&esptrack_lock);

	return_reqid(sa, reqid);
	if (reqid)
		return_reqid(sa, 0);
}

/* Can output by the policy take the SA? @exactly: no other one instead of it */
static bool can_take(struct xfrm_policy *policy, const struct esptrack_sa *sa,
		     bool exactly)
{
	const struct xfrm_state *x = sa->x;
	bool found = false;
	int i;

	read_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr && !found; i++) {
		struct xfrm_tmpl *tmpl = &policy->xfrm_vec[i];
		const xfrm_address_t *remote =
			template_remote(tmpl, true, x, &sa->flow.src.addr);

		found = remote && xfrm_addr_equal(remote, &sa->flow.dst.addr,
						  x->props.family) &&
			(tmpl->id.spi == x->id.spi ||
			 (!exactly && !tmpl->id.spi));
	}
	read_unlock_bh(&policy->lock);

	return found;
}

/**
 * esptrack_policy_needs() - does a policy want an outbound SA?
 * @sa: the SA
 * @exactly: does one name its SPI, too?
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_policy_needs(const struct esptrack_sa *sa, bool exactly)
{
	u32 reqid = sa->x->props.reqid;
	const struct policy *p;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(p, reqid_head(sa->flow.net, reqid), by_reqid)
		if (is_live(p, sa->flow.net, reqid) && is_output(p->policy) &&
		    can_take(p->policy, sa, exactly))
			return true;

	return false;
}

static bool trusts(struct xfrm_policy *policy,
		   const struct esptrack_endpoint *remote)
{
	bool found = false;
	int i;

	read_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr && !found; i++) {
		const struct xfrm_tmpl *tmpl = &policy->xfrm_vec[i];

		found = names_addresses(tmpl) && !tmpl->reqid &&
			tmpl->encap_family == remote->family &&
			xfrm_addr_equal(&tmpl->saddr, &remote->addr,
					remote->family);
	}
	read_unlock_bh(&policy->lock);

	return found;
}

/**
 * esptrack_policy_trusts() - is an address all that a policy for input asks for?
 * @tn: namespace
 * @remote: the address
 * @moved: count only what was moved there
 *
 * Whoever goes there, be it by a forged source, can send what the policy lets in.
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_policy_trusts(const struct esptrack_net *tn,
			    const struct esptrack_endpoint *remote, bool moved)
{
	const struct policy *p;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(p, reqid_head(tn, 0), by_reqid)
		if (is_live(p, tn, 0) && !is_output(p->policy) &&
		    (!moved || p->moved) && trusts(p->policy, remote))
			return true;

	return false;
}

/**
 * esptrack_policy_trust_goes() - is such a policy one that would go with an SA?
 * @tn: namespace
 * @x: the SA
 * @origin: the peer's address as the daemon gave it
 * @from: where the peer is
 *
 * Whoever is where it goes can send what it lets in.
 *
 * Context: any, esptrack_lock held.
 */
bool esptrack_policy_trust_goes(const struct esptrack_net *tn,
				const struct xfrm_state *x,
				const xfrm_address_t *origin,
				const struct esptrack_endpoint *from)
{
	const struct policy *p;

	lockdep_assert_held(&esptrack_lock);

	hlist_for_each_entry(p, reqid_head(tn, 0), by_reqid)
		if (is_live(p, tn, 0) && !is_output(p->policy) &&
		    (!x->props.reqid ||
		     is_of(p, &from->addr, origin, x->props.family)) &&
		    trusts(p->policy, from))
			return true;

	return false;
}

static void policy_release(struct policy *p)
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
	struct policy *p;
	LIST_HEAD(alive);

	/* One at a time: packets must not wait for all of them. */
	do {
		spin_lock_bh(&esptrack_lock);
		p = list_first_entry_or_null(&tn->policies, struct policy,
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
					 sizeof(struct policy), 0, 0, NULL);
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
