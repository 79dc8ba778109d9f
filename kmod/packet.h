/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_PACKET_H
#define ESPTRACK_PACKET_H

#include "endpoint.h"

struct xfrm_state;

/**
 * struct esptrack_packet - what is remembered of a packet from another source
 * @source: where it came from
 * @seq: its ESP sequence number, with the high half if the SA has ESN
 * @advanced: the replay window knows of it already
 */
struct esptrack_packet {
	struct esptrack_endpoint source;
	u64 seq;
	bool advanced;
};

void esptrack_packet_accepted(struct xfrm_state *x,
			      const struct esptrack_packet *packet);

#endif /* ESPTRACK_PACKET_H */
