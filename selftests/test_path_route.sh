#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where rules of routing name ports, ESP in UDP obeys them by the port to which
# the peer has moved, from the first reply on.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# went_by ROUTER: how many packets to the peer did
went_by()
{
	in_ns server nft -j list counter ip routes "by_$1" |
		jq '.nftables[] | .counter | select(.) | .packets'
}

setup_topology || bail "no topology"
# Another router, but the same machine
ip_batch cloud <<< "addr add 10.128.0.3/24 dev lan" || bail "no router"
ip_batch server <<-END || bail "no routes"
route add default via 10.128.0.3 table 100
rule add ipproto 17 dport 30002 lookup 100
END
in_ns server nft -f - <<-END || bail "no counters"
table ip routes {
	counter by_1 {}
	counter by_3 {}
	chain out {
		type filter hook postrouting priority filter
		udp sport 4500 rt ip nexthop 10.128.0.1 counter name by_1
		udp sport 4500 rt ip nexthop 10.128.0.3 counter name by_3
	}
}
END
module_load static_nat=1
monitor_start server
tunnel_up static
check_eq "no rule: by the default route" "$(went_by 1) $(went_by 3)" "1 0"
nat_rebind 30002
check "a port with a rule is followed" ping_once
check_eq "by the rule's route" "$(went_by 1) $(went_by 3)" "1 1"
nat_rebind 30003
check "a port without one is followed" ping_once
check_eq "by the default route" "$(went_by 1) $(went_by 3)" "2 1"
check "two moves" events_wait server moved 2

check "the module can be unloaded" module_unload
done_testing
