#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A flood of real moves: each packet of some hundred peers comes from another
# place, and every one of them moves as often as the throttle allows.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

moved()
{
	! in_time || [ "$(moves_of server)" -ge "$asked" ]
}

consistent()
{
	local wrong

	wrong=$(peers audit "$n") || return
	[ "$(jq add <<< "$wrong")" -eq 0 ] && return
	echo "$wrong"
	return 1
}

n=500
[ "$SCALE" != small ] || n=40
peers_up
module_load static_nat=1
peers batch states-in,states-out,policies $n | ip_batch server || bail "no SAs"
check "all peers are answered" answered $n --tries 10
monitor_start server

scenario moves "moves of $n peers" 100000 300
start_ready flood cloud /payload/load/espflood $n
flood=$pid
# A look at all of them costs some.
poll_pause=0.5 busywait $((LIMIT + 60)) moved
stop "$flood"
did=$(moves_of server)
scenario_end=$EPOCHREALTIME
check_num "packets were sent" "$(tail -n 1 "$tmp/flood.log" | jq .sent)" -ge "$did"
check_eq "SAs and policies" "$(xfrm_counts server)" "$((2 * n)) $((2 * n))"
check "all is there once, and fits" consistent
check "all peers are answered, at a new place" answered $n --place 5 --tries 20
check "all still fits" consistent
events=$(events_count server all)
note "$events events were heard, $(events_lost server) lost"
check_num "events were reported" "$events" -ge 1
scenario_done "$did"

check "the module can be unloaded" module_unload
check "without the module all still fits" consistent
done_testing
