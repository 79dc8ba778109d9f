#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_scale.sh [SAS]: memory and time that the module takes beside so many SAs
# (100,000). For a guest whose clock counts instructions (run.sh --icount): a second
# is 1,000,000,000 of them. Prints a JSON object per measurement, after "result: ".

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench_net.sh
. "$here/bench_net.sh"

sas=${1:-100000}

# timed NAME COMMAND...
timed()
{
	local out

	out=$(/payload/load/meter "${@:2}") || bail "$1"
	echo "result: $(jq -c --arg name "$1" '{figure: "time", $name} + .' <<< "$out")"
}

# free_kib: memory that nothing uses, when all that can be given back was. What was
# used since the last time is only given back by the next.
free_kib()
{
	local now=0 was=-1

	sync
	while [ "$now" -gt "$was" ]; do
		was=$now
		echo 3 > /proc/sys/vm/drop_caches
		now=$(awk '$1 == "MemFree:" { print $2 }' /proc/meminfo)
	done
	echo "$now"
}

# slabs FILE: bytes in objects that are in use, by cache
slabs()
{
	awk 'NR > 2 { print $1, $2 * $4 }' /proc/slabinfo | sort > "$tmp/$1"
}

# grown: caches of which more is in use than before, in bytes for each SA
grown()
{
	join "$tmp/before" "$tmp/after" -a 2 -e 0 -o 0,1.2,2.2 | awk -v sas="$sas" '
		$3 - $2 >= sas { print $1, ($3 - $2) / sas }
	' | jq -Rnc '[inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add'
}

published()
{
	[ "$(in_ns server find "$knobs" -mindepth 1 -maxdepth 1 | wc -l)" -ge $((sas / 2)) ]
}

net_up || bail "no network"
defer module_unload
quietly ip -n server xfrm policy flush || bail "policies stay"
crowd_add 1 $((sas / 2))
check_eq "$sas SAs and three times as many policies" "$(xfrm_counts server)" \
	"$sas $((3 * sas))"
before=$(free_kib)
slabs before
timed "insmod" insmod "$module"
poll_pause=1
busywait 600 published || bail "no knobs"
read -rt 60 -u "$never"
after=$(free_kib)
slabs after
echo "result: $(jq -nc --argjson sas "$sas" --argjson grown "$(grown)" \
	--argjson bytes $(((before - after) * 1024 / sas)) \
	'{figure: "memory", $sas, $bytes, $grown}')"

timed "show" ip netns exec server /payload/esptrack show
timed "show, JSON" ip netns exec server /payload/esptrack -j show
timed "show, of one SA" ip netns exec server /payload/esptrack show spi 0x100001
timed "show, of none" /payload/esptrack show
timed "stats" ip netns exec server /payload/esptrack stats
timed "list of sysfs" ip netns exec server find "$knobs" -mindepth 1 -maxdepth 1
timed "rmmod" rmmod esptrack
pass "measured"
done_testing
