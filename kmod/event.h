/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_EVENT_H
#define ESPTRACK_EVENT_H

#include "sa.h"

struct esptrack_net;

/* As many moved SAs are named; all are counted. */
#define ESPTRACK_MEMBERS_MAX	32

/**
 * struct esptrack_member - an SA that was moved
 * @spi: SPI
 * @dir: &enum esptrack_dir
 * @x: the SA in the kernel, held
 */
struct esptrack_member {
	__be32 spi;
	u8 dir;
	struct xfrm_state *x;
};

/**
 * struct esptrack_event - what is reported of a packet from elsewhere
 * @cmd: &enum esptrack_cmd of the notification
 * @reason: the broken rule, if one is
 * @old: the endpoint before
 * @new: source of the packet
 * @esp_seq: ESP sequence number of the packet
 * @moved: number of SAs that were moved
 * @members: the first of them
 */
struct esptrack_event {
	enum esptrack_cmd cmd;
	enum esptrack_reason reason;
	struct esptrack_endpoint old;
	struct esptrack_endpoint new;
	u64 esp_seq;
	unsigned int moved;
	struct esptrack_member members[ESPTRACK_MEMBERS_MAX];
};

void esptrack_event_post(const struct esptrack_sa *sa,
			 const struct esptrack_event *event);
void esptrack_event_deliver(struct esptrack_net *tn);

#endif /* ESPTRACK_EVENT_H */
