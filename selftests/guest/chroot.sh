#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# chroot.sh ROOT -- COMMAND...: run a command in a root that mmdebstrap has made.
# The source tree is at /src, which is also the working directory. Environment
# variables pass.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

if [ $# -lt 3 ] || [ "$2" != -- ]; then
	die "usage: chroot.sh ROOT -- COMMAND..."
fi
root=$1
shift 2

# The mounts live in a namespace of their own and end with the command.
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private bash -euc '
	root=$1 top=$2
	shift 2
	mount --bind "$top" "$root/src"
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	exec chroot "$root" /usr/bin/env -C /src PWD=/src HOME=/root "$@"
' chroot "$root" "$top" "$@"
