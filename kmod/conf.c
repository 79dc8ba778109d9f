// SPDX-License-Identifier: GPL-2.0
/*
 * What holds for a network namespace: switches of new SAs, and the throttle.
 */
#include "conf.h"

#include <linux/moduleparam.h>
#include <linux/time64.h>

#include "net.h"
#include "sa.h"

static bool static_nat;
module_param(static_nat, bool, 0644);
MODULE_PARM_DESC(static_nat,
		 "follow the peers of SAs that appear from now on (default 0)");

/**
 * esptrack_conf_apply() - give a new SA the switches of its namespace
 * @sa: the SA
 *
 * Context: any, esptrack_lock held.
 */
void esptrack_conf_apply(struct esptrack_sa *sa)
{
	lockdep_assert_held(&esptrack_lock);

	sa->static_nat = READ_ONCE(static_nat);
	esptrack_switches_set_one(sa, &sa->flow.net->conf.switches);
}

/**
 * esptrack_conf_set() - change what is given
 * @tn: namespace
 * @conf: new values
 *
 * Context: any, softirqs enabled.
 */
void esptrack_conf_set(struct esptrack_net *tn,
		       const struct esptrack_conf *conf)
{
	spin_lock_bh(&esptrack_lock);
	esptrack_switches_merge(&tn->conf.switches, &conf->switches);
	if (conf->interval)
		tn->conf.interval = conf->interval;
	if (conf->burst)
		tn->conf.burst = conf->burst;
	spin_unlock_bh(&esptrack_lock);
}

/**
 * esptrack_conf_inform() - take down what userspace is told
 * @tn: namespace
 * @conf: to fill in, with the defaults where nothing was set
 *
 * Context: any, softirqs enabled.
 */
void esptrack_conf_inform(struct esptrack_net *tn, struct esptrack_conf *conf)
{
	spin_lock_bh(&esptrack_lock);
	*conf = tn->conf;
	spin_unlock_bh(&esptrack_lock);

	if (!(conf->switches.given & ESPTRACK_SWITCH_STATIC_NAT) &&
	    READ_ONCE(static_nat))
		conf->switches.on |= ESPTRACK_SWITCH_STATIC_NAT;
	if (!conf->interval)
		conf->interval = ESPTRACK_THROTTLE_INTERVAL / NSEC_PER_MSEC;
	if (!conf->burst)
		conf->burst = ESPTRACK_THROTTLE_BURST;
}
