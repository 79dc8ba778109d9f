#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded and loaded again and again, while the two ends of the
# tunnel, on two processors, send to each other. Nothing is lost.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

spi=$STATIC_SPI_IN

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
setup_topology || bail "no topology"
module_load static_nat=1
# One end may stand still while the other one sends.
# shellcheck disable=SC2034 # for static_sa
replay_window=1024
tunnel_up static
knob_wait server $spi
traffic_start
for cpu in 0 1; do
	quietly taskset -p -c $cpu "${traffic_pids[cpu]}" || bail "not on processor $cpu"
done
traffic_wait client received 50 || bail "no traffic"

scenario reload "unloaded and loaded under two-way traffic" 1000 3
sent=$(traffic_count server sent)
while [ $did -lt "$asked" ] && in_time; do
	quietly rmmod esptrack || bail "round $did: cannot unload"
	quietly insmod "$module" static_nat=1 || bail "round $did: cannot load"
	did=$((did + 1))
done
scenario_end=$EPOCHREALTIME
note "meanwhile $(($(traffic_count server sent) - sent)) datagrams to the client"
traffic_wait client received 50 || bail "no traffic any more"
traffic_wait server received 50 || bail "no traffic any more"
traffic_stop || bail "traffic did not end"
traffic_summary
check_eq "nothing was lost to the client" "$(traffic .to_client.lost)" 0
check_eq "nor to the server" "$(traffic .to_server.lost)" 0
check_eq "SAs and policies" "$(xfrm_counts server)" "2 3"
knob_wait server $spi
nat_rebind 30002
check "the peer is followed as ever" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "by one move" "$(knob server $spi moves)" 1
scenario_done $did

check "the module can be unloaded" module_unload
done_testing
