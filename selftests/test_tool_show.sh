#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tool shows and sets: table, one SA with its history, settings and
# counters of a namespace. And the kernel's own ynl program understands the
# module by its spec.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

ping_once()
{
	in_ns client ping -n -c 1 -W "${1:-5}" -I "$CLIENT_NET" "$SERVER_NET"
}

# stats FILTER: of jq
stats()
{
	tool server -j stats | jq -c "$1"
}

history()
{
	tool server -j show $spi | jq -c '.[0].history | map([.kind, .reason, .source.port, .count])'
}

# metric NAME [KEYWORD...]: the value of what "metrics text" calls so
metric()
{
	tool server metrics text "${@:2}" | awk -v name="$1" '$1 == name { print $2 }'
}

# as_stats METRIC FILTER: it is what stats say
as_stats()
{
	check_num "metrics: $1" "$(metric "$1")" -eq "$(stats "$2")"
}

# golden FILE SCHEMA COMMAND...: what is printed is that of golden/FILE.json, but for
# points in time, and the schema knows it
golden()
{
	local file=$here/golden/$1.json schema=$2 got

	shift 2
	got=$(tool server -j "$@")
	# jq is gojq here, which sorts.
	check "-j $*: as ever" diff -u "$file" <(jq 'del(.. | .time?)' <<< "$got")
	check_eq "-j $*: as the schema says" "$(as_schema "$schema" <<< "$got")" 1
}

# ynl ARGUMENTS
ynl()
{
	in_ns server /payload/ynl/cli.py --spec /payload/esptrack.yaml --no-schema \
		--output-json "$@"
}

setup_topology || bail "no topology"
module_load static_nat=0
tunnel_up static
knob_wait server $spi

check_eq "conf: the defaults" "$(tool server conf)" \
	"static_nat off port_only off rate 1/second burst 8"
check "conf set" tool server conf set static_nat on port_only on rate 2/minute burst 3
golden conf conf conf
check_eq "another namespace has its own" "$(tool client conf)" \
	"static_nat off port_only off rate 1/second burst 8"
for wrong in "rate 0" "rate 2000/second" "rate 1/hour" "static_nat yes" "burst" "speed 3"; do
	# shellcheck disable=SC2086 # words
	out=$(tool server conf set $wrong 2>&1)
	check_eq "conf set $wrong: wrong usage" $? 1
done
ip -n server xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1111 reqid 7 \
	mode tunnel if_id 0x5 aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 4500 4500 0.0.0.0
knob_wait server 0x00001111
check_eq "a new SA has the switches of its namespace" \
	"$(tool server -j show 0x1111 | jq -c '.[0] | [.static_nat, .port_only]')" "[true,true]"
check_eq "an SA that was there keeps its own" \
	"$(tool server -j show $spi | jq -c '.[0] | [.static_nat, .port_only]')" "[false,false]"
check_eq "show by if_id" "$(tool server -j show if_id 5 | jq -r '.[].spi')" 0x00001111
quietly ip -n server xfrm state delete src $NAT_ADDR dst $SERVER proto esp spi 0x1111 ||
	bail "the SA cannot be deleted"

check_eq "no history before anything happened" "$(tool server -j show $spi | jq '.[0].history')" null
nat_rebind 30003
ping_once 1 > /dev/null
ping_once 1 > /dev/null
check_eq "history: seen there" "$(history)" '[["seen",null,30003,1]]'
tool server set spi $spi dst $SERVER static_nat on
check "ping moves it" ping_once
check_eq "history: then moved" "$(history)" \
	'[["seen",null,30003,1],["moved",null,30003,1]]'
for port in 30013 30023; do
	nat_rebind $port
	check "moved to $port" ping_once
done
nat_rebind 30033
ping_once 1 > /dev/null
check_eq "the fourth move is throttled, as conf says" \
	"$(history | jq -c '.[-1]')" '["refused","throttled",30033,1]'
check_eq "stats: moved, seen, refused" \
	"$(stats '[.moved, .seen, .refused]')" '[3,2,{"throttled":1}]'
check_eq "stats: one seen packet had no event of its own" "$(stats .unreported)" 1
check_eq "stats: events" "$(stats '[.events, .events_lost]')" '[5,0]'
check_eq "stats: SAs" "$(stats '[.sas, .following]')" '[1,1]'
check_eq "stats: all packets of the SA" "$(stats .packets)" \
	"$(ip -n server -s xfrm state get dst $SERVER proto esp spi $spi | sed -n 's/.*(bytes), \([0-9]*\)(packets)$/\1/p' | tail -n 1)"
check_eq "stats: unchanged is the rest" "$(stats '.packets - .unchanged')" 6
check "the throttle is opened" tool server conf set rate 1000 burst 1000
check "and the next packet moves" ping_once

