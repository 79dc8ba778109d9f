#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_debug.sh [KERNEL] [TEST=NAME]: run the tests on the kernels that are built
# here with instruments, or on one of them; and see first that the instruments work.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

kernels=()
args=()
for arg in "$@"; do
	case $arg in
	*=*)	args+=("$arg") ;;
	*)	kernels+=("$arg") ;;
	esac
done
if [ ${#kernels[@]} -eq 0 ]; then
	# That one has no instrument but the counter of lines (coverage.sh).
	mapfile -t kernels < <(variant_names | grep -v -- '-gcov$')
fi

mkdir -p "$BUILD/logs"
bad=0
report=()
for kernel in "${kernels[@]}"; do
	start=$SECONDS
	out=$BUILD/logs/debug-$kernel.out
	echo "=== $kernel"
	"$top/selftests/kmod.sh" "$kernel"
	built=$SECONDS
	if ! "$top/selftests/instruments.sh" "$kernel"; then
		bad=1
		report+=("$kernel: its instruments are blind")
	fi
	"$top/selftests/check.sh" "$kernel" ${args[@]+"${args[@]}"} 2>&1 | tee "$out" || bad=1
	verdict=$(grep ' passed, .* failed$' "$out" || echo "no result")
	report+=("$kernel: $verdict; built in $((built - start)) s, run in $((SECONDS - built)) s")
done
printf '%s\n' "${report[@]}"
exit $bad
