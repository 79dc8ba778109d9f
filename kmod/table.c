// SPDX-License-Identifier: GPL-2.0
/*
 * Hash tables: where SAs and policies are found.
 */
#include "table.h"

#include <linux/mm.h>
#include <linux/random.h>

/**
 * esptrack_table_init() - make a table
 * @table: to be made
 *
 * Context: process. May sleep.
 * Return: 0 or -ENOMEM.
 */
int esptrack_table_init(struct esptrack_table *table)
{
	table->seed = get_random_u32();
	table->chains = kvcalloc(BIT(ESPTRACK_TABLE_BITS),
				 sizeof(*table->chains), GFP_KERNEL);
	return table->chains ? 0 : -ENOMEM;
}

/**
 * esptrack_table_uninit() - free a table
 * @table: nobody looks at it any more; or it could not be made, or never was
 *
 * Context: process. May sleep.
 */
void esptrack_table_uninit(struct esptrack_table *table)
{
	kvfree(table->chains);
	table->chains = NULL;
}
