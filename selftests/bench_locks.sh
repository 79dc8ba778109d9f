#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_locks.sh [SAS]: do everything that takes long beside so many SAs (100,000),
# for a guest whose locks are watched from outside (guest/holds.c). Prints the names
# of what is done by their marks, and where the kernel's functions are, as JSON
# objects after "result: " and "symbols ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

sas=${1:-100000}
number=0

# during NAME COMMAND...: locks that are taken meanwhile are laid to NAME
during()
{
	local name=$1

	shift
	number=$((number + 1))
	"$here/mark.py" $number || bail "no mark"
	quietly "$@" || bail "$name"
	"$here/mark.py" 0 || bail "no mark"
	echo "result: {\"figure\":\"mark\",\"mark\":$number,\"name\":\"$name\",\"ours\":${ours:-true}}"
}

# idle SECONDS: they pass in no time; what the module does by itself is done then
idle()
{
	read -rt "$1" -u "$never" || [ $? -gt 128 ]
}

load_module()
{
	insmod "$module" static_nat=1 && all_published
}

# all_published: the last knobs are there
all_published()
{
	busywait 600 published
}

published()
{
	[ "$(in_ns server find "$knobs" -mindepth 1 -maxdepth 1 | wc -l)" -gt $((sas / 2)) ]
}

# moves: the peer comes from another port, and then from another address
moves()
{
	bench_burst move --pause 2 --warm-up 2 "$tmp/esp-sync-udp" server "$SERVER_NET" \
		"$SERVER" "$CLIENT:4500" "$CLIENT:4501" 10.128.0.11:4500
}

net_up || bail "no network"
defer module_unload
quietly ip -n client addr add 10.128.0.11/24 dev eth0 || bail "no address"
record sync udp 8
quietly ip -n server xfrm policy flush || bail "policies stay"
pair_batch $CLIENT 1 $SPI $SPI_OUT $CLIENT_NET | ip_batch server || bail "no SAs"
crowd_add 1 $((sas / 2))
poll_pause=1
# Not our doing, but to compare with.
ours=false during "nothing" idle 5
during "load" load_module
symbols
during "idle" idle 30
during "moves" moves
check_eq "the peer was followed" "$(knob server 0x00001001 moves)" 2
during "show" in_ns server /payload/esptrack show
during "stats" in_ns server /payload/esptrack stats
during "set by reqid" in_ns server /payload/esptrack set reqid 1001 port_only on
ours=false during "flush" ip -n server xfrm state flush
during "idle after it" idle 30
during "unload" rmmod esptrack
pass "done"
done_testing
