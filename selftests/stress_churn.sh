#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SAs are added and deleted on two processors, while the tunnel carries traffic:
# on its flow and on others, with SPIs that were there a moment ago and with new
# ones.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

spi=$STATIC_SPI_IN
# SAs in a batch
chunk=200

# churn_batch SPI [again]: for ip -batch, add SAs from this SPI on, and delete them;
# "again": delete and add each of them once more between that
churn_batch()
{
	awk -v base="$(($1))" -v n=$chunk -v again="${2:-}" -v server="$SERVER" \
		-v peer="$nat_addr" -v port="$nat_port" -v key="$static_key" '
		# Every other one is outbound, every fourth one on a flow of its own.
		function ends(i) {
			return i % 2 ? "src " server " dst " peer : "src " peer " dst " server
		}
		function add(i) {
			there = i % 4 < 2 ? port : 10000 + i
			printf "xfrm state add %s proto esp spi %d reqid %d mode tunnel ",
				ends(i), base + i, 10 + i % 7
			printf "aead rfc4106(gcm(aes)) %s 128 replay-window 32 encap espinudp %d %d 0.0.0.0\n",
				key, i % 2 ? 4500 : there, i % 2 ? there : 4500
		}
		function del(i) {
			printf "xfrm state delete %s proto esp spi %d\n", ends(i), base + i
		}
		BEGIN {
			for (i = 0; i < n; i++)
				add(i)
			for (i = 0; again && i < n; i++) {
				del(i)
				add(i)
			}
			for (i = 0; i < n; i++)
				del(i)
		}'
}

# churn CPU: half of what is asked for; a file tells how far it is
churn()
{
	local base=$((0x100000 * ($1 + 1))) round=0

	taskset -p -c "$1" $BASHPID > /dev/null
	while [ $((2 * 3 * chunk * round)) -lt "$asked" ] && in_time; do
		churn_batch $((base + round * chunk % 0x80000)) > "$tmp/batch-$1"
		churn_batch $((base + 0x90000)) again >> "$tmp/batch-$1"
		ip_batch server < "$tmp/batch-$1" || return
		round=$((round + 1))
		echo $((3 * chunk * round)) > "$tmp/churned-$1"
	done
}

[ "$(nproc)" -ge 2 ] || bail "this needs two processors"
setup_topology || bail "no topology"
module_load static_nat=1
tunnel_up static
knob_wait server $spi
traffic_start
traffic_wait client received 50 || bail "no traffic"

scenario churn "SAs added and deleted under traffic" 100000 1000
for cpu in 0 1; do
	churn $cpu > "$tmp/churn-$cpu.log" &
	pids[cpu]=$!
done
for cpu in 0 1; do
	wait "${pids[cpu]}" || bail "on processor $cpu: $(cat "$tmp/churn-$cpu.log")"
done
did=$(($(cat "$tmp/churned-0") + $(cat "$tmp/churned-1")))
scenario_end=$EPOCHREALTIME
traffic_wait client received 50 || bail "no traffic any more"
traffic_wait server received 50 || bail "no traffic any more"
traffic_stop || bail "traffic did not end"
check_eq "SAs and policies" "$(xfrm_counts server)" "2 3"
check_eq "the tool shows the tunnel's SA only" \
	"$(tool server -j show | jq -r '.[].spi')" $spi
nat_rebind 30002
check "the peer is followed as ever" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
check_eq "by one move" "$(knob server $spi moves)" 1
scenario_done "$did"

check "the module can be unloaded" module_unload
done_testing
