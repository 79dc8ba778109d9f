#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Peers who move all the time, on one processor, while on the other one SAs are
# deleted and added, the SAD is flushed, its tables grow, policies change,
# namespaces go away, and the module itself. Packets may be lost, but afterwards
# every SA and policy is there once, can be found, and fits the others.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

PEERS=30
DUMMIES=700

# batches NAME...: into the server
batches()
{
	local name

	for name in "$@"; do
		ip_batch server < "$tmp/$name" || return
	done
}

# consistent: has the kernel what it should have?
consistent()
{
	local wrong

	wrong=$(peers audit "$PEERS") || return
	[ "$(jq add <<< "$wrong")" -eq 0 ] && return
	echo "$wrong"
	return 1
}

moved()
{
	[ "$(moves_of "$1")" -ge "$2" ]
}

# flood_start [OPTIONS]: all peers begin to move, by packets that the first
# processor takes in. Sets $flood.
flood_start()
{
	start_ready flood cloud "$here/esppeers.py" "$@" flood $PEERS --cpu 0
	flood=$pid
}

# race NAME COMMAND...: run the command at least twice while all peers move, and
# until they have moved twice each; then look at what is left. The moves are
# counted by their events, as an SA that was away for long counts anew.
race()
{
	local name=$1 rounds=0 before moves

	shift
	before=$(events_count server moved)
	flood_start
	until [ $rounds -ge 2 ] && events_reached server moved $((before + 2 * PEERS)); do
		rounds=$((rounds + 1))
		if ! "$@" || [ $rounds -gt 100 ]; then
			bail "$name: round $rounds"
		fi
	done
	stop "$flood"
	moves=$(($(events_count server moved) - before))
	check_num "$name, $rounds times: meanwhile peers have moved" $moves -ge $((2 * PEERS))
	# An SA that is deleted in the middle of its move, and made anew, comes to where
	# the others have gone with the next sweep, a second later.
	check "$name: all is there once, and fits" busywait 5 consistent
	check "$name: all peers are answered, at a new place" answered $PEERS --place 5 --tries 20
	check "$name: all still fits" consistent
}

delete_all()
{
	quietly ip -n server xfrm state deleteall
}

# An SA that moves between the look and the deletion is not found.
readd()
{
	busywait 20 delete_all && batches states-in states-out
}

refill()
{
	quietly ip -n server xfrm state flush && batches "$@"
}

reflush_policies()
{
	quietly ip -n server xfrm policy flush && batches policies
}

buckets()
{
	ip -n server -s xfrm state count | sed 's/.*buckets count \([0-9]*\).*/\1/'
}

# The tables grow when SAs are added, and never shrink.
grow()
{
	batches dummies dummies-deleted
}

# A namespace like the server, which goes away while packets come in
doom()
{
	quietly ip netns add doomed || return
	ip_batch doomed <<-END || return
	link set lo up
	link add eth0 type veth peer name doom netns cloud
	link set eth0 up
	addr add 10.128.1.2/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add default via 10.128.1.1
	END
	ip_batch cloud <<-END || return
	link set doom up
	addr add 10.128.1.1/24 dev doom
	END
	start_ready doomed doomed "$here/udpencap.py"
	socket=$pid
	ip_batch doomed < "$tmp/doomed" || return
	flood_start --gateway 10.128.1.2
	busywait 20 moved doomed "$PEERS" || return
	# The socket would keep it alive.
	kill -KILL "$socket"
	quietly ip netns del doomed || return
	busywait 20 doomed_gone || return
	stop "$flood"
}

doomed_gone()
{
	! ip -n cloud link show doom
}

reload()
{
	module_unload && quietly insmod "$module" static_nat=1 &&
		busywait 20 moved server "$PEERS"
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
# All but the floods, and what is started before they begin.
quietly taskset -p -c 1 $$
peers_up
module_load static_nat=1
monitor_start server
for what in states-in states-out delete-in delete-policies policies; do
	peers batch $what $PEERS > "$tmp/$what" || bail "no batch"
done
peers --gateway 10.128.1.2 batch states-in,states-out,policies $PEERS > "$tmp/doomed"
for ((i = 1; i <= DUMMIES; i++)); do
	dummy="src 10.200.0.2 dst 10.200.0.1 proto esp spi $((0x300000 + i))"
	echo "xfrm state delete $dummy" >&3
	echo "xfrm state add $dummy mode tunnel aead rfc4106(gcm(aes)) $static_key 128"
done > "$tmp/dummies" 3> "$tmp/dummies-deleted"
before=("$(received_on 0)" "$(received_on 1)")
batches states-in states-out policies || bail "no SAs"
check "all peers are answered" answered $PEERS

# The daemon names the peers' first places all the time.
race "policies updated" batches policies
race "policies deleted and added" batches delete-policies policies
race "policies flushed and added" reflush_policies
race "inbound SAs deleted and added" batches delete-in states-in
race "SAs deleted and added" readd
race "SAD flushed and filled" refill states-in states-out
race "SAD flushed and filled, outbound first" refill states-out states-in
grown=$(buckets)
race "SAD grows" grow
check_num "it has grown from $grown buckets" "$(buckets)" -ge $((grown * 8))

for round in 1 2; do
	check "namespace with moving peers removed, $round" doom
done
check "all others still fit" consistent

flood_start
for round in 1 2 3; do
	check "module loaded again under moving peers, $round" reload
done
stop "$flood"
check "loaded again: all is there once, and fits" consistent
check "loaded again: all peers are answered" answered $PEERS --place 5 --tries 20
note "received on the processors:" \
	"$(($(received_on 0) - before[0])) and $(($(received_on 1) - before[1]))"

check "the module can be unloaded" module_unload
check "all still fits" consistent
done_testing
