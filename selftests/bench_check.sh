#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_check.sh [--write] KERNEL: have the packets and moves become dearer? Measures
# what can be measured soon, and compares it with bench.expected.json; --write makes
# that anew. Fails if a figure is over 5 per cent higher, and by more than the noise.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

write=()
if [ "${1:-}" = --write ]; then
	write=(--write)
	shift
fi
[ $# -eq 1 ] || die "usage: bench_check.sh [--write] KERNEL"
kernel=$1
need python3
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
logs=$BUILD/bench-check/$release
mkdir -p "$logs"
payload=(--payload "$top/selftests:/payload/selftests")
for file in esptrack.ko esptrack load; do
	payload+=(--payload "$BUILD/$release/$file:/payload/$file")
done

# guest PART ARGUMENTS: run bench_PART.sh in a guest. Both at a time: they count
# instructions, and are no slower for company.
guest()
{
	if ! "$top/selftests/guest/run.sh" "${payload[@]}" --icount \
	     --append slub_debug=- "$kernel" -- \
	     "/payload/selftests/bench_$1.sh" "${@:2}" > "$logs/$1" 2>&1; then
		cat "$logs/$1" >&2
		die "bench_$1.sh failed"
	fi
}

guest packets 1 0 & packets=$!
guest moves 1 10 & moves=$!
wait $packets
wait $moves
"$top/selftests/bench_compare.py" ${write[@]+"${write[@]}"} "$release" "$logs" \
	"$top/selftests/bench.expected.json" "$BUILD/bench-check-$release.json"
echo "bench: $SECONDS s" >&2
