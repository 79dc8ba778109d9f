#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh KERNEL [TEST=NAME]: which lines of the module do the tests run? On a
# kernel whose gcov counts; it keeps the counts of a module that is unloaded and
# goes on from them when it comes again. Without TEST also what happens where memory
# lacks and crypto is slow (stress_*.sh), as no test can wait for that.
#
# Prints a table, and the lines that were never run, with the reasons of
# coverage.reasons. If all tests were run, a line without reason is a failure.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -ge 1 ] || die "usage: coverage.sh KERNEL [TEST=NAME]"
kernel=$1
shift
need python3
# Kbuild builds anew what was built with other options.
"$top/selftests/kmod.sh" "$kernel" GCOV_PROFILE=y
paths "$kernel"
release=$(cat "$release_file")
objects=$BUILD/$release/src/kmod
mkdir -p "$BUILD/logs"
bad=0
counts=()

# count NAME [WORD=...]: run tests, and take in what they counted
count()
{
	local out=$BUILD/logs/coverage-$1-$release.out inside=/src/${objects#"$top"/}

	shift
	"$top/selftests/check.sh" "$kernel" "$@" > "$out" 2>&1 || bad=1
	grep '^not ok\|^splat\|^guest\| passed, ' "$out" || bad=1
	grep -q '^gcda ' "$out" || die "no counts: $out"

	rm -f "$objects"/*.gcda
	sed -n 's/^gcda //p' "$out" | base64 -d | tar -xz -C "$objects"
	"$top/selftests/guest/in-root.sh" "$kernel" -- \
		sh -c "cd '$inside' && gcov --stdout --json-format *.gcda" > "$out.json"
	counts+=("$out.json")
}

count 'test' "$@"
all=()
if [ $# -eq 0 ]; then
	count faults SUITE=stress TEST=faults
	count async SUITE=stress TEST=async SCALE=small
	all=(--all)
fi
"$top/selftests/coverage_table.py" ${all[@]+"${all[@]}"} "$release" "$top/kmod" \
	"$top/selftests/coverage.reasons" "${counts[@]}" || bad=1
exit $bad
