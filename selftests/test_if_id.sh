#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Route-based tunnels: SAs and policies that belong to xfrm interfaces, by their
# if_id. A packet of one child SA moves all SAs and policies of the peer, whatever
# their if_id, and none of somebody else.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

CLIENT_NET2=10.21.0.1

# ping_client NET, ping_server NET: the client asks from there, or is asked
ping_client()
{
	in_ns client ping -n -c 1 -W 5 -I "$1" "$SERVER_NET"
}

ping_server()
{
	in_ns server ping -n -c 1 -W 5 -I "$SERVER_NET" "$1"
}

# check_moved WHAT: all of this peer, and nothing of the other one
check_moved()
{
	local at=$nat_addr:$nat_port

	check "$1: both child SAs have moved" pairs_at "$at" 1 2
	check "$1: somebody else's has not" pairs_at $NAT_ADDR:39999 3
	check_eq "$1: the first one's policies name the address" "$(templates_at "$nat_addr" 1)" 3
	check_eq "$1: the second one's six as well" "$(templates_at "$nat_addr" 2)" 6
	check_eq "$1: somebody else's do not move" "$(templates_at $NAT_ADDR 3)" 3
	# It has had no packet from there: it must know by the other.
	check "$1: the second child SA works towards the client" ping_server $CLIENT_NET2
	check "$1: and from there" ping_client $CLIENT_NET2
	check "$1: the first one works towards the client" ping_server $CLIENT_NET
}

setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
ip_batch server <<-END || bail "no xfrm interfaces"
link add ipsec1 type xfrm dev eth0 if_id 41
link add ipsec2 type xfrm dev eth0 if_id 42
link set ipsec1 up
link set ipsec2 up
route add $CLIENT_NET/32 dev ipsec1 src $SERVER_NET
route add $CLIENT_NET2/32 dev ipsec2 src $SERVER_NET
END
ip_batch client <<< "addr add $CLIENT_NET2/32 dev lo" || bail "no second network"
child_server 1 $CLIENT_NET "$nat_port" if_id 41
child_server 2 $CLIENT_NET2 "$nat_port" if_id 42
policy_batch $SERVER "$nat_addr" $SERVER_NET 10.22.0.0/24 2 if_id 42 | ip_batch server ||
	bail "no second policies"
# The same networks, but of another peer behind the same NAT
child_server 3 $CLIENT_NET 39999 if_id 43
child_client 1 $CLIENT_NET
child_client 2 $CLIENT_NET2
udpencap_start
xfrm_watch_start server
check "the first child SA works" ping_client $CLIENT_NET
check "the second one works" ping_client $CLIENT_NET2
check_eq "nothing has moved" "$(events_count server all)" 0

nat_rebind 30002
check "a new port: ping is answered" ping_client $CLIENT_NET
check_moved "a new port"
nat_rebind 30003 $NAT_ADDR2
check "a new address: ping is answered" ping_client $CLIENT_NET
check_moved "a new address"
nat_rebind 30003 $NAT_ADDR
check "the old address: ping is answered" ping_client $CLIENT_NET
check_moved "the old address"

check_eq "three moves" "$(events_count server moved)" 3
check_eq "of four SAs each" \
	"$(jq '.msg.event."moved-count"' "$tmp/events-server" | sort -u)" 4
check_eq "no other event" "$(events_count server all)" 3
check_eq "no ACQUIRE" "$(xfrm_watch_count server acquire)" 0
check_eq "no placeholder is left" "$(ip -n server xfrm state | grep -c '^src')" 6

check "the module can be unloaded" module_unload
done_testing
