#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Forged packets to an SA of a tunnel in use, from random sources, by the kernel's
# packet generator: what it writes first into its packets is taken for SPI and
# sequence number. Nothing moves, nothing is reported, and the tunnel works all the
# time.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"
# shellcheck source=pktgen.sh
. "$here/pktgen.sh"

# Sent between two looks at the time
chunk=20000

modprobe pktgen || bail "no packet generator"
setup_topology || bail "no topology"
module_load static_nat=1
# One end may stand still while the other one sends.
# shellcheck disable=SC2034 # for static_sa
replay_window=1024
tunnel_up static
# On the same flow; nobody else uses it, so that all numbers are new to it.
quietly ip -n server xfrm state add src "$nat_addr" dst $SERVER proto esp spi $PKTGEN_SPI \
	reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 replay-window 32 \
	encap espinudp "$nat_port" 4500 0.0.0.0 || bail "no SA"
knob_wait server $PKTGEN_SPI
monitor_start server
server_mac=$(ip -n server -j link show eth0 | jq -r '.[0].address')
cpus=$(nproc)
for ((cpu = 0; cpu < cpus; cpu++)); do
	generator $cpu "$server_mac" || bail "the packet generator does not take what it is told"
done
# Enough to see a loss; the time is for the forged ones.
# shellcheck disable=SC2034 # for traffic_start
traffic_server='--rate 20' traffic_client='--rate 20'
traffic_start
traffic_wait client received 50 || bail "no traffic"

scenario forged "forged packets from random sources" 10000000 5000
before=$(tool server -j show)
xfrm_stat_mark server
xfrm_stat_mark client
while [ "$(forged)" -lt "$asked" ] && in_time; do
	count=$(((asked - $(forged)) / cpus + 1))
	for ((cpu = 0; cpu < cpus; cpu++)); do
		pktgen eth0@$cpu "count $((count < chunk ? count : chunk))"
	done
	# Returns when all of them have been sent.
	pktgen pgctrl start || bail "the packet generator does not start"
done
did=$(forged)
scenario_end=$EPOCHREALTIME
check_eq "nothing else was wrong with them" "$(xfrm_stat_delta server)" \
	"XfrmInStateProtoError $did"
check_eq "no moves, nothing refused, nothing changed" "$(tool server -j show)" "$before"
check_eq "no events" "$(events_count server all)" 0
traffic_wait client received 50 || bail "no traffic any more"
traffic_wait server received 50 || bail "no traffic any more"
traffic_stop || bail "traffic did not end"
traffic_summary
note "errors: $(traffic .to_client.send_errors) of the server, $(traffic .to_server.send_errors) of the client;" \
	"$(xfrm_stat_delta client)"
check_eq "meanwhile nothing was lost to the client" "$(traffic .to_client.lost)" 0
check_eq "nor to the server" "$(traffic .to_server.lost)" 0
nat_rebind 30002
check "afterwards the peer is followed as ever" \
	in_ns client ping -n -c 1 -W 5 -I $CLIENT_NET $SERVER_NET
check_eq "by one move, of all SAs" "$(knob server $PKTGEN_SPI moves) $(knob server $STATIC_SPI_IN moves)" "1 1"
scenario_done "$did"

check "the module can be unloaded" module_unload
done_testing
