#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# README.md, docs/gce.md, docs/troubleshooting.md: what they have the operator type
# works at the gateway, and prints what they show.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=pages.sh
. "$here/pages.sh"

spi=$STATIC_SPI_IN

# page PAGE NAME: its commands, in the namespace of the server
page()
{
	check "$1: the page's commands work: $2" gateway "$holder" "$1" "$2"
}

ping_once()
{
	in_ns client ping -n -c 1 -W "${1:-2}" -I "$CLIENT_NET" "$SERVER_NET"
}

# unanswered: a packet of the client
unanswered()
{
	! ping_once 1
}

# switches: all that can be set, and for the SAs as well
switches()
{
	tool server conf
	tool server reqids
	tool server -j show | jq -c 'map({spi, static_nat, port_only})'
}

setup_topology || bail "no topology"
tool_install
# Whose namespaces are the gateway's.
start holder server sleep infinity
holder=$pid

page gce gateway-address
page gce gateway-forward
page troubleshooting not-loaded
page troubleshooting not-found
module_install
# As systemd has it.
mkdir -p /etc/modules-load.d
page gce gateway-load
page gce gateway-loaded
rm /etc/modprobe.d/esptrack.conf /etc/modules-load.d/esptrack.conf /etc/sysctl.d/60-vpn-gateway.conf
page security unload
check_fails "security: the tool has no module to speak to" tool server show
check_fails "security: its call has not loaded it again" module_loaded
rm /etc/modprobe.d/esptrack-out.conf
page ../README load
quietly rmmod esptrack

tunnel_up static
nat_rebind 30002
start pings client ping -n -i 0.2 -I "$CLIENT_NET" "$SERVER_NET"
page troubleshooting dead
page troubleshooting revive
check "the peer is answered again" busywait 5 ping_once
stop "$pid"
page troubleshooting revived

knob_set server $spi 0
nat_rebind 30003
check "switched off, he is not answered" unanswered
page troubleshooting off
page troubleshooting on
check "switched on, he is" ping_once
knob_set server $spi 0
page troubleshooting revive-all
check_eq "all can be switched on" \
	"$(in_ns server cat "$knobs/$spi@$SERVER/static_nat")" 1
nat_rebind 30004 "$NAT_ADDR2"
knob_set server $spi 1 port_only
check "an address is refused" unanswered
page troubleshooting refused
page troubleshooting stats
quietly tool server conf set rate 20/minute burst 3 || bail "no throttle"
settings=$(switches)
page gce gateway-reload
check_eq "reloaded, it has the same settings" \
	"$(switches)" "$settings"
done_testing
