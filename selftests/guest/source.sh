#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# source.sh KERNEL: print where the parts of Linux 6.12's sources are that look
# at our own: checkpatch, and the netlink generator. They are taken from Debian's
# package, once, by way of the build root of the given kernel.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: source.sh KERNEL"
dir=$BUILD/linux-source
parts=(
	'*/scripts/checkpatch.pl' '*/scripts/spelling.txt'
	'*/scripts/const_structs.checkpatch' '*/tools/net/ynl/*'
	'*/Documentation/netlink/*'
)

if [ ! -e "$dir/tools/net/ynl/ynl-gen-c.py" ]; then
	need xz-utils >&2
	"$top/selftests/guest/build.sh" "$1" >&2
	paths "$1"
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	cp /etc/resolv.conf "$build_root/etc/resolv.conf"
	chroot "$build_root" sh -c '
		cd /tmp && apt-get update -qq && apt-get download -qq linux-source-6.12' >&2
	dpkg-deb --fsys-tarfile "$build_root"/tmp/linux-source-6.12_*.deb |
		tar -xO --wildcards '*.tar.xz' |
		tar -xJ -C "$dir.new" --strip-components=1 --wildcards "${parts[@]}"
	rm "$build_root"/tmp/linux-source-*.deb
	rm -rf "$dir"
	mv "$dir.new" "$dir"
fi
echo "$dir"
