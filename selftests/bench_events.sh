#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_events.sh: how many moves a second a listener can be told of until he loses
# some, while he writes them to a file. For a guest whose clock counts instructions
# (run.sh --icount), of which it has 1,000,000,000 a second for one processor: sender,
# kernel and listener share it. Prints a JSON object per rate, after "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

# As many as the throttle lets through at once.
packets=1000

# lost: events, as the listener says
lost()
{
	jq -s '[.[] | .. | .lost? // empty] | add // 0' "$tmp/events-server"
}

# heard_all MOVES: he has been told of all of them, or that some were lost
heard_all()
{
	[ $(($(events_count server moved) + $(lost))) -ge "$1" ]
}

# measure RATE
measure()
{
	local out

	sa_add server $SPI sync udp
	knob_wait server 0x00001001
	monitor_start server
	out=$(bench_burst flood "$tmp/esp-sync-udp" "$to" "$1" "$CLIENT:4501" \
		"$CLIENT:4502") || bail "no flood"
	check_eq "$1 a second: each packet was a move" "$(knob server 0x00001001 moves)" \
		$packets
	busywait 60 heard_all $packets || bail "events are missing"
	# shellcheck disable=SC2154 # of monitor_start
	stop "$monitor_server"
	echo "result: $(jq -c --argjson rate "$1" --argjson lost "$(lost)" \
		'{figure: "events", $rate, $lost} + .' <<< "$out")"
	sa_flush server
	busywait 60 knob_gone server 0x00001001 || bail "the module keeps the SA"
}

net_up || bail "no network"
module_load static_nat=1
quietly tool server conf set rate 60000/minute burst $packets || bail "no other throttle"
record sync udp $packets
for rate in 500 1000 2000 4000 8000 16000 32000; do
	measure $rate
done
done_testing
