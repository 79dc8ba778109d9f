#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh [TEST=PART] KERNEL: what the module costs and saves, on a kernel for
# which it was built. PART is a pattern: of the parts below those that it matches are
# measured anew. Prints all that has been measured with this kernel as a table, and
# leaves the figures in $BUILD/bench-<kernel release>.json. Fails if a goal is missed.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

parts=(packets moves locks profile scale hostile flood events rebinding)
only='*'
if [[ ${1:-} = TEST=* ]]; then
	only=${1#TEST=}
	shift
fi
[ $# -eq 1 ] || die "usage: bench.sh [TEST=PART] KERNEL"
kernel=$1
need python3 gcc libc6-dev
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
logs=$BUILD/bench/$release
mkdir -p "$logs"
payload=(--payload "$top/selftests:/payload/selftests")
for file in esptrack.ko esptrack load; do
	payload+=(--payload "$BUILD/$release/$file:/payload/$file")
done
# Without the checks of the slab allocator, as machines in service run. (Of two
# slub_debug= the last one counts.)
service=(--append slub_debug=-)

# guest PART OPTION...: run bench_PART.sh in a guest
guest()
{
	local part=$1 log=$logs/$1 began=$SECONDS

	shift
	if ! "$top/selftests/guest/run.sh" "${payload[@]}" "$@" "$kernel" -- \
	     "/payload/selftests/bench_$part.sh" > "$log.new" 2>&1 ||
	   ! grep -q '^result: ' "$log.new"; then
		cat "$log.new" >&2
		die "bench_$part.sh failed"
	fi
	mv "$log.new" "$log"
	echo "bench: $part: $((SECONDS - began)) s" >&2
}

# watched PART PLUGIN OPTION...: run it with guest/PLUGIN.c looking on, which leaves what
# it has seen in $logs/PLUGIN.seen
watched()
{
	local part=$1 plugin=$logs/$2

	gcc -O2 -shared -fPIC -o "$plugin.so" "$top/selftests/guest/$2.c"
	guest "$part" --icount "${service[@]}" --plugin "$plugin.so,out=$plugin.seen" "${@:3}"
}

measure()
{
	case $1 in
	packets)	guest packets --icount --mem 3G --timeout 3600 "${service[@]}" ;;
	moves)		guest moves --icount --mem 3G --timeout 3600 "${service[@]}" ;;
	scale)		guest scale --icount --mem 3G --timeout 3600 "${service[@]}" ;;
	hostile)	guest hostile --icount "${service[@]}" ;;
	flood)		guest flood "${service[@]}" ;;
	events)		guest events --icount "${service[@]}" ;;
	rebinding)	guest rebinding --timeout 1800 ;;
	locks)		watched locks holds --mem 3G --timeout 3600 ;;
	profile)	watched profile profile ;;
	esac
}

for part in "${parts[@]}"; do
	# shellcheck disable=SC2053 # it is a pattern
	if [[ $part = $only ]]; then
		measure "$part"
	fi
done
echo "bench: all of it: $SECONDS s" >&2
"$top/selftests/bench_table.py" "$release" "$logs" "$BUILD/bench-$release.json"
