#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# splat.sh [PATTERN]: fail, and print the lines, if the kernel has complained since the
# last call, other than by lines with the pattern; or bears a taint other than those of
# an out-of-tree unsigned module, or has switched off what watches it.

set -uo pipefail

state=/run/splat.seen
pattern='WARNING:|BUG:|BUG [a-z0-9_-]+ ?(\(|:)|KASAN|UBSAN|KCSAN:|Oops'
pattern+='|general protection fault|refcount_t|kmemleak:.*new suspected'
pattern+='|possible (recursive|circular|irq lock)|inconsistent lock state'
pattern+='|suspicious RCU|INFO: (task|rcu|trying|lockdep)|INFO: .*blocked'
pattern+='|Objects remaining|Slab cache still has objects|Call Trace|Call trace'
pattern+='|unregister_netdevice: waiting|soft lockup|self-detected stall'
pattern+='|Redzone|Poison overwritten|Object already free|ODEBUG|ref_tracker'
pattern+='|leaked reference|list_(add|del) (corruption|double)'
# A program of ours, or a daemon, that crashed.
pattern+='|segfault at|trap (invalid opcode|stack segment|divide error)'
# What ends the watch.
pattern+='|locking correctness validator|MAX_(LOCK|STACK|HELD)[A-Z_]* too low'
pattern+='|kmemleak: .*(disabled|[Cc]annot|exhausted|empty)'

# in_race: does stdin end within the report of a data race?
in_race()
{
	awk '
		/BUG: KCSAN: / { inside = 1 }
		/^(\[[^]]*\] )?=====/ { inside = 0 }
		END { exit !inside }
	'
}

# our_races: stdin, without the reports of data races that are the kernel's own, which
# it has many of; they are only counted, to stderr. A race is ours if one of the two
# accesses is by us and not marked as one that races. By us is what we do, and what
# others do whom we call; but not what ESP does, whom our hook calls for each packet.
our_races()
{
	awk '
		/BUG: KCSAN: / {
			inside = 1
			ours = plain = 0
		}
		!inside { print; next }
		{ report = report $0 "\n" }
		/ bytes by / { plain = !/\(marked\)/ }
		/ esp6?_input\+/ && !/\[esptrack/ { plain = 0 }
		/\[esptrack/ && plain { ours = 1 }
		/^(\[[^]]*\] )?=====/ {
			if (!ours)
				kernels += sub(/BUG: KCSAN: /, "", report)
			printf "%s", report
			report = ""
			inside = 0
		}
		END {
			if (kernels)
				print "# data races of the kernel itself:", kernels > "/dev/stderr"
		}
	'
}

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
		/kmem_cache_create.*failed with error -22/ { inside = 1 }
		!inside
		/<\/TASK>/ { inside = 0 }
	'
}

status=0
seen=0
if [ -e "$state" ]; then
	seen=$(cat "$state")
fi
log=/run/splat.log
dmesg > $log
while in_race < $log; do
	sleep 0.1
	dmesg > $log
done
if tail -n "+$((seen + 1))" $log | our_races | without_shortage |
   grep -E "$pattern" | grep -vE -- "${1:-^\$}"; then
	echo "splat: the kernel complained (lines above)"
	status=1
fi
wc -l < $log > "$state"

# Lockdep stops at its first finding, or when it runs out of memory.
if grep -qs '^ *debug_locks: *0$' /proc/lockdep_stats; then
	echo "splat: lockdep has switched itself off"
	status=1
fi

# bits: 4096 out-of-tree module, 8192 unsigned module
taint=$(cat /proc/sys/kernel/tainted)
if [ $((taint & ~(4096 | 8192))) -ne 0 ]; then
	echo "splat: kernel is tainted: $taint"
	status=1
fi
exit $status
