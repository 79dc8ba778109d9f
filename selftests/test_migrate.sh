#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A daemon migrates the SAs for MOBIKE: the kernel puts other ones in their place
# and tells nobody of each. They are found at once, and are the same to the operator.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

ping_once()
{
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
}

# found ENDPOINT: both SAs of the peer are there, for all that we know
found()
{
	[ "$(knob server "$spi" endpoint)" = "$1" ] &&
		[ "$(tool server -j show "$spi" | jq -r '.[0].outbound[]')" = "$STATIC_SPI_OUT" ]
}

# migrate PORT OLD NEW: as daemons do it, who are told of the peer's next place before
# a packet comes from there
migrate()
{
	local dir

	for dir in in out; do
		check "the kernel migrates $dir to $3" in_ns server \
			"$here/xfrmmigrate.py" $dir $SERVER_NET $CLIENT_NET $SERVER \
			"$2" "$3" "$1"
	done
	check_eq "the inbound SA is at the new place" "$(encap_of server $spi)" "$1 4500"
	check_eq "the outbound SA is" "$(encap_of server $STATIC_SPI_OUT)" "4500 $1"
	check "both are found soon" busywait 3 found "$3:$1"
}

setup_topology || bail "no topology"
module_load static_nat=0
tunnel_up static
knob_wait server $spi
knob_set server $spi 1
nat_rebind 30002
check "the peer is followed" ping_once
check_eq "the SA has moved once" "$(knob server "$spi" moves)" 1

# The module looks for such SAs every ten seconds in any case; three times in a row it
# must have been told.
migrate 30003 $NAT_ADDR $NAT_ADDR2
migrate 30003 $NAT_ADDR2 $NAT_ADDR
nat_rebind 30003 $NAT_ADDR2
migrate 30003 $NAT_ADDR $NAT_ADDR2
check_eq "the inbound SA is on as before" "$(knob server "$spi" static_nat)" 1
check_eq "and counts on" "$(knob server "$spi" moves)" 1

check_eq "and its packets once" "$(tool server -j stats | jq .packets)" \
	"$(ip -n server -s xfrm state get dst $SERVER proto esp spi $spi |
		sed -n 's/.*(bytes), \([0-9]*\)(packets)$/\1/p' | tail -n 1)"

nat_rebind 30004 $NAT_ADDR2
check "a new port is followed" ping_once
check_eq "by one more move" "$(knob server "$spi" moves)" 2

# A daemon that has not followed has another name for the outbound SA, and cannot put it
# where it puts the inbound one. It comes there by itself.
# state_anew: the inbound SA, as strongSwan does it
state_anew()
{
	ip_batch server <<-END
	xfrm state delete src $nat_addr dst $SERVER proto esp spi $spi
	xfrm state add src $1 dst $SERVER proto esp spi $spi reqid 1 mode tunnel replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 encap espinudp $2 4500 0.0.0.0
	END
}

# state_migrated: the same by XFRM_MSG_MIGRATE_STATE, which fails for the other one
state_migrated()
{
	local migrate=(in_ns server "$here/xfrmmigrate.py" state)

	quietly "${migrate[@]}" in "$spi" "$SERVER" "$nat_addr" "$1" "$2" || return
	check_eq "the kernel does not find the outbound one where it was put first" \
		"$("${migrate[@]}" out "$STATIC_SPI_OUT" "$SERVER" "$1" "$1" "$2" 2>&1)" \
		"No such process"
}

# policies ADDR [SPI]: lead there, by any outbound SA or this one
policies()
{
	local tmpl="reqid 1 mode tunnel" dir

	for dir in in fwd; do
		echo "xfrm policy update src $CLIENT_NET dst $SERVER_NET dir $dir" \
			"tmpl src $1 dst $SERVER proto esp $tmpl"
	done | ip_batch server || bail "no policies"
	ip_batch server <<-END || bail "no policy"
	xfrm policy update src $SERVER_NET dst $CLIENT_NET dir out tmpl src $SERVER dst $1 proto esp ${2:+spi $2} $tmpl
	END
}

# state_awaited: as state_anew, but the policies come first, as strongSwan's with the SPI
# of the outbound SA, and a packet for the peer. The kernel notes that it waits for the SA.
state_awaited()
{
	policies "$1" "$STATIC_SPI_OUT"
	check_fails "what is sent before the SA is there is lost" in_ns server \
		ping -n -c 1 -W 1 -I "$SERVER_NET" "$CLIENT_NET"
	check_eq "and the kernel asks for it" "$(xfrm_watch_count server acquire)" 1
	check "and waits for it there" quietly ip -n server xfrm state get src "$SERVER" \
		dst "$1" proto esp spi "$STATIC_SPI_OUT"
	state_anew "$@"
}

# half HOW PORT ADDR PORT2 ADDR2: followed to the former, and put to the latter
half()
{
	nat_rebind "$2" "$3"
	check "$1: the peer is followed" ping_once
	check_eq "$1: so is the outbound SA" "$(encap_of server $STATIC_SPI_OUT)" "4500 $2"
	"$1" "$5" "$4" || bail "$1: no SA"
	policies "$5"
	check "$1: both are found" busywait 15 found "$5:$4"
	check_eq "$1: the outbound SA is there" "$(encap_of server $STATIC_SPI_OUT)" "4500 $4"
	nat_rebind "$4" "$5"
	moves=$(knob server "$spi" moves)
	check "$1: the peer is answered there" ping_once
	check_eq "$1: without another move" "$(knob server "$spi" moves)" "$moves"
}

half state_anew 30005 $NAT_ADDR 30006 $NAT_ADDR2
# Without somebody who is asked for an SA the kernel does not wait. And policies that name
# where the SA was put first would be led to where it is.
third=198.51.100.9
quietly ip -n natbox addr add $third/24 dev wan || bail "no third address"
xfrm_watch_start server
half state_awaited 30009 $NAT_ADDR 30010 $third
if grep -qw xfrm_do_migrate_state /proc/kallsyms; then
	half state_migrated 30007 $NAT_ADDR 30008 $NAT_ADDR2
else
	skip "MIGRATE_STATE" "this kernel does not have it"
fi

check "the module can be unloaded" module_unload
done_testing
