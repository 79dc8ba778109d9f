#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel without the module: what the other tests compare with, and that
# the tests' own means work.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

setup_topology || bail "no topology"
tunnel_up static

xfrm_watch_start server
wire_start server server eth0
wire_start inet inet nb
traffic_start
traffic_wait client received 50 || bail "no traffic"
traffic_wait server received 50 || bail "no traffic"
old=$nat_addr:$nat_port
nat_rebind 30002
new=$nat_addr:$nat_port
traffic_wait server received 100 || bail "the client's packets do not arrive"
traffic_stop
wire_stop server
rebind_from_wire server
traffic_summary
check_eq "dead towards the client after a rebinding" "$(traffic .to_client.recovery)" null
check_eq "alive towards the server" "$(traffic .to_server.lost)" 0
check_fails "no packet goes to the new mapping" wire_stale server "$SERVER:4500" "$new"
check_eq "one message about the mapping per packet" "$(xfrm_watch_count server mapping)" \
	"$(wire_lines server | awk -v new="$new" '$2 == new && $4 != "-"' | wc -l)"
check_eq "the SA has the old port" "$(encap_of server 0x00001001)" "30001 4500"

# injected SRC DELTA_NAME OPTIONS: inject one packet, wait until it is counted
injected()
{
	local src=$1 counter=$2

	shift 2
	xfrm_stat_mark server
	inject inet --pcap "$tmp/inet.pcap" --spi 0x1001 --src "$src" \
		--dst "$SERVER_PUB:4500" "$@" || return
	busywait 5 counted "$counter"
}

counted()
{
	[ "$(xfrm_stat_delta server "$1")" -ge 1 ]
}

wire_stop inet
check "a forged packet is counted" \
	injected 198.51.100.99:6666 XfrmInStateProtoError --seq-to 100000 --forge
check "a replayed packet is counted" \
	injected 198.51.100.99:6666 XfrmInStateSeqError
check "an unknown SPI is counted" \
	injected 198.51.100.99:6666 XfrmInNoStates --spi-to 0x1234
check "a replayed packet in fragments is counted" \
	injected "$old" XfrmInStateSeqError --fragment
check "a replayed packet with IP options is counted" \
	injected "$old" XfrmInStateSeqError --options
check "a packet without room for an ICV is counted" \
	injected "$new" XfrmInStateProtoError --seq-to 100001 --truncate 20

# A packet that the path held back, sent later from elsewhere, is accepted.
wire_start held inet nb
path_block to_server
traffic_client="--count 3"
traffic_server="--rate 0"
traffic_start
traffic_reach client sent 3
traffic_stop
wire_stop held
path_unblock
note "held back: $(wire_lines held | tr '\n' ';')"
check_eq "packets were held back" "$(wire_lines held | grep -c 0x00001001)" 3
wire_start late server eth0
check_eq "and sent later" "$(inject inet --pcap "$tmp/held.pcap" --spi 0x1001 \
	--pick 1 --src 198.51.100.99:6666 --dst "$SERVER_PUB:4500")" 1
check "they arrive" wire_wait late "198.51.100.99:6666 $SERVER:4500 0x00001001"
done_testing
