#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kmod.sh KERNEL [MAKE ARGUMENTS...]: build module, tool, unit test and what makes
# load for a kernel of the table, in a root of its suite, into
# $BUILD/<kernel release>/. For one with instruments also the module that shows
# whether they work.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -ge 1 ] || die "usage: kmod.sh KERNEL [MAKE ARGUMENTS...]"
kernel=$1
shift
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
out=$BUILD/$release

# Kbuild writes beside the sources: give it copies, so that kernels do not
# meet. -u and -p let make see what has changed.
mkdir -p "$out/src"
cp -rpu "$top/Kbuild" "$top/kmod" "$out/src/"

# In the root the tree is /src; the build folder may be elsewhere.
case $out in
"$top"/*)	inside=/src/${out#"$top"/} ;;
*)		die "BUILD must be inside of $top" ;;
esac

in_root()
{
	"$top/selftests/guest/in-root.sh" "$kernel" -- "$@"
}

kdir=/lib/modules/$release/build
if [ -n "$variant" ]; then
	kdir=/src/${kernel_tree#"$top"/}
fi
in_root make -s -j "$(nproc)" -C "$kdir" "M=$inside/src" "$@" modules
in_root make -s -C userspace "O=$inside/tool"
# One that speaks another version of the interface, for a test.
in_root make -s -C userspace "O=$inside/tool_other" \
	CPPFLAGS=-DNETLINK_VERSION=2
in_root make -s -C selftests/load "O=$inside/load"
in_root gcc -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror -Ikmod/uapi \
	-o "$inside/rules_test" selftests/rules_test.c kmod/rules.c
cp "$out/src/esptrack.ko" "$out/tool/esptrack" "$out/"
cp "$out/tool_other/esptrack" "$out/esptrack_other"
if [ -n "$variant" ]; then
	cp -rpu "$top/selftests/crimes" "$out/"
	in_root make -s -C "$kdir" "M=$inside/crimes" modules
	cp "$out/crimes/esptrack_crimes.ko" "$out/"
fi
