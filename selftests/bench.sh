#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh KERNEL: what the module costs per packet and saves per rebinding, on
# a kernel for which it was built. Prints a table, and leaves the figures in
# $BUILD/bench-<kernel release>.json. Fails if a goal is missed.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: bench.sh KERNEL"
kernel=$1
need python3
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
logs=$BUILD/logs
mkdir -p "$logs"
payload=(--payload "$top/selftests:/payload/selftests")
for file in esptrack.ko esptrack; do
	payload+=(--payload "$BUILD/$release/$file:/payload/$file")
done

# guest NAME OPTIONS...: run bench_NAME.sh in a guest
guest()
{
	local name=$1 log=$logs/bench-$1-$release.out

	shift
	echo "bench: bench_$name.sh in the guest, some minutes" >&2
	if ! "$top/selftests/guest/run.sh" "${payload[@]}" "$@" "$kernel" -- \
	     "/payload/selftests/bench_$name.sh" > "$log" 2>&1 ||
	   ! grep -q '^result: ' "$log"; then
		cat "$log" >&2
		die "bench_$name.sh failed"
	fi
}

# Without the checks of the slab allocator, as machines in service run. (Of two
# slub_debug= the last one counts.)
guest packets --icount --append slub_debug=-
guest moves --icount --append slub_debug=-
guest rebinding
"$top/selftests/bench_table.py" "$release" "$logs/bench-packets-$release.out" \
	"$logs/bench-moves-$release.out" "$logs/bench-rebinding-$release.out" \
	"$BUILD/bench-$release.json"
