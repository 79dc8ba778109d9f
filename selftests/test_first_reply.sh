#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The reply to the very packet that brings the news goes to the new mapping:
# where the kernel makes it in the same softirq (ping), and where a program
# does.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W 2 -I "$CLIENT_NET" "$SERVER_NET"
}

setup_topology || bail "no topology"
tunnel_up static
check "ping before" ping_once
nat_rebind 30002
check_fails "stock: the reply goes astray" ping_once

nat_rebind 30001
module_load static_nat=1
monitor_start server
for port in 30003 30004 30005; do
	nat_rebind $port
	check "the first ping from port $port is answered" ping_once
done
events_wait server moved 3
check_eq "three events" "$(events_count server all)" 3

traffic_server=--echo
traffic_start
wire_start server server eth0
traffic_wait client received 100 || bail "no traffic"
nat_rebind 30006
traffic_wait client received 100 || bail "no traffic after the rebinding"
traffic_stop || bail "traffic did not end"
quietly wire_stop server
rebind_from_wire server || bail "nothing came from $nat_addr:$nat_port"
traffic_summary
check_eq "echoed by a program: every datagram reached the server" \
	"$(traffic .to_server.lost)" 0
check_eq "and every answer since the news the client" "$(traffic .to_client.lost_after)" 0
note "$(traffic .to_client.lost_before) answers were in flight to the old mapping"
check_eq "one more event" "$(events_count server all)" 4

check "the module can be unloaded" module_unload
done_testing
