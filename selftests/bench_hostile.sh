#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_hostile.sh [ROUNDS]: what a forged packet from elsewhere costs until it is
# rejected, with and without the module, whether it follows or not. For a guest whose
# clock counts instructions (run.sh --icount). Prints a JSON object per measurement,
# after "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

rounds=${1:-3}
bursts=20
burst=128
warm_up=4

# forged: what the module has counted
forged()
{
	in_ns server /payload/esptrack -j stats | jq '[.. | .forged? // empty] | add'
}

# measure stock|off|on sync|async
measure()
{
	local variant=$1 crypto=$2 out

	case $variant in
	on)	quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded" ;;
	off)	quietly insmod "$module" || bail "the module cannot be loaded" ;;
	esac
	sa_add server $SPI "$crypto" udp
	if module_loaded; then
		knob_wait server 0x00001001
	fi
	out=$(bench_burst send --forged --burst $burst --warm-up $warm_up \
		"$tmp/esp-$crypto-udp" server $SERVER_NET "$to") ||
		bail "$crypto, $variant: not measured"
	if module_loaded; then
		check_eq "$crypto, $variant: the module saw all of them" "$(forged)" \
			$((bursts * burst))
	fi
	echo "result: $(jq -c --arg figure "forged-$crypto" --arg variant "$variant" \
		'{$figure, $variant} + .' <<< "$out")"
	sa_flush server
	module_unload
}

net_up || bail "no network"
defer module_unload
record sync udp $((bursts * burst))
record async udp $((bursts * burst))
for ((round = 0; round < rounds; round++)); do
	for crypto in sync async; do
		measure stock $crypto
		measure off $crypto
		measure on $crypto
	done
done
pass "$rounds rounds"
done_testing
