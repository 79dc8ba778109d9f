#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cast.sh KERNEL: record "make demo" with asciinema, to docs/demo.cast, and make a
# picture of it, docs/demo.svg.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: cast.sh KERNEL"
kernel=$1
need asciinema python3
cast=$top/docs/demo.cast

# What is built before is not in the record.
"$top/selftests/guest/build.sh" "$kernel"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"
# Its own settings are not this user's.
ASCIINEMA_CONFIG_HOME=$work asciinema rec --quiet --overwrite --cols 100 --rows 32 \
	--env TERM --idle-time-limit 2 --title "esptrack: make demo" \
	--command "make -s demo KERNEL=$kernel" "$work/demo.cast" < /dev/null
grep -q 'Lost to the client: .* in two rebindings' "$work/demo.cast" ||
	die "the demo did not come to its end"
# It is for others, whom this machine is of no interest to.
if grep -F -e "$top" -e "$(hostname)" -e "$work" -e /src/ "$work/demo.cast"; then
	die "the record tells of this machine"
fi
mkdir -p "$top/docs"
cp "$work/demo.cast" "$cast"
"$top/selftests/cast_svg.py" "$cast" > "$work/demo.svg"
cp "$work/demo.svg" "$top/docs/demo.svg"
