/* SPDX-License-Identifier: GPL-2.0 */
/* For the policy*.c alone: policies as they are known by reqid. */
#ifndef ESPTRACK_POLICY_INDEX_H
#define ESPTRACK_POLICY_INDEX_H

#include <net/xfrm.h>

struct esptrack_net;
struct esptrack_sa;

/**
 * struct esptrack_policy - a policy with an ESP template that names addresses
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
struct esptrack_policy {
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

struct esptrack_policy *esptrack_policy_first_of(const struct esptrack_net *tn,
						 u32 reqid);
struct esptrack_policy *
esptrack_policy_next_of(const struct esptrack_policy *p);

/* A socket's policies are numbered from XFRM_POLICY_MAX on. */
static inline bool esptrack_policy_is_output(const struct xfrm_policy *policy)
{
	return xfrm_policy_id2dir(policy->index) % XFRM_POLICY_MAX ==
	       XFRM_POLICY_OUT;
}

/* Was it made for the peer whom his daemon had put at @origin? It names @from now. */
static inline bool esptrack_policy_is_for(const struct esptrack_policy *p,
					  const xfrm_address_t *origin,
					  const xfrm_address_t *from,
					  u16 family)
{
	return xfrm_addr_equal(p->moved ? &p->given : from, origin, family);
}

bool esptrack_policy_names(struct xfrm_policy *policy,
			   const struct esptrack_sa *sa,
			   const xfrm_address_t *address);
void esptrack_policy_follow(struct esptrack_policy *p,
			    const struct esptrack_sa *sa);

#endif /* ESPTRACK_POLICY_INDEX_H */
