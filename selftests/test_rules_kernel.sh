#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The table of rules in the README, row by row, on this kernel. For each there is
# a packet which breaks this rule and no other: it is delivered inside, as ever,
# and refused for that reason; nothing moves. Then the rule is made to hold, and
# nothing else is changed: the next packet from the same place moves the flow.
#
# Each row has a peer of its own, so that no row depends on another.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=rows.sh
. "$here/rows.sh"

BURST=8

rows_up

### the SA has integrity

row "integrity: digest_null" --auth null
home 10
refused no-integrity 11 $NEW_PORT
again
followed 12 $NEW_PORT

row "integrity: no algorithm" --auth none
home 10
refused no-integrity 11 $NEW_ADDRESS
again
followed 12 $NEW_ADDRESS

### the SA has a replay window

row "replay window: a stream" --window 0
home 10
mapfile -t places < <(yes "$NEW_PORT" | head -n 20)
ask "quiet --first $n ${sa[*]} send 11 ${places[*]}"
check_eq "$row: all are refused" "$(grep -o 'refused +[^;]*' <<< "$answer")" \
	"refused +20 (no-replay +20)"
check_num "$row: few of them are looked at" \
	"$(tool server -j show "$spi" | jq '[.[0].history[].count] | add')" -le 4

row "replay window" --window 0
home 10
refused no-replay 11 $NEW_PORT
again --window 32
followed 12 $NEW_PORT

### the packet is newer than every packet that was accepted before

row "newest: overtaken by another packet"
home 10
refused stale 9 $NEW_PORT
followed 11 $NEW_PORT

row "newest: with ESN, the low half alone looks newer" --esn --window 64
home 0xffffff00
home 0x100000005
refused stale 0xfffffffe $NEW_PORT
followed 0x100000006 $NEW_PORT

# A daemon adds an SA again with the replay window of some moment ago, or with
# none at all: the kernel takes an old packet once more.
row "newest: accepted before the SA was added again"
home 9
home 10
again
refused stale 10 $NEW_PORT
followed 11 $NEW_PORT

row "newest: that of the last move, and the SA was added again"
home 10
followed 11 $NEW_PORT
again
refused stale 11 $NEW_ADDRESS $NEW_PORT
followed 12 $NEW_ADDRESS $NEW_PORT

# Numbers of two SAs do not compare: here the other one's packet is an old one
# of before the move, as far as anybody can tell, until two seconds are over.
row "newest: where another SA of the flow has just left"
sibling --child 1
home 10
ask "--first $n send 11 $NEW_PORT 1@$HOME_PLACE"
check_eq "$row: one from elsewhere, and one of the other SA from where that has left" "$answer" \
	"2 delivered; moved $spi $(place $HOME_PLACE) > $(place $NEW_PORT) number 11, refused stale $sibling $(place $NEW_PORT) > $(place $HOME_PLACE) number 12; moves +1 refused +0 (stale +1); SAs and policies changed; at $(place $NEW_PORT)"
left=$(last_time moved)
answer=
check "$row, holds: later it moves" follows 13 1@$HOME_PLACE
check_eq "$row, holds: to there" "$(knob server "$spi" endpoint)" "$(place $HOME_PLACE)"
check_num "$row, holds: after two seconds, in milliseconds" \
	$((($(last_time moved) - left) / 1000000)) -ge 2000
check_eq "$row, holds: before that all was stale" "$(refused_since "$left")" stale

### the source's port is not 0; a new address is unicast and not ours

# server_sysctl NAME VALUE
server_sysctl()
{
	quietly in_ns server sysctl -w "net.ipv4.conf.eth0.$1=$2" || bail "no $1"
}

row "source: port 0"
home 10
refused source 11 "$(address $NEW_PORT):0"
followed 12 $NEW_PORT

row "source: the broadcast address of a network of ours"
home 10
refused source 11 10.128.0.255:4500
followed 12 $NEW_ADDRESS

# An operator can make the kernel take these.
server_sysctl accept_local 1
for own in $SERVER $SERVER_NET; do
	row "source: our own address $own"
	home 10
	refused source 11 "$own:4501"
	followed 12 $NEW_ADDRESS
done
server_sysctl accept_local 0

server_sysctl route_localnet 1
row "source: loopback"
home 10
refused source 11 127.0.0.9:4500
followed 12 $NEW_ADDRESS
server_sysctl route_localnet 0

