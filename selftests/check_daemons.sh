#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_daemons.sh: run the tests of IKE daemons on the first kernel of each suite
# in the table, with the suite's daemons, and print what works, as the table of
# docs/daemons.md.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

logs=$BUILD/logs
mkdir -p "$logs"
bad=0
outputs=()
mapfile -t kernels < <(awk '!/^#/ && NF && !seen[$2]++ { print $1 }' "$top/selftests/kernels")
for kernel in "${kernels[@]}"; do
	output=$logs/daemons-$kernel.out
	outputs+=("$output")
	"$top/selftests/kmod.sh" "$kernel"
	"$top/selftests/check.sh" "$kernel" 'TEST=daemon_*' > "$output" 2>&1 || bad=1
	grep '^not ok\|^splat\| passed, ' "$output" || bad=1
done
"$top/selftests/daemon_table.py" "${outputs[@]}" || bad=1
exit $bad
