#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An attacker on the path has a copy of each packet before it arrives, and races
# it from two places, on two processors. He gets no further than the throttle
# lets him, never by an older packet, and when he ends the peer is back.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

BURST=8
spi=0x00010001

peer_up()
{
	peers batch states-in,states-out,policies 1 | ip_batch server || bail "no SA"
	knob_wait server $spi
}

# reasons EVENTS: of what was refused, one per line. Reports are throttled, too:
# which of the reasons come first is chance.
reasons()
{
	jq -r '.[].msg.event.reason | select(.)' <<< "$1" | sort -u
}

# esp_seqs EVENTS: of what moved, in this order
esp_seqs()
{
	jq -r '.[] | select(.name == "sa-moved-ntf") | .msg.event."esp-seq"' <<< "$1"
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
peers_up
module_load static_nat=1
peer_up
monitor_start server
check "the peer is answered" answered 1

# Not at packet rate: each time the very next packet of the peer brings it back.
for place in 1 2 3; do
	peers copy $place
	check_eq "copy $place came first: the SA is there" \
		"$(knob server $spi endpoint)" "100.$((64 + place)).0.1:4500"
	check "copy $place: the peer's next packet brings it back" answered 1
	check_eq "copy $place: two more moves" "$(knob server $spi moves)" $((place * 2))
done

# Now at packet rate, until the throttle has had enough to do.
before=("$(received_on 0)" "$(received_on 1)")
moves=$(knob server $spi moves)
start=$EPOCHSECONDS
numbers=$(peers race 1500)
seconds=$((EPOCHSECONDS - start + 1))
moves=$(($(knob server $spi moves) - moves))
note "raced for $seconds s at most: $moves moves; received on the processors:" \
	"$(($(received_on 0) - before[0])) and $(($(received_on 1) - before[1]))"
check_num "one processor took in the peer's and the attacker's packets" \
	$(($(received_on 0) - before[0])) -ge 3000
check_num "the other one the attacker's" $(($(received_on 1) - before[1])) -ge 1500
check_num "the SA flapped" $moves -ge 2
check_num "but no more than the throttle allows" $moves -le $((BURST + seconds))
check "soon after the attack the peer is answered" answered 1 --tries 50 --wait 0.2
check_eq "at his place" "$(knob server $spi endpoint)" "100.64.0.1:4500"

# What he has kept of it is worth nothing any more.
moves=$(knob server $spi moves)
refused=$(knob server $spi refused)
last=$(jq .last <<< "$numbers")
xfrm_stat_mark server
peers replay $((last - 999)) "$last"
check_eq "old copies from two processors: all were dropped as replayed" \
	"$(xfrm_stat_delta server XfrmInStateSeqError)" 2000
check_eq "old copies: nothing moved" "$(knob server $spi moves)" "$moves"
check_eq "old copies: nothing was refused, as nothing was accepted" \
	"$(knob server $spi refused)" "$refused"
check "old copies: the peer is answered" answered 1

events=$(monitor_events server)
note "reported as refused:" \
	"$(jq -r '[.[].msg.event.reason | select(.)] | group_by(.) | map("\(.[0]) \(length)") | join(", ")' <<< "$events")"
check_num "packets were refused" "$refused" -ge 1
check_eq "what was refused was throttled or stale" \
	"$(reasons "$events" | grep -vx 'throttled\|stale')" ""
check_eq "each move was by a newer packet than the one before" \
	"$(esp_seqs "$events")" "$(esp_seqs "$events" | sort -nu)"
check_eq "each move was reported" "$(esp_seqs "$events" | wc -l)" "$(knob server $spi moves)"

check "the module can be unloaded" module_unload
done_testing
