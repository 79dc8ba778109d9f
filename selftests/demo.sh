#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh KERNEL: boot the guest and tell the story of strongSwan bug #731 in it
# (demo_guest.sh).

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: demo.sh KERNEL"
kernel=$1
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")

echo "Booting Debian's kernel $release in QEMU ..."
exec "$top/selftests/guest/run.sh" --timeout 300 \
	--payload "$top/selftests:/payload/selftests" \
	--payload "$BUILD/$release/esptrack.ko:/payload/esptrack.ko" \
	--payload "$BUILD/$release/esptrack:/payload/esptrack" \
	"$kernel" -- /payload/selftests/demo_guest.sh
