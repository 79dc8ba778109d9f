#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_fleet.sh KERNEL [TEST=NAME]: what is shipped for those who watch over many
# machines, installed into a guest with systemd, Prometheus and node_exporter.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -ge 1 ] || die "usage: check_fleet.sh KERNEL [TEST=NAME]"
kernel=$1
shift
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
installed=$BUILD/$release/installed

rm -rf "$installed"
"$top/selftests/guest/in-root.sh" "$kernel" -- make -s -C userspace \
	"O=/src/${BUILD#"$top"/}/$release/tool" PREFIX=/usr \
	"DESTDIR=/src/${installed#"$top"/}" install
payload=(
	--payload "$installed/usr:/usr"
	--payload "$top/selftests:/payload/selftests"
	--payload "$top/userspace:/payload/userspace"
	--payload "$top/README.md:/payload/README.md"
	--payload "$top/Makefile:/payload/Makefile"
	--payload "$top/kmod/uapi/linux/esptrack.h:/payload/esptrack.h"
)
for file in "$BUILD/$release/esptrack"{,.ko} "$top"/userspace/*.schema.json; do
	payload+=(--payload "$file:/payload/${file##*/}")
done
exec "$top/selftests/guest/run.sh" --fleet --timeout 1800 "${payload[@]}" "$kernel" -- \
	/payload/selftests/run.sh SUITE=fleet "$@"
