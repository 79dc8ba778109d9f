#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_packets.sh [ROUNDS]: what a received packet costs, with and without the
# module. For a guest whose clock counts instructions (run.sh --icount).
#
# Each measurement has an SA of its own, and the variants take turns, so that
# none has the better place. Prints a JSON object per measurement, after
# "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

rounds=${1:-3}
# A burst should fit between two timer ticks. The first ones are not counted:
# they resolve the neighbour and fill caches.
bursts=36
burst=128
warm_up=4

SPI_BESIDE=0x1003

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

# measure FIGURE stock|esptrack CRYPTO udp|plain [BESIDE]: one measurement with
# an SA of its own, and with a tracked one of crypto BESIDE that gets no packets
measure()
{
	local figure=$1 variant=$2 crypto=$3 kind=$4 beside=${5:-} plain=() out

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
	out=$(bench_burst "${plain[@]}" send --burst $burst --warm-up $warm_up \
		"$tmp/esp-$crypto-$kind" server $SERVER_NET $SERVER) || bail "$figure, $variant: not measured"
	echo "result: $(jq -c --arg figure "$figure" --arg variant "$variant" \
		'{$figure, $variant} + .' <<< "$out")"

	sa_flush server
	module_unload
}

net_up || bail "no network"
ip_batch server <<< "xfrm policy add src $CLIENT_NET dst $SERVER_NET dir in $policy" ||
	bail "no policy"
defer module_unload
record sync udp $((bursts * burst))
record sync plain $((bursts * burst))
record async udp $((bursts * burst))

sync=$(crypto_driver "$chacha")
async=$(crypto_driver "$gcm")
[ "${sync##* }" = no ] || bail "this crypto can be asynchronous: $sync"
echo "result: $(jq -nc --arg sync "${sync% *}" --arg async "${async% *}" \
	--arg packets "$rounds rounds of $((bursts - warm_up)) bursts of $burst" \
	--arg spectre "$(cat /sys/devices/system/cpu/vulnerabilities/spectre_v2)" \
	'{figure: "guest", $sync, $async, $packets, $spectre}')"

for ((round = 0; round < rounds; round++)); do
	measure sync stock sync udp
	measure sync esptrack sync udp
	measure again stock sync udp
	measure beside-sync stock sync plain sync
	measure beside-sync esptrack sync plain sync
	if [ "${async##* }" = yes ]; then
		measure async stock async udp
		measure async esptrack async udp
		measure beside-async stock sync plain async
		measure beside-async esptrack sync plain async
	fi
done
pass "$rounds rounds"
done_testing
