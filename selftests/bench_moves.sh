#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_moves.sh [ROUNDS]: what the packet costs that moves a peer, with and
# without the module, beside few and beside many SAs and policies of others. For
# a guest whose clock counts instructions (run.sh --icount).
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
moves=12
warm_up=4

# pair_batch ADDRESS REQID SPI_IN SPI_OUT NET...: for ip -batch, the server's SAs
# and policies of a peer: three policies for each of his networks
pair_batch()
{
	local peer=$1 reqid=$2 in=$3 out=$4 net
	local sa="proto esp reqid $reqid mode tunnel encap espinudp 4500 4500 0.0.0.0"
	local algo="aead $chacha $key$key_more 128"
	local tmpl="proto esp reqid $reqid mode tunnel"

	shift 4
	echo "xfrm state add src $peer dst $SERVER spi $in $sa $algo replay-window 32"
	echo "xfrm state add src $SERVER dst $peer spi $out $sa $algo"
	for net; do
		echo "xfrm policy add src $net dst $SERVER_NET dir in tmpl src $peer dst $SERVER $tmpl"
		echo "xfrm policy add src $net dst $SERVER_NET dir fwd tmpl src $peer dst $SERVER $tmpl"
		echo "xfrm policy add src $SERVER_NET dst $net dir out tmpl src $SERVER dst $peer $tmpl"
	done
}

# crowd_add FIRST LAST: other peers, each with two SAs and six policies
crowd_add()
{
	local i at

	for ((i = $1; i <= $2; i++)); do
		at=$((i >> 8)).$((i & 255))
		pair_batch "10.64.$at" $((1000 + i)) $((0x10000 + i)) $((0x20000 + i)) \
			"10.96.$at" "10.97.$at"
	done | ip_batch server || bail "no crowd"
}

# measure port|address|heard stock|esptrack SAS: heard is a new address too, but
# somebody listens to what is announced. He does not run: only to send it counts.
measure()
{
	local kind=$1 variant=$2 sas=$3 sources=("$CLIENT:4500") i out

	if [ "$variant" = esptrack ]; then
		quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded"
	fi
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
	module_unload
}

net_up || bail "no network"
defer module_unload
for ((i = 1; i <= moves; i++)); do
	echo "addr add 10.128.0.$((10 + i))/24 dev eth0"
done | ip_batch client || bail "no addresses"
record sync udp $((warm_up + 2 * moves))

peers=0
for sas in 10 10000; do
	crowd_add $((peers + 1)) $((sas / 2))
	peers=$((sas / 2))
	check_eq "$sas SAs and three times as many policies" "$(xfrm_counts server)" \
		"$sas $((3 * sas))"
	for ((round = 0; round < rounds; round++)); do
		for kind in port address heard; do
			measure $kind stock $sas
			measure $kind esptrack $sas
		done
	done
done
pass "$rounds rounds"
done_testing
