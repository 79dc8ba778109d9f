#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whoever flushes the SAs has none afterwards, also while peers move from address to
# address on another processor: an SA may go where the kernel has been already.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

PEERS=3000

many_move()
{
	[ "$(tool server -j stats | jq .moved)" -ge $((moved + PEERS)) ]
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
peers_up
module_load static_nat=1
quietly tool server conf set rate 1000/second burst 1000 || bail "no throttle"
peers batch states-in,states-out $PEERS > "$tmp/batch"
start_ready flood cloud /payload/load/espflood --cpu 0 $PEERS
flood=$pid

scenario flush "SAs flushed while $PEERS peers move" 20 2
left=0
during=0
while [ $did -lt "$asked" ] && in_time; do
	moved=$(tool server -j stats | jq .moved)
	ip_batch server < "$tmp/batch" || bail "round $did: no SAs"
	busywait 60 many_move || bail "round $did: the peers do not move"
	moved=$(tool server -j stats | jq .moved)
	quietly taskset -c 1 ip -n server xfrm state flush
	during=$((during + $(tool server -j stats | jq .moved) - moved))
	left=$((left + $(ip -n server xfrm state | grep -c '^src')))
	quietly ip -n server xfrm state flush
	busywait 60 sas_are server 0 || bail "round $did: the module keeps some"
	did=$((did + 1))
done
scenario_end=$EPOCHREALTIME
stop "$flood"
note "$during moves just before and during the flushes"
check_num "they do move meanwhile" $during -gt 0
check_eq "no SA is left" $left 0
scenario_done $did

check "the module can be unloaded" module_unload
done_testing
