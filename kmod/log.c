// SPDX-License-Identifier: GPL-2.0
/*
 * The log: what came of an SA's last packets from elsewhere, for the operator
 * who asks why. It is made with the first of them, as most SAs never see one.
 */
#include "log.h"

#include <linux/slab.h>

#include "event.h"
#include "sa.h"

/**
 * struct esptrack_log - of one SA
 * @next: entry that is written next, the oldest one
 * @entries: a ring
 */
struct esptrack_log {
	unsigned int next;
	struct esptrack_log_entry entries[ESPTRACK_LOG_ENTRIES];
};

static bool is_same(const struct esptrack_log_entry *a,
		    const struct esptrack_log_entry *b)
{
	return a->count && a->kind == b->kind && a->reason == b->reason &&
	       esptrack_endpoint_equal(&a->source, &b->source);
}

/**
 * esptrack_log_add() - note a packet
 * @sa: the SA
 * @event: the packet, and the rule that it broke, if any
 * @now: nanoseconds of CLOCK_BOOTTIME
 * @kind: &enum esptrack_kind
 *
 * Like the one before it is only counted, so that many of a kind do not drive
 * out the rest. Without memory nothing is noted.
 *
 * Context: softirq, esptrack_lock held.
 */
void esptrack_log_add(struct esptrack_sa *sa,
		      const struct esptrack_event *event, u64 now, u8 kind)
{
	const struct esptrack_log_entry entry = {
		.time = now,
		.esp_seq = event->esp_seq,
		.source = event->new,
		.count = 1,
		.kind = kind,
		.reason = event->reason,
	};
	struct esptrack_log_entry *last;
	struct esptrack_log *log;

	lockdep_assert_held(&esptrack_lock);

	if (!sa->log)
		sa->log = kzalloc(sizeof(*sa->log), GFP_ATOMIC | __GFP_NOWARN);
	log = sa->log;
	if (!log)
		return;

	last = &log->entries[(log->next + ESPTRACK_LOG_ENTRIES - 1) %
			     ESPTRACK_LOG_ENTRIES];
	if (is_same(last, &entry)) {
		last->time = entry.time;
		last->esp_seq = entry.esp_seq;
		last->count += last->count < U32_MAX;
		return;
	}
	log->entries[log->next] = entry;
	log->next = (log->next + 1) % ESPTRACK_LOG_ENTRIES;
}

/**
 * esptrack_log_read() - copy the log of an SA
 * @sa: the SA
 * @entries: %ESPTRACK_LOG_ENTRIES of them, oldest first
 *
 * Context: any, esptrack_lock held.
 * Return: how many there are.
 */
unsigned int esptrack_log_read(const struct esptrack_sa *sa,
			       struct esptrack_log_entry *entries)
{
	const struct esptrack_log *log = sa->log;
	unsigned int i, n = 0;

	lockdep_assert_held(&esptrack_lock);

	for (i = 0; log && i < ESPTRACK_LOG_ENTRIES; i++) {
		const struct esptrack_log_entry *entry =
			&log->entries[(log->next + i) % ESPTRACK_LOG_ENTRIES];

		if (entry->count)
			entries[n++] = *entry;
	}
	return n;
}

/**
 * esptrack_log_free() - let the log of an SA go
 * @sa: the SA, which nobody looks at any more
 */
void esptrack_log_free(struct esptrack_sa *sa)
{
	kfree(sa->log);
}
