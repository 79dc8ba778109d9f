#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# instruments.sh KERNEL: do the instruments of a debug kernel see anything? Crimes
# are committed in a guest of its own (instruments_guest.sh), each of which must be
# found; and the guest's verdict must be that it has failed.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: instruments.sh KERNEL"
kernel=$1
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
out=$BUILD/logs/instruments-$release.out
mkdir -p "$BUILD/logs"

status=0
"$top/selftests/guest/run.sh" --append panic_on_warn=0 \
	--payload "$top/selftests:/payload/selftests" \
	--payload "$BUILD/$release/esptrack_crimes.ko:/payload/esptrack_crimes.ko" \
	"$kernel" -- /payload/selftests/instruments_guest.sh > "$out" 2>&1 || status=$?
cat "$out"
if ! grep -q '^[1-9][0-9]* passed, 0 failed$' "$out"; then
	die "the instruments of $kernel are blind: $out"
fi
if [ $status -ne 1 ]; then
	die "the verdict of a guest full of crimes is $status: $out"
fi
echo "ok - the instruments of $kernel see, and the guest fails by what they see"
