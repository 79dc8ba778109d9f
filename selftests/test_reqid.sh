#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Switches of a reqid: for the SAs that it has, and for those that it gets later.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

# inbound SPI REQID PORT [NS]: one more inbound SA, on a flow of its own if the
# port is
inbound()
{
	ip_batch "${4:-server}" <<-END || bail "no SA"
	xfrm state add src $nat_addr dst $SERVER proto esp spi $1 reqid $2 mode tunnel replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 encap espinudp $3 4500 0.0.0.0
	END
	knob_wait "${4:-server}" "$1"
}

is_off()
{
	[ "$(knob server "$1" static_nat)" = 0 ]
}

ping_once()
{
	in_ns client ping -n -c 1 -W "${1:-5}" -I "$CLIENT_NET" "$SERVER_NET"
}

setup_topology || bail "no topology"
module_load static_nat=0
monitor_start server
tunnel_up static
inbound 0x00001002 2 40002
check_eq "nothing is set at first" "$(tool server reqids)$(tool server -j reqids)" "[]"

check "set by reqid" tool server set reqid 1 static_nat on
check_eq "its SA has it" "$(knob server $spi static_nat)" 1
check_eq "the SA of another reqid has not" "$(knob server 0x00001002 static_nat)" 0
at_first=$nat_port
nat_rebind 30002
check "the peer is followed" ping_once

inbound 0x00001003 1 40003
inbound 0x00001004 2 40004
inbound 0x00001008 1 "$at_first"
check_eq "where two peers share it, one that is rekeyed stays where it was put" \
	"$(encap_of server 0x00001008)" "$at_first 4500"
quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi 0x00001008
check_eq "a later SA of the reqid has it, on a flow of its own" \
	"$(knob server 0x00001003 static_nat)" 1
check_eq "one of another reqid has not" "$(knob server 0x00001004 static_nat)" 0
quietly ip -n client addr add $SERVER/32 dev lo
inbound 0x00001003 1 40003 client
check_eq "nor has one of another namespace" "$(knob client 0x00001003 static_nat)" 0
check_eq "where nothing is set" "$(tool client -j reqids)" "[]"

check "the other switch is set beside it" tool server set reqid 1 port_only on
check "and for another reqid" tool server set reqid 2 port_only on static_nat off
check_eq "reqids lists them" "$(tool server reqids)" \
	"reqid 1 static_nat on port_only on
reqid 2 static_nat off port_only on"
check_eq "reqids in JSON" "$(tool server -j reqids | jq -c .)" \
	'[{"port_only":true,"reqid":1,"static_nat":true},{"port_only":true,"reqid":2,"static_nat":false}]'
check_eq "the SA has both" "$(knob server $spi static_nat)$(knob server $spi port_only)" 11

inbound 0x00001006 1 40006
check_eq "a further SA has them" \
	"$(knob server 0x00001006 static_nat)$(knob server 0x00001006 port_only)" 11
ip_batch server <<-END || bail "no SA"
xfrm state delete src $nat_addr dst $SERVER proto esp spi 0x00001006
xfrm state add src $nat_addr dst $SERVER proto esp spi 0x00001006 reqid 2 mode tunnel replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 encap espinudp 40006 4500 0.0.0.0
END
check "made anew with another reqid it has what is set for that" \
	busywait 3 is_off 0x00001006
quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi 0x00001006

# Else addresses of this reqid would not be followed for its sake.
quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi 0x00001003
# The outbound SA that is rekeyed now must not keep what its sibling had.
ip_batch server <<-END || bail "no SA"
xfrm state add src $SERVER dst $nat_addr proto esp spi 0x2009 reqid 1 mode tunnel aead rfc4106(gcm(aes)) $static_key 128 encap espinudp 4500 $nat_port 0.0.0.0
xfrm state delete src $SERVER dst $nat_addr proto esp spi $STATIC_SPI_OUT
END
ip_batch client <<-END || bail "no SA"
xfrm state add src $SERVER_PUB dst $CLIENT proto esp spi 0x2009 reqid 1 mode tunnel replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 encap espinudp 4500 4500 0.0.0.0
END
nat_rebind 30003 $NAT_ADDR2
check_fails "port_only: an address is not followed" ping_once 1
check "port_only: it is refused" events_wait server refused 1
check "what is set for one SA counts for it" \
	tool server set spi $spi dst $SERVER port_only off
check "now the address is followed" ping_once
inbound 0x00001005 1 30003
check_eq "a rekeyed SA has what its sibling has, and not what the reqid has" \
	"$(knob server 0x00001005 port_only)" 0

check "what is set for a reqid can be deleted" tool server del reqid 1
check_eq "reqids lists the other one" "$(tool server reqids)" \
	"reqid 2 static_nat off port_only on"
check_eq "SAs keep what they have" "$(knob server $spi static_nat)" 1
inbound 0x00001006 1 40006
check_eq "a later one has the default" "$(knob server 0x00001006 static_nat)" 0

# As a daemon: the reqid first, then its SAs.
check "a reqid without SAs can be set" tool server set reqid 4294967295 static_nat on
inbound 0x00001007 4294967295 40007
check_eq "and has it when the SA comes" "$(knob server 0x00001007 static_nat)" 1

check "the module can be unloaded" module_unload
check "nothing is remembered when it is loaded again" quietly insmod $module
check_eq "no reqid is set" "$(tool server -j reqids)" "[]"
check "the module can be unloaded" module_unload
done_testing
