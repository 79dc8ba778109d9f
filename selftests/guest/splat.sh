#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fail, and print the lines, if the kernel has complained since the last call,
# or bears a taint other than those of an out-of-tree unsigned module.

set -uo pipefail

state=/run/splat.seen
pattern='WARNING:|BUG:|BUG [a-z0-9_-]+ ?(\(|:)|KASAN|UBSAN|KCSAN|Oops'
pattern+='|general protection fault|refcount_t|kmemleak:.*new suspected'
pattern+='|possible (recursive|circular|irq lock)|inconsistent lock state'
pattern+='|suspicious RCU|INFO: (task|rcu|trying)|INFO: .*blocked'
pattern+='|Objects remaining|Slab cache still has objects|Call Trace|Call trace'
pattern+='|unregister_netdevice: waiting|soft lockup|self-detected stall'
pattern+='|Redzone|Poison overwritten|Object already free|ODEBUG'

# without_shortage: stdin, without the traces by which the kernel tells where memory
# was lacking. Where it can be told to let allocations fail, that is no complaint.
without_shortage()
{
	if [ ! -e /sys/kernel/debug/failslab ]; then
		cat
		return
	fi
	awk '
		/allocation fail(ed|ure)|failed with error -12/ { inside = 1 }
		!inside
		/<\/TASK>/ { inside = 0 }
	'
}

status=0
seen=0
if [ -e "$state" ]; then
	seen=$(cat "$state")
fi
lines=$(dmesg | wc -l)
if dmesg | tail -n "+$((seen + 1))" | without_shortage | grep -E "$pattern"; then
	echo "splat: the kernel complained (lines above)"
	status=1
fi
echo "$lines" > "$state"

# bits: 4096 out-of-tree module, 8192 unsigned module
taint=$(cat /proc/sys/kernel/tainted)
if [ $((taint & ~(4096 | 8192))) -ne 0 ]; then
	echo "splat: kernel is tainted: $taint"
	status=1
fi
exit $status
