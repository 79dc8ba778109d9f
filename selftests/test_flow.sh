#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All SAs of a flow move together: several pairs, whatever their reqids, also
# those without traffic from the peer. SAs of other flows stay: another peer
# behind the same NAT, and the same endpoint at another local port.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

spi=$STATIC_SPI_IN

# pair REQID SPI_IN SPI_OUT PORT LOCAL_PORT: one more pair at the server
pair()
{
	local algo="aead rfc4106(gcm(aes)) $static_key 128"

	ip_batch server <<-END || bail "no pair"
	xfrm state add src $nat_addr dst $SERVER proto esp spi $2 reqid $1 mode tunnel replay-window 32 $algo encap espinudp $4 $5 0.0.0.0
	xfrm state add src $SERVER dst $nat_addr proto esp spi $3 reqid $1 mode tunnel $algo encap espinudp $5 $4 0.0.0.0
	END
	# The server sends by the newest SA of a reqid.
	ip_batch client <<-END || bail "no pair"
	xfrm state add src $SERVER_PUB dst $CLIENT proto esp spi $3 reqid $1 mode tunnel replay-window 32 $algo encap espinudp 4500 4500 0.0.0.0
	END
	knob_wait server "$2"
}

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# ports: of every SA, sorted by SPI
ports()
{
	local one

	for one in $spi 0x00002001 0x00001002 0x00002002 0x00001003 0x00002003 \
		0x00001004 0x00002004; do
		encap_of server "$one"
	done | tr '\n' ','
}

setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
tunnel_up static
pair 1 0x00001002 0x00002002 "$nat_port" 4500	# rekeyed: same reqid
pair 2 0x00001003 0x00002003 "$nat_port" 4500	# another child SA
pair 3 0x00001004 0x00002004 39999 4500		# another peer, same NAT
check_eq "an SA names the outbound ones of its flow" \
	"$(knob server $spi outbound | sort | tr '\n' ' ')" "0x00002001 0x00002002 0x00002003 "
check_eq "the other peer's SA has its own" "$(knob server 0x00001004 outbound)" 0x00002004

nat_rebind 30002
check "ping from the new mapping is answered" ping_once
check_eq "six SAs moved, and two did not" "$(ports)" \
	"30002 4500,4500 30002,30002 4500,4500 30002,30002 4500,4500 30002,39999 4500,4500 39999,"
check_eq "one event for all" "$(events_count server all)" 1
event=$(jq -c .msg.event "$tmp/events-server")
check_eq "it counts six SAs" "$(jq '."moved-count"' <<< "$event")" 6
check_eq "and names them" \
	"$(jq -r '[.moved[] | "\(.spi) \(.dir)"] | sort | join(",")' <<< "$event")" \
	"0x00001001 in,0x00001002 in,0x00001003 in,0x00002001 out,0x00002002 out,0x00002003 out"
check_eq "each inbound SA counts its move" \
	"$(knob server $spi moves)$(knob server 0x00001002 moves)$(knob server 0x00001003 moves)" 111
check_eq "the other peer's does not" "$(knob server 0x00001004 moves)" 0

# The NAT gives this peer the port that the other one had, whose SAs still point
# there. They must not become one flow: when the peer goes on, they stay.
nat_rebind 39999
check "ping from a port that another peer had is answered" ping_once
check_eq "the tunnel is there" "$(encap_of server $spi)" "39999 4500"
check_eq "its flow has the SAs that it had" \
	"$(knob server $spi outbound | sort | tr '\n' ' ')" "0x00002001 0x00002002 0x00002003 "
nat_rebind 30003
check "ping from the next mapping is answered" ping_once
check_eq "the other peer's SAs have stayed" "$(ports)" \
	"30003 4500,4500 30003,30003 4500,4500 30003,30003 4500,4500 30003,39999 4500,4500 39999,"

# More than 512 SAs with its reqid stay where they are, 512 do not. It has four, and two
# with another one, who stay then: somebody else cannot keep it by bringing many.
for ((i = 0; i < 509; i++)); do
	echo "xfrm state add src $nat_addr dst $SERVER proto esp spi $((0x10000 + i)) reqid 1" \
		"mode tunnel aead rfc4106(gcm(aes)) $static_key 128 replay-window 32" \
		"encap espinudp $nat_port 4500 0.0.0.0"
done | ip_batch server || bail "no SAs"
knob_wait server "$(printf 0x%08x $((0x10000 + 508)))"
nat_rebind 30004
check_fails "513 SAs with its reqid: it is not followed" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "it is refused" events_wait server refused 1
check_eq "and counted" "$(refused_as crowded)" 1
check_eq "as it is crowded" \
	"$(jq -r 'select(.name == "sa-refused-ntf").msg.event.reason' "$tmp/events-server")" crowded
quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi 0x10000
check "without one of them it is" ping_once
check_eq "512 have moved" "$(ip -n server xfrm state | grep -c 'port 30004 ')" 512
check_eq "those with the other reqid have not" \
	"$(encap_of server 0x00001003),$(encap_of server 0x00002003)" "30003 4500,4500 30003"

# Nor does one whose SAs have so many policies that they would be looked at more than
# 8,192 times, where the address is new. It has one pair with this reqid left, which has
# its policies together.
nat_flow_gone()
{
	for ((i = 1; i < 509; i++)); do
		echo "xfrm state delete src $nat_addr dst $SERVER proto esp spi $((0x10000 + i))"
	done
}
nat_flow_gone | ip_batch server || bail "SAs stay"
# policies FIRST LAST: so many more of them
policies()
{
	for ((i = $1; i <= $2; i++)); do
		echo "xfrm policy add src 10.$((30 + i / 65536)).$((i / 256 % 256)).$((i % 256))/32" \
			"dst 10.10.0.0/24 dir in" \
			"tmpl src $nat_addr dst $SERVER proto esp reqid 1 mode tunnel"
	done | ip_batch server || bail "no policies"
}
policies 1 4500
nat_rebind 30005 $NAT_ADDR2
check "4500 policies: a new address is followed" ping_once
check_eq "4500 policies: they name it" "$(templates_at "$nat_addr" 1)" 4503
policies 4501 8192
refused=$(events_count server refused)
nat_rebind 30005 $NAT_ADDR
check_fails "8192 policies: a new address is not followed" \
	in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
check "8192 policies: it is refused" events_wait server refused $((refused + 1))
check_eq "8192 policies: and counted" "$(refused_as crowded)" 2
check_eq "8192 policies: as it is crowded" \
	"$(tail -n 1 "$tmp/events-server" | jq -r .msg.event.reason)" crowded
nat_rebind 30006 $NAT_ADDR2
check "a new port is" ping_once

check "the module can be unloaded" module_unload
done_testing
