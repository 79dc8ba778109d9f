#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that is not there: while the module is loaded, while it is asked over
# netlink, when SAs and policies are added, and when peers move. Each time there is
# a clear error, or the move is refused and counted, and all is well afterwards.
# For a kernel with fault injection.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

faults=/sys/kernel/debug
n=40

# fault_set FILE VALUE: of failslab
fault_set()
{
	echo "$2" > $faults/failslab/"$1" || bail "failslab has no $1"
}

# mark CACHE 0|1: where that can be written
mark()
{
	local file=/sys/kernel/slab/$1/failslab

	if [[ $(stat -c %A "$file") = ??w* ]]; then
		echo "$2" > "$file"
	fi
}

# can_fail CACHE: 6.1 is told at boot which ones can (check.sh)
can_fail()
{
	mark "$1" 1
	[ "$(cat "/sys/kernel/slab/$1/failslab")" = 1 ]
}

# faults_begin CACHE PER-CENT: allocations from this slab cache fail
faults_begin()
{
	can_fail "$1" || bail "$1 cannot fail"
	fault_set cache-filter Y
	fault_set times -1
	fault_set probability "$2"
}

# faults_end CACHE
faults_end()
{
	fault_set probability 0
	fault_set cache-filter N
	mark "$1" 0
}

# faults_over: whatever becomes of this test, the next one has memory
faults_over()
{
	fail_nowhere
	fault_set cache-filter N
	fault_set verbose "$old_verbose"
	echo "$old_message_cost" > /proc/sys/net/core/message_cost
}

# only NAMES RESULTS: did nothing else come of the faults?
only()
{
	echo "$2"
	jq -e --arg names "$1" '.results | keys - ($names | split(" ")) == []' <<< "$2"
}

log_lines()
{
	dmesg | grep -c "esptrack: no memory, $1"
}

consistent()
{
	local wrong

	wrong=$(peers audit "$n") || return
	[ "$(jq add <<< "$wrong")" -eq 0 ] && return
	echo "$wrong"
	return 1
}

tracked()
{
	[ "$(tool server -j show | jq length)" -eq "$1" ]
}

short_of_memory()
{
	[ "$(refused_as no-memory)" -ge "$1" ]
}

unsent_events()
{
	tool server -j stats | jq .events_lost
}

lost_events()
{
	[ "$(unsent_events)" -gt 0 ]
}

# told_lost N: has the monitor said so?
told_lost()
{
	[ "$(events_lost server)" -eq "$1" ]
}

# fail_within START SIZE PER-CENT: allocations by these instructions
fail_within()
{
	fault_set require-start "$1"
	fault_set require-end "$(printf '%#x' $(($1 + $2)))"
	fault_set stacktrace-depth 32
	fault_set times -1
	fault_set probability "$3"
}

fail_nowhere()
{
	fault_set probability 0
	if [ -e $faults/failslab/require-start ]; then
		fault_set require-start 0
	fi
}

