#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module comes and goes at any time: before and after the SAs, and under
# traffic. The tunnel lives on, and nothing of the module is left behind.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

setup_topology || bail "no topology"
module_load static_nat=1
check "loaded before any SA: the directory of knobs is there" in_ns server test -d $knobs
tunnel_up static
knob_wait server $spi
pass "an SA gets its knob"
check_fails "the client's namespace does not show it" in_ns client test -d "$knobs/$spi@$SERVER"
check_fails "the first namespace does not show it" test -d "$knobs/$spi@$SERVER"
check_eq "an outbound SA gets none" "$(in_ns server ls "$knobs")" "$spi@$SERVER"
check_eq "but it is named with the inbound one" "$(knob server $spi outbound)" $STATIC_SPI_OUT
check_eq "endpoint" "$(knob server $spi endpoint)" "$nat_addr:$nat_port"
check_eq "reqid" "$(knob server $spi reqid)" 1

ip -n server xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1111 reqid 7 \
	mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 4500 4500 0.0.0.0
knob_wait server 0x00001111
ip -n server xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x2222 reqid 7 \
	mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128
ip -n server xfrm state delete src $NAT_ADDR dst $SERVER proto esp spi 0x1111
check_fails "a deleted SA is not shown any more" \
	tool server show spi 0x1111 dst $SERVER
busywait 10 knob_gone server 0x00001111
check_eq "its knob is removed, and ESP without UDP gets none" \
	"$(in_ns server ls "$knobs")" "$spi@$SERVER"

traffic_start
traffic_wait client received 100 || bail "no traffic"
check "unload under traffic" module_unload
check_fails "nothing is left in sysfs" test -e $knobs
traffic_wait client received 100 || bail "no traffic after unloading"
module_load static_nat=0
knob_wait server $spi
pass "loaded after the SAs: the SA is adopted"
check_eq "and listed" "$(tool server -j show | jq -r '.[].spi')" $spi
knob_set server $spi 1
nat_rebind 30002
traffic_wait client received 100 || bail "the adopted SA does not follow"
check_eq "the adopted SA follows" "$(encap_of server $spi)" "30002 4500"
for _ in $(seq 20); do
	quietly rmmod esptrack || bail "cannot unload"
	quietly insmod $module static_nat=1 || bail "cannot load"
done
traffic_wait client received 100 || bail "no traffic after 20 loads"
nat_rebind 30003
traffic_wait client received 100 || bail "does not follow after 20 loads"
quietly rmmod esptrack || bail "cannot unload"
traffic_wait client received 100 || bail "no traffic without the module"
traffic_stop || bail "traffic did not end"
traffic_summary
check_eq "under all of it nothing to the server was lost" "$(traffic .to_server.lost)" 0
# A rebinding loses what is in flight to the old mapping.
check_eq "and to the client only around the two rebindings" \
	"$(traffic '.to_client.gaps | length <= 2')" true
note "to the client: $(traffic .to_client.lost) of $(traffic .to_client.sent) lost: $(traffic ".to_client.gaps | tojson")"

module_load static_nat=1
knob_wait server $spi
# More than one message holds, and all at once.
for ((i = 0; i < 1000; i++)); do
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi $((0x10000 + i)) reqid 7" \
		"mode tunnel aead rfc4106(gcm(aes)) $static_key 128" \
		"encap espinudp $((10000 + i)) 4500 0.0.0.0"
done | ip_batch server
last=0x$(printf %08x $((0x10000 + 999)))
knob_wait server "$last"
check_eq "a dump has each of 1,000 more SAs once" \
	"$(tool server -j show | jq '[.[] | select(.reqid == 7) | .spi] | [length, (unique | length)] | join(" ")')" \
	'"1000 1000"'
check_eq "sysfs has them too" "$(in_ns server ls "$knobs" | wc -l)" 1001
for ((i = 0; i < 1000; i++)); do
	echo "xfrm state delete src $NAT_ADDR dst $SERVER proto esp spi $((0x10000 + i))"
done | ip_batch server
knob_alone()
{
	[ "$(in_ns server ls "$knobs")" = "$spi@$SERVER" ]
}
check "they go away together" busywait 20 knob_alone

# A namespace that goes away with its SAs, at once or while the module does.
for ns in gone going; do
	quietly ip netns add $ns
	quietly ip -n $ns addr add $SERVER/32 dev lo
	quietly ip -n $ns xfrm state add src $NAT_ADDR dst $SERVER proto esp spi $spi \
		reqid 7 mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 \
		encap espinudp 4500 4500 0.0.0.0
	knob_wait $ns $spi
done
check_eq "namespaces with the same SA do not meet" \
	"$(knob gone $spi reqid) $(knob going $spi reqid) $(knob server $spi reqid)" "7 7 1"
quietly ip netns del gone
# Namespaces are cleaned up one after the other: this one comes and goes behind.
quietly ip netns add after
quietly ip netns del after
quietly ip netns del going
check "the module can be unloaded while a namespace goes" module_unload
done_testing
