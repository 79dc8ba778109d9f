/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_SWITCHES_H
#define ESPTRACK_SWITCHES_H

#include <linux/bits.h>
#include <linux/types.h>

struct esptrack_sa;

#define ESPTRACK_SWITCH_STATIC_NAT	BIT(0)
#define ESPTRACK_SWITCH_PORT_ONLY	BIT(1)

/**
 * struct esptrack_switches - what to set of an SA
 * @given: ESPTRACK_SWITCH_* of those that are meant; the others stay
 * @on: ESPTRACK_SWITCH_* of those that are on
 */
struct esptrack_switches {
	u8 given;
	u8 on;
};

void esptrack_switches_merge(struct esptrack_switches *all,
			     const struct esptrack_switches *switches);
void esptrack_switches_set_one(struct esptrack_sa *sa,
			       const struct esptrack_switches *switches);
void esptrack_switches_set(struct esptrack_sa *sa,
			   const struct esptrack_switches *switches);
void esptrack_switches_share(const struct esptrack_sa *sa);
void esptrack_switches_bequeath(const struct esptrack_sa *sa);

#endif /* ESPTRACK_SWITCHES_H */
