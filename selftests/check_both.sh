#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_both.sh KERNEL: run the tests in two guests side by side, each half of
# them, as a guest seldom has work for two processors. What the second says comes
# after the first has ended. The last line is "N passed, N failed".
#
# Not those of daemons, nor a little of each stress: make check-stress does all of that,
# and make check-all, and on the debug kernels make check-debug, this as well.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: check_both.sh KERNEL"
kernel=$1
work=$(mktemp -d)
second=''
trap 'rm -rf "$work"; [ -z "$second" ] || kill -- "-$second"' EXIT
bad=0

half()
{
	"$top/selftests/check.sh" "$kernel" "PART=$1/2" 'TEST=!(daemon_*|stress)'
}

# What both need is made by one of them.
"$top/selftests/guest/build.sh" "$kernel"
"$top/selftests/guest/source.sh" "$kernel" > /dev/null
# A group of its own, to be ended whole.
set -m
half 2 > "$work/2" 2>&1 &
set +m
second=$!
half 1 2>&1 | tee "$work/1" || bad=1
wait "$second" || bad=1
second=''
cat "$work/2"
# A guest that gave no result has failed.
awk '/^[0-9]+ passed, [0-9]+ failed$/ { results++; passed += $1; failed += $3 }
	END { print passed + 0 " passed, " failed + 2 - results " failed" }' "$work/1" "$work/2"
exit $bad