# symbol_at NAME: "START SIZE" of this function of the module
symbol_at()
{
	local start end

	read -r start end < <(awk '$4 == "[esptrack]" { print $1, $3 }' /proc/kallsyms |
		sort | awk -v name="$1" '
			start { print start, $1; exit }
			$2 == name { start = $1 }
		')
	echo "0x$start $((0x$end - 0x$start))"
}

# site_fails FUNCTION: whatever it, or who it calls, asks slabs for, until fail_nowhere
site_fails()
{
	local start size

	read -r start size < <(symbol_at "$1") || bail "no $1"
	fail_within "$start" "$size" 100
}

unfollowed()
{
	dmesg | grep -c "esptrack: SA .* cannot be followed: -12"
}

knobs_in_server()
{
	in_ns server ls $knobs | wc -l
}

called()
{
	[ "$(calls "$1")" -ge "$2" ]
}

# history_lines: of the first peer's SA
history_lines()
{
	tool server -j show 0x00010001 | jq '.[0].history | length'
}

peers_up
setup_ipv6 || bail "no IPv6"
module_load static_nat=1
step=1
[ "$SCALE" != small ] || step=61
scenario faults "allocations that fail" 1 1
if [ ! -e $faults/failslab/probability ] || [ ! -e /proc/self/fail-nth ]; then
	scenario_skip "no fault injection in this kernel"
	done_testing
fi
old_verbose=$(cat $faults/failslab/verbose)
old_message_cost=$(cat /proc/sys/net/core/message_cost)
defer faults_over
# Slabs only, those for which the kernel could wait as well, and no word about each.
fault_set ignore-gfp-wait N
fault_set verbose 0
# All that the log is told of it.
echo 0 > /proc/sys/net/core/message_cost
echo 20 > $faults/fail_page_alloc/min-order

# While it is loaded
module_unload
result=$("$here/faults.py" load "$module" $step) || bail "loaded, or not, in spite of it"
note "loading: $result"
did=$((did + $(jq .failed <<< "$result")))
check "loading: an error, or it does without" only "ENOMEM ok" "$result"
check_num "loading: there were errors" "$(jq .results.ENOMEM <<< "$result")" -ge 1
quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded any more"

# Over netlink
{
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1001 reqid 7" \
		"mode tunnel aead rfc4106(gcm(aes)) $static_key 128" \
		"encap espinudp 4500 4500 0.0.0.0"
} | ip_batch server || bail "no SA"
knob_wait server 0x00001001
result=$(in_ns server "$here/faults.py" netlink) || bail "netlink: a wrong answer"
note "netlink: $result"
did=$((did + $(jq .failed <<< "$result")))
check "netlink: an error, or it does without" only "ENOMEM ENOBUFS ENOENT ok" "$result"
check_num "netlink: there were errors" "$(jq .results.ENOMEM <<< "$result")" -ge 1
check_eq "netlink: the switch is set" "$(knob server 0x00001001 static_nat)" 1
for reqid in $(tool server -j reqids | jq '.[].reqid'); do
	quietly tool server del reqid "$reqid" || bail "a reqid stays"
done
quietly ip -n server xfrm state delete src "$NAT_ADDR" dst $SERVER proto esp spi 0x1001

# SAs and policies that are added
for what in sa policy; do
	case $what in
	sa)	add=states-in,states-out word=SA ;;
	*)	add=policies word=policy ;;
	esac
	before=$(log_lines $word)
	faults_begin esptrack_$what 60
	peers batch $add $n | ip_batch server || bail "no $what"
	faults_end esptrack_$what
	failed=$(($(log_lines $word) - before))
	did=$((did + failed))
	check_num "no memory for the $word: the log says so" $failed -ge 1
done
check "they are found as soon as there is memory" busywait 20 tracked $n
check "all peers are answered" answered $n --tries 10
# All policies must have been found before: else this finds none.
check "all peers are answered, at a new place" answered $n --place 5 --tries 20
check "all is there once, and fits" consistent

# Peers that move
if can_fail xfrm_state; then
	monitor_start server
	monitor=$pid
	faults_begin xfrm_state 50
	start_ready flood cloud /payload/load/espflood $n
	flood=$pid
	check "no memory for a move: it is refused, and counted" \
		busywait 30 short_of_memory $n
	stop "$flood"
	faults_end xfrm_state
	check_num "no memory for a move: the monitor says so" \
		"$(grep -c '"reason": *"no-memory"' "$tmp/events-server")" -ge 1
	stop "$monitor"
	did=$((did + $(refused_as no-memory)))
	check "all is there once, and fits" consistent
	check "all peers are answered, at a new place" answered $n --place 7 --tries 20
else
	skip "no memory for a move" "this kernel's cache of SAs cannot fail"
fi

