#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [SUITE=SUITE] [TEST=NAME] [PART=K/N] [SCALE=N] [LIMIT=SECONDS] [SEED=N]:
# run the tests, or those that test_NAME.sh matches, inside the guest; or those of
# another suite than "test". The ones of IKE daemons take half an hour and are only
# run by name. PART=1/2 is every second test, PART=2/2 are the others. What the other
# words mean: see stress.sh.
#
# Each test loads and unloads the module itself. After each the runner looks
# for what it left behind and for complaints of the kernel, so that they are
# laid to the right test. The last line is "N passed, N failed".

set -uo pipefail
# TEST=@(address|static) are two of them.
shopt -s extglob

here=$(cd "$(dirname "$0")" && pwd)
name='*'
suite='test'
part=1 parts=1
patience=900
for arg in "$@"; do
	case $arg in
	TEST=)	;;
	TEST=*)	name=${arg#TEST=} ;;
	PART=[1-9]/[1-9])	part=${arg:5:1} parts=${arg:7:1} ;;
	SUITE=*)	suite=${arg#SUITE=}; patience=2400 ;;
	LIMIT=*)	export "${arg?}"; patience=$((2400 + LIMIT)) ;;
	SCALE=* | SEED=*)	export "${arg?}" ;;
	*)	echo "usage: run.sh [SUITE=SUITE] [TEST=NAME] [SCALE=N] ..." >&2; exit 2 ;;
	esac
done

# How many times longer than on a plain kernel things may take (guest/run.sh).
slowness=$(sed -n 's/.*esptrack\.slowness=\([0-9]*\).*/\1/p' /proc/cmdline)

passed=0
failed=0

# Processes with a program: not the kernel's own.
user_pids()
{
	local dir

	for dir in /proc/[0-9]*; do
		if [ -e "$dir/exe" ] && [ "${dir#/proc/}" -ne "$$" ] &&
		   [ "${dir#/proc/}" -ne "$BASHPID" ]; then
			echo "${dir#/proc/}"
		fi
	done | sort
}

# outlives PID: it is still there after two seconds. One that is about to end, as
# a program that the kernel has called, is nobody's leftover.
outlives()
{
	local end=$((SECONDS + 2))

	while [ -e "/proc/$1/exe" ]; do
		[ $SECONDS -le $end ] || return 0
		sleep 0.05
	done
	return 1
}

# leftovers: print what a test left behind, and remove it, so that the next
# one begins clean
leftovers()
{
	local pid found=0

	for pid in $(comm -13 "$before" <(user_pids)); do
		if outlives "$pid"; then
			echo "left behind: process $pid: $(ps -o args= -p "$pid")"
			kill -KILL "$pid"
			found=1
		fi
	done
	if [ -n "$(ip netns list)" ]; then
		echo "left behind: namespaces: $(ip netns list | tr '\n' ' ')"
		ip -all netns del
		found=1
	fi
	if [ -e /sys/module/esptrack ]; then
		echo "left behind: the module"
		rmmod esptrack
		found=1
	fi
	return $found
}

# result TEXT COMMAND...: counts the command's success as a test
result()
{
	local text=$1

	shift
	if "$@"; then
		echo "ok - $text"
		passed=$((passed + 1))
	else
		echo "not ok - $text"
		failed=$((failed + 1))
	fi
}

# skips_known TEST OUTPUT: is all that a test has left out what this kernel cannot do?
skips_known()
{
	local what kernel test text unknown=0

	while read -r what; do
		while read -r kernel test text; do
			# shellcheck disable=SC2053 # patterns
			[[ $(uname -r) != $kernel || $1 != "$test" || $what != "$text" ]] ||
				continue 2
		done < <(sed '/^#/d' "$here/skips")
		echo "left out: $what"
		unknown=1
	done < <(sed -n 's/^ok [0-9]* - \(.*\) # SKIP.*/\1/p' "$2")
	return $unknown
}

leaks=/sys/kernel/debug/kmemleak

# leak_scan: what nobody points to any more, to /run/leaks. Only objects that are
# five seconds old are suspects, and only those that a scan before has seen as well.
leak_scan()
{
	local end=$((SECONDS + 6))

	while [ $SECONDS -le $end ]; do
		sleep 1
	done
	echo scan > $leaks && echo scan > $leaks && cat $leaks > /run/leaks
}

# Where the stock kernel has no memory to show a new cache in sysfs, it loses the
# cache's name (stress_faults.sh).
leaks_not_stock()
{
	awk 'BEGIN { RS = "unreferenced object" }
		NR > 1 && !/sysfs_slab_add\+/ { print RS $0 }' /run/leaks
}

no_leaks()
{
	leak_scan || return
	! leaks_not_stock | grep . || return
	if [ -s /run/leaks ]; then
		echo "# lost by the stock kernel: $(grep -c '^unreferenced' /run/leaks) objects"
		leaks_told
	fi
}

run_test()
{
	local test=$1 title out status good bad start=$SECONDS

	title=$(basename "$test" .sh)
	out=/tmp/run.out
	echo "### $title"
	user_pids > "$before"
	# Not through a pipe: a process left behind would hold it open.
	timeout -k 30 $((patience * slowness)) bash "$test" > "$out" 2>&1 &
	tail -f -n +1 -s 0.2 --pid=$! "$out"
	wait $!
	status=$?
	good=$(grep -c '^ok ' "$out")
	bad=$(grep -c '^not ok ' "$out")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
		echo "not ok - $title: exit status $status after $good good results"
		bad=1
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	if grep -q '^ok .* # SKIP' "$out"; then
		result "$title: leaves out what this kernel cannot do" skips_known "$title" "$out"
	fi
	result "$title: leaves nothing behind" leftovers
	result "$title: the kernel has no complaints" /guest/splat.sh
	echo "# $title: $((SECONDS - start)) s"
}

# leaks_told: that the kernel has said so is no complaint, but what else it says is
leaks_told()
{
	/guest/splat.sh 'kmemleak:.*new suspected'
}

# leaks_known: what the kernel lost while it booted is not the tests' fault
leaks_known()
{
	leak_scan || return
	echo "# lost at boot: $(grep -c '^unreferenced' /run/leaks) objects"
	echo clear > $leaks
	leaks_told
}

# coverage: how often each line of the module was run, as an archive for
# coverage.sh; if the module was built to count it
counts=/sys/kernel/debug/gcov
coverage()
{
	local file dir=/tmp/coverage

	mkdir -p $dir
	# These files have no size, so that tar would find them empty.
	find $counts -name '*.gcda' | while read -r file; do
		cat "$file" > "$dir/$(basename "$file")"
	done
	tar -cz -C $dir . | base64 -w 120 | sed 's/^/gcda /'
}

"$here/stamps.py" &
stamps=$!
before=/tmp/run.pids
tests=0
turn=0
result "boot: the kernel has no complaints" /guest/splat.sh
if [ -e $leaks ]; then
	result "memory can be searched for leaks" leaks_known
fi
for test in "$here/$suite"_$name.sh; do
	[ -e "$test" ] || continue
	if [ "$name" = '*' ] && [[ $(basename "$test") = test_daemon_* ]]; then
		continue
	fi
	[ $((turn++ % parts)) -eq $((part - 1)) ] || continue
	run_test "$test"
	tests=$((tests + 1))
done
if [ $tests -eq 0 ]; then
	echo "no test to run"
	failed=1
fi
if [ -e $leaks ]; then
	result "no memory leaked" no_leaks
fi
if [ -e $counts ] && [ -n "$(find $counts -name main.gcda)" ]; then
	coverage
fi
kill $stamps

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
