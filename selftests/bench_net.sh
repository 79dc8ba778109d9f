# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# One veth pair, no NAT: the client sends ESP packets that were made beforehand,
# so that sending costs little, and all the rest is the server's receive path. What
# the server sends the client drops as soon as it can.
# With static keys: no daemon runs. For guests whose clock counts instructions.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

CLIENT=10.128.0.3
SERVER6=fd80::2
CLIENT6=fd80::3
# Known to both, so that neither asks in the middle of a measurement.
SERVER_MAC=02:00:00:00:00:02
CLIENT_MAC=02:00:00:00:00:03
SPI=0x1001
# shellcheck disable=SC2034 # for those who source this
SPI_OUT=0x2001

# If the crypto of an SA can be asynchronous, the module needs a callback too.
# ChaCha20 never is; AES-GCM is on some kernels, with what an x86 offers.
chacha='rfc7539esp(chacha20,poly1305)'
gcm='rfc4106(gcm(aes))'
key=0x0102030405060708090a0b0c0d0e0f10111213
key_more=1415161718191a1b1c1d1e1f2021222324

net_up()
{
	local ns

	for ns in server client; do
		quietly ip netns add "$ns" || return
		defer del_ns "$ns"
	done
	ip_batch server <<-END || return
	link set lo up
	link add eth0 address $SERVER_MAC type veth peer name eth0 address $CLIENT_MAC netns client
	link set eth0 up
	addr add $SERVER/24 dev eth0
	addr add $SERVER6/64 dev eth0 nodad
	addr add $SERVER_NET/32 dev lo
	neigh add $CLIENT lladdr $CLIENT_MAC nud permanent dev eth0
	neigh add $CLIENT6 lladdr $CLIENT_MAC nud permanent dev eth0
	route add $CLIENT_NET/32 dev eth0
	END
	ip_batch client <<-END || return
	link set lo up
	link set eth0 up
	addr add $CLIENT/24 dev eth0
	addr add $CLIENT6/64 dev eth0 nodad
	addr add $CLIENT_NET/32 dev lo
	neigh add $SERVER lladdr $SERVER_MAC nud permanent dev eth0
	neigh add $SERVER6 lladdr $SERVER_MAC nud permanent dev eth0
	route add $SERVER_NET/32 dev eth0
	END
	# What the server sends ends here: the way back is not measured.
	in_ns client nft -f - <<-END || return
	table inet sink {
		chain in {
			type filter hook prerouting priority raw
			udp dport 4500 drop
		}
	}
	END
	outer 4
}

# outer 4|6 [--gro]: the tunnel goes by this IP version from now on, and the server's
# socket takes ESP out, or GRO before it. Sets $from and $to.
outer()
{
	local tmpl back six=()

	if [ "$1" = 6 ]; then
		from=$CLIENT6 to=$SERVER6 six=(--ipv6)
	else
		from=$CLIENT to=$SERVER
	fi
	tmpl="tmpl src $from dst $to proto esp reqid 1 mode tunnel"
	back="tmpl src $to dst $from proto esp reqid 1 mode tunnel"
	ip_batch client <<< "xfrm policy update src $CLIENT_NET dst $SERVER_NET dir out $tmpl" ||
		return
	ip_batch server <<-END || return
	xfrm policy update src $CLIENT_NET dst $SERVER_NET dir in $tmpl
	xfrm policy update src $SERVER_NET dst $CLIENT_NET dir out $back
	END
	if [ -n "${encap:-}" ]; then
		stop "$encap"
		rm "$tmp/udpencap-server.log"
	fi
	start_ready udpencap-server server "$here/udpencap.py" "${six[@]}" "${@:2}"
	encap=$pid
}

# sa_add NS SPI sync|async udp|plain [back]: an SA from the client to the server, or
# back
sa_add()
{
	local ns=$1 spi=$2 algo=$chacha keymat=$key$key_more encap=() way

	if [ "$3" = async ]; then
		algo=$gcm
		# 16 bytes of key, 4 of salt
		keymat=${key}14
	fi
	if [ "$4" = udp ]; then
		encap=(encap espinudp 4500 4500 0.0.0.0)
	fi
	way=(src "$from" dst "$to")
	if [ $# -gt 4 ]; then
		way=(src "$to" dst "$from")
	fi
	quietly ip -n "$ns" xfrm state add "${way[@]}" proto esp \
		spi "$spi" reqid 1 mode tunnel replay-window 32 flag af-unspec \
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

# crowd_add FIRST LAST: other peers, each with two SAs and six policies. The kernel
# enlarges its tables a little later; idle time passes at once.
crowd_add()
{
	quietly in_ns server /payload/load/xfrmcrowd "$1" "$2" || bail "no crowd"
	read -rt 60 -u "$never"
}

# symbols: functions of the kernel, as base64, as they are many
symbols()
{
	awk '$2 ~ /[tT]/ { print $1, $3, $4 }' /proc/kallsyms | gzip | base64 -w 120 |
		sed "s/^/symbols /"
}

# record sync|async udp|plain COUNT: packets in $tmp/esp-CRYPTO-KIND. They are good
# for both IP versions.
record()
{
	local plain=()

	[ "$2" = udp ] || plain=(--plain)
	sa_add client $SPI "$1" "$2"
	quietly bench_burst "${plain[@]}" record "$tmp/esp-$1-$2" "$3" \
		$CLIENT_NET $SERVER_NET || bail "no packets"
	sa_flush client
}

# pair_batch ADDRESS REQID SPI_IN SPI_OUT NET...: for ip -batch, the server's SAs
# and policies of a peer: three policies for each of his networks
pair_batch()
{
	local peer=$1 reqid=$2 in=$3 out=$4 net
	local sa="proto esp reqid $reqid mode tunnel encap espinudp 4500 4500 0.0.0.0"
	local algo="aead $chacha $key$key_more 128"
	local tmpl="proto esp reqid $reqid mode tunnel"

	shift 4
	echo "xfrm state add src $peer dst $SERVER spi $in $sa $algo replay-window 32"
	echo "xfrm state add src $SERVER dst $peer spi $out $sa $algo"
	for net; do
		echo "xfrm policy add src $net dst $SERVER_NET dir in tmpl src $peer dst $SERVER $tmpl"
		echo "xfrm policy add src $net dst $SERVER_NET dir fwd tmpl src $peer dst $SERVER $tmpl"
		echo "xfrm policy add src $SERVER_NET dst $net dir out tmpl src $SERVER dst $peer $tmpl"
	done
}