wire_start out inet nb
check "ping" ping_once
wire_wait out "$spi"
wire_stop out
inject inet --pcap "$tmp/out.pcap" --spi $spi --src 198.51.100.9:5555 \
	--dst $SERVER_PUB:4500 --seq-to 100000 --count 3 > "$tmp/inject.log"
forged_are()
{
	[ "$(stats .forged)" -eq "$1" ]
}
check "stats: forged packets are counted" busywait 10 forged_are 3
check_eq "and change nothing" "$(tool server -j show $spi | jq '.[0].endpoint.port')" 30033

golden stats stats stats
golden show show show
golden show_spi show show $spi
tool server set reqid 7 port_only on
golden reqids reqids reqids
tool server del reqid 7
check_eq "schemas agree about an SA" \
	"$(jq -c '.items.properties | del(.history)' /payload/show.schema.json)" \
	"$(jq -c '.definitions.sa.properties' /payload/monitor.schema.json)"

as_stats esptrack_sas .sas
as_stats esptrack_sas_following .following
as_stats esptrack_packets_total .packets
as_stats esptrack_elsewhere_packets_total '.packets - .unchanged'
as_stats esptrack_forged_packets_total .forged
as_stats esptrack_malformed_packets_total .malformed
as_stats esptrack_moves_total .moved
as_stats esptrack_seen_packets_total .seen
as_stats esptrack_unreported_packets_total .unreported
as_stats esptrack_events_total .events
as_stats esptrack_events_lost_total .events_lost
as_stats 'esptrack_refused_packets_total{reason="throttled"}' .refused.throttled
as_stats 'esptrack_refused_packets_total{reason="stale"}' '.refused.stale // 0'
check_fails "metrics: none of an SA" grep -q esptrack_sa_ <<< "$(tool server metrics)"
check_eq "metrics per-sa: moves" \
	"$(metric "esptrack_sa_moves_total{spi=\"$spi\",dst=\"$SERVER\",reqid=\"1\"}" per-sa)" 4
check_eq "metrics -n: the namespace is named" \
	"$(/payload/esptrack -n server metrics | grep '^esptrack_moves')" \
	'esptrack_moves_total{netns="server"} 4'
check_eq "metrics: the versions" "$(metric \
	"esptrack_info{version=\"$(tool server -V | cut -d' ' -f2)\",module=\"$(cat /sys/module/esptrack/version)\"}")" 1
check_eq "metrics: OpenMetrics have an end" "$(tool server metrics | tail -n 1)" "# EOF"
out=$(tool server -j metrics 2>&1)
check_eq "metrics -j: wrong usage" $? 1
out=$(tool server metrics all 2>&1)
check_eq "metrics all: wrong usage" $? 1

text=$(tool server)
check_eq "show: a table with a title" "$(head -n 1 <<< "$text" | tr -s ' ')" \
	"SPI DST ENDPOINT REQID MODE STATIC_NAT PORT_ONLY MOVES REFUSED"
check_eq "show: and a row" "$(sed -n 2p <<< "$text" | tr -s ' ')" \
	"$spi $SERVER $nat_addr:30033 1 tunnel on off 4 1"
check "show SPI: tells what happened" grep -q \
	"s ago: refused at $nat_addr:30033, reason throttled, esp-seq" <<< "$(tool server show $spi)"
check_eq "show -o SPI: in one line" "$(tool server -o show $spi | wc -l)" 1
check_eq "show: by all that it can be" \
	"$(tool server -j show $spi dst $SERVER src "$nat_addr" reqid 1 proto esp | jq -r '.[].spi')" $spi
for other in "dst 192.0.2.1" "src 192.0.2.1" "reqid 2" "mark 1" "if_id 1"; do
	# shellcheck disable=SC2086 # words
	check_eq "show $other: not this one" "$(tool server -j show $other)" "[]"
	# shellcheck disable=SC2086
	out=$(tool server show $spi $other 2>&1)
	check_eq "show SPI $other: exit status" $? 2
done
quietly ip -n server xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1112 \
	mode tunnel mark 5 mask 0xff aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 4500 4500 0.0.0.0
marked()
{
	[ "$(tool server -j show mark 5 mask 0xff | jq -r '.[].spi')" = 0x00001112 ]
}
check "show by mark" busywait 10 marked
check_eq "show: where there is a mark the table has it" \
	"$(tool server | awk '{ print $10 }' | sort)" $'\n0x5/0xff\nMARK'
check_eq "show history: of those that have one" \
	"$(tool server -j show history | jq -r '.[].spi')" $spi
