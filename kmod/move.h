/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_MOVE_H
#define ESPTRACK_MOVE_H

#include "endpoint.h"

bool esptrack_move_mode(const struct xfrm_state *x);
bool esptrack_move_collides(struct xfrm_state *x,
			    const struct esptrack_endpoint *to);
bool esptrack_move_meets(struct xfrm_state *x,
			 const struct esptrack_endpoint *local,
			 const struct esptrack_endpoint *to);
struct xfrm_state *esptrack_move_prepare(struct xfrm_state *x, u8 dir,
					 const struct esptrack_endpoint *to);
void esptrack_move_cancel(struct xfrm_state *place);
bool esptrack_move_sa(struct xfrm_state *x, struct xfrm_state *place, u8 dir,
		      const struct esptrack_endpoint *from,
		      const struct esptrack_endpoint *to);
void esptrack_move_refresh(struct xfrm_state *x);

#endif /* ESPTRACK_MOVE_H */
