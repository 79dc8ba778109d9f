#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The monitor never lies: events that flood it while it is stopped are counted
# to the last one, whatever was lost, and it tells how things are afterwards.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

PEERS=200
lines=$tmp/lines

total()
{
	tool server -j stats | jq .events
}

# endpoints: of all SAs, from a JSON array of them
endpoints()
{
	jq -c 'map([.spi, .endpoint.address, .endpoint.port]) | sort'
}

rss()
{
	awk '/VmRSS/ { print $2 }' "/proc/$1/status"
}

peers_up
module_load static_nat=1
peers batch states-in,states-out,policies $PEERS > "$tmp/batch"
ip_batch server < "$tmp/batch" || bail "no SAs"
busywait 20 sas_are server $PEERS || bail "SAs are missing"

monitor lines server -j -rc 20000 monitor
mon=$pid
# One that can take all, which only counts.
monitor all server -j monitor moved
all=$pid
before=$(rss $mon)
kill -STOP $mon
check "all peers move while the monitor is stopped" answered $PEERS --place 1
check_num "as many events" "$(total)" -eq $PEERS
kill -CONT $mon
check "each event is told or called lost" busywait 20 is_accounted "$lines" $PEERS
check "and then the SAs" busywait 20 file_has "$lines" '"sync-done"'
lost=$(jq -s 'map(.msg.lost // 0) | add' "$lines")
check_num "some were lost" "$lost" -gt 0
check_eq "the loss is told once, with its size" \
	"$(jq -sc 'map(select(.name == "overrun") | .msg)' "$lines")" \
	"[{\"last\":$((PEERS - lost)),\"lost\":$lost}]"
check_eq "the SAs are told as they are" \
	"$(jq -sc 'map(select(.name == "sync-sa") | .msg.sa)' "$lines" | endpoints)" \
	"$(tool server -j show | endpoints)"
check_eq "up to the last event" \
	"$(jq -c 'select(.name == "sync-done") | .msg' "$lines")" \
	"{\"sas\":$PEERS,\"seq\":$PEERS}"
check_eq "the other one has lost nothing" "$(accounted "$tmp/all")" $PEERS

# The loss comes between what was told before it and what comes after.
kill -STOP $mon
check "they move again" answered $PEERS --place 2
kill -CONT $mon
check "each event is accounted for again" busywait 20 is_accounted "$lines" $((2 * PEERS))
check "one more, and nothing else is lost" answered 1 --place 3
check "it is told" busywait 20 is_accounted "$lines" $((2 * PEERS + 1))
check_eq "events are in order" \
	"$(jq -s '[.[].msg.event.seq // empty] | . == sort' "$lines")" true
for place in 4 5 6; do
	kill -STOP $mon
	answered $PEERS --place $place || fail "no move to place $place"
	kill -CONT $mon
	check "losses, round $place" busywait 20 is_accounted "$lines" "$(total)"
done
after=$(rss $mon)
check_num "memory is flat: $before kB before" "$after" -le $((before + 1024))

check_num "each line is as the schema says" \
	"$("$here/jsoncheck.py" /payload/monitor.schema.json "$lines")" -eq "$(wc -l < "$lines")"
kill -INT $mon
wait $mon
check_eq "ended by SIGINT, it has succeeded" $? 0
stop $all

# Who begins to listen in the middle of it has all from there on.
for place in 8 9 10; do
	answered $PEERS --place $place > "$tmp/answered.log" 2>&1 &
	moving=$!
	monitor begun server -j monitor
	wait $moving || fail "no move to place $place"
	check "begun under traffic: the last one is told, round $place" \
		busywait 20 file_has "$tmp/begun" "\"seq\":$(total),"
	kill -INT $pid
	wait $pid
	check_eq "begun under traffic: nothing is called lost" \
		"$(jq -sc 'map(select(.name == "overrun"))' "$tmp/begun")" "[]"
	check_eq "begun under traffic: and nothing is missing" \
		"$(jq -s 'map(.msg.event.seq) | . == [range(.[0]; .[-1] + 1)]' "$tmp/begun")" true
done

# Who wants to know where they are, and then what happens
monitor synced server -j monitor sync
check_eq "sync: it begins with the SAs as they are" \
	"$(jq -sc 'map(select(.name == "sync-sa") | .msg.sa)' "$tmp/synced" | endpoints)" \
	"$(tool server -j show | endpoints)"
