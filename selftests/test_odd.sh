#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Odd packets from elsewhere: truncated, with IP options, in fragments, for an
# SA that is being deleted. The stock kernel's answer, no splat, no move; but a
# good and newest packet moves, whatever its IP header looks like.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN
other=198.51.100.99

# shellcheck disable=SC2034 # of lib.sh
replay_window=1024
setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
tunnel_up static
knob_wait server $spi
knob_set server $spi 1 port_only

# Good packets that the server has not seen: they were lost behind "nb".
wire_start wan inet nb
path_block to_server
traffic_server='--rate 0'
traffic_start
traffic_wait client sent 30 || bail "no traffic"
traffic_stop || bail "traffic did not end"
quietly wire_stop wan
path_unblock
first=$(wire_lines wan | awk -v spi=$spi '$4 == spi { print $5; exit }')
note "unseen packets from $first on"

# send PORT OPTIONS
send()
{
	local port=$1

	shift
	quietly inject inet --pcap "$tmp/wan.pcap" --spi $spi \
		--src "$other:$port" --dst $SERVER_PUB:4500 "$@" ||
		bail "cannot inject"
}

# barrier: all that was sent before has been dealt with when this is
barrier()
{
	quietly in_ns inet ping -n -c 1 -W 5 $SERVER_PUB || bail "no way to the server"
}

xfrm_stat_mark server
for length in 1 4 7 8 9 12 15 16 17 20 24 31 32 33; do
	send 7000 --pick "seq=$first" --truncate $length
done
for length in 0 1 8 16 17 100 1400; do
	send 7000 --pick "seq=$first" --pad $length
done
send 7000 --pick "seq=$first" --options --forge
send 7000 --pick "seq=$first" --fragment --forge
send 7000 --pick "seq=$first" --fragment-gap
send 7000 --pick "seq=$first" --spi-to 0x1
barrier
note "stock counters: $(xfrm_stat_delta server | tr '\n' ' ')"
check_num "the packets were seen and dropped" "$(xfrm_stat_delta server XfrmInStateProtoError)" -ge 10
check_eq "nothing is moved" "$(encap_of server $spi)" "$nat_port 4500"
check_eq "nothing is reported" "$(events_count server all)" 0

ip_moves()
{
	events_wait server refused "$1"
}

# The address differs: refused by port_only, but only after all else was found
# good.
send 7001 --pick "seq=$first" --options
check "a good packet with IP options is judged" ip_moves 1
send 7002 --pick "seq=$((first + 1))" --fragment
check "a good packet in fragments is judged" ip_moves 2
check_eq "both because of the address" \
	"$(jq -r .msg.event.reason < "$tmp/events-server" | sort -u)" address
check_eq "with their ports" \
	"$(jq -r .msg.event.new.port < "$tmp/events-server" | tr '\n' ' ')" "7001 7002 "

# From the peer's own address, past his NAT, the port may change.
quietly inject inet --pcap "$tmp/wan.pcap" --spi $spi --pick "seq=$((first + 2))" \
	--src "$nat_addr:7003" --dst $SERVER_PUB:4500 --options
check "with IP options a port is followed" events_wait server moved 1
check_eq "to where it came from" "$(encap_of server $spi)" "7003 4500"

# While packets for it come, the SA is deleted, and made anew. However long that
# takes, the new one has what is set for the reqid.
quietly tool server set reqid 1 port_only on || bail "no switch"
for round in $(seq 10); do
	quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi $spi
	send $((7100 + round)) --pick "seq=$((first + 2))-$((first + 12))"
	quietly ip -n server xfrm state add src "$nat_addr" dst $SERVER proto esp spi $spi \
		reqid 1 mode tunnel replay-window 32 aead 'rfc4106(gcm(aes))' "$static_key" 128 \
		encap espinudp 30001 4500 0.0.0.0
	send $((7200 + round)) --pick "seq=$((first + 2))-$((first + 12))" &
	sender=$!
	quietly ip -n server xfrm state delete src "$nat_addr" dst $SERVER proto esp spi $spi
	wait $sender
	quietly ip -n server xfrm state add src "$nat_addr" dst $SERVER proto esp spi $spi \
		reqid 1 mode tunnel replay-window 32 aead 'rfc4106(gcm(aes))' "$static_key" 128 \
		encap espinudp "$nat_port" 4500 0.0.0.0
done
barrier
# Both directions as the client knows them.
quietly ip -n server xfrm state delete src $SERVER dst "$nat_addr" proto esp spi $STATIC_SPI_OUT
quietly ip -n server xfrm state add src $SERVER dst "$nat_addr" proto esp spi $STATIC_SPI_OUT \
	reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 4500 "$nat_port" 0.0.0.0
# If it was added again soon enough, the SA is where the other one was then.
check_eq "deleted under packets: no other address is followed" \
	"$(ip -n server xfrm state | grep -c "$other")" 0
check_num "deleted under packets: some found no SA" \
	"$(xfrm_stat_delta server XfrmInNoStates)" -gt 1
# The server's new SA begins with numbers that the client has seen.
check "the tunnel works" busywait 20 in_ns client \
	ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"

check "the module can be unloaded" module_unload
done_testing
