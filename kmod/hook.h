/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_HOOK_H
#define ESPTRACK_HOOK_H

#include "endpoint.h"

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

int esptrack_hook_attach(struct xfrm_state *x);
void esptrack_hook_detach(struct xfrm_state *x);
void esptrack_hook_uninit(void);

#endif /* ESPTRACK_HOOK_H */
