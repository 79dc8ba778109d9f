#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb_image.sh KERNEL: a Debian to install packages on, in $BUILD/deb/KERNEL:
#
#   tree/   the machine: systemd, DKMS, openssl, a kernel that is one release older than
#           KERNEL's with its headers; and in apt's cache, for there is no network,
#           KERNEL's own and the libraries of the tool
#   old     the release of the older kernel
#   new     the release of KERNEL's
#
# Nothing is done if it is there and made from the same inputs.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: deb_image.sh KERNEL"
kernel=$1
kernel_line "$kernel"
paths "$kernel"
"$top/selftests/guest/build.sh" "$kernel"
dir=$BUILD/deb/$kernel
tree=$dir/tree
stamp=$dir/stamp
sources=$build_root/etc/apt/sources.list
new=$(cat "$release_file")
inputs=$(cat "$0" "$sources" "$release_file" | sha256sum)
packages=(
	systemd-sysv udev initramfs-tools dkms openssl
	iproute2 procps jq man-db bash-completion
)

# in_tree COMMAND: as root of the machine, not yet booted
in_tree()
{
	"$top/selftests/guest/chroot.sh" "$tree" -- \
		env DEBIAN_FRONTEND=noninteractive sh -euc "$1" > "$dir/log" 2>&1 ||
		{ tail -n 20 "$dir/log" >&2; die "failed, see $dir/log: $1"; }
}

# releases: those of the same flavour that the suite has, the oldest first
releases()
{
	local flavour=${new##*-cloud-}

	chroot "$tree" apt-cache search --names-only '^linux-headers-[0-9]' |
		sed -n "s/^linux-headers-\([^ ]*-cloud-$flavour\) .*/\1/p" | sort -V
}

mkdir -p "$dir"
exec 9> "$dir/lock"
flock 9
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]; then
	exit 0
fi
echo "deb: a machine for $kernel ($suite)" >&2
rm -rf "$stamp" "$tree"
# shellcheck disable=SC2154 # set by kernel_line
bootstrap --variant=minbase \
	--include="$(IFS=,; echo "${packages[*]}")" "$suite" "$tree" "$sources" >&2
mkdir "$tree/src"
cp /etc/resolv.conf "$tree/etc/resolv.conf"
# The disk of the guest, and no other hardware, so that it is made in seconds.
echo MODULES=list > "$tree/etc/initramfs-tools/conf.d/guest"
printf '%s\n' virtio_pci virtio_blk >> "$tree/etc/initramfs-tools/modules"
in_tree 'apt-get update'
old=$(releases | awk -v new="$new" '$0 == new { print old } { old = $0 }')
[ -n "$old" ] || die "the suite has no kernel before $new"
in_tree "apt-get install -y ${kernel_needs[*]} linux-image-$old linux-headers-$old &&
	apt-get clean"
in_tree "apt-get install -y --download-only linux-image-$new linux-headers-$new"
# By whatever name the suite's libraries go, the packages ask for them.
in_tree "apt-get install -y --download-only '?source-package(^libmnl\$)?name(^libmnl0)' \
	'?source-package(^json-c\$)?name(^libjson-c[0-9]*\$)'"
# apt is for the test alone.
in_tree 'systemctl mask apt-daily.timer apt-daily-upgrade.timer'
echo "/dev/vda / ext4 defaults 0 0" > "$tree/etc/fstab"
echo guest > "$tree/etc/hostname"
echo "$old" > "$dir/old"
echo "$new" > "$dir/new"
echo "$inputs" > "$stamp"
