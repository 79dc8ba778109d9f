/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_TABLE_H
#define ESPTRACK_TABLE_H

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <net/netns/hash.h>

#define ESPTRACK_TABLE_BITS	14

/**
 * struct esptrack_table - a hash table of all namespaces together
 * @chains: the same number all the time, so that to link cannot fail: a move must not
 *	lose an SA. At 100,000 SAs there are six in a chain
 * @seed: nobody shall know what falls into one chain
 */
struct esptrack_table {
	struct hlist_head *chains;
	u32 seed;
};

static inline struct hlist_head *
esptrack_table_by_pointer(const struct esptrack_table *table, const void *pointer)
{
	return &table->chains[hash_ptr(pointer, ESPTRACK_TABLE_BITS)];
}

/* Whoever is root in a namespace of his own can choose SPIs and reqids: he may
 * make chains long for himself, but not for others (who wait for him, though, as
 * the lock is the same).
 */
static inline struct hlist_head *
esptrack_table_by_value(const struct esptrack_table *table,
			const struct net *net, u32 value)
{
	u32 hash = jhash_2words(value, net_hash_mix(net), table->seed);

	return &table->chains[hash & (BIT(ESPTRACK_TABLE_BITS) - 1)];
}

int esptrack_table_init(struct esptrack_table *table);
void esptrack_table_uninit(struct esptrack_table *table);

#endif /* ESPTRACK_TABLE_H */
