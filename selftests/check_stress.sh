#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_stress.sh KERNEL stress|fuzz [TEST=NAME] [SCALE=N] [LIMIT=SECONDS] [SEED=N]:
# run the scenarios (stress.sh says what the words mean), each in a guest of its
# own, and print one table of what was done.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -ge 2 ] || die "usage: check_stress.sh KERNEL stress|fuzz [WORD=...]"
kernel=$1 suite=$2
shift 2
name='*'
args=()
for arg in "$@"; do
	case $arg in
	TEST=*)	name=${arg#TEST=} ;;
	*)	args+=("$arg") ;;
	esac
done

need python3
logs=$BUILD/logs
mkdir -p "$logs"
bad=0
outputs=()
for test in "$top/selftests/${suite}"_$name.sh; do
	scenario=$(basename "$test" .sh)
	output=$logs/$scenario-$kernel.out
	outputs+=("$output")
	echo "check: $scenario in the guest" >&2
	"$top/selftests/check.sh" "$kernel" SUITE="$suite" TEST="${scenario#*_}" \
		${args[@]+"${args[@]}"} > "$output" 2>&1 || bad=1
	grep '^not ok\|^splat\|^# seed of\|^guest: no verdict\| passed, ' "$output" || bad=1
done
"$top/selftests/stress_table.py" "${outputs[@]}" || bad=1
exit $bad
