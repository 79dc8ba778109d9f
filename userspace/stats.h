/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

/* Reasons above are newer than this program, and not told apart. */
#define STATS_REASONS 32

struct nl;

struct stats {
	uint64_t packets;
	uint64_t elsewhere;
	uint64_t forged;
	uint64_t malformed;
	uint64_t moved;
	uint64_t seen;
	uint64_t unreported;
	uint64_t events;
	uint64_t events_lost;
	uint32_t sas;
	uint32_t following;
	uint64_t refused[STATS_REASONS];	/* by enum esptrack_reason */
};

int stats_get(struct nl *nl, struct stats *stats);

#endif
