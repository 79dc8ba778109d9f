// SPDX-License-Identifier: GPL-2.0
/*
 * esptrack - keep IPsec tunnels alive when a peer's NAT mapping changes
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "claim.h"
#include "hook.h"
#include "km.h"
#include "knob.h"
#include "net.h"
#include "netlink.h"
#include "policy.h"
#include "sa.h"

static int __init esptrack_init(void)
{
	int err;

	esptrack_claim_init();

	err = esptrack_sa_init();
	if (err)
		return err;
	err = esptrack_policy_init();
	if (err)
		goto err_sa;
	err = esptrack_knob_init();
	if (err)
		goto err_policy;
	err = esptrack_net_init();
	if (err)
		goto err_knob;
	err = esptrack_netlink_init();
	if (err)
		goto err_net;
	esptrack_km_init();
	return 0;

err_net:
	esptrack_net_uninit();
err_knob:
	esptrack_knob_uninit();
err_policy:
	esptrack_policy_uninit();
err_sa:
	esptrack_sa_uninit();
	return err;
}

static void __exit esptrack_exit(void)
{
	esptrack_km_uninit();
	esptrack_netlink_uninit();
	esptrack_net_uninit();
	esptrack_claim_uninit();
	esptrack_hook_uninit();
	esptrack_knob_uninit();
	esptrack_policy_uninit();
	esptrack_sa_uninit();
}

module_init(esptrack_init);
module_exit(esptrack_exit);

MODULE_DESCRIPTION("Keep IPsec tunnels alive when a peer's NAT mapping changes");
MODULE_AUTHOR("esptrack developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
MODULE_ALIAS_GENL_FAMILY("esptrack");