check_eq "sync: and with the number of the last event" \
	"$(jq -sc '.[-1] | [.name, .msg.seq]' "$tmp/synced")" "[\"sync-done\",$(total)]"
check "they move" answered $PEERS --place 12
check "sync: then each event is told" busywait 20 file_has "$tmp/synced" "\"seq\":$(total),"
check_eq "sync: and nothing is called lost" \
	"$(jq -sc 'map(select(.name == "overrun"))' "$tmp/synced")" "[]"
stop $pid

# A reader that does not read: the signal waits until he does, and no line is torn.
mkfifo "$tmp/pipe"
ip netns exec server /payload/esptrack -j monitor > "$tmp/pipe" 2> "$tmp/slow.log" &
slow=$!
defer stop $slow
exec {reader}< "$tmp/pipe"
busywait 20 file_has "$tmp/slow.log" monitoring || bail "no monitor"
check "they move, and nobody reads of it" answered $PEERS --place 11
blocked()
{
	[ "$(awk '{ print $1 }' "/proc/$slow/syscall")" = 1 ]
}
check "it waits in write()" busywait 20 blocked
kill -TERM $slow
cat <&"$reader" > "$tmp/slow"
exec {reader}<&-
wait $slow
check_eq "a monitor that was ended while it wrote has succeeded" $? 0
check_eq "and has told all of it" "$(jq -s length "$tmp/slow")" $PEERS

# A reader who goes away while nothing happens
ip netns exec server /payload/esptrack -j monitor > "$tmp/pipe" 2> "$tmp/left.log" &
left=$!
defer stop $left
exec {reader}< "$tmp/pipe"
busywait 20 file_has "$tmp/left.log" monitoring || bail "no monitor"
check_fails "a monitor that is read stays" gone $left
exec {reader}<&-
busywait 10 gone $left || fail "a monitor that nobody reads stays"
wait $left
check_eq "a monitor whose reader has gone ends" $? 2

# From other namespaces
ip netns add other
defer del_ns other
ip -n other netns set server 17
monitor far other -j -rc 20000 monitor all-nsid
far=$pid
kill -STOP $far
first=$(total)
check "they move once more" answered $PEERS --place 7
kill -CONT $far
check "all-nsid: each event is accounted for" \
	busywait 20 is_accounted "$tmp/far" $(($(total) - first))
check "all-nsid: and then the SAs" busywait 20 file_has "$tmp/far" '"sync-done"'
check_eq "all-nsid: lines name the namespace" \
	"$(jq -sc 'map(.nsid) | unique' "$tmp/far")" "[17]"
check_num "all-nsid: as the schema says" \
	"$("$here/jsoncheck.py" /payload/monitor.schema.json "$tmp/far")" -gt 0
# Who is root in a namespace that is heard can send what looks like it came from the
# kernel: here, that the module is gone.
told=$(wc -l < "$tmp/far")
quietly in_ns server "$here/farewell.py" || bail "no farewell"
check "they move again" answered 1 --place 8
check "all-nsid: a forged farewell ends nothing" busywait 20 file_has "$tmp/far" \
	"\"seq\":$(total),"
check_num "all-nsid: and what comes is told" "$(wc -l < "$tmp/far")" -gt "$told"
stop $far

# Who may listen, but not enter a namespace
ip netns exec other setpriv --bounding-set -sys_admin \
	/payload/esptrack -j -rc 20000 monitor all-nsid > "$tmp/humble" 2> "$tmp/humble.log" &
humble=$!
defer stop $humble
check "all-nsid: CAP_SYS_ADMIN is not needed" busywait 20 file_has "$tmp/humble.log" monitoring
kill -STOP $humble
check "they move, and it is stopped" answered $PEERS --place 10
kill -CONT $humble
check "all-nsid: a loss is told of a namespace that cannot be asked" \
	busywait 20 file_has "$tmp/humble" '"overrun","nsid":17'
stop $humble
check_eq "all-nsid: without its SAs" "$(grep -c sync-done "$tmp/humble")" 0

# The news that the module has gone is lost with the rest.
monitor deaf server -j -rc 20000 monitor
deaf=$pid
kill -STOP $deaf
check "they move, and it is stopped" answered $PEERS --place 9
module_unload
module_load static_nat=1
kill -CONT $deaf
wait $deaf
check_eq "a monitor whose module was loaded anew ends" $? 2
check "and says so" file_has "$tmp/deaf.log" "loaded anew\|was unloaded"

module_unload
done_testing
