#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_moves.sh [ROUNDS [SAS...]]: what the packet costs that moves a peer, with
# and without the module, beside so many SAs of others, and three times as many
# policies. For a guest whose clock counts instructions (run.sh --icount).
#
# The peer has a pair of SAs and three policies, and each measurement begins with
# new ones. Two seconds pass between packets, in no time, as the guest's clock
# leaps while nothing is to be done: so the throttle lets all of them through,
# and none gains by what another has left in caches. Prints a JSON object per
# measurement, after "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

rounds=${1:-3}
if [ $# -gt 1 ]; then
	sizes=("${@:2}")
else
	sizes=(10 1000 100000)
fi
moves=12
warm_up=4

# measure port|address|heard stock|esptrack SAS: heard is a new address too, but
# somebody listens to what is announced. He does not run: only to send it counts.
measure()
{
	local kind=$1 variant=$2 sas=$3 sources=("$CLIENT:4500") i out

	pair_batch $CLIENT 1 $SPI 0x2001 $CLIENT_NET | ip_batch server || bail "no SAs"
	if [ "$variant" = esptrack ]; then
		knob_wait server 0x00001001
	fi
	for ((i = 1; i <= moves; i++)); do
		case $kind in
		port)		sources+=("$CLIENT:$((4500 + i))") ;;
		*)		sources+=("10.128.0.$((10 + i)):4500") ;;
		esac
	done

	if [ "$kind" = heard ]; then
		ip_monitor_start server
		kill -STOP "$pid"
	fi

	out=$(bench_burst move --pause 2 --warm-up $warm_up "$tmp/esp-sync-udp" \
		server $SERVER_NET $SERVER "${sources[@]}") || bail "$kind, $variant: not measured"
	if [ "$kind" = heard ]; then
		stop "$pid"
	fi
	if [ "$variant" = esptrack ]; then
		check_eq "$kind, $sas SAs: every packet that should move the peer did" \
			"$(knob server 0x00001001 moves)" $moves
	fi
	echo "result: $(jq -c --arg figure "move-$kind" --arg variant "$variant" \
		--argjson sas "$sas" '{$figure, $variant, $sas} + .' <<< "$out")"

	quietly ip -n server xfrm state deleteall reqid 1 || bail "SAs stay"
	ip_batch server <<-END || bail "policies stay"
	xfrm policy delete src $CLIENT_NET dst $SERVER_NET dir in
	xfrm policy delete src $CLIENT_NET dst $SERVER_NET dir fwd
	xfrm policy delete src $SERVER_NET dst $CLIENT_NET dir out
	END
	# Or the next ones would be the same SAs to the module.
	busywait 60 knob_gone server 0x00001001 || bail "the module keeps the SAs"
}

net_up || bail "no network"
defer module_unload
for ((i = 1; i <= moves; i++)); do
	echo "addr add 10.128.0.$((10 + i))/24 dev eth0"
done | ip_batch client || bail "no addresses"
record sync udp $((warm_up + 2 * moves))
# Each measurement brings its own.
quietly ip -n server xfrm policy flush || bail "policies stay"

peers=0
for sas in "${sizes[@]}"; do
	crowd_add $((peers + 1)) $((sas / 2))
	peers=$((sas / 2))
	check_eq "$sas SAs and three times as many policies" "$(xfrm_counts server)" \
		"$sas $((3 * sas))"
	for ((round = 0; round < rounds; round++)); do
		for kind in port address heard; do
			measure $kind stock "$sas"
		done
		quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded"
		for kind in port address heard; do
			measure $kind esptrack "$sas"
		done
		module_unload
	done
done
pass "$rounds rounds"
done_testing
