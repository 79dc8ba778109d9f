#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan's server as the IKE initiator has not followed, and gives the SAs
# of a rekeying the endpoint that it remembers. They take over what their
# siblings know, at once: traffic towards the client alone must get there.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

endpoints()
{
	tool server -j show | jq -r '[.[].endpoint | "\(.address):\(.port)"] | unique | join(" ")'
}

# newest_spi: of the inbound SAs
newest_spi()
{
	tool server -j show | jq -r '.[-1].spi'
}

rekeyed()
{
	[ "$(newest_spi)" != "$1" ]
}

one_pair()
{
	[ "$(tool server -j show | jq length)" -eq 1 ]
}

state_count()
{
	[ "$(ip -n server xfrm state | grep -c '^src')" -eq "$1" ]
}

# to_client: a datagram of the server, to which nothing answers, gets there
to_client()
{
	quietly in_ns server python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$SERVER_NET', 7000))
s.sendto(bytes(16), ('$CLIENT_NET', 7001))"
}

# listen_client: into $tmp/listen.log
listen_client()
{
	start_ready listen client python3 -u -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$CLIENT_NET', 7001))
print('ready')
while True:
    s.recv(100)
    print('got one')"
}

got()
{
	[ "$(grep -c 'got one' "$tmp/listen.log")" -ge "$1" ]
}

# round N PORT ADDRESS: rebinding, then a rekeying by the client
round()
{
	local spi

	nat_rebind "$2" "$3"
	check "round $1: the rebinding is followed" busywait 10 \
		in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
	check_eq "round $1: the endpoint is the new one" "$(endpoints)" "$nat_addr:$nat_port"
	spi=$(newest_spi)
	quietly swan client --rekey --child net || bail "no rekeying"
	check "round $1: the child SA is rekeyed" busywait 20 rekeyed "$spi"
	check_eq "round $1: its SAs have the new endpoint" "$(endpoints)" "$nat_addr:$nat_port"
	check_eq "round $1: the knob is still on" \
		"$(tool server -j show | jq -c '[.[].static_nat] | unique')" "[true]"
	busywait 20 one_pair || note "the old pair is still there"
	to_client
	check "round $1: a datagram towards the client gets there" busywait 5 got "$1"
}

setup_topology || bail "no topology"
# Not by the module's parameter, but for this SA: its successors inherit it.
module_load static_nat=0
tunnel_up initiator
spi=$(spi_of server in)
knob_wait server "$spi"
knob_set server "$spi" 1
xfrm_watch_start server
listen_client
round 1 30002 $NAT_ADDR
round 2 30003 $NAT_ADDR
round 3 30004 $NAT_ADDR2
# charon deletes the rekeyed outbound SA by the address that it remembers, which it
# does not have any more. The module sees to that, and to no other SA: the one in use,
# and its inbound one, stay.
check "an outbound SA is left over" state_count 3
round 4 30005 $NAT_ADDR
check_eq "no ACQUIRE" "$(xfrm_watch_count server acquire)" 0

pair="$(spi_of server out) $(newest_spi)"
check "it is deleted when it has been idle for long" busywait 90 state_count 2
check_eq "the pair that is in use is there" "$(spi_of server out) $(newest_spi)" "$pair"
check "and works" in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"

check "the module can be unloaded" module_unload
done_testing
