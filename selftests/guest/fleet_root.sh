#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fleet_root.sh KERNEL: make the userland of a guest that is a machine of a fleet,
# $BUILD/guest/KERNEL/fleet.cpio: systemd is its first process, and it has
# Prometheus. It is too big for the guest of the other tests.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: fleet_root.sh KERNEL"
kernel=$1
"$top/selftests/guest/build.sh" "$kernel"
kernel_line "$kernel"
paths "$kernel"

packages=(
	systemd systemd-sysv
	prometheus prometheus-node-exporter python3-prometheus-client
	# for the tests
	iproute2 nftables conntrack iputils-ping tcpdump
	python3 python3-jsonschema procps kmod jq libmnl0 libjson-c5 util-linux
	make
)

dir=$BUILD/guest/$base
root=$dir/fleet-root
archive=$dir/fleet.cpio
stamp=$dir/fleet.stamp
# The guest's other userland has the kernel's modules.
inputs=$(cat "$0" "$dir/stamp" | sha256sum)

exec 9> "$dir/lock"
flock 9
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]; then
	exit 0
fi
echo "guest: userland of a fleet ($suite)" >&2
need cpio
rm -rf "$stamp" "$root"
# shellcheck disable=SC2154 # set by paths
bootstrap --variant=minbase \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--include="$(IFS=,; echo "${packages[*]}")" \
	"$suite" "$root" "$build_root/etc/apt/sources.list" >&2
(cd "$root" && cpio --quiet --extract --make-directories 'usr/lib/modules/*') < "$initramfs"
# Tests start what they need. No terminal waits for somebody to log in.
chroot "$root" systemctl --quiet disable prometheus prometheus-node-exporter
chroot "$root" systemctl --quiet mask getty.target serial-getty@.service systemd-logind \
	logrotate.timer apt-daily.timer apt-daily-upgrade.timer
rm -rf "${root:?}"/boot "$root"/var/lib/{apt,dpkg} "$root"/var/cache \
	"$root"/usr/share/{perl,zoneinfo,javascript,fonts} \
	"$root"/usr/lib/x86_64-linux-gnu/{gconv,perl,perl-base}
(cd "$root" && find . -print0 | sort -z |
	cpio --quiet --null --create --format=newc --reproducible) > "$archive.new"
mv "$archive.new" "$archive"
rm -rf "$root"
echo "$inputs" > "$stamp"
