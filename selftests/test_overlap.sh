#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the middle of a rekeying there are two pairs of one reqid, and each end may
# send by either. A packet of the old SA or of the new one moves both pairs, and
# all four SAs work afterwards.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=child.sh
. "$here/child.sh"

# choose NS N: have an end send by the pair with this number, as IKE daemons do:
# by naming the SPI in the policy
choose()
{
	local src=$CLIENT_NET dst=$SERVER_NET tmpl="src $CLIENT dst $SERVER_PUB" spi=0x100$2

	if [ "$1" = server ]; then
		src=$SERVER_NET dst=$CLIENT_NET tmpl="src $SERVER dst $nat_addr" spi=0x200$2
	fi
	ip_batch "$1" <<-END || bail "no policy"
	xfrm policy update src $src dst $dst dir out tmpl $tmpl proto esp spi $spi reqid 1 mode tunnel
	END
}

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# packets NS SPI: how many the SA has seen
packets()
{
	local packets

	read -r packets _ < <(sa_state "$1" "$2")
	echo "$packets"
}

# check_pairs WHAT: every choice of both ends works, by the SAs that were chosen
check_pairs()
{
	local in out before

	for in in 1 2; do
		for out in 1 2; do
			choose client $in
			choose server $out
			before=$(packets server "0x0000100$in"),$(packets client "0x0000200$out")
			check "$1: by pair $in there and by pair $out back" ping_once
			check_eq "$1: one packet each" \
				"$(packets server "0x0000100$in"),$(packets client "0x0000200$out")" \
				"$((${before%,*} + 1)),$((${before#*,} + 1))"
		done
	done
}

setup_topology || bail "no topology"
module_load static_nat=1
monitor_start server
tunnel_up static
{
	sa_batch "$nat_addr" $SERVER 0x1002 1 "$nat_port" 4500
	sa_batch $SERVER "$nat_addr" 0x2002 1 4500 "$nat_port"
} | ip_batch server || bail "no second pair"
{
	sa_batch $SERVER_PUB $CLIENT 0x2002 1 4500 4500
	sa_batch $CLIENT $SERVER_PUB 0x1002 1 4500 4500
} | ip_batch client || bail "no second pair"
knob_wait server 0x00001001
knob_wait server 0x00001002
check_pairs "before"

port=30002
moved=0
for address in $NAT_ADDR $NAT_ADDR2; do
	for n in 1 2; do
		choose client $n
		nat_rebind $port "$address"
		what="to $nat_addr:$nat_port by pair $n"
		check "$what: ping is answered" ping_once
		check "$what: both pairs have moved" pairs_at "$nat_addr:$nat_port" 1 2
		moved=$((moved + 1))
		check_eq "$what: one packet did it" "$(events_count server all)" $moved
		check_eq "$what: it moved four SAs" \
			"$(tail -n 1 "$tmp/events-server" | jq '.msg.event."moved-count"')" 4
		check_pairs "$what"
		port=$((port + 1))
	done
done
check_eq "nothing else has moved" "$(events_count server all)" $moved
check_eq "all policies name the new address" "$(templates_at $NAT_ADDR2 1)" 3

check "the module can be unloaded" module_unload
done_testing
