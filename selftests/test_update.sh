#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What becomes of SAs besides being added and deleted: they are updated in place, they
# expire, they begin as a reservation of an SPI, their address comes later. And what
# key managers besides us are asked is answered as it was.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN
algo="aead rfc4106(gcm(aes)) $static_key 128"

# inbound add|update SPI SRC DST PORT [OPTIONS]: an SA of the server
inbound()
{
	ip_batch server <<-END
	xfrm state $1 src $3 dst $4 proto esp spi $2 reqid 1 mode tunnel replay-window 32 $algo encap espinudp $5 4500 0.0.0.0 ${*:6}
	END
}

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# published SPI ADDRESS: has that SA a directory?
published()
{
	in_ns server test -d "$knobs/$1@$2"
}

unpublished()
{
	! published "$@"
}

no_state()
{
	! quietly ip -n server xfrm state get dst "$1" proto esp spi "$2"
}

acquired()
{
	[ "$(xfrm_watch_count server acquire)" -ge "$1" ]
}

stats()
{
	tool server -j stats | jq -c "$1"
}

setup_topology || bail "no topology"
quietly modprobe xfrm_user || bail "no xfrm_user"
stock=$(in_ns server "$here/sockpolicy.py") || bail "sockpolicy.py"
check_eq "stock: good policies of sockets are taken, others are not" \
	"$(grep -c ok <<< "$stock") of $(wc -l <<< "$stock")" "2 of 8"
module_load static_nat=1
check_eq "policies of sockets are answered as before" \
	"$(in_ns server "$here/sockpolicy.py")" "$stock"
check_eq "conf tells the module's default" "$(tool server conf)" \
	"static_nat on port_only off rate 1/second burst 8"
monitor_start server
tunnel_up static
knob_wait server $spi
at_first=$nat_port

# The kernel tells of these with the SA's lock held.
check "the inbound SA gets a soft limit" \
	inbound update $spi "$nat_addr" $SERVER "$nat_port" limit packet-soft 1
check "packets beyond it are answered" ping_once
check "and again" ping_once
nat_rebind 30002
check "the peer is followed" ping_once
check_eq "by one move" "$(knob server $spi moves)" 1

check "a daemon updates the SA with what it knows" \
	inbound update $spi "$nat_addr" $SERVER 30099
check_eq "so the SA leads there" "$(knob server $spi endpoint)" "$nat_addr:30099"
check "the peer's next packet is answered" ping_once
check_eq "it is where he is again" "$(knob server $spi endpoint)" "$nat_addr:30002"
check_eq "and so is the kernel's" "$(encap_of server $spi)" "30002 4500"
check_eq "with one more move" "$(knob server $spi moves)" 2
check_eq "the outbound SA has never left" "$(encap_of server $STATIC_SPI_OUT)" "4500 30002"
outbound_is()
{
	[ "$(encap_of server "$STATIC_SPI_OUT")" = "$1" ]
}
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm state update src $SERVER dst "$nat_addr" proto esp \
	spi $STATIC_SPI_OUT reqid 1 mode tunnel $algo \
	encap espinudp 4500 "$at_first" 0.0.0.0 || bail "the outbound SA is not updated"
check "if that is updated, it comes back" busywait 5 outbound_is "4500 30002"
check "and leads to the peer" ping_once

# Its daemon deletes it, and adds it as it knows it when nobody remembers it. But the
# outbound one tells where the peer is.
quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi $spi
busywait 10 unpublished $spi $SERVER || bail "the knob stays"
check "the inbound SA is added again, much later" \
	inbound add $spi "$nat_addr" $SERVER "$at_first"
knob_wait server $spi
check_eq "it is where the outbound one is" "$(knob server $spi endpoint)" "$nat_addr:30002"
check "the peer is answered" ping_once
nat_rebind 30003
check "they are followed together" ping_once

# One that expires is looked for every ten seconds in any case; three times in a row
# it must have been told.
for expiring in 0x00003001 0x00003002 0x00003003; do
	inbound add $expiring $NAT_ADDR $SERVER 40001 limit time-hard 2 || bail "no SA"
	knob_wait server $expiring
	check "$expiring expires" busywait 20 no_state $SERVER $expiring
	check "and its knob goes away soon" busywait 4 unpublished $expiring $SERVER
