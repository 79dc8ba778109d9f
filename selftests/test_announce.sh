#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What ip(8) shows of a move: "ip xfrm monitor" that both SAs were updated, with
# the new endpoint, and "ip -s xfrm state" that they are the same SAs, which go
# on counting.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# announced SPI ENDS: is that what the last update of the SA says?
announced()
{
	[ "$(ends_of "$1" < "$tmp/ip-monitor-server.log")" = "$2" ]
}

updates()
{
	grep -c '^Updated ' "$tmp/ip-monitor-server.log"
}

# check_shown KIND N: after N packets each way
check_shown()
{
	local kind=$1 at=$nat_addr:$nat_port
	local in=$((packets_in + $2)) out=$((packets_out + $2)) seq

	check "$kind: ip xfrm monitor shows the inbound SA with it" busywait 10 \
		announced $STATIC_SPI_IN "$at $SERVER:4500"
	check "$kind: and the outbound one" busywait 10 \
		announced $STATIC_SPI_OUT "$SERVER:4500 $at"
	check_eq "$kind: ip -s xfrm state shows it, too" \
		"$(ip -n server -s xfrm state | ends_of $STATIC_SPI_IN)" "$at $SERVER:4500"
	check_eq "$kind: for the outbound SA as well" \
		"$(ip -n server -s xfrm state | ends_of $STATIC_SPI_OUT)" "$SERVER:4500 $at"
	printf -v seq 0x%x "$in"
	check_eq "$kind: the inbound SA goes on counting" \
		"$(sa_state server $STATIC_SPI_IN)" "$in $seq 0x0 $added_in"
	printf -v seq 0x%x "$out"
	check_eq "$kind: so does the outbound one" \
		"$(sa_state server $STATIC_SPI_OUT)" "$out 0x0 $seq $added_out"
}

setup_topology || bail "no topology"
module_load static_nat=1
tunnel_up static
knob_wait server $STATIC_SPI_IN
ip_monitor_start server
for _ in 1 2 3; do
	quietly ping_once || bail "no tunnel"
done
read -r packets_in seq _ added_in < <(sa_state server $STATIC_SPI_IN)
read -r packets_out _ oseq added_out < <(sa_state server $STATIC_SPI_OUT)
check_num "packets have come in" "$packets_in" -ge 3
check_eq "the sequence number says so, too" $((seq)) "$packets_in"
check_eq "as many have gone out" "$packets_out $((oseq))" "$packets_in $packets_in"
check_eq "nothing is announced before a move" "$(updates)" 0

nat_rebind 30002
check "a new port is followed" ping_once
check_shown "new port" 1
nat_rebind 30003 $NAT_ADDR2
check "a new address is followed" ping_once
check_shown "new address" 2
check_eq "two updates for each move" "$(updates)" 4

check "the module can be unloaded" module_unload
done_testing