# All that the module itself asks for
if [ -e $faults/failslab/require-start ]; then
	monitor_start server
	monitor=$pid
	fail_within "$(cat /sys/module/esptrack/sections/.text)" \
		"$(awk '$1 == "esptrack" { print $2 }' /proc/modules)" 20
	start_ready flood cloud /payload/load/espflood $n
	flood=$pid
	for round in 1 2 3; do
		peers batch delete-in,states-in $n | ip_batch server ||
			bail "round $round: SAs stay"
	done
	# Nor is there any for SAs that nobody remembers.
	peers batch delete-in $n | ip_batch server || bail "SAs stay"
	busywait 60 tracked 0 || bail "SAs are remembered"
	peers batch states-in $n | ip_batch server || bail "no SAs"
	busywait 60 lost_events || bail "no event was lost"
	stop "$flood"
	stop "$monitor"
	fail_nowhere
	check "anything may fail: the SAs are found afterwards" busywait 20 tracked $n
	check "anything may fail: all peers are answered" \
		answered $n --place 9 --tries 20
	check "anything may fail: all is there once, and fits" consistent

	monitor_start server
	before=$(unsent_events)
	site_fails esptrack_event_post
	check "no memory for events: peers are followed" answered $n --place 11 --tries 20
	fail_nowhere
	failed=$(($(unsent_events) - before))
	did=$((did + failed))
	check_num "no memory for events: they are counted as lost" $failed -ge $n
	check "no memory for events: peers are followed again" answered $n --place 12 --tries 20
	check "no memory for events: the monitor says how many it has not seen" \
		busywait 20 told_lost $failed
else
	skip "anything may fail" "failslab of this kernel cannot be told for whom"
fi

# What is asked for once or seldom: each for itself, and all of it
if [ -e $faults/failslab/require-start ]; then
	quietly ip -n server xfrm state flush || bail "SAs stay"
	quietly ip -n server xfrm policy flush || bail "policies stay"
	module_unload
	quietly insmod "$module" static_nat=1 || bail "the module cannot be loaded any more"
	peers batch policies $n | ip_batch server || bail "no policies"
	before=$(unfollowed)
	site_fails esptrack_hook_attach
	peers batch states-in,states-out 1 | ip_batch server || bail "no SAs"
	ip_batch server <<-END || bail "no SA by IPv6"
	xfrm state add src $NAT_ADDR6 dst $SERVER6 proto esp spi 0x1006 reqid 6 mode tunnel replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 encap espinudp 4500 4500 0.0.0.0
	END
	busywait 20 tracked 2 || bail "SAs are not known"
	failed=$(($(unfollowed) - before))
	fail_nowhere
	did=$((did + failed))
	check_num "no copy of ESP's transforms: the log says so, for both versions of IP" \
		$failed -ge 2
	check "no copy of ESP's transforms: it is made later" \
		busywait 60 answered 1 --place 13 --tries 1
	quietly ip -n server xfrm state flush || bail "SAs stay"
	busywait 60 tracked 0 || bail "SAs are remembered"

	before=$(log_lines SA)
	site_fails esptrack_net_reserve
	peers batch states-in,states-out $n | ip_batch server || bail "no SAs"
	fail_nowhere
	failed=$(($(log_lines SA) - before))
	did=$((did + failed))
	check_num "no place for the SA: the log says so" $failed -ge 1
	check "no place for the SA: there is one later" busywait 20 tracked $n
	quietly ip -n server xfrm state flush || bail "SAs stay"
	busywait 60 tracked 0 || bail "SAs are remembered"

	calls_start esptrack_knob_create || bail "no kprobe"
	site_fails esptrack_knob_create
	peers batch states-in,states-out $n | ip_batch server || bail "no SAs"
	busywait 20 called esptrack_knob_create $n || bail "no knobs are made"
	fail_nowhere
	did=$((did + n))
	calls_stop esptrack_knob_create
	check_eq "no memory for knobs: there are none" "$(knobs_in_server)" 0
	check "no memory for knobs: netlink has all SAs" tracked $n
	site_fails esptrack_log_add
	check "no memory for knobs, nor for histories: peers are followed" \
		answered $n --place 15 --tries 20
	fail_nowhere
	did=$((did + n))
	check_eq "no memory for histories: there are none" "$(history_lines)" 0
	check "no memory for histories: peers are followed again" \
		answered $n --place 16 --tries 20
	check_num "no memory for histories: there are some later" "$(history_lines)" -ge 1
	check "no memory for one thing: all is there once, and fits" consistent
else
	skip "no memory for one thing" "failslab of this kernel cannot be told for which"
fi

quietly ip -n server xfrm policy flush || bail "policies stay"
quietly ip -n server xfrm state flush || bail "SAs stay"
asked=$did
scenario_done $did

check "the module can be unloaded" module_unload
# It allocates as well; then it looks at all of an object.
check "the kernel has no complaint but kmemleak's, of memory" \
	/guest/splat.sh 'kmemleak: Cannot allocate a scan area'
done_testing
