// SPDX-License-Identifier: GPL-2.0
/*
 * What policies ask of an SA: whether one of them wants it, or lets in whoever has its
 * address.
 */
#include "policy.h"

#include "endpoint.h"
#include "policy_index.h"
#include "sa.h"
#include "template.h"

/**
 * esptrack_policy_names() - is this the address that a policy has for an SA's peer?
 * @policy: any
 * @sa: an inbound SA
 * @address: the address
 *
 * Context: any, esptrack_lock held, policy->lock not.
 */
bool esptrack_policy_names(struct xfrm_policy *policy,
			   const struct esptrack_sa *sa,
			   const xfrm_address_t *address)
{
	bool output = esptrack_policy_is_output(policy);
	const struct xfrm_state *x = sa->x;
	bool found = false;
	int i;

	lockdep_assert_held(&esptrack_lock);

	read_lock_bh(&policy->lock);
	for (i = 0; i < policy->xfrm_nr && !found; i++) {
		const xfrm_address_t *remote =
			esptrack_template_remote(&policy->xfrm_vec[i], output,
						 x, &sa->flow.dst.addr);

		found = remote && xfrm_addr_equal(remote, address,
						  x->props.family);
	}
	read_unlock_bh(&policy->lock);

	return found;
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
			esptrack_template_remote(tmpl, true, x, &sa->flow.src.addr);

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
	const struct esptrack_policy *p;

	lockdep_assert_held(&esptrack_lock);

	for (p = esptrack_policy_first_of(sa->flow.net, reqid); p;
	     p = esptrack_policy_next_of(p))
		if (esptrack_policy_is_output(p->policy) &&
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

		found = esptrack_template_names_addresses(tmpl) && !tmpl->reqid &&
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
	const struct esptrack_policy *p;

	lockdep_assert_held(&esptrack_lock);

	for (p = esptrack_policy_first_of(tn, 0); p;
	     p = esptrack_policy_next_of(p))
		if (!esptrack_policy_is_output(p->policy) &&
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
	const struct esptrack_policy *p;

	lockdep_assert_held(&esptrack_lock);

	for (p = esptrack_policy_first_of(tn, 0); p;
	     p = esptrack_policy_next_of(p))
		if (!esptrack_policy_is_output(p->policy) &&
		    (!x->props.reqid ||
		     esptrack_policy_is_for(p, origin, &from->addr,
					    x->props.family)) &&
		    trusts(p->policy, from))
			return true;

	return false;
}
