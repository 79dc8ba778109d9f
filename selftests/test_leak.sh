#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel ends whose address was moved while the daemon did not follow. It
# cannot delete the outbound SA, by an address that the SA has not any more: the
# module does it, but no SA that a policy may still want, and none of a rekeying
# that takes its time.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=child.sh
. "$here/child.sh"

# outbound: SPIs of the SAs from the server, sorted
outbound()
{
	ip -n server xfrm state | awk -v local="$SERVER" '
		/^src/ { hit = $2 == local }
		hit && /proto esp/ { print $4 }
	' | sort | paste -sd' '
}

outbound_is()
{
	outbound
	[ "$(outbound)" = "$1" ]
}

setup_topology || bail "no topology"
module_load static_nat=1
tunnel_up initiator
out=$(spi_of server out)
reqid=$(tool server -j show | jq '.[0].reqid')
# On the same flow, so that they move as well: an SA that nothing speaks for, and
# two idle pairs of one reqid.
{
	sa_batch $SERVER "$nat_addr" 0x3001 77 4500 "$nat_port"
	for n in 1 2; do
		sa_batch "$nat_addr" $SERVER "0x400$n" 78 "$nat_port" 4500
		sa_batch $SERVER "$nat_addr" "0x500$n" 78 4500 "$nat_port"
	done
} | ip_batch server || bail "no SAs"
nat_rebind 30002 "$NAT_ADDR2"
check "the address is followed" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "all have moved" "$(ip -n server xfrm state | grep -c " dst $NAT_ADDR2\$")" 4
quietly swan client --terminate --ike gw || bail "the tunnel does not end"

# The daemon has removed its policies; what of this one?
policy="src $SERVER_NET dst $CLIENT_NET dir out"
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm policy add $policy tmpl src $SERVER dst "$nat_addr" \
	proto esp reqid "$reqid" mode tunnel || bail "no policy"
pairs="0x00005001 0x00005002"
check "the SA that nothing speaks for is deleted" busywait 90 \
	outbound_is "$pairs $out"
# All others were moved by the same packet, and none has had one since.
check "with a policy, and in a rekeying, SAs stay" outbound_is "$pairs $out"
# shellcheck disable=SC2086 # words
quietly ip -n server xfrm policy delete $policy || bail "the policy stays"
check "without the policy the SA is deleted, too" busywait 30 outbound_is "$pairs"

check "the module can be unloaded" module_unload
done_testing
