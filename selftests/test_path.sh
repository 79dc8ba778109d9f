#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every way through xfrm that an SA with ESP in UDP can go: the peer is followed
# with the first reply. See path.sh for what the options mean.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=path.sh
. "$here/path.sh"

# The route by which the server's answers go decides whether VTI takes them.
vti_up()
{
	ip_batch server <<-END
	link add vti1 type vti local $SERVER remote ${1:-0.0.0.0} key 7
	link set vti1 up
	route add $CLIENT_NET/32 dev vti1 src $SERVER_NET
	END
}

vti_down()
{
	ip_batch server <<< "link del vti1"
}

mark_count()
{
	in_ns server nft -f - <<-END
	table ip marked {
		counter seen {}
		chain out {
			type filter hook postrouting priority filter
			udp sport 4500 meta mark 0x20 counter name seen
		}
	}
	END
}

marked()
{
	in_ns server nft -j list counter ip marked seen |
		jq '.nftables[] | .counter | select(.) | .packets'
}

# Ciphers, sequence numbers
paths_up
path "AES-GCM, window 64" window=64
path "AES-CBC and HMAC-SHA2, window 1024" cipher=cbc window=1024
path "ChaCha20-Poly1305, window 4096" cipher=chacha window=4096
path "AES-GMAC, ESN" cipher=gmac esn=1
path "AES-CCM, ESN, window 4096" cipher=ccm esn=1 window=4096
path "ESN at 2^32" esn=1 in="replay-seq 0xfffffff0" client_out="replay-oseq 0xfffffffe"
check "ESN at 2^32: the number is whole" \
	busywait 5 grep '"esp-seq": *4294967297' "$tmp/events-server"

# Modes, bundles
path "transport" mode=transport follow=port
path "BEET" mode=beet
path "ESP in it" inner=esp
path "an ESP tunnel in it" inner=esp-tunnel
path "AH in it" inner=ah
path "IPComp in it" inner=comp
path "IPComp of a daemon" inner=comp-tunnel mode=transport follow=port

# What selects the SA, or the route
path "output mark" out="output-mark 0x20" before=mark_count
check_num "output mark: packets have it" "$(marked)" -ge 3
path "VTI" in="mark 7" out="mark 7" policy="mark 7" before=vti_up after=vti_down

# Port 0 is any port.
path "port 0" port_in=0 follow=none reason=any-port

# IPv6
path "IPv6" family=6
path "IPv6, ChaCha20-Poly1305, ESN" family=6 cipher=chacha esn=1
path "IPv6, AES-CBC and HMAC-SHA2, window 4096" family=6 cipher=cbc window=4096
path "IPv6, transport" family=6 mode=transport follow=port
path "IPv6, BEET" family=6 mode=beet
path "IPv6, IPComp in it" family=6 inner=comp
path "IPv6, port 0" family=6 port_in=0 follow=none reason=any-port
# By IPv6 the kernel takes packets that have an address of ours as their source.
path "IPv6, from our address" family=6 to=$SERVER6 follow=port reason=source
path "IPv6, from our other address" family=6 to=$SERVER_NET6 follow=port reason=source

if ip_knows dir; then
	path "directions given" in="dir in" out="dir out"
	path "IPv6, directions given" family=6 in="dir in" out="dir out"
fi
# Does the kernel have them? Tried with the last path's SA.
in_ns server "$here/sapcpu.py" 0 $((0x1000 + path_count))
case $? in
0)
	path "SAs of processor 0" in="dir in" out="dir out" pcpu=0
	path "IPv6, SAs of processor 1" family=6 in="dir in" out="dir out" pcpu=1
	path "an SA of processor 0, port 0" in="dir in" out="dir out" pcpu=0 port_in=0 \
		follow=none reason=any-port
	;;
3)	skip "an SA of a processor" "this kernel has none" ;;
*)	bail "sapcpu.py" ;;
esac
paths_done
