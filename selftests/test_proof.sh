#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever cannot be proven to come from the peer, and newest, moves nothing:
# forged packets, replayed ones, and one that was held back. Each must really
# get to where it is judged, which xfrm's counters and the events show.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN
attacker=198.51.100.99:6666
gateway=$SERVER_PUB:4500

# attack OPTIONS: send a captured packet of the client from elsewhere
attack()
{
	quietly inject inet --pcap "$tmp/wan.pcap" --spi $spi --src $attacker \
		--dst $gateway "$@" || bail "cannot inject"
}

stat_reached()
{
	[ "$(xfrm_stat_delta server "$1")" -ge "$2" ]
}

# unmoved WHAT
unmoved()
{
	check_eq "$1: the SA is not moved" "$(encap_of server $spi)" "$nat_port 4500"
	check_eq "$1: no move is counted" "$(knob server $spi moves)" 0
	check_eq "$1: no move is reported" "$(events_count server moved)" 0
}

# Wide enough for the time that the attacker takes.
# shellcheck disable=SC2034 # of lib.sh
replay_window=4096
setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
tunnel_up static
wire_start wan inet nb
traffic_start
traffic_wait server received 50 || bail "no traffic"

# The numbers of a packet to come, so that only the ICV is wrong.
xfrm_stat_mark server
attack --forge --seq-to 100000 --count 50
busywait 10 stat_reached XfrmInStateProtoError 50 ||
	bail "forged packets did not arrive"
unmoved "50 forged"
check_eq "forged: no event at all" "$(events_count server all)" 0
check_eq "forged: nothing is counted as refused" "$(knob server $spi refused)" 0

xfrm_stat_mark server
attack --pick last --count 50
busywait 10 stat_reached XfrmInStateSeqError 49 ||
	bail "replayed packets did not arrive"
unmoved "50 replayed"
check_eq "replayed: no event at all" "$(events_count server all)" 0

# One packet is lost behind the place where the attacker listens, and comes
# late, from the attacker, while the replay window still takes it.
path_block to_server
traffic_wait client sent 10 || bail "no traffic"
held=$(wire_lines wan | awk -v spi=$spi '$4 == spi { seq = $5 } END { print seq }')
path_unblock
note "held back: $held"
traffic_wait server received 5 || bail "no traffic"
received=$(traffic_count server received)
attack --pick "seq=$held"
if ! events_wait server refused 1; then
	note "seq $held: $(ip -n server -s xfrm state | grep -A1 anti-replay | head -n 2)"
fi
unmoved "held back"
check_eq "held back: refused" "$(events_count server refused)" 1
check_eq "held back: because it is stale" \
	"$(jq -r .msg.event.reason < "$tmp/events-server")" stale
check_eq "held back: its number is reported" \
	"$(jq -r '.msg.event."esp-seq"' < "$tmp/events-server")" "$held"
check_eq "held back: the attacker's address is reported" \
	"$(jq -r '.msg.event.new | "\(.address):\(.port)"' < "$tmp/events-server")" $attacker
check_eq "held back: counted" "$(knob server $spi refused)" 1

traffic_wait server received 50 || bail "traffic broke"
traffic_stop || bail "traffic did not end"
traffic_summary
check_eq "traffic went on to the client" "$(traffic .to_client.lost)" 0
note "to the client: $(traffic ".to_client.gaps | tojson")"
note "to the server: $(traffic .to_server.lost) lost where the path was blocked," \
	"$(traffic .to_server.reordered) delivered late; received before: $received"
# The network itself may have one overtake the next one, at times.
check_num "the packet held back was delivered, as the stock kernel does: it was behind by" \
	"$(traffic .to_server.behind)" -ge 5

check "the module can be unloaded" module_unload
done_testing
