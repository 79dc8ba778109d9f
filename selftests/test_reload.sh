#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is loaded and unloaded while peers move. There are many SAs between the
# outbound ones of the peers and their inbound ones, so that for a while it knows some
# of a flow only; those must not move without the rest.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

PEERS=8
CROWD=1500
ROUNDS=3

# moved: by nearly each packet; else a second would pass between two moves
moved()
{
	quietly tool server conf set rate 60000/minute burst 1000 &&
		[ "$(moves_of server)" -ge $((100 * PEERS)) ]
}

# together: both SAs of each peer lead to one place, and so do his policies
together()
{
	local wrong

	wrong=$(peers audit "$PEERS") || return
	echo "$wrong"
	[ "$(jq '.missing + .doubled + .apart + .policies' <<< "$wrong")" -eq 0 ]
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
quietly taskset -p -c 1 $$
peers_up
# half FIRST WHAT: SAs of half of the peers
half()
{
	peers --first "$1" batch "$2" $((PEERS / 2)) | ip_batch server || bail "no SAs"
}
# The module meets first what is newest, and lets go of that first.
half 1 states-out
half $((PEERS / 2 + 1)) states-in
quietly in_ns server /payload/load/xfrmcrowd 1001 $((1000 + CROWD)) 1 || bail "no crowd"
half 1 states-in
half $((PEERS / 2 + 1)) states-out
peers batch policies $PEERS | ip_batch server || bail "no policies"
module_load static_nat=1
check "all peers are answered" answered $PEERS --tries 10
start_ready flood cloud /payload/load/espflood --cpu 0 $PEERS
for ((round = 1; round <= ROUNDS; round++)); do
	check "round $round: the peers move" busywait 30 moved
	check "round $round: the module can be unloaded" quietly rmmod esptrack
	check "round $round: all is together" together
	check "round $round: and loaded" quietly insmod "$module" static_nat=1
done
check "the peers move" busywait 30 moved
stop "$pid"
check "all peers are answered at a new place" answered $PEERS --place 5 --tries 20
check "all is together" together

check "the module can be unloaded" module_unload
done_testing
