#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer moves from address to address by the packets of one SA, while those of
# another one come in on another processor, all from one place. They do not move him,
# or seldom, but are compared with his policies while the others move them. Each is
# accepted, as without the module. And a daemon that writes to an SA that is on its way
# does not have it begin anew.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

# Of both SAs
MOVES=3000
# A processor that stops between reading the one address and the other is out of reach.
STRAYS=3
# The more there are after it, the longer that of the peer waits for his SAs to move.
POLICIES=200
UPDATES=5000

has_moved()
{
	[ "$(moves_of server)" -ge "$MOVES" ]
}

# last_sent: the last sequence number of each of his outbound SAs
last_sent()
{
	ip -n server xfrm state list proto esp spi 0x20001 |
		sed -n 's/.*anti-replay context: .*oseq \(0x[0-9a-f]*\).*/\1/p'
}

# accepted: packets of both SAs
accepted()
{
	tool server -j stats | jq .packets
}

# sent NAME: by this flood
sent()
{
	tail -n 1 "$tmp/$1.log" | jq .sent
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
peers_up
module_load static_nat=1
quietly tool server conf set rate 1000/second burst 1000 || bail "no throttle"
{
	peers batch states-in,states-out 1
	peers --child 1 batch states-in 1
	for ((i = 0; i < POLICIES; i++)); do
		echo "xfrm policy add src 10.40.$i.0/24 dst 10.10.0.0/24 dir in" \
			"tmpl src 100.64.0.1 dst $SERVER proto esp reqid 1001 mode tunnel"
	done
	# The newest is moved first.
	peers batch policies 1
} | ip_batch server || bail "no SAs"
check "the peer is answered" answered 1 --tries 10

before=$(accepted)
xfrm_stat_mark server
start_ready home cloud /payload/load/espflood --cpu 0 --place 0 1
home=$pid
start_ready away cloud "$here/esppeers.py" --child 1 flood 1 --cpu 1
away=$pid
check "he moves all the time" busywait 120 has_moved
stop "$home"
stop "$away"
check_num "his SAs accept all packets" $(($(accepted) - before)) -eq \
	$(($(sent home) + $(sent away)))
dropped=$(xfrm_stat_delta server)
note "dropped: ${dropped:-none}"
# What is sent to him while his SA is between two addresses is another matter; how much
# that is depends on how long a processor can stop there.
check_num "and his policies do" \
	"$(awk '/^XfrmIn/ { n += $2 } END { print n + 0 }' <<< "$dropped")" -le $STRAYS
note "$(sent home) packets from home, $(sent away) from elsewhere, $(moves_of server) moves"
check "he is answered, at a new place" answered 1 --place 5 --tries 20
check_eq "all of his policies name it" "$(ip -n server xfrm policy | grep -c 'tmpl src 100.69.0.1')" \
	$((POLICIES + 1))

# An update takes the place of an SA that waits for its daemon: what is at the new
# address during a move must not look like one.
before=$(($(last_sent)))
start_ready anywhere cloud /payload/load/espflood --cpu 0 1
answers=$(in_ns server taskset -c 1 "$here/saupdate.py" $SERVER $UPDATES) || bail "no updates"
stop "$pid"
note "$(moves_of server) moves; the kernel's answers: $answers"
check_eq "an update is taken, or finds no SA, or one that is not valid" \
	"$(jq -c 'del(.ok, .ESRCH, .EINVAL)' <<< "$answers")" "{}"
check_num "some find one on its way" "$(jq '.EINVAL // 0' <<< "$answers")" -gt 0
check_eq "however often it is updated, there is one outbound SA" "$(last_sent | wc -l)" 1
check_num "which goes on counting" $(($(last_sent | head -n 1))) -gt $before
check "he is answered" answered 1 --place 9 --tries 20

check "the module can be unloaded" module_unload
done_testing
