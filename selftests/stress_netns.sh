#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Namespaces come and go, each a gateway with SAs and policies of peers who are
# moving all the time, also in the moment in which it goes.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

n=4
gateway=10.128.1.2

moved()
{
	[ "$(moves_of "$1")" -ge "$2" ]
}

link_gone()
{
	! ip -n cloud link show doom
}

# doom: one namespace comes, sees its peers move, and goes
doom()
{
	local socket

	quietly ip netns add doomed || return
	ip_batch cloud <<-END || return
	link add doom type veth peer name eth0 netns doomed
	link set doom up
	addr add 10.128.1.1/24 dev doom
	END
	ip_batch doomed < "$tmp/doomed" || return
	# Not by start: a thousand of them would have to be ended.
	ip netns exec doomed /payload/load/udpencap > "$tmp/udpencap" &
	socket=$!
	busywait 20 moved doomed 1 || return
	# The socket would keep the namespace alive.
	stop $socket
	quietly ip netns del doomed || return
	busywait 60 link_gone
}

peers_up
module_load static_nat=1
peers batch states-in,states-out,policies $n | ip_batch server || bail "no SAs"
{
	cat <<-END
	link set lo up
	link set eth0 up
	addr add $gateway/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add default via 10.128.1.1
	END
	peers --gateway $gateway batch states-in,states-out,policies $n
} > "$tmp/doomed"
check "all peers are answered" answered $n --tries 10

scenario netns "namespaces with moving peers, made and removed" 1000 3
start_ready flood cloud /payload/load/espflood --gateway $gateway --cpu 0 $n
flood=$pid
while [ $did -lt "$asked" ] && in_time; do
	doom || bail "round $did"
	did=$((did + 1))
done
stop "$flood"
scenario_end=$EPOCHREALTIME
check_eq "SAs and policies of another namespace" "$(xfrm_counts server)" \
	"$((2 * n)) $((2 * n))"
check "all its peers are answered, at a new place" answered $n --place 5 --tries 20
scenario_done $did

check "the module can be unloaded" module_unload
done_testing
