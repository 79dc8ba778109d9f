#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_profile.sh: packets that cost the module something, for a guest whose functions
# are watched from outside (guest/profile.c). Prints what has which mark, and where the
# kernel's functions are, as JSON objects after "result: " and "symbols ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

bursts=16
burst=128
moves=8
warm_up=4
number=0

# profile NAME BURST COMMAND...: what bench_burst COMMAND costs goes by the name
profile()
{
	local name=$1 size=$2

	shift 2
	number=$((number + 1))
	quietly bench_burst --mark $number "$@" || bail "$name: not measured"
	echo "result: {\"figure\":\"profile\",\"mark\":$number,\"name\":\"$name\",\"variant\":\"$variant\",\"burst\":$size}"
}

# with_sa sync|async COMMAND...: do it with an SA of its own
with_sa()
{
	sa_add server $SPI "$1" udp
	if module_loaded; then
		knob_wait server 0x00001001
	fi
	"${@:2}"
	sa_flush server
	busywait 60 knob_gone server 0x00001001 || bail "the module keeps the SA"
}

# send sync|async NAME [--forged]
send()
{
	with_sa "$1" profile "$2" $burst send "${@:3}" \
		--burst $burst --warm-up $warm_up "$tmp/esp-$1-udp" server $SERVER_NET "$to"
}

# move NAME SOURCE...
move()
{
	pair_batch $CLIENT 1 $SPI $SPI_OUT $CLIENT_NET | ip_batch server || bail "no SAs"
	if module_loaded; then
		knob_wait server 0x00001001
	fi
	profile "$1" 1 move --pause 2 --warm-up $warm_up "$tmp/esp-sync-udp" \
		server $SERVER_NET $SERVER $CLIENT:4500 "${@:2}"
	sa_flush server
	quietly ip -n server xfrm policy flush || bail "policies stay"
	busywait 60 knob_gone server 0x00001001 || bail "the module keeps the SAs"
}

# all stock|loaded
all()
{
	local variant=$1 ports=() addresses=() i

	for ((i = 1; i <= moves; i++)); do
		ports+=("$CLIENT:$((4500 + i))")
		addresses+=("10.128.0.$((10 + i)):4500")
	done
	outer 4 || bail "no policies"
	send sync "received"
	send sync "forged" --forged
	send async "received, async-capable crypto"
	send async "forged, async-capable crypto" --forged
	quietly ip -n server xfrm policy flush || bail "policies stay"
	move "new port" "${ports[@]}"
	move "new address" "${addresses[@]}"
}

net_up || bail "no network"
defer module_unload
for ((i = 1; i <= moves; i++)); do
	echo "addr add 10.128.0.$((10 + i))/24 dev eth0"
done | ip_batch client || bail "no addresses"
record sync udp $((bursts * burst))
record async udp $((bursts * burst))
all stock
quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded"
all loaded
symbols
pass "done"
done_testing
