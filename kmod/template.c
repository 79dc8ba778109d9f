// SPDX-License-Identifier: GPL-2.0
/*
 * Templates of policies: which of their addresses is the peer's.
 */
#include "template.h"

#include "compat.h"

/**
 * esptrack_template_names_addresses() - does a template name ends of an SA?
 * @tmpl: any
 *
 * Those of transport mode take the packet's.
 *
 * Context: any.
 */
bool esptrack_template_names_addresses(const struct xfrm_tmpl *tmpl)
{
	return tmpl->id.proto == IPPROTO_ESP &&
	       esptrack_xfrm_mode_is_outer(tmpl->mode);
}

/**
 * esptrack_template_remote() - where a template names the peer of an SA
 * @tmpl: of a policy
 * @output: on the way out
 * @x: the SA, whose reqid and family count
 * @local: our address
 *
 * As xfrm_state_ok() and xfrm_state_find() read it: on the way in only the source
 * counts, and reqid 0 is any; on the way out our own address may be left open, and
 * reqid 0 is no other.
 *
 * Context: any, the policy's lock held.
 * Return: the address, or NULL if the template does not take the SA, whatever the
 * peer's address.
 */
xfrm_address_t *esptrack_template_remote(struct xfrm_tmpl *tmpl, bool output,
					 const struct xfrm_state *x,
					 const xfrm_address_t *local)
{
	u16 family = x->props.family;

	if (!esptrack_template_names_addresses(tmpl) ||
	    tmpl->encap_family != family)
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
