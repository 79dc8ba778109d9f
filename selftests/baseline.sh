#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# baseline.sh SCENARIO [SECONDS]: lose a NAT mapping under traffic, 100
# datagrams a second each way, and print what became of them as one JSON line.
# For a kernel without the module, or with it, if the caller has loaded it.
#
#   responder  strongSwan at the server as responder
#   initiator  strongSwan at the server as initiator
#   frozen     as responder, with the server's charon stopped by a signal
#   static     static keys, no daemon

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

scenario=${1:?scenario}
seconds=${2:-5}

setup_topology || bail "no topology"
case $scenario in
frozen)	tunnel_up responder ;;
*)	tunnel_up "$scenario" ;;
esac
note "server: SA to the client: $(encap_of server "$(spi_of server out)")"

xfrm_watch_start server
wire_start server server eth0
xfrm_stat_mark server
traffic_start
traffic_wait client received 100 || bail "no traffic"
if [ "$scenario" = frozen ]; then
	charon_freeze server
fi

old=$nat_addr:$nat_port
nat_rebind 30002
note "mapping was $old, is now $nat_addr:$nat_port"
# Long enough to tell late from never.
traffic_wait client sent $((seconds * 100)) $((seconds * 3)) || bail "no traffic"

traffic_stop || bail "no report"
wire_stop server
rebind_from_wire server || bail "the rebinding has not reached the server"
traffic_summary || bail "no report"
stale=$(wire_stale server "$SERVER:4500" "$nat_addr:$nat_port" 2>&1)
jq -nc --arg scenario "$scenario" --argjson traffic "$summary" --arg stale "$stale" \
	--argjson acquire "$(xfrm_watch_count server acquire)" \
	--argjson mapping "$(xfrm_watch_count server mapping)" \
	--argjson newsa "$(xfrm_watch_count server newsa)" \
	--argjson delsa "$(xfrm_watch_count server delsa)" \
	--arg stat "$(xfrm_stat_delta server | tr '\n' ' ')" \
	'{$scenario, $traffic, stale: ($stale | split("\n")), $acquire, $mapping, $newsa, $delsa, $stat}' ||
	bail "no result"
pass "baseline $scenario"
done_testing
