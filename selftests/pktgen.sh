# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernel's packet generator lets the server receive from nobody. What it writes
# first into its packets is taken for SPI and sequence number. Sourced after lib.sh.

# Magic of pktgen's packets. They are numbered from 1, each time anew.
# shellcheck disable=SC2034 # for those who source this
PKTGEN_SPI=0xbe9be955

# pktgen NAME COMMAND...: to a file of the generator; it answers "Result: OK"
pktgen()
{
	local file=/proc/net/pktgen/$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_ns server sh -c 'printf "%s\n" "$2" > "$1"' sh "$file" "$*"
}

# generator CPU MAC: let a processor of the server, whose address is MAC, receive from
# random sources. A packet is done with before the next one is made, so none waits in
# a queue that may be full.
generator()
{
	local device=eth0@$1 line

	pktgen "kpktgend_$1" rem_device_all
	pktgen "kpktgend_$1" add_device "$device"
	for line in "xmit_mode netif_receive" "pkt_size 100" "delay 0" \
		"dst $SERVER" "dst_mac $2" "udp_dst_min 4500" "udp_dst_max 4500" \
		"src_min 11.0.0.0" "src_max 126.255.255.255" \
		"udp_src_min 1" "udp_src_max 65535" "flag IPSRC_RND" "flag UDPSRC_RND" \
		"flag NO_TIMESTAMP"; do
		pktgen "$device" "$line" || return
	done
}

# forged: packets that got as far as the SA, which refused them for their ICV
forged()
{
	xfrm_stat_delta server XfrmInStateProtoError
}
