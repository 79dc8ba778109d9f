/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_INDEX_H
#define ESPTRACK_INDEX_H

#include "sa.h"

void esptrack_index_add(struct esptrack_sa *sa);
void esptrack_index_replace(struct esptrack_sa *sa, struct xfrm_state *x);
void esptrack_index_del(struct esptrack_sa *sa);
void esptrack_index_update(struct esptrack_sa *sa);
struct hlist_head *esptrack_index_leave(const struct esptrack_flow *flow,
					const struct esptrack_endpoint *to);
void esptrack_index_move(struct esptrack_sa *sa, u8 dir,
			 const struct esptrack_endpoint *to,
			 struct hlist_head *chain);

struct esptrack_sa *esptrack_index_of_state(const struct xfrm_state *x);
struct esptrack_sa *esptrack_index_find(struct net *net,
					const struct esptrack_sa_id *id);
struct hlist_head *esptrack_index_flow(const struct esptrack_flow *flow);
struct hlist_head *esptrack_index_reqid(const struct esptrack_net *tn,
					u32 reqid);
struct esptrack_sa *esptrack_index_first_of(const struct esptrack_net *tn,
					    u32 reqid);
struct esptrack_sa *esptrack_index_next_of(const struct esptrack_sa *sa);

u8 esptrack_ends_relation(const struct esptrack_flow *flow,
			  const struct esptrack_flow *other);
u8 esptrack_flow_relation(const struct esptrack_flow *flow,
			  const struct esptrack_flow *other);

void esptrack_flow_set_ends(struct esptrack_flow *flow, struct xfrm_state *x);

/* The end of a flow that is the peer's, in this direction. */
static inline const struct esptrack_endpoint *
esptrack_flow_remote(const struct esptrack_flow *flow, u8 dir)
{
	return dir == ESPTRACK_DIR_IN ? &flow->src : &flow->dst;
}

int esptrack_index_init(void);
void esptrack_index_uninit(void);

#endif /* ESPTRACK_INDEX_H */