done

check "an SPI is reserved" quietly ip -n server xfrm state allocspi src $NAT_ADDR \
	dst $SERVER proto esp mode tunnel reqid 1 min 0x4001 max 0x4001
check_fails "which is no SA yet" published 0x00004001 $SERVER
check "it becomes one" inbound update 0x4001 $NAT_ADDR $SERVER 40004
knob_wait server 0x00004001
check_eq "which is known" "$(knob server 0x00004001 endpoint)" "$NAT_ADDR:40004"

later=10.128.0.99
inbound add 0x5001 $NAT_ADDR $later 40005 || bail "no SA"
inbound add 0x5002 $NAT_ADDR $SERVER 40006 || bail "no SA"
knob_wait server 0x00005002
check_fails "an SA to an address that is not ours yet is none of ours" \
	published 0x00005001 $later
quietly ip -n server addr add $later/32 dev lo
check "it is, when the address comes" busywait 5 published 0x00005001 $later

quietly ip -n server addr add 2001:db8::9/128 dev lo
inbound add 0x6001 2001:db8::8 2001:db8::9 40007 flag af-unspec || bail "no SA by IPv6"
check "an SA by IPv6 is known" busywait 10 published 0x00006001 2001:db8::9
check_eq "with its endpoint" \
	"$(in_ns server cat "$knobs/0x00006001@2001:db8::9/endpoint")" "[2001:db8::8]:40007"

xfrm_watch_start server
quietly ip -n server xfrm policy add src $SERVER_NET dst 10.77.0.1 dir out \
	tmpl src $SERVER dst 192.0.2.77 proto esp reqid 77 mode tunnel || bail "no policy"
check_fails "a packet for which there is no SA gets no answer" \
	in_ns server ping -n -c 1 -W 1 -I $SERVER_NET 10.77.0.1
check "but the daemon is asked for one" busywait 5 acquired 1

# Refused for the same reason at full rate: after the first of them no lock is taken.
knob_set server $spi 1 port_only
began=$SECONDS
before=$(stats '[.refused.address // 0, .unreported]')
nat_rebind 30004 $NAT_ADDR2
check_fails "who is not followed is not answered" \
	in_ns client ping -n -i 0.01 -c 200 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "all of his packets are counted" "$(knob server $spi refused)" 200
check_eq "with the reason" "$(stats '.refused.address // 0')" \
	$(($(jq '.[0]' <<< "$before") + 200))
events=$(events_count server refused)
check_num "few are reported, one a second and eight more" "$events" -le $((9 + SECONDS - began))
check_eq "the others are said not to be" "$(stats .unreported)" \
	$(($(jq '.[1]' <<< "$before") + 200 - events))

# From two places in turns it is the same: not each of them is looked at.
path_block to_server
wire_start lost inet nb
quietly in_ns client ping -n -i 0.01 -c 60 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
wire_stop lost
path_unblock
first=$(wire_lines lost | awk -v spi=$spi '$4 == spi { print $5; exit }')
before=$(knob server $spi refused)
calls_start esptrack_peer_visit || bail "no kprobe"
began=${EPOCHREALTIME/./}
quietly inject inet --pcap "$tmp/lost.pcap" --spi $spi --pick "seq=$first-$((first + 59))" \
	--src 198.51.100.31:4500,198.51.100.32:4500 --dst $SERVER_PUB:4500 || bail "not injected"
all_refused()
{
	[ $(($(knob server "$spi" refused) - before)) -eq 60 ]
}
check "from two places: all are refused" busywait 10 all_refused
check_num "from two places: but their flow is looked at ten times a second at most" \
	"$(calls esptrack_peer_visit)" -le $((1 + (${EPOCHREALTIME/./} - began) / 100000))
check_num "from two places: and at least once" "$(calls esptrack_peer_visit)" -ge 1
calls_stop esptrack_peer_visit

check "the module can be unloaded" module_unload
done_testing
