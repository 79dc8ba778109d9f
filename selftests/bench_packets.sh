#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_packets.sh [ROUNDS [SAS...]]: what a packet costs, received and sent, with and
# without the module; at last beside so many SAs of others. For a guest whose clock
# counts instructions (run.sh --icount).
#
# Each measurement has an SA of its own, and the variants take turns, so that
# none has the better place. Prints a JSON object per measurement, after
# "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

rounds=${1:-3}
crowds=(1000 100000)
if [ $# -gt 1 ]; then
	crowds=("${@:2}")
fi
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

# burst_in FILE [--plain]: of packets that the client sends
burst_in()
{
	bench_burst "${@:2}" send --burst $burst --warm-up $warm_up \
		"$tmp/esp-$1" server $SERVER_NET "$to"
}

burst_out()
{
	in_ns server "$here/bench_burst.py" transmit --burst $burst --warm-up $warm_up \
		$((bursts * burst)) $SERVER_NET $CLIENT_NET
}

# sent: packets of the server's outbound SA
sent()
{
	ip -n server -s xfrm state get src "$to" dst "$from" proto esp spi $SPI_OUT |
		sed -n 's/.*[ (]\([0-9]*\)(packets).*/\1/p' | tail -n 1
}

# measure FIGURE stock|again|on|off in|out CRYPTO udp|plain [BESIDE]: one measurement with
# SAs of its own, and with a tracked one of crypto BESIDE that gets no packets. off:
# with the module, but static_nat off. again: without, a second time.
measure()
{
	local figure=$1 variant=$2 dir=$3 crypto=$4 kind=$5 beside=${6:-} plain=() out

	case $variant in
	on)	quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded" ;;
	off)	quietly insmod "$module" || bail "the module cannot be loaded" ;;
	esac
	sa_add server $SPI "$crypto" "$kind"
	if [ "$dir" = out ]; then
		sa_add server $SPI_OUT "$crypto" "$kind" back
	fi
	if [ -n "$beside" ]; then
		sa_add server $SPI_BESIDE "$beside" udp
	fi
	if module_loaded; then
		[ "$kind" = plain ] || tracked_wait 0x00001001
		[ -z "$beside" ] || tracked_wait 0x00001003
	fi

	[ "$kind" = udp ] || plain=(--plain)
	if [ "$dir" = in ]; then
		out=$(burst_in "$crypto-$kind" "${plain[@]}")
	else
		out=$(burst_out) && [ "$(sent)" = $((bursts * burst)) ]
	fi || bail "$figure, $variant: not measured"
	echo "result: $(jq -c --arg figure "$figure" --arg variant "$variant" \
		'{$figure, $variant} + .' <<< "$out")"

	quietly ip -n server xfrm state deleteall reqid 1 || bail "SAs stay"
	module_unload
}

# tracked_wait SPI: until the module has an SA
tracked_wait()
{
	busywait 60 in_ns server test -d "$knobs/$1@$to" || bail "SA $1 is not tracked"
}

# family 4|6 [--gro]: measure what differs with it
family()
{
	local name=$1${2:+-gro}

	outer "$@" || bail "no tunnel by IPv$1"
	for ((round = 0; round < rounds; round++)); do
		measure "in$name" stock in sync udp
		measure "in$name" on in sync udp
		if [ "$async_too" ]; then
			measure "in$name-async" stock in async udp
			measure "in$name-async" on in async udp
		fi
		[ $# -eq 1 ] || continue
		measure "out$name" stock out sync udp
		measure "out$name" on out sync udp
	done
}

net_up || bail "no network"
defer module_unload
record sync udp $((bursts * burst))
record sync plain $((bursts * burst))
record async udp $((bursts * burst))

sync=$(crypto_driver "$chacha")
async=$(crypto_driver "$gcm")
[ "${sync##* }" = no ] || bail "this crypto can be asynchronous: $sync"
async_too=
[ "${async##* }" = no ] || async_too=yes
echo "result: $(jq -nc --arg sync "${sync% *}" --arg async "${async% *}" \
	--arg packets "$rounds rounds of $((bursts - warm_up)) bursts of $burst" \
	--arg spectre "$(cat /sys/devices/system/cpu/vulnerabilities/spectre_v2)" \
	'{figure: "guest", $sync, $async, $packets, $spectre}')"

family 4
family 6
outer 4 || bail "no tunnel by IPv4"
for ((round = 0; round < rounds; round++)); do
	measure in4 again in sync udp
	measure in4 off in sync udp
	measure beside stock in sync plain sync
	measure beside on in sync plain sync
	if [ "$async_too" ]; then
		measure beside-async stock in sync plain async
		measure beside-async on in sync plain async
	fi
done

if grep -qw xfrm4_gro_udp_encap_rcv /proc/kallsyms; then
	quietly modprobe -a esp4_offload esp6_offload || bail "no offload"
	if ! quietly in_ns server ethtool -K eth0 gro on ||
	   ! quietly in_ns client ethtool -K eth0 tso off; then
		bail "no GRO"
	fi
	family 4 --gro
	family 6 --gro
	quietly in_ns server ethtool -K eth0 gro off || bail "GRO stays"
fi

peers=0
for sas in "${crowds[@]}"; do
	[ "$sas" -gt 0 ] || continue
	outer 4 || bail "no tunnel by IPv4"
	crowd_add $((peers + 1)) $((sas / 2))
	peers=$((sas / 2))
	for ((round = 0; round < rounds; round++)); do
		for dir in in out; do
			measure "${dir}4-$sas" stock $dir sync udp
			measure "${dir}4-$sas" on $dir sync udp
		done
	done
done
pass "$rounds rounds"
done_testing
