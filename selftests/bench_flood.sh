#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_flood.sh [ROUNDS]: how many packets of the real peer a processor of the server
# takes in a second, alone, and while the other processor takes forged ones on the same
# SA, from random sources, as fast as it can; with and without the module, in turns.
# For a guest with two processors. Prints a JSON object per measurement, after
# "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"
# shellcheck source=pktgen.sh
. "$here/pktgen.sh"

rounds=${1:-8}
burst=128
bursts=132
warm_up=4
# The generator's, so that both meet at one SA
SPI=$PKTGEN_SPI

# ahead: have so many forged packets been rejected as the peer will send? Then their
# numbers stay new to the SA, and none is told apart before it is decrypted.
ahead()
{
	[ "$(forged)" -gt $((bursts * burst)) ]
}

generator_stopped()
{
	in_ns server grep -q "Stopped: .*eth0" /proc/net/pktgen/kpktgend_1
}

# measure VARIANT ROUND alone|flood: with an SA of its own
measure()
{
	local name="$1, round $2, $3" out pid flood=()

	sa_add server $SPI sync udp
	if module_loaded; then
		knob_wait server $SPI
	fi
	xfrm_stat_mark server
	if [ "$3" = flood ]; then
		start generator server sh -c 'echo start > /proc/net/pktgen/pgctrl'
		busywait 60 ahead || bail "no flood"
	fi
	# None of the peer's is lost, or this fails.
	out=$(in_ns client taskset -c 0 "$here/bench_burst.py" stream --burst $burst \
		--warm-up $warm_up "$tmp/esp-sync-udp" server $SERVER_NET "$to") ||
		bail "$name: not measured"
	if [ "$3" = flood ]; then
		stop "$pid"
		busywait 10 generator_stopped || bail "the flood does not end"
		flood=("XfrmInStateProtoError $(forged)")
	fi
	check_eq "$name: nothing was wrong but with what is forged" \
		"$(xfrm_stat_delta server)" "${flood[*]}"
	check_eq "$name: the SA is where it was" "$(endpoint)" "$from 4500"
	if module_loaded; then
		check_eq "$name: the module has moved nothing" "$(knob server $SPI moves)" 0
	fi
	echo "result: $(jq -c --arg variant "$1" --argjson round "$2" --arg load "$3" \
		'{figure: "flood", $variant, $round, $load} + .' <<< "$out")"
	sa_flush server
}

# endpoint: of the peer, as the kernel's SA has it
endpoint()
{
	ip -n server xfrm state | awk '
		/^src/ { address = $2 }
		/encap type/ { print address, $5 }
	'
}

# turn VARIANT ROUND
turn()
{
	local load

	if [ "$1" = on ]; then
		quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded"
	fi
	for load in alone flood; do
		measure "$1" "$2" $load
	done
	module_unload
}

[ "$(nproc)" -ge 2 ] || bail "one processor is too few"
net_up || bail "no network"
defer module_unload
quietly modprobe pktgen || bail "no packet generator"
generator 1 $SERVER_MAC || bail "the packet generator does not take what it is told"
# For ever
pktgen eth0@1 "count 0" || bail "the packet generator wants an end"
record sync udp $((bursts * burst))
order=(stock on)
for ((round = 0; round < rounds; round++)); do
	for variant in "${order[@]}"; do
		turn "$variant" $round
	done
	# What becomes slower all the time shall not be laid to one of them.
	order=("${order[1]}" "${order[0]}")
done
done_testing
