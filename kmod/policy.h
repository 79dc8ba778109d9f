/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_POLICY_H
#define ESPTRACK_POLICY_H

#include <net/xfrm.h>

struct esptrack_endpoint;
struct esptrack_net;
struct esptrack_sa;

void esptrack_policy_track(struct xfrm_policy *policy);
void esptrack_policy_open(struct esptrack_net *tn, const struct xfrm_state *x,
			  const xfrm_address_t *local,
			  const xfrm_address_t *origin,
			  const xfrm_address_t *from, const xfrm_address_t *to,
			  struct list_head *opened);
void esptrack_policy_close(struct list_head *opened);
void esptrack_policy_return(const struct esptrack_sa *sa);
void esptrack_policy_forsake(const struct esptrack_sa *sa);
unsigned int esptrack_policy_count(const struct esptrack_net *tn, u32 reqid,
				   unsigned int max);
bool esptrack_policy_needs(const struct esptrack_sa *sa, bool exactly);
bool esptrack_policy_trusts(const struct esptrack_net *tn,
			    const struct esptrack_endpoint *remote, bool moved);
bool esptrack_policy_trust_goes(const struct esptrack_net *tn,
				const struct xfrm_state *x,
				const xfrm_address_t *origin,
				const struct esptrack_endpoint *from);
void esptrack_policy_sweep(struct esptrack_net *tn, bool all);

int esptrack_policy_init(void);
void esptrack_policy_uninit(void);

#endif /* ESPTRACK_POLICY_H */
