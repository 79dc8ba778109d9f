#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh KERNEL [TEST=NAME]: which lines of the module do the tests run? On a
# debug kernel, whose gcov counts; it keeps the counts of a module that is unloaded
# and goes on from them when it comes again. Prints a table, and the lines that
# were never run.

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
out=$BUILD/logs/coverage-$release.out
objects=$BUILD/$release/src/kmod
mkdir -p "$BUILD/logs"

bad=0
"$top/selftests/check.sh" "$kernel" "$@" > "$out" 2>&1 || bad=1
grep '^not ok\|^splat\|^guest\| passed, ' "$out" || bad=1
grep -q '^gcda ' "$out" || die "no counts: $out"

rm -f "$objects"/*.gcda
sed -n 's/^gcda //p' "$out" | base64 -d | tar -xz -C "$objects"
inside=/src/${objects#"$top"/}
"$top/selftests/guest/in-root.sh" "$kernel" -- \
	sh -c "cd '$inside' && gcov --stdout --json-format *.gcda" > "$out.json"
"$top/selftests/coverage_table.py" "$release" "$top/kmod" "$out.json"
exit $bad
