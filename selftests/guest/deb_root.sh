#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb_root.sh KERNEL: make the root in which packages are built for the suite of a
# kernel: Debian, with what debian/control asks for and nothing else. Prints where
# it is. It takes its packages from where the build root of the kernel does.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: deb_root.sh KERNEL"
kernel=$1
kernel_line "$kernel"
paths "$kernel"
"$top/selftests/guest/build.sh" "$kernel"
# shellcheck disable=SC2154 # set by kernel_line
dir=$BUILD/deb/$suite
root=$dir/root
stamp=$dir/root.stamp
sources=$build_root/etc/apt/sources.list
inputs=$(cat "$0" "$sources" <(sed '/^Package:/,$d' "$top/debian/control") | sha256sum)

mkdir -p "$dir"
exec 9> "$dir/lock"
flock 9
if [ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$inputs" ]; then
	echo "deb: build root ($suite)" >&2
	rm -rf "$stamp" "$root"
	bootstrap --variant=buildd "$suite" "$root" "$sources" >&2
	mkdir "$root/src"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# The bind mount of the tree shows debian/control to it.
	"$top/selftests/guest/chroot.sh" "$root" -- sh -euc '
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		apt-get build-dep -qq -y ./ > /dev/null
		apt-get clean' >&2
	echo "$inputs" > "$stamp"
fi
echo "$root"
