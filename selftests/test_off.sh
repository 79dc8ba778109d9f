#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# static_nat off: nothing moves, and a new endpoint is reported once. The knob
# moves nothing by itself: the next packet does.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

setup_topology || bail "no topology"
module_load static_nat=0
monitor_start server
tunnel_up static
knob_wait server $spi
check_eq "the knob is off by default" "$(knob server $spi static_nat)" 0

xfrm_watch_start server
traffic_start
traffic_wait server received 50 || bail "no traffic"
nat_rebind 30002
traffic_wait server received 200 || bail "no traffic after the rebinding"
check_eq "off: the SA to us is not moved" "$(encap_of server $spi)" "30001 4500"
check_eq "off: the SA from us is not moved" \
	"$(encap_of server $STATIC_SPI_OUT)" "4500 30001"
check_eq "off: one event for 200 packets" "$(events_count server all)" 1
check_eq "off: it says that the endpoint was seen" "$(events_count server seen)" 1
check_eq "off: it names the endpoint" \
	"$(jq -r '.msg.event.new | "\(.address):\(.port)"' < "$tmp/events-server")" \
	"$nat_addr:30002"
check_num "off: mapping messages go on, as in the stock kernel" \
	"$(xfrm_watch_count server mapping)" -ge 199

nat_rebind 30003
events_wait server seen 2
traffic_wait server received 50 || bail "no traffic after the rebinding"
check_eq "off: one more event for one more endpoint" "$(events_count server all)" 2
check_eq "off: nothing counts as refused" "$(knob server $spi refused)" 0
traffic_stop || bail "traffic did not end"

mapped=$(xfrm_watch_count server mapping)
knob_set server $spi 1
check_eq "on: the knob reads back" "$(knob server $spi static_nat)" 1
check_eq "on: moves nothing by itself" "$(encap_of server $spi)" "30001 4500"
check_eq "on: and reports nothing" "$(events_count server all)" 2
check "on: the next packet is answered" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "on: it moved the SA to us" "$(encap_of server $spi)" "30003 4500"
check_eq "on: and the SA from us" "$(encap_of server $STATIC_SPI_OUT)" "4500 30003"
check_eq "on: with one mapping message" \
	"$(xfrm_watch_count server mapping)" $((mapped + 1))

# The same from elsewhere, by the tool's own options.
check_eq "show -n, from another namespace" \
	"$(/payload/esptrack -n server show)" "$(tool server show)"
check "show in text" grep -q \
	"^spi $spi dst $SERVER reqid 1 mode tunnel endpoint $nat_addr:30003 static_nat on moves 1 refused 0 outbound $STATIC_SPI_OUT\$" \
	<<< "$(tool server -o)"
ip netns exec server /payload/esptrack -t monitor > "$tmp/text" 2> "$tmp/text.log" &
defer stop $!
busywait 10 file_has "$tmp/text.log" monitoring
nat_rebind 30013
check "ping from the next mapping is answered" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
check "monitor -t: a line of text with the time" busywait 10 file_has "$tmp/text" \
	"20[0-9][0-9].* moved spi $spi dst $SERVER reqid 1 endpoint $nat_addr:30003 -> $nat_addr:30013 "
note "$(cat "$tmp/text")"

check "set over netlink" tool server set spi $spi dst $SERVER static_nat off
check_eq "netlink: the knob is off" "$(knob server $spi static_nat)" 0
nat_rebind 30004
check_fails "off again: the reply goes astray" \
	in_ns client ping -n -c 1 -W 2 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "off again: nothing moved" "$(encap_of server $spi)" "30013 4500"

# Off, and a rule is broken besides: it is that, for each packet, and not "would be
# followed".
knob_set server $spi 1 port_only
nat_rebind 30005 $NAT_ADDR2
counted()
{
	tool server -j stats | jq -c '[.seen, .refused.address]'
}
before=$(counted)
check_fails "off, and port_only: the replies go astray" \
	in_ns client ping -n -c 20 -i 0.05 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "off, and port_only: all 20 are refused" "$(counted)" \
	"$(jq -c '[.[0], .[1] + 20]' <<< "$before")"
check_eq "off, and port_only: by the SA's own count" "$(knob server $spi refused)" 20

# Why it would not be followed may change while it is off.
knob_set server $spi 0 port_only
quietly ip -n server xfrm state add src 192.0.2.5 dst $SERVER proto esp spi 0x5001 reqid 1 \
	mode tunnel replay-window 32 aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 40000 4500 0.0.0.0 || bail "no SA of another peer"
knob_wait server 0x00005001
ping_lost()
{
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
}
shared=$(refused_as shared-reqid)
check_fails "off, and another peer has the reqid: no answer" ping_lost
check_eq "off, and another peer has the reqid: refused" \
	"$(refused_as shared-reqid)" $((shared + 1))
quietly ip -n server xfrm state delete src 192.0.2.5 dst $SERVER proto esp spi 0x5001 ||
	bail "the SA stays"
check "the other peer has gone" busywait 30 knob_gone server 0x00005001
seen=$(events_count server seen)
check_fails "off, and the other peer has gone: no answer" ping_lost
check "but it would be followed" events_wait server seen $((seen + 1))

check "the module can be unloaded" module_unload
done_testing
