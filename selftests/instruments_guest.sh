#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The part of instruments.sh inside the guest: commit each crime of the module
# esptrack_crimes, and see that the watch finds it.

set -uo pipefail

passed=0
failed=0

# found NAME WORDS: commit a crime; splat.sh fails, and prints a line with the words
found()
{
	local out

	# It refuses to load, so that it can be loaded again.
	if insmod /payload/esptrack_crimes.ko "crime=$1" 2> /run/insmod; then
		rmmod esptrack_crimes
	fi
	if [ "$1" = leak ]; then
		look_for_leaks
	fi
	if out=$(/guest/splat.sh 2>&1); then
		failed=$((failed + 1))
		echo "not ok - $1: no complaint"
	elif ! grep -q "$2" <<< "$out" || ! grep -q cancel /run/insmod; then
		failed=$((failed + 1))
		echo "not ok - $1: no word of '$2'"
		cat /run/insmod
		echo "$out"
	else
		passed=$((passed + 1))
		echo "ok - $1: $(grep -m 1 "$2" <<< "$out")"
	fi
}

# Only what is five seconds old is looked for, and only by the second scan.
look_for_leaks()
{
	local end=$((SECONDS + 6))

	while [ $SECONDS -le $end ]; do
		sleep 1
	done
	echo scan > /sys/kernel/debug/kmemleak
	echo scan > /sys/kernel/debug/kmemleak
}

if /guest/splat.sh; then
	passed=1
	echo "ok - no complaints yet"
else
	failed=1
	echo "not ok - complaints before any crime"
fi
if [ -e /sys/kernel/debug/kcsan ]; then
	found race 'BUG: KCSAN: data-race in .*race'
else
	# First those of lockdep, which switches itself off at the first finding of
	# anybody.
	found rcu-unlocked 'suspicious RCU usage'
	found lock-order 'possible circular locking'
	found lock-order 'lockdep has switched itself off'
	found use-after-free 'BUG: KASAN: .*use-after-free'
	found shift 'UBSAN: shift-out-of-bounds'
	found free-active 'ODEBUG: free active'
	found leak 'kmemleak: .* new suspected'
	found lose-reference 'leaked reference\|ref_tracker: '
fi
found sleep-in-atomic 'BUG: sleeping function called from invalid context'
found list-add-twice 'list_add double add'
found list-add-twice 'kernel is tainted'

echo "$passed passed, $failed failed"
