#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which SAs are switched on: a new inbound SA must not switch off, or on, the outbound
# ones that are there; and where only some are on, nothing is cut off.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W "${1:-5}" -I "$CLIENT_NET" "$SERVER_NET"
}

# inbound SPI PORT [REQID]: another inbound SA of the peer, as in a rekeying whose
# outbound SA comes later
inbound()
{
	sa_batch "$nat_addr" $SERVER "$1" "${3:-1}" "$2" 4500 | ip_batch server ||
		bail "no SA $1"
	knob_wait server "0x0000${1#0x}"
}

inbound_gone()
{
	quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi "$1" ||
		bail "no SA $1"
}

last_reason()
{
	tail -n 1 "$tmp/events-server" | jq -r .msg.event.reason
}

# rekeyed_inbound_first WHAT: the peer is followed with both of his SAs
rekeyed_inbound_first()
{
	inbound 0x1002 "$nat_port"
	nat_rebind $((nat_port + 1))
	check "$1: ping from a new port is answered" ping_once
	if [ "$nat_addr" = $NAT_ADDR ]; then
		nat_rebind $((nat_port + 1)) $NAT_ADDR2
	else
		nat_rebind $((nat_port + 1)) $NAT_ADDR
	fi
	check "$1: and from a new address" ping_once
	check "$1: both SAs have moved" pairs_at "$nat_addr:$nat_port" 1
	inbound_gone 0x1002
}

setup_topology || bail "no topology"
module_load static_nat=0
monitor_start server
tunnel_up static
knob_wait server $STATIC_SPI_IN

# An outbound SA is on for one of two inbound SAs. When that dies, it goes with the other.
inbound 0x1002 "$nat_port"
quietly tool server set spi 0x1002 dst $SERVER static_nat on || bail "no switch"
inbound_gone 0x1002
check "the one that was on is gone" busywait 30 knob_gone server 0x00001002
inbound 0x1003 "$nat_port" 3
quietly tool server set spi 0x1003 dst $SERVER static_nat on || bail "no switch"
# The client sends with the newest that he has.
sa_batch $CLIENT $SERVER_PUB 0x1003 1 4500 4500 | ip_batch client || bail "no SA of the client"
at=$nat_port
nat_rebind $((nat_port + 1))
check_fails "another child SA moves, which has no way back" ping_once 1
check "it is reported" events_wait server moved 1
check_eq "nothing but itself has moved" \
	"$(tail -n 1 "$tmp/events-server" | jq -r '[.msg.event.moved[].spi] | join(" ")')" 0x00001003
check_eq "the SA from us has stayed" "$(encap_of server $STATIC_SPI_OUT)" "4500 $at"
quietly ip -n client xfrm state delete src $CLIENT dst $SERVER_PUB proto esp spi 0x1003 ||
	bail "no SA of the client"
inbound_gone 0x1003
nat_rebind "$at"

quietly tool server set reqid 1 static_nat on || bail "no switch"
rekeyed_inbound_first "on by the reqid"
quietly tool server del reqid 1 || bail "no switch"
rekeyed_inbound_first "on by the SA"
check_eq "nothing was refused" "$(events_count server refused)" 0

# The other way round: what is off stays off.
quietly tool server conf set static_nat on || bail "no switch"
quietly tool server set reqid 1 static_nat off || bail "no switch"
inbound 0x1002 "$nat_port"
was=$(encap_of server $STATIC_SPI_OUT)
inbound 0x1003 "$nat_port" 3
quietly tool server set spi 0x1003 dst $SERVER static_nat on || bail "no switch"
at=$nat_port
nat_rebind $((nat_port + 1))
check_fails "off by the reqid: no answer at a new port" ping_once 1
check_eq "off by the reqid: the SA from us has stayed" "$(encap_of server $STATIC_SPI_OUT)" "$was"
inbound_gone 0x1002
inbound_gone 0x1003

# One of two inbound SAs is off, as if one were on its way out.
quietly tool server set reqid 1 static_nat on || bail "no switch"
check "on again: the next packet is answered" ping_once
inbound 0x1002 "$nat_port"
check "the other inbound SA is switched off" \
	tool server set spi 0x1002 dst $SERVER static_nat off
at=$nat_port
nat_rebind $((nat_port + 1))
check "one of two: a port is followed" ping_once
check "one of two: by the one that is on, and the SA from us" pairs_at "$nat_addr:$nat_port" 1
check_eq "one of two: the one that is off has stayed" \
	"$(encap_of server 0x00001002)" "$at 4500"

# On one flow again, as a daemon might have put it there.
inbound_gone 0x1002
inbound 0x1002 "$nat_port"
quietly tool server set spi 0x1002 dst $SERVER static_nat off || bail "no switch"
refused=$(events_count server refused)
from=$nat_addr
nat_rebind $((nat_port + 1)) $NAT_ADDR2
[ "$from" != "$nat_addr" ] || nat_rebind $((nat_port + 1)) $NAT_ADDR
check_fails "one of two: an address is not followed" ping_once 1
check "one of two: it is refused" events_wait server refused $((refused + 1))
check_eq "one of two: as policies are the other one's as well" "$(last_reason)" shared-reqid
check_eq "one of two: policies fit the SAs" "$(templates_at "$from" 1)" 3
check "it is switched on" tool server set spi 0x1002 dst $SERVER static_nat on
check "then the address is followed" ping_once

check "the module can be unloaded" module_unload
done_testing
