#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh KERNEL: make what is needed to build for a kernel and to boot it.
#
# Leaves in $BUILD/guest/KERNEL:
#   build-root/  Debian with compiler and kernel headers; see in-root.sh
#   vmlinuz      the stock kernel
#   guest.cpio   the guest's userland and kernel modules, an initramfs
#   release      the kernel's release, as uname -r prints it
# Of a variant, as 6.1-debug, what build_kernel.sh says; the rest is shared.
#
# Nothing is done if all of it is there and made from the same inputs.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: build.sh KERNEL"
kernel=$1
kernel_line "$kernel"
paths "$kernel"
if [ -n "$variant" ]; then
	"$0" "$base"
	exec "$top/selftests/guest/build_kernel.sh" "$kernel"
fi

# apt takes from a pocket only what is asked for by its name.
headers_package=$headers
if [ "$pocket" != - ]; then
	headers_package+=/$pocket
fi
build_packages=(
	gcc make sparse libc6-dev libmnl-dev libjson-c-dev pkg-config kmod "$headers_package"
)

guest_packages=(
	# the tunnel
	strongswan-charon strongswan-swanctl libstrongswan-standard-plugins
	# the network around it
	iproute2 nftables conntrack iputils-ping tcpdump ethtool
	# what others use instead, to compare with
	wireguard-tools
	# for the tests
	python3 python3-yaml python3-jsonschema procps kmod gojq libmnl0 libjson-c5 util-linux
)

# A second IKE daemon.
libreswan=$top/selftests/guest/libreswan.sh

# Parts of the kernel's module tree that the guest gets.
module_dirs=(
	arch/x86/crypto crypto lib net drivers/net/netdevsim drivers/net/wireguard
)

# Where this machine gets Debian from: the same mirrors serve the roots. Third
# party sources are left out by the origin that their Release file states.
mirror()
{
	# shellcheck disable=SC2016 # for apt to expand
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' "Label: $1" | sort -u | head -n 1
}

sources()
{
	local main security

	main=$(mirror Debian)
	if [ -z "$main" ]; then
		apt-get update -qq >&2
		main=$(mirror Debian)
	fi
	[ -n "$main" ] || die "apt knows no Debian mirror"
	security=$(mirror Debian-Security)

	echo "deb $main $suite main"
	echo "deb $main $suite-updates main"
	if [ -n "$security" ]; then
		echo "deb $security $suite-security main"
	fi
	if [ "$pocket" != - ]; then
		echo "deb $main $pocket main"
	fi
}

# debootstrap TARGET PACKAGE...; $hooks: more options of mmdebstrap
hooks=()
debootstrap()
{
	local target=$1 include

	shift
	include=$(IFS=,; echo "$*")
	sources | bootstrap --variant=minbase \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/bash-completion/*' \
		${hooks[@]+"${hooks[@]}"} --include="$include" "$suite" "$target" -
}

make_build_root()
{
	echo "guest: build root for $kernel ($suite)" >&2
	rm -rf "$build_root"
	debootstrap "$build_root" "${build_packages[@]}"
	mkdir "$build_root/src"
	ls "$build_root/lib/modules" > "$release_file"
	[ "$(wc -l < "$release_file")" -eq 1 ] ||
		die "headers of several kernels: $(tr '\n' ' ' < "$release_file")"
}

make_kernel()
{
	local release image=$guest_dir/image deb

	release=$(cat "$release_file")
	echo "guest: kernel $release" >&2
	# mmdebstrap leaves no package lists behind.
	cp /etc/resolv.conf "$build_root/etc/resolv.conf"
	chroot "$build_root" apt-get update -qq
	# Newer images are split into packages on which the first one depends.
	chroot "$build_root" apt-cache depends "linux-image-$release" |
		awk -v release="$release" '
			BEGIN { print "linux-image-" release }
			$1 == "Depends:" && index($2, "-" release) { print $2 }
		' > "$build_root/tmp/packages"
	chroot "$build_root" sh -c 'cd /tmp && xargs apt-get download -qq < packages'
	rm -rf "$image"
	for deb in "$build_root"/tmp/*.deb; do
		dpkg-deb -x "$deb" "$image"
		rm "$deb"
	done
	# Newer packages have the modules below /usr, or all of it below the modules.
	if [ -d "$image/usr/lib/modules" ]; then
		mv "$image/usr/lib" "$image/lib"
	fi
	if [ -d "$image/boot" ]; then
		cp "$image/boot/vmlinuz-$release" "$vmlinuz"
		cp "$image/boot/config-$release" "$guest_dir/config"
	else
		cp "$image/lib/modules/$release/vmlinuz" "$vmlinuz"
		cp "$image/lib/modules/$release/config" "$guest_dir/config"
	fi
}

make_guest_root()
{
	local release root=$guest_dir/guest-root image=$guest_dir/image from to dir

	release=$(cat "$release_file")
	echo "guest: userland ($suite)" >&2
	rm -rf "$root"
	hooks=(--customize-hook="$libreswan")
	debootstrap "$root" "${guest_packages[@]}"
	hooks=()

	from=$image/lib/modules/$release
	to=$root/lib/modules/$release
	mkdir -p "$to/kernel/drivers/net"
	cp "$from"/modules.builtin* "$from/modules.order" "$to/"
	cp "$from"/kernel/drivers/net/*.ko* "$to/kernel/drivers/net/"
	for dir in "${module_dirs[@]}"; do
		if [ -d "$from/kernel/$dir" ]; then
			mkdir -p "$to/kernel/$dir"
			cp -a "$from/kernel/$dir/." "$to/kernel/$dir"
		fi
	done
	depmod -b "$root" "$release"
	# jq 1.6 takes 36 ms to start, gojq 2; and here all is 20 times slower.
	ln -s gojq "$root/usr/bin/jq"

	# Unpacking is boot time: drop what no test runs.
	rm -rf "${root:?}"/boot "$root"/var/lib/{apt,dpkg} "$root"/var/cache \
		"$root"/usr/share/{perl,perl5,zoneinfo,doc,i18n,debconf} \
		"$root"/usr/lib/x86_64-linux-gnu/{gconv,perl,perl5,perl-base} \
		"$root"/usr/lib/{apt,systemd,udev} "$root"/usr/bin/apt* \
		"$root"/usr/bin/{perl*,dpkg*} "$root"/usr/lib/x86_64-linux-gnu/libapt* \
		"$root"/usr/lib/python3*/{test,idlelib,lib2to3,ensurepip,distutils}

	(cd "$root" && find . -print0 | sort -z |
		cpio --quiet --null --create --format=newc --reproducible) > "$initramfs.new"
	mv "$initramfs.new" "$initramfs"
	rm -rf "$root" "$image"
}

stamp=$guest_dir/stamp
inputs=$(cat "$0" "$top/selftests/guest/common.sh" "$libreswan" - \
	<<< "$suite $pocket $headers" | sha256sum)
up_to_date()
{
	[ -e "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]
}

if up_to_date; then
	exit 0
fi
mkdir -p "$guest_dir"
# Two at a time would build into the same place; the second finds it done.
exec 9> "$guest_dir/lock"
flock 9
if up_to_date; then
	exit 0
fi
need cpio kmod zstd
rm -f "$stamp"
make_build_root
make_kernel
make_guest_root
echo "$inputs" > "$stamp"
