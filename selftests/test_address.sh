#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The peer's address changes, with static keys: the SAs and the policies of the
# peer move in place, those of others stay.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=compare.sh
. "$here/compare.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

# What becomes of the tunnel without the module test_static shows.
rebinding static esptrack $NAT_ADDR2
lost
check_followed
check_lossless
check_eq "all three policies name the new address" "$(get .templates)" \
	"1 $SERVER $NAT_ADDR2,2 $NAT_ADDR2 $SERVER"

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# lines_with NS WHAT ADDRESS: in "ip xfrm state" or "policy"
lines_with()
{
	ip -n "$1" xfrm "$2" | grep -c -- "$3"
}

last_reason()
{
	tail -n 1 "$tmp/events-server" | jq -r .msg.event.reason
}

setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
tunnel_up static
# Another child of this peer with several policies, and another peer behind the
# same NAT.
algo="aead rfc4106(gcm(aes)) $static_key 128"
{
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1003 reqid 2 mode tunnel $algo replay-window 32 encap espinudp $nat_port 4500 0.0.0.0"
	echo "xfrm state add src $SERVER dst $NAT_ADDR proto esp spi 0x2003 reqid 2 mode tunnel $algo encap espinudp 4500 $nat_port 0.0.0.0"
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1004 reqid 3 mode tunnel $algo replay-window 32 encap espinudp 39999 4500 0.0.0.0"
	echo "xfrm state add src $SERVER dst $NAT_ADDR proto esp spi 0x2004 reqid 3 mode tunnel $algo encap espinudp 4500 39999 0.0.0.0"
	for net in 10.21.0.0/24 10.22.0.0/24; do
		echo "xfrm policy add src 10.10.0.0/24 dst $net dir out tmpl src $SERVER dst $NAT_ADDR proto esp reqid 2 mode tunnel"
		echo "xfrm policy add src $net dst 10.10.0.0/24 dir in tmpl src $NAT_ADDR dst $SERVER proto esp reqid 2 mode tunnel"
		echo "xfrm policy add src $net dst 10.10.0.0/24 dir fwd mark 5 tmpl src $NAT_ADDR dst $SERVER proto esp reqid 2 mode tunnel"
	done
	echo "xfrm policy add src 10.10.0.0/24 dst 10.23.0.0/24 dir out tmpl src $SERVER dst $NAT_ADDR proto esp reqid 3 mode tunnel"
} | ip_batch server
knob_wait server 0x00001003
knob_wait server 0x00001004
# The kernel takes SAs without SPI, which are in no chain by SPI. They stay, as no
# packet from the peer could name them.
{
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0 reqid 8 mode tunnel $algo replay-window 32 encap espinudp $nat_port 4500 0.0.0.0"
	echo "xfrm state add src $SERVER dst $NAT_ADDR proto esp spi 0 reqid 8 mode tunnel $algo encap espinudp 4500 $nat_port 0.0.0.0"
} | ip_batch server || bail "no SAs without SPI"
xfrm_watch_start server

nat_rebind 30002 $NAT_ADDR2
check "ping from the new address is answered" ping_once
check_eq "four SAs have it" "$(lines_with server state "^src.*$NAT_ADDR2\$\|^src $NAT_ADDR2 ")" 4
check_eq "the other peer's two have not, nor two without SPI" \
	"$(lines_with server state "^src.*$NAT_ADDR\$\|^src $NAT_ADDR ")" 4
check_eq "nine policies have it" "$(lines_with server policy "tmpl.*$NAT_ADDR2")" 9
check_eq "the other peer's has not" "$(lines_with server policy "tmpl.*$NAT_ADDR\$")" 1
check_eq "one event" "$(events_count server all)" 1
check_eq "it counts four SAs" "$(jq '.msg.event."moved-count"' "$tmp/events-server")" 4

for address in $NAT_ADDR $NAT_ADDR2 $NAT_ADDR $NAT_ADDR2; do
	nat_rebind "$nat_port" "$address"
	check "address only, to $address: ping is answered" ping_once
done
check_eq "five events in all" "$(events_count server all)" 5
check_eq "no ACQUIRE" "$(xfrm_watch_count server acquire)" 0
check_eq "no placeholder is left" "$(ip -n server xfrm state | grep -c '^src')" 8

knob_set server $spi 1 port_only
nat_rebind 30005 $NAT_ADDR
check_fails "port_only: no answer at a new address" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "port_only: refused" events_wait server refused 1
check_eq "port_only: with that reason" "$(last_reason)" address
check_eq "port_only: nothing moved" "$(events_count server moved)" 5
check "switched off by the tool" tool server set spi $spi dst $SERVER port_only off
check "then it is followed" ping_once

# An SA of somebody else has the key that ours would get.
quietly ip -n server xfrm state add src $SERVER dst $NAT_ADDR2 proto esp spi $STATIC_SPI_OUT \
	reqid 9 mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128
nat_rebind 30006 $NAT_ADDR2
check_fails "collision: no answer" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "collision: refused" events_wait server refused 2
check_eq "collision: with that reason" "$(last_reason)" collision
quietly ip -n server xfrm state delete src $SERVER dst $NAT_ADDR2 proto esp spi $STATIC_SPI_OUT

# Another peer has the same reqid: which policies are whose?
quietly ip -n server xfrm state add src 198.51.100.50 dst $SERVER proto esp spi 0x1006 \
	reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	replay-window 32 encap espinudp 4500 4500 0.0.0.0
knob_wait server 0x00001006
nat_rebind 30009 $NAT_ADDR2
check_fails "shared reqid: no answer" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "shared reqid: refused" events_wait server refused 3
check_eq "shared reqid: with that reason" "$(last_reason)" shared-reqid
quietly ip -n server xfrm state delete src 198.51.100.50 dst $SERVER proto esp spi 0x1006

# An SA of the flow in transport mode.
quietly ip -n server xfrm state add src "$NAT_ADDR" dst $SERVER proto esp spi 0x1005 \
	reqid 1 mode transport aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	replay-window 32 encap espinudp 30005 4500 0.0.0.0
knob_wait server 0x00001005
nat_rebind 30007 $NAT_ADDR2
check_fails "transport mode: no answer" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "transport mode: refused" events_wait server refused 4
check_eq "transport mode: with that reason" "$(last_reason)" mode
nat_rebind 30008 $NAT_ADDR
check "transport mode: a port is followed" ping_once
quietly ip -n server xfrm state delete dst $SERVER proto esp spi 0x1005

check "the module can be unloaded" module_unload
check "the tunnel lives on without it" ping_once

# The kernel has two kinds of policies, and we come later than those of the second.
quietly ip -n server xfrm policy add src 10.10.0.0/24 dst 10.24.0.0/24 dir out ptype sub \
	tmpl src $SERVER dst "$nat_addr" proto esp reqid 1 mode tunnel || bail "no sub-policy"
module_load static_nat=1
knob_wait server $spi
nat_rebind 30010 $NAT_ADDR2
check "ping from the new address is answered" ping_once
check_eq "a sub-policy that was there has it, too" \
	"$(ip -n server xfrm policy get src 10.10.0.0/24 dst 10.24.0.0/24 dir out ptype sub |
		grep -c "tmpl.*$NAT_ADDR2")" 1
check "the module can be unloaded" module_unload
done_testing
