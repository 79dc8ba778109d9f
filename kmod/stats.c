// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a network namespace. Nothing is counted for a packet that comes
 * from its SA's endpoint.
 */
#include "stats.h"

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#include "net.h"
#include "sa.h"

/**
 * struct esptrack_stats - counters of one processor
 * @counters: by &enum esptrack_stat
 * @syncp: lets others read them on 32 bits
 */
struct esptrack_stats {
	u64_stats_t counters[ESPTRACK_STATS];
	struct u64_stats_sync syncp;
};

/**
 * esptrack_stats_count() - count one
 * @tn: namespace
 * @stat: &enum esptrack_stat
 *
 * Context: softirq or softirqs disabled.
 */
void esptrack_stats_count(struct esptrack_net *tn, unsigned int stat)
{
	struct esptrack_stats *stats = this_cpu_ptr(tn->stats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->counters[stat]);
	u64_stats_update_end(&stats->syncp);
}

static void add_counters(struct esptrack_stats_info *info,
			 const struct esptrack_stats *stats)
{
	u64 counters[ESPTRACK_STATS];
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		for (i = 0; i < ESPTRACK_STATS; i++)
			counters[i] = u64_stats_read(&stats->counters[i]);
	} while (u64_stats_fetch_retry(&stats->syncp, start));

	for (i = 0; i < ESPTRACK_STATS; i++)
		info->counters[i] += counters[i];
}

/* With the mutex held none is let go, so that no packet is added twice or
 * missed; the lock is taken anew for each, to hold up no packet.
 */
static void add_sas(struct esptrack_net *tn, struct esptrack_stats_info *info)
	__must_hold(&tn->mutex)
{
	struct esptrack_sa *sa;
	unsigned long id;

	lockdep_assert_held(&tn->mutex);

	xa_for_each(&tn->sas, id, sa) {
		spin_lock_bh(&esptrack_lock);
		if (sa->dir == ESPTRACK_DIR_IN && !hlist_unhashed(&sa->by_id)) {
			info->packets += esptrack_sa_packets(sa);
			esptrack_sa_add_forged(sa);
			if (!esptrack_sa_is_dead(sa)) {
				info->sas++;
				info->following += sa->static_nat;
			}
		}
		spin_unlock_bh(&esptrack_lock);
		cond_resched();
	}

	spin_lock_bh(&esptrack_lock);
	info->packets += tn->packets;
	info->forged = tn->forged;
	spin_unlock_bh(&esptrack_lock);
}

/**
 * esptrack_stats_inform() - take down what userspace is told
 * @tn: namespace
 * @info: to fill in
 *
 * All events up to @info->events have been sent before, and what they tell of
 * is to be seen by whoever looks at the SAs afterwards.
 *
 * Context: process. May sleep.
 */
void esptrack_stats_inform(struct esptrack_net *tn,
			   struct esptrack_stats_info *info)
{
	int cpu;

	memset(info, 0, sizeof(*info));
	for_each_possible_cpu(cpu)
		add_counters(info, per_cpu_ptr(tn->stats, cpu));

	spin_lock_bh(&esptrack_lock);
	info->events = tn->event_seq;
	spin_unlock_bh(&esptrack_lock);
	flush_work(&tn->deliver);

	mutex_lock(&tn->mutex);
	add_sas(tn, info);
	mutex_unlock(&tn->mutex);
}

int esptrack_stats_init(struct esptrack_net *tn)
{
	int cpu;

	tn->stats = alloc_percpu(struct esptrack_stats);
	if (!tn->stats)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(tn->stats, cpu)->syncp);
	return 0;
}

void esptrack_stats_uninit(struct esptrack_net *tn)
{
	free_percpu(tn->stats);
}
