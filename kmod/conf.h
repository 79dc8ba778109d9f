/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_CONF_H
#define ESPTRACK_CONF_H

#include "switches.h"

struct esptrack_net;
struct esptrack_sa;

/**
 * struct esptrack_conf - what holds for a network namespace
 * @switches: of new SAs; the module's parameter counts where static_nat is not
 *	given
 * @interval: milliseconds until a flow that was moved may be moved once more
 * @burst: how often it may be moved at once
 *
 * A value of 0 is none: the one that is there stays, or is the default.
 */
struct esptrack_conf {
	struct esptrack_switches switches;
	u32 interval;
	u32 burst;
};

void esptrack_conf_apply(struct esptrack_sa *sa);
void esptrack_conf_set(struct esptrack_net *tn,
		       const struct esptrack_conf *conf);
void esptrack_conf_inform(struct esptrack_net *tn, struct esptrack_conf *conf);

#endif /* ESPTRACK_CONF_H */