check_eq "show history: all of it" "$(tool server -j show history)" "$(tool server -j show $spi)"
check "show history: for people, too" grep -q "reason throttled" <<< "$(tool server show history)"
check_eq "show history reqid 2: nobody's" "$(tool server show history reqid 2)" ""
check_eq "show reqid 2 history: nobody's" "$(tool server show reqid 2 history)" ""
for how in "" "dst $SERVER" "mark 5 mask 0xff" "dst $SERVER mark 5 mask 0xff" \
	"dst $SERVER mark 0x105 mask 0xff"; do
	# shellcheck disable=SC2086 # words
	check_eq "show SPI $how: one with a mark" \
		"$(tool server -j show 0x1112 $how | jq -r '.[].mark')" 0x5
done
check_eq "the kernel reads a mark as it keeps it" "$(ynl --do sa-get --json \
	'{"spi": 4370, "local-ipv4": 176160770, "mark": 261, "mark-mask": 255}' | jq .mark)" 5
quietly ip -n server xfrm state delete src $NAT_ADDR dst $SERVER proto esp spi 0x1112 mark 5 mask 0xff ||
	bail "the SA cannot be deleted"
check_eq "-p: the same, for people" "$(tool server -j -p show $spi | jq -c 'del(.. | .time?)')" \
	"$(tool server -j show $spi | jq -c 'del(.. | .time?)')"
check_num "-p: in many lines" "$(tool server -j -p show $spi | wc -l)" -gt 10
check_eq "-h: is help" "$(/payload/esptrack -h)" "$(/payload/esptrack help)"
for command in show "-j show" "-o show" "show $spi" stats metrics conf; do
	# shellcheck disable=SC2086 # words
	tool server $command > /dev/full 2> "$tmp/full.log"
	check_eq "$command to a full disk: exit status" $? 2
	# shellcheck disable=SC2086
	/payload/esptrack -n server $command >&- 2> "$tmp/full.log"
	check_eq "$command to nowhere: exit status" $? 2
done
out=$(tool server show 0x4321 2>&1)
check_eq "show of an unknown SPI: exit status" $? 2
check_fails "no colours in a pipe" grep -q $'\033' <<< "$text"
TERM=xterm script -qec "ip netns exec server /payload/esptrack" /dev/null > "$tmp/typescript"
check "colours on a terminal" grep -q $'\033' "$tmp/typescript"
TERM=xterm NO_COLOR=1 script -qec "ip netns exec server /payload/esptrack" /dev/null > "$tmp/typescript"
check_fails "but not with NO_COLOR" grep -q $'\033' "$tmp/typescript"

out=$(in_ns server /payload/esptrack_other show 2>&1)
check_eq "an older interface: exit status" $? 2
check "an older interface: says so" grep -q "module esptrack is too old for this program" <<< "$out"

check_eq "ynl: dump" "$(ynl --dump sa-get | jq -c 'map([.remote.port, .moves, ."static-nat"])')" \
	"[[30033,4,1]]"
key="\"spi\": $((spi)), \"local-ipv4\": 176160770"
check "ynl: set" ynl --do sa-set --json "{$key, \"port-only\": 1}"
check_eq "ynl: get" "$(ynl --do sa-get --json "{$key}" | jq -c '[."port-only", .history[-1].kind]')" '[1,"moved"]'
check_eq "ynl: conf-get" "$(ynl --do conf-get | jq -c .)" \
	'{"port-only":1,"static-nat":1,"throttle-burst":1000,"throttle-interval":1}'
tool server set reqid 7 port_only on
check_eq "ynl: reqid-get" "$(ynl --do reqid-get --json '{"number": 7}' | jq -c .)" \
	'{"number":7,"port-only":1}'
tool server del reqid 7
check_eq "ynl: stats-get" "$(ynl --do stats-get | jq -c '[.moved, .refused]')" \
	'[4,[{"packets":1,"reason":"throttled"}]]'
start ynl server /payload/ynl/cli.py --spec /payload/esptrack.yaml --no-schema \
	--output-json --subscribe events --sleep $((8 * slowness))
listener=$pid
busywait 30 netlink_joined server 16 "$listener" || bail "ynl does not listen"
monitor_start server
nat_rebind 30043
ping_once 2 > /dev/null
check "monitor: the move is told" events_wait server moved 1
check "-j monitor: as ever" diff -u "$here/golden/monitor.json" \
	<(jq 'del(.. | .time?) | .msg.event.moved |= sort_by(.spi)' "$tmp/events-server")
check_eq "-j monitor: as the schema says" "$(as_schema monitor < "$tmp/events-server")" 1
wait "$listener"
check_eq "ynl: subscribe" "$(jq -c '.[] | [.name, .msg.event.new.port]' "$tmp/ynl.log")" \
	'["sa-moved-ntf",30043]'

check "the module can be unloaded" module_unload
out=$(tool server metrics 2> "$tmp/metrics.log")
check_eq "metrics without the module: exit status" $? 2
check_eq "and nothing is printed" "$out" ""
check "but why not" file_has "$tmp/metrics.log" "module esptrack is not loaded"
done_testing
