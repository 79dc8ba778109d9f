#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SAs and policies that apply to packets with a mark only, and policies that
# differ in nothing but it. A packet of one child SA moves all SAs and policies of
# the peer, whatever their mark, and none of somebody else.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

# choose N: have the client send by this child SA
choose()
{
	ip_batch client <<-END || bail "no policy"
	xfrm policy update src $CLIENT_NET dst $SERVER_NET dir out tmpl src $CLIENT dst $SERVER_PUB proto esp spi 0x100$1 reqid 1 mode tunnel
	END
}

ping_client()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# ping_server MARK
ping_server()
{
	in_ns server ping -n -c 1 -W 5 -m "$1" -I "$SERVER_NET" "$CLIENT_NET"
}

# check_moved WHAT: all of this peer, and nothing of the other one
check_moved()
{
	local at=$nat_addr:$nat_port

	check "$1: both child SAs have moved" pairs_at "$at" 1 2
	check "$1: somebody else's has not" pairs_at $NAT_ADDR:39999 3
	check_eq "$1: the policies for marks 1 and 4 name the address" \
		"$(templates_at "$nat_addr" 1)" 6
	check_eq "$1: those for mark 2 as well" "$(templates_at "$nat_addr" 2)" 3
	check_eq "$1: somebody else's do not move" "$(templates_at $NAT_ADDR 3)" 3
	check "$1: mark 2 works towards the client" ping_server 2
	check "$1: mark 1 works towards the client" ping_server 1
}

setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
# The mark of what comes in is that of its SPI, and an answer has that of its
# question.
in_ns server nft -f - <<-END || bail "no marks"
table ip marks {
	chain in {
		type filter hook prerouting priority raw
		udp dport 4500 @th,64,32 0x1001 meta mark set 1
		udp dport 4500 @th,64,32 0x1002 meta mark set 2
	}
}
END
quietly in_ns server sysctl -w net.ipv4.fwmark_reflect=1 || bail "no marks"
child_server 1 $CLIENT_NET "$nat_port" mark 1
child_server 2 $CLIENT_NET "$nat_port" mark 2
policy_batch $SERVER "$nat_addr" $SERVER_NET $CLIENT_NET 1 mark 4 | ip_batch server ||
	bail "no policies for mark 4"
# Of another peer behind the same NAT
child_server 3 $CLIENT_NET 39999 mark 3
# To the client both are of one kind.
child_client 1 $CLIENT_NET
{
	sa_batch $SERVER_PUB $CLIENT 0x2002 1 4500 4500
	sa_batch $CLIENT $SERVER_PUB 0x1002 1 4500 4500
} | ip_batch client || bail "no second child SA"
udpencap_start
xfrm_watch_start server

n=1
for to in "30002 $NAT_ADDR" "30003 $NAT_ADDR" "30004 $NAT_ADDR2" "30004 $NAT_ADDR"; do
	choose $n
	read -r port address <<< "$to"
	nat_rebind "$port" "$address"
	what="$nat_addr:$nat_port by mark $n"
	check "$what: ping is answered" ping_client
	check_moved "$what"
	n=$((3 - n))
done

check_eq "four moves" "$(events_count server moved)" 4
check_eq "of four SAs each" \
	"$(jq '.msg.event."moved-count"' "$tmp/events-server" | sort -u)" 4
check_eq "no other event" "$(events_count server all)" 4
check_eq "no ACQUIRE" "$(xfrm_watch_count server acquire)" 0
check_eq "no placeholder is left" "$(ip -n server xfrm state | grep -c '^src')" 6

check "the module can be unloaded" module_unload
done_testing
