#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_all.sh [TEST=NAME]: build for each kernel of the table, and run the tests on
# it. The last lines say what became of each, and in how many seconds.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

summary=()
bad=0
mapfile -t kernels < <(kernel_names)
for kernel in "${kernels[@]}"; do
	echo "=== kernel $kernel"
	start=$SECONDS
	if "$top/selftests/kmod.sh" "$kernel" &&
	   "$top/selftests/check.sh" "$kernel" "$@"; then
		result=passed
	else
		result=failed
		bad=1
	fi
	summary+=("$kernel: $result in $((SECONDS - start)) s")
done
printf '%s\n' "${summary[@]}"
exit $bad
