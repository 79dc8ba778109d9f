#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# in-root.sh KERNEL -- COMMAND...: run a command in the build root of a kernel,
# as a user would on a machine with that kernel's headers. The rest is as in
# chroot.sh.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

if [ $# -lt 3 ] || [ "$2" != -- ]; then
	die "usage: in-root.sh KERNEL -- COMMAND..."
fi
kernel=$1
shift 2
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
exec "$top/selftests/guest/chroot.sh" "$build_root" -- "$@"
