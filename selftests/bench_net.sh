# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# One veth pair, no NAT: the client sends ESP packets that were made beforehand,
# so that sending costs little, and all the rest is the server's receive path.
# With static keys: no daemon runs. For guests whose clock counts instructions.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

CLIENT=10.128.0.3
# Known to the client, so that it never asks in the middle of a measurement.
SERVER_MAC=02:00:00:00:00:02
SPI=0x1001

# If the crypto of an SA can be asynchronous, the module needs a callback too.
# ChaCha20 never is; AES-GCM is on some kernels, with what an x86 offers.
chacha='rfc7539esp(chacha20,poly1305)'
gcm='rfc4106(gcm(aes))'
key=0x0102030405060708090a0b0c0d0e0f10111213
key_more=1415161718191a1b1c1d1e1f2021222324

# What puts datagrams into the client's SA, or takes them out of it at the server
policy="tmpl src $CLIENT dst $SERVER proto esp reqid 1 mode tunnel"

net_up()
{
	local ns

	for ns in server client; do
		quietly ip netns add "$ns" || return
		defer del_ns "$ns"
	done
	ip_batch server <<-END || return
	link set lo up
	link add eth0 address $SERVER_MAC type veth peer name eth0 netns client
	link set eth0 up
	addr add $SERVER/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add $CLIENT_NET/32 dev eth0
	END
	ip_batch client <<-END || return
	link set lo up
	link set eth0 up
	addr add $CLIENT/24 dev eth0
	addr add $CLIENT_NET/32 dev lo
	neigh add $SERVER lladdr $SERVER_MAC nud permanent dev eth0
	route add $SERVER_NET/32 dev eth0
	xfrm policy add src $CLIENT_NET dst $SERVER_NET dir out $policy
	END
	start_ready udpencap-server server "$here/udpencap.py"
}

# sa_add NS SPI sync|async udp|plain: an SA from the client to the server
sa_add()
{
	local ns=$1 spi=$2 algo=$chacha keymat=$key$key_more encap=()

	if [ "$3" = async ]; then
		algo=$gcm
		# 16 bytes of key, 4 of salt
		keymat=${key}14
	fi
	if [ "$4" = udp ]; then
		encap=(encap espinudp 4500 4500 0.0.0.0)
	fi
	quietly ip -n "$ns" xfrm state add src $CLIENT dst $SERVER proto esp \
		spi "$spi" reqid 1 mode tunnel replay-window 32 \
		aead "$algo" "$keymat" 128 "${encap[@]}" || bail "no SA"
}

sa_flush()
{
	quietly ip -n "$1" xfrm state flush || bail "SAs stay"
}

bench_burst()
{
	in_ns client "$here/bench_burst.py" "$@"
}

# record sync|async udp|plain COUNT: packets in $tmp/esp-CRYPTO-KIND
record()
{
	local plain=()

	[ "$2" = udp ] || plain=(--plain)
	sa_add client $SPI "$1" "$2"
	quietly bench_burst "${plain[@]}" record "$tmp/esp-$1-$2" "$3" \
		$CLIENT_NET $SERVER_NET || bail "no packets"
	sa_flush client
}
