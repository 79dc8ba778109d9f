#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# in-root.sh KERNEL -- COMMAND...: run a command in the build root of a kernel,
# as a user would on a machine with that kernel's headers. The source tree is
# at /src, which is also the working directory. Environment variables pass.

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

# The mounts live in a namespace of their own and end with the command.
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private bash -euc '
	root=$1 top=$2
	shift 2
	mount --bind "$top" "$root/src"
	mount -t proc proc "$root/proc"
	mount --bind /dev "$root/dev"
	exec chroot "$root" /usr/bin/env -C /src PWD=/src HOME=/root "$@"
' in-root "$build_root" "$top" "$@"
