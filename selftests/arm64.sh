#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# arm64.sh KERNEL: compile the module for arm64 as well, in the build root of a
# kernel of the table, against the arm64 headers of the same release.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: arm64.sh KERNEL"
kernel=$1
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
arm64=${release%amd64}arm64
headers=usr/src/linux-headers-$arm64

# The headers' own programs are those of the amd64 package: what is common to
# all architectures, and what runs here, is installed already.
get_headers()
{
	local version

	# shellcheck disable=SC2016 # for dpkg-query to expand
	version=$(chroot "$build_root" dpkg-query -W -f '${Version}' "linux-headers-$release")
	cp /etc/resolv.conf "$build_root/etc/resolv.conf"
	# shellcheck disable=SC2016 # for the inner shell to expand
	chroot "$build_root" sh -euc '
		dpkg --add-architecture arm64
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
			--no-install-recommends gcc-aarch64-linux-gnu > /dev/null
		cd /tmp
		apt-get download -qq "$1"
	' sh "linux-headers-$arm64:arm64=$version"
	dpkg-deb --fsys-tarfile "$build_root"/tmp/linux-headers-*_arm64.deb |
		tar -x -C "$build_root" "./usr/src"
	rm "$build_root"/tmp/linux-headers-*_arm64.deb
}

if [ ! -d "$build_root/$headers" ]; then
	mkdir -p "$BUILD/logs"
	log=$BUILD/logs/arm64-headers-$kernel.log
	trap 'cat "$log" >&2' EXIT
	get_headers > "$log" 2>&1
	trap - EXIT
fi

out=$BUILD/$arm64
mkdir -p "$out/src"
cp -rpu "$top/Kbuild" "$top/kmod" "$out/src/"
"$top/selftests/guest/in-root.sh" "$kernel" -- make -s -C "/$headers" \
	"M=/src/${out#"$top"/}/src" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- W=1 modules
