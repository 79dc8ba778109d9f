/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_LOG_H
#define ESPTRACK_LOG_H

#include <linux/esptrack.h>

#include "endpoint.h"

struct esptrack_event;
struct esptrack_sa;

/* What fits into 256 bytes. */
#define ESPTRACK_LOG_ENTRIES	5

/**
 * struct esptrack_log_entry - packets from elsewhere that came to the same
 * @time: of the last one, nanoseconds of CLOCK_BOOTTIME
 * @esp_seq: of the last one
 * @source: of all of them
 * @count: how many there were in a row, 0 if the entry is free
 * @kind: &enum esptrack_kind
 * @reason: &enum esptrack_reason, 0 if no rule was broken
 */
struct esptrack_log_entry {
	u64 time;
	u64 esp_seq;
	struct esptrack_endpoint source;
	u32 count;
	u8 kind;
	u8 reason;
};

void esptrack_log_add(struct esptrack_sa *sa,
		      const struct esptrack_event *event, u64 now, u8 kind);
unsigned int esptrack_log_read(const struct esptrack_sa *sa,
			       struct esptrack_log_entry *entries);
void esptrack_log_free(struct esptrack_sa *sa);

#endif /* ESPTRACK_LOG_H */
