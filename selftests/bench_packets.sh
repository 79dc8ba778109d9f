#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_packets.sh [ROUNDS]: what a received packet costs, with and without the
# module. For a guest whose clock counts instructions (run.sh --icount).
#
# One veth pair, no NAT: the client sends ESP packets that were made beforehand,
# so that sending costs little, and all the rest is the server's receive path.
# With static keys: no daemon runs. Each measurement has an SA of its own, and
# the variants take turns, so that none has the better place. Prints a JSON
# object per measurement, after "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

rounds=${1:-3}
# A burst should fit between two timer ticks. The first ones are not counted:
# they resolve the neighbour and fill caches.
bursts=36
burst=128
warm_up=4

CLIENT=10.128.0.3
SPI=0x1001
SPI_BESIDE=0x1003

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
	link add eth0 type veth peer name eth0 netns client
	link set eth0 up
	addr add $SERVER/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add $CLIENT_NET/32 dev eth0
	xfrm policy add src $CLIENT_NET dst $SERVER_NET dir in tmpl src $CLIENT dst $SERVER proto esp reqid 1 mode tunnel
	END
	ip_batch client <<-END || return
	link set lo up
	link set eth0 up
	addr add $CLIENT/24 dev eth0
	addr add $CLIENT_NET/32 dev lo
	route add $SERVER_NET/32 dev eth0
	xfrm policy add src $CLIENT_NET dst $SERVER_NET dir out tmpl src $CLIENT dst $SERVER proto esp reqid 1 mode tunnel
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

# record sync|async udp|plain: packets in $tmp/esp-CRYPTO-KIND
record()
{
	local plain=()

	[ "$2" = udp ] || plain=(--plain)
	sa_add client $SPI "$1" "$2"
	quietly bench_burst "${plain[@]}" record "$tmp/esp-$1-$2" $((bursts * burst)) \
		$CLIENT_NET $SERVER_NET || bail "no packets"
	sa_flush client
}

# crypto_driver NAME: the driver that SAs with this algorithm get, and whether
# it is async: that of the highest priority
crypto_driver()
{
	awk -v RS= -v FS='\n' -v name="$1" '
		{
			split("", f)
			for (i = 1; i <= NF; i++) {
				split($i, kv, / *: /)
				f[kv[1]] = kv[2]
			}
		}
		f["name"] == name && f["priority"] + 0 >= best {
			best = f["priority"] + 0
			found = f["driver"] " " f["async"]
		}
		END { print found }
	' /proc/crypto
}

# measure FIGURE stock|esptrack send|move CRYPTO udp|plain [BESIDE]: one
# measurement with an SA of its own, and with a tracked one of crypto BESIDE
# that gets no packets
measure()
{
	local figure=$1 variant=$2 how=$3 crypto=$4 kind=$5 beside=${6:-} plain=() out

	if [ "$variant" = esptrack ]; then
		quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded"
	fi
	sa_add server $SPI "$crypto" "$kind"
	if [ -n "$beside" ]; then
		sa_add server $SPI_BESIDE "$beside" udp
	fi
	if [ "$variant" = esptrack ]; then
		[ "$kind" = plain ] || knob_wait server 0x00001001
		[ -z "$beside" ] || knob_wait server 0x00001003
	fi

	[ "$kind" = udp ] || plain=(--plain)
	out=$(bench_burst "${plain[@]}" "$how" --burst $burst --warm-up $warm_up \
		"$tmp/esp-$crypto-$kind" server $SERVER_NET $SERVER) || bail "$figure, $variant: not measured"
	if [ "$how" = move ] && [ "$variant" = esptrack ]; then
		check_eq "every packet that should move the SA did" \
			"$(knob server 0x00001001 moves)" "$(jq '.moving | length' <<< "$out")"
	fi
	echo "result: $(jq -c --arg figure "$figure" --arg variant "$variant" \
		'{$figure, $variant} + .' <<< "$out")"

	sa_flush server
	module_unload
}

net_up || bail "no network"
defer module_unload
record sync udp
record sync plain
record async udp

sync=$(crypto_driver "$chacha")
async=$(crypto_driver "$gcm")
[ "${sync##* }" = no ] || bail "this crypto can be asynchronous: $sync"
echo "result: $(jq -nc --arg sync "${sync% *}" --arg async "${async% *}" \
	--arg packets "$rounds rounds of $((bursts - warm_up)) bursts of $burst" \
	--arg spectre "$(cat /sys/devices/system/cpu/vulnerabilities/spectre_v2)" \
	'{figure: "guest", $sync, $async, $packets, $spectre}')"

for ((round = 0; round < rounds; round++)); do
	measure sync stock send sync udp
	measure sync esptrack send sync udp
	measure again stock send sync udp
	measure beside-sync stock send sync plain sync
	measure beside-sync esptrack send sync plain sync
	if [ "${async##* }" = yes ]; then
		measure async stock send async udp
		measure async esptrack send async udp
		measure beside-async stock send sync plain async
		measure beside-async esptrack send sync plain async
	fi
	measure move stock move sync udp
	measure move esptrack move sync udp
done
pass "$rounds rounds"
done_testing
