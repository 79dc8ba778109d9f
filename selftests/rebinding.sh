#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rebinding.sh SCENARIO stock|esptrack [SECONDS [ADDRESS]]: lose a NAT mapping
# under traffic, 100 datagrams a second each way, go on for SECONDS (5), and
# print what became of it as one line of JSON, after "result: ". The new mapping
# has another port and, if given, another ADDRESS.
#
#   responder  strongSwan at the server as responder
#   mobike     the same, with MOBIKE at both ends
#   libreswan  libreswan at the server as responder, strongSwan at the client
#   initiator  strongSwan at the server as initiator
#   frozen     as responder, with the server's charon stopped by a signal
#   static     static keys, no daemon
#   wireguard  WireGuard, to compare with
#
# "control" are packets that carry no data: IKE, or WireGuard's handshakes.
# "since_rebinding" counts from when the NAT lost its mapping, "since_news" from
# when the first packet from the new one reached the server: what was sent to
# the client between the two, or in the 20 ms after, or before the sender had read
# what was in that packet, was in flight to the dead mapping.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=libreswan.sh
. "$here/libreswan.sh"

scenario=${1:?scenario}
variant=${2:?stock or esptrack}
seconds=${3:-5}
address=${4:-$NAT_ADDR}
# The server's
case $scenario in
static | wireguard)	daemon= ;;
libreswan)		daemon=libreswan ;;
*)			daemon=strongswan ;;
esac

# shellcheck source=gateway.sh
. "$here/gateway.sh"

setup_topology || bail "no topology"
if [ "$variant" = esptrack ]; then
	module_load static_nat=1
	monitor_start server
fi
case $scenario in
frozen)	tunnel_up responder ;;
*)	tunnel_up "$scenario" ;;
esac

xfrm_watch_start server
wire_start server server eth0
xfrm_stat_mark server
traffic_start
traffic_wait client received 100 || bail "no traffic"
if [ "$scenario" = frozen ]; then
	charon_freeze server
fi

old=$nat_addr:$nat_port
nat_rebind 30002 "$address"
new=$nat_addr:$nat_port
note "mapping was $old, is now $new"
# By what the client sends: replies may never come.
traffic_wait client sent $((seconds * 100)) $((seconds * 6)) || bail "no traffic"

quietly wire_stop server
traffic_stop || bail "traffic did not end"
traffic_summary
since_rebinding=$summary
control=$("$here/wirewatch.py" control "$tmp/server.pcap" "$rebind_time")
rebind_from_wire server || bail "nothing came from $new"
traffic_summary
stale=$(wire_stale server "$SERVER:4500" "$new" 2>&1)
events='[]'
knob=null
if [ "$variant" = esptrack ]; then
	events=$(monitor_events server)
	knob=$(tool server -j show)
	module_unload
fi
echo "result: $(jq -nc --arg scenario "$scenario" --arg variant "$variant" \
	--arg daemon "${daemon:+${daemon/strongs/strongS} $(gw_version)}" \
	--argjson since_rebinding "$since_rebinding" \
	--argjson since_news "$summary" \
	--argjson control "$control" --arg stale "$stale" --argjson events "$events" --argjson knob "$knob" \
	--arg old "$old" --arg new "$new" \
	--argjson acquire "$(xfrm_watch_count server acquire)" \
	--argjson mapping "$(xfrm_watch_count server mapping)" \
	--argjson newsa "$(xfrm_watch_count server newsa)" \
	--argjson updsa "$(xfrm_watch_count server updsa)" \
	--argjson reused "$(wire_reused server "$SERVER:4500")" \
	--argjson sas "$(ip -n server xfrm state | grep -c '^src')" \
	--arg templates "$(ip -n server xfrm policy | awk '/tmpl src/ { print $3, $5 }' |
		sort | uniq -c | awk '{ print $1, $2, $3 }' | paste -sd,)" \
	--argjson delsa "$(xfrm_watch_count server delsa)" \
	--argjson dropped "$(xfrm_stat_delta server | jq -Rn '
		[inputs | split(" ") | {(.[0]): .[1] | tonumber}] | add // {}')" \
	'{$scenario, $daemon, $variant, $old, $new, $since_rebinding, $since_news, $control, $stale, $events, $knob,
	  $acquire, $mapping, $newsa, $delsa, $updsa, $reused, $sas, $templates, $dropped}')"
pass "$scenario, $variant"
done_testing
