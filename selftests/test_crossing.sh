#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer moves from address to address by the packets of one SA, while those of
# another one come from home, on another processor: while they move him back and
# forth, others are about to be compared with his policies. Each of them is
# accepted, as without the module.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

MOVES=3000
# The more there are, the longer a move takes.
POLICIES=200

has_moved()
{
	[ "$(moves_of server)" -ge "$MOVES" ]
}

# accepted: packets of both SAs
accepted()
{
	tool server -j stats | jq .packets
}

# sent NAME: by this flood
sent()
{
	tail -n 1 "$tmp/$1.log" | jq .sent
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
peers_up
module_load static_nat=1
quietly tool server conf set rate 1000/second burst 1000 || bail "no throttle"
{
	peers batch states-in,states-out,policies 1
	peers --child 1 batch states-in 1
	for ((i = 0; i < POLICIES; i++)); do
		echo "xfrm policy add src 10.40.$i.0/24 dst 10.10.0.0/24 dir in" \
			"tmpl src 100.64.0.1 dst $SERVER proto esp reqid 1001 mode tunnel"
	done
} | ip_batch server || bail "no SAs"
check "the peer is answered" answered 1 --tries 10

before=$(accepted)
xfrm_stat_mark server
start_ready home cloud /payload/load/espflood --cpu 0 --place 0 1
home=$pid
start_ready away cloud "$here/esppeers.py" --child 1 flood 1 --cpu 1
away=$pid
check "he moves all the time" busywait 120 has_moved
stop "$home"
stop "$away"
check_num "each of his packets is accepted" $(($(accepted) - before)) -eq \
	$(($(sent home) + $(sent away)))
check_eq "and by his policies" "$(xfrm_stat_delta server | grep '^XfrmIn')" ""
note "$(sent home) packets from home, $(sent away) from elsewhere, $(moves_of server) moves"
check "he is answered, at a new place" answered 1 --place 5 --tries 20
check_eq "all of his policies name it" "$(ip -n server xfrm policy | grep -c 'tmpl src 100.69.0.1')" \
	$((POLICIES + 1))

check "the module can be unloaded" module_unload
done_testing
