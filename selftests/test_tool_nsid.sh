#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The monitor never lies about namespaces that come and go while it listens to all
# of them: not when one is new and the news of it are lost, and not when another one
# has taken its number, and counts its events from one again; nor when our own has got
# a number.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

PEERS=200
LATE_PEERS=5
LATE=10.129.0.2
NSID=17
OWN_NSID=18
lines=$tmp/lines

late_peers()
{
	peers --gateway $LATE --device late --netns late "$@"
}

# late_answers PLACE: to all its peers, who are there
late_answers()
{
	local result

	result=$(late_peers ping "$LATE_PEERS" --place "$1") || return
	[ "$(jq .answered <<< "$result")" -eq "$LATE_PEERS" ]
}

# late_up: another gateway with the same peers, beside the server
late_up()
{
	quietly ip netns add late || bail "no namespace"
	ip_batch late <<-END || bail "no network"
	link set lo up
	link add eth0 type veth peer name late netns cloud
	link set eth0 up
	addr add $LATE/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add default via 10.129.0.1
	END
	ip_batch cloud <<-END || bail "no network"
	link set late up
	addr add 10.129.0.1/24 dev late
	END
	start_ready "udpencap-$1" late "$here/udpencap.py"
	late_udpencap=$pid
	late_peers batch states-in,states-out,policies $LATE_PEERS > "$tmp/batch"
	ip_batch late < "$tmp/batch" || bail "no SAs"
	busywait 20 sas_are late $LATE_PEERS || bail "SAs are missing"
}

late_down()
{
	stop "$late_udpencap"
	quietly ip -n cloud link del late
	del_ns late
}

# A number is free a moment after its namespace has gone.
late_is_heard()
{
	busywait 20 quietly ip -n server netns set late $NSID || bail "no number"
}

# fill: have the monitor, which is stopped, lose what comes
fill()
{
	check "the server's peers move, and nobody reads of it" answered $PEERS --place "$1"
}

# of_late FILTER: of jq, on the lines about that namespace as an array
of_late()
{
	jq -sc "map(select(.nsid == $NSID)) | $1" "$lines"
}

is_of_late()
{
	[ "$(of_late "$1")" = "$2" ]
}

# of_late_is TEXT FILTER WANTED: soon
of_late_is()
{
	check "$1" busywait 20 is_of_late "$2" "$3" || note "$(of_late .)"
}

# What is printed of one whose loss was noticed: how often, and what each says
overruns='map(select(.name == "overrun") | .msg)'
moved='map(select(.name == "sa-moved-ntf") | .msg.event.seq)'
synced='map(select(.name == "sync-done") | .msg)'

peers_up
module_load static_nat=1
peers batch states-in,states-out,policies $PEERS > "$tmp/batch"
ip_batch server < "$tmp/batch" || bail "no SAs"
busywait 20 sas_are server $PEERS || bail "SAs are missing"
late_up first
monitor lines server -j -rc 20000 monitor all-nsid
mon=$pid

# Not one event of a namespace that is new was heard.
kill -STOP "$mon"
fill 1
late_is_heard
check "and those of a namespace that has just got its number" late_answers 1
kill -CONT "$mon"
of_late_is "that some of its events were lost is told" "$overruns" '[{"last":0}]'
of_late_is "and then its SAs" "$synced" "[{\"sas\":$LATE_PEERS,\"seq\":$LATE_PEERS}]"
check "they move on" late_answers 2
of_late_is "the next ones are told" "$moved" '[6,7,8,9,10]'

# Another one gets the number, and is not silent.
late_down
late_up second
late_is_heard
check "another namespace has the number now" late_answers 1
of_late_is "its first events are told" "$moved" '[6,7,8,9,10,1,2,3,4,5]'
check_eq "and nothing is called lost" "$(of_late "$overruns | length")" 1

# It does again, and nothing is heard of it.
kill -STOP "$mon"
fill 2
late_down
late_up third
late_is_heard
check "another namespace has the number again" quietly late_peers ping 3 --place 1
kill -CONT "$mon"
of_late_is "its events are called lost" "$overruns" \
	'[{"last":0},{"last":0,"lost":3}]'
of_late_is "and then come its SAs" "$synced | .[1]" "{\"sas\":$LATE_PEERS,\"seq\":3}"

# Our own gets a number in itself, by which some kernels call it from then on.
own_accounted()
{
	jq -c 'select(has("nsid") | not)' "$lines" > "$tmp/own"
	is_accounted "$tmp/own" "$(tool server -j stats | jq .events)"
}

check "before: all events of our own are told or called lost" busywait 20 own_accounted
quietly ip -n server netns set server $OWN_NSID || bail "no number"
check "our own has a number, and its peers move" answered $PEERS --place 3
check "its events are told or called lost" busywait 20 own_accounted
kill -STOP "$mon"
fill 4
kill -CONT "$mon"
check "it has lost some: again all of them are" busywait 20 own_accounted
check_eq "and nobody else is said to have that number" \
	"$(jq -sc "map(select(.nsid == $OWN_NSID))" "$lines")" "[]"

check_num "each line is as the schema says" "$("$here/jsoncheck.py" \
	/payload/monitor.schema.json "$lines")" -eq "$(wc -l < "$lines")"
stop "$mon"
late_down
module_unload
done_testing
