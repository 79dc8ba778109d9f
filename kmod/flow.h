/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_FLOW_H
#define ESPTRACK_FLOW_H

struct esptrack_packet;
struct xfrm_state;

void esptrack_flow_accepted(struct xfrm_state *x,
			    const struct esptrack_packet *packet);

#endif /* ESPTRACK_FLOW_H */
