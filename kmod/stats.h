/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_STATS_H
#define ESPTRACK_STATS_H

#include <linux/types.h>
#include <linux/esptrack.h>

struct esptrack_net;

/* Index of a counter; those of the refused packets begin at the last one, and
 * are told apart by &enum esptrack_reason.
 */
enum esptrack_stat {
	ESPTRACK_STAT_ELSEWHERE,
	ESPTRACK_STAT_MALFORMED,
	ESPTRACK_STAT_MOVED,
	ESPTRACK_STAT_SEEN,
	ESPTRACK_STAT_UNREPORTED,
	ESPTRACK_STAT_EVENTS_LOST,
	ESPTRACK_STAT_REFUSED,
	ESPTRACK_STATS = ESPTRACK_STAT_REFUSED + __ESPTRACK_REASON_MAX
};

/**
 * struct esptrack_stats_info - the counters of a namespace, for userspace
 * @counters: by &enum esptrack_stat
 * @packets: that all its inbound SAs have accepted
 * @forged: that failed the integrity check of their SA
 * @events: number of the last event
 * @sas: inbound SAs
 * @following: those of them whose static_nat is on
 */
struct esptrack_stats_info {
	u64 counters[ESPTRACK_STATS];
	u64 packets;
	u64 forged;
	u64 events;
	u32 sas;
	u32 following;
};

void esptrack_stats_count(struct esptrack_net *tn, unsigned int stat);
void esptrack_stats_inform(struct esptrack_net *tn,
			   struct esptrack_stats_info *info);

int esptrack_stats_init(struct esptrack_net *tn);
void esptrack_stats_uninit(struct esptrack_net *tn);

#endif /* ESPTRACK_STATS_H */
