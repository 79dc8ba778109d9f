// SPDX-License-Identifier: GPL-2.0
/*
 * Policies on the move: the peer's address is written into their templates, as
 * xfrm_migrate() does it.
 */
#include "policy.h"

#include "policy_index.h"
#include "sa.h"
#include "template.h"

/* Readers take what they find; output looks again when it sees a new generation,
 * input does not look at it.
 */
static void name_remote(struct xfrm_policy *policy, xfrm_address_t *remote,
			const xfrm_address_t *to)
	__must_hold(&policy->lock)
{
	esptrack_address_write(remote, to);
	if (esptrack_policy_is_output(policy))
		atomic_inc(&policy->genid);
}

/* On the way in a template without address takes an SA from anywhere. Its reqid
 * still says whose.
 */
static bool can_open(const struct xfrm_policy *policy,
		     const struct xfrm_tmpl *tmpl)
{
	return !esptrack_policy_is_output(policy) && tmpl->reqid;
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

static void change_policy(struct esptrack_policy *p,
			  const struct change *change)
	__must_hold(&esptrack_lock)
{
	static const xfrm_address_t any;
	struct xfrm_policy *policy = p->policy;
	bool output = esptrack_policy_is_output(policy);
	bool changed = false;
	int i;

	BUILD_BUG_ON(BITS_PER_BYTE * sizeof(p->open) < XFRM_MAX_DEPTH);

	write_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr; i++) {
		struct xfrm_tmpl *tmpl = &policy->xfrm_vec[i];
		xfrm_address_t *remote =
			esptrack_template_remote(tmpl, output, change->x,
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
	struct esptrack_policy *p;

	for (p = esptrack_policy_first_of(tn, reqid); p;
	     p = esptrack_policy_next_of(p))
		if (esptrack_policy_is_output(p->policy) == output)
			change_policy(p, change);
	if (!reqid)
		return;
	for (p = esptrack_policy_first_of(tn, 0); p;
	     p = esptrack_policy_next_of(p))
		if (esptrack_policy_is_output(p->policy) == output &&
		    esptrack_policy_is_for(p, origin, change->from,
					   x->props.family))
			change_policy(p, change);
}

/**
 * esptrack_policy_follow() - let a new policy name where the peer is
 * @p: the policy, which may name an address that he has left
 * @sa: an inbound SA of his that was moved
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_policy_follow(struct esptrack_policy *p,
			    const struct esptrack_sa *sa)
{
	const struct change change = {
		.x = sa->x,
		.local = &sa->flow.dst.addr,
		.from = &sa->origin.src.addr,
		.to = &sa->flow.src.addr,
	};

	lockdep_assert_held(&esptrack_lock);

	change_policy(p, &change);
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

static void close_policy(struct esptrack_policy *p)
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
	struct esptrack_policy *p, *next;

	lockdep_assert_held(&esptrack_lock);

	list_for_each_entry_safe(p, next, opened, opened)
		close_policy(p);
}

/* @given: where the daemon must have put the peer; NULL: anywhere */
static void return_reqid(const struct esptrack_sa *sa, u32 reqid,
			 const xfrm_address_t *given)
	__must_hold(&esptrack_lock)
{
	const struct xfrm_state *x = sa->x;
	struct esptrack_policy *p;

	for (p = esptrack_policy_first_of(sa->flow.net, reqid); p;
	     p = esptrack_policy_next_of(p)) {
		const xfrm_address_t now = p->now;
		const struct change change = {
			.x = x,
			.local = &sa->flow.dst.addr,
			.from = &now,
			.to = &p->given,
		};

		if (p->moved && p->moved_by == x->props.reqid &&
		    (!given ||
		     xfrm_addr_equal(&p->given, given, x->props.family)))
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

	return_reqid(sa, reqid, &sa->flow.src.addr);
	if (reqid)
		return_reqid(sa, 0, &sa->flow.src.addr);
}

/**
 * esptrack_policy_forsake() - let policies name what the daemon gave
 * @sa: an inbound SA that has died, as all others with its reqid
 *
 * One that is there to ask for a new tunnel would find the outbound SA which the
 * daemon could not delete, and never ask.
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_policy_forsake(const struct esptrack_sa *sa)
{
	u32 reqid = sa->x->props.reqid;

	lockdep_assert_held(&esptrack_lock);

	return_reqid(sa, reqid, NULL);
	if (reqid)
		return_reqid(sa, 0, NULL);
}