# martians: how many the kernel has dropped for their source
martians()
{
	local total=0 hex

	while read -r hex; do
		total=$((total + 16#$hex))
	done < <(awk '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == "in_martian_src") column = i; next }
		{ print $column }
	' /proc/net/stat/rt_cache)
	echo $total
}

# These the kernel drops before they come to any SA.
row "source: what the kernel itself does not take"
home 10
before=$(martians)
quietly peers --first "$n" send 11 224.0.0.5:4500 255.255.255.255:4500 0.0.0.0:4500 \
	127.0.0.1:4500 "$SERVER:4500"
home 16
check_eq "$row: multicast, broadcast, unspecified, loopback and ours are martians" \
	$(($(martians) - before)) 5
check_eq "$row: none has come to the SA" "$(packets "$spi")" 2
check_eq "$row: none is counted" "$(knob server "$spi" moves)$(knob server "$spi" refused)" 00

### the SA's encapsulation ports and its peer's address are not 0

row "any port: the peer's is 0" --ports 0,4500
refused any-port 11 $NEW_ADDRESS "$(address $HOME_PLACE):0"
again
followed 12 $NEW_ADDRESS

row "any port: ours is 0" --ports 4500,0
home 10
refused any-port 11 $NEW_PORT
again
followed 12 $NEW_PORT

# Its policies name an address, so they do not take what it accepts.
row "any port: from any address" --source 0.0.0.0
ask "--first $n ${sa[*]} send 11 $NEW_ADDRESS"
check_eq "$row: refused any-port" "$answer" \
	"0 delivered; refused any-port $spi 0.0.0.0:4500 > $(place $NEW_ADDRESS) number 11; moves +0 refused +1 (any-port +1); SAs and policies as before; at 0.0.0.0:4500"
again
followed 12 $NEW_ADDRESS

### for a new address: port_only is off

row "address: port_only"
knob_set server "$spi" 1 port_only
home 10
refused address 11 $NEW_ADDRESS
followed 12 $NEW_PORT
tool server set spi "$spi" dst $SERVER port_only off || bail "$row: cannot be switched off"
followed 13 $NEW_ADDRESS $NEW_PORT

row "address: port_only of another SA of the flow"
sibling --child 1
knob_set server "$sibling" 1 port_only
home 10
refused address 11 $NEW_ADDRESS
knob_set server "$sibling" 0 port_only
followed 12 $NEW_ADDRESS

row "address: an SA with another reqid"
other_reqid
knob_set server "$sibling" 1 port_only
home 10
followed 11 $NEW_ADDRESS
left_at $HOME_PLACE

### for a new address: all SAs of the flow are in tunnel or BEET mode

row "mode: transport" --mode transport
home 10
refused mode 11 $NEW_ADDRESS
followed 12 $NEW_PORT

row "mode: transport of another SA of the flow"
sibling --child 1 --mode transport
home 10
refused mode 11 $NEW_ADDRESS
sibling_gone
followed 12 $NEW_ADDRESS

row "mode: an SA with another reqid"
other_reqid --mode transport
home 10
followed 11 $NEW_ADDRESS
left_at $HOME_PLACE
followed 12 $((NEW_PORT + NEW_ADDRESS)) $NEW_ADDRESS

### for a new address: no other peer's SA has the same reqid

row "shared reqid"
home 10
quietly ip -n server xfrm state add src 198.51.100.50 dst $SERVER proto esp spi 0x7778 \
	reqid $((1000 + n)) mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	replay-window 32 encap espinudp 4500 4500 0.0.0.0
knob_wait server 0x00007778
refused shared-reqid 11 $NEW_ADDRESS
followed 12 $NEW_PORT
quietly ip -n server xfrm state delete dst $SERVER proto esp spi 0x7778
followed 13 $NEW_ADDRESS $NEW_PORT

### for a new address: no other SA has the key

row "collision"
home 10
other="src $SERVER dst $(address $NEW_ADDRESS) proto esp spi $((0x20000 + n))"
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm state add $other reqid 9 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$static_key" 128
refused collision 11 $NEW_ADDRESS
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm state delete $other
followed 12 $NEW_ADDRESS

row "collision: a policy without reqid"
home 10
policy="src 10.60.$n.0/24 dst 10.10.0.0/24 dir in"
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm policy add $policy tmpl src "$(address $NEW_ADDRESS)" \
	dst $SERVER proto esp mode tunnel || bail "$row: no policy"
refused collision 11 $NEW_ADDRESS
followed 12 $NEW_PORT
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm policy delete $policy
followed 13 $NEW_ADDRESS $NEW_PORT

### at most 512 SAs move together

# One look at them all stands for what comes from other ports soon after.
row "crowded: from port to port"
home 10
peers --first "$n" batch states-in 1 > "$tmp/state"
for ((i = 1; i <= 512; i++)); do
	sed "s/ spi [^ ]*/ spi $((0x80000 + i))/" "$tmp/state"
done > "$tmp/crowd"
ip_batch server < "$tmp/crowd" || bail "$row: no SAs"
knob_wait server 0x00080200
mapfile -t places < <(seq -f "$(address $HOME_PLACE):%.0f" 5001 5040)
ask "quiet --first $n send 11 ${places[*]}"
check_eq "$row: all are refused" "$(grep -o 'refused +[^;]*' <<< "$answer")" \
	"refused +40 (crowded +40)"
check_num "$row: few of them are looked at" \
	"$(tool server -j show "$spi" | jq '[.[0].history[].count] | add')" -le 10
sed 's/^xfrm state add src [^ ]* \(dst [^ ]* proto esp spi [^ ]*\).*/xfrm state delete \1/' \
	"$tmp/crowd" | ip_batch server || bail "$row: SAs stay"
answer=
check "$row, holds: later it moves" follows 100 $NEW_PORT

### static_nat is on

row "static_nat"
knob_set server "$spi" 0
home 10
unmoved seen 0 11 $NEW_PORT
ask "quiet --first $n send 12 $NEW_PORT"
check_eq "$row: a second packet from there" "$answer" \
	"1 delivered; nothing reported; moves +0 refused +0; SAs and policies as before; at $(place $HOME_PLACE)"
unmoved seen 0 13 $NEW_ADDRESS
knob_set server "$spi" 1
followed 14 $NEW_PORT

### fewer than 8 moves at once, and then 1 a second

row "throttle"
home 10
before=$(events_count server moved)
ask "--first $n send 11 16 1 17 2 18 3 19 4 20 5 21 6"
note "$answer"
[[ $answer =~ ^([0-9]+)\ .*moves\ \+([0-9]+)\ refused\ \+([0-9]+)\ \(([^\)]*)\)\; ]] ||
	bail "$row: $answer"
delivered=${BASH_REMATCH[1]} moves=${BASH_REMATCH[2]} throttled=${BASH_REMATCH[3]}
reasons=${BASH_REMATCH[4]}
first=$(nth_time moved $((before + 1)))
check_eq "$row: of $((BURST + 4)) packets, each from another place, all are delivered" \
	"$delivered" $((BURST + 4))
check_eq "$row: each has moved the SA or was refused" $((moves + throttled)) $((BURST + 4))
check_num "$row: a burst of $BURST moves" "$moves" -ge $BURST
check_num "$row: and one more for each second" "$moves" -le \
	$((BURST + ($(last_time moved) - first) / 1000000000))
check_num "$row: others are refused" "$throttled" -ge 1
check_eq "$row: because of the throttle" "$(refused_since "$first")" throttled
check_eq "$row: and counted so" "$reasons" "throttled +$throttled"
answer=
check "$row, holds: later it moves" follows 100 $NEW_ADDRESS
check_num "$row, holds: a second after the first one, in milliseconds" \
	$((($(nth_time moved $((before + BURST + 1))) - first) / 1000000)) -ge 1000
check_eq "$row, holds: before that all was throttled" "$(refused_since "$first")" throttled

row "throttle: of an SA that is rekeyed"
home 10
before=$(events_count server moved)
ask "--first $n send 11 16 1 17 2 18 3 19 4"
sibling --child 1
ask "--first $n --child 1 send 10 20 5 21 6 22 7 23 8"
first=$(nth_time moved $((before + 1)))
moves=$(($(events_count server moved) - before))
check_num "$row: a burst of $BURST moves" $moves -ge $BURST
check_num "$row: both together make one more for each second" $moves -le \
	$((BURST + ($(last_time moved) - first) / 1000000000))
check_eq "$row: others are throttled" "$(refused_since "$first")" throttled

check "the module can be unloaded" module_unload
done_testing
