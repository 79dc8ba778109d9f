#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# firmware.sh KERNEL DIR CERTIFICATE INITRD CMDLINE: make what a machine needs to
# boot a kernel of the table with Secure Boot on, as a cloud's instances do:
#   DIR/disk.img  Debian's shim, which Microsoft has signed, and its GRUB and kernel,
#                 which Debian has signed
#   DIR/vars.fd   the firmware's variables: Microsoft's keys, and the given
#                 certificate (PEM) in its db

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 5 ] || die "usage: firmware.sh KERNEL DIR CERTIFICATE INITRD CMDLINE"
kernel=$1 dir=$2 certificate=$3 initrd=$4 cmdline=$5
parts=$BUILD/guest/${kernel%%-*}/firmware
editor=$BUILD/guest/firmware

# unpack ROOT TO PACKAGE...: packages of a root's suite, without installing them
unpack()
{
	local root=$1 to=$2 deb

	shift 2
	rm -rf "$to" "$root/tmp/firmware"
	mkdir -p "$to.new" "$root/tmp/firmware"
	chmod 1777 "$root/tmp/firmware"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	chroot "$root" apt-get update -qq >&2
	# shellcheck disable=SC2016 # for the inner shell to expand
	chroot "$root" sh -euc 'cd /tmp/firmware && apt-get download -qq "$@"' sh "$@" >&2
	for deb in "$root"/tmp/firmware/*.deb; do
		dpkg-deb -x "$deb" "$to.new"
	done
	rm -rf "$root/tmp/firmware"
	mv "$to.new" "$to"
}

need ovmf mtools dosfstools python3-cryptography python3-pefile \
	python3-importlib-resources >&2
paths "$kernel"
if [ ! -e "$parts" ]; then
	unpack "$build_root" "$parts" shim-signed grub-efi-amd64-signed
fi
# What edits the variables is younger than Debian 12, but runs on it.
if [ ! -e "$editor" ]; then
	"$top/selftests/guest/build.sh" 6.12 >&2
	unpack "$BUILD/guest/6.12/build-root" "$editor" python3-virt-firmware
fi

PYTHONPATH=$editor/usr/lib/python3/dist-packages /usr/bin/python3 \
	-m virt.firmware.vars --loglevel warning \
	--input /usr/share/OVMF/OVMF_VARS_4M.ms.fd --output "$dir/vars.fd" \
	--add-db "$(cat /proc/sys/kernel/random/uuid)" "$certificate" >&2

cat > "$dir/grub.cfg" <<END
linux /vmlinuz $cmdline
initrd /initrd
boot
END
truncate -s 256M "$dir/disk.img"
mkfs.vfat -F 32 "$dir/disk.img" > /dev/null
mmd -i "$dir/disk.img" ::/EFI ::/EFI/BOOT ::/EFI/debian
# put FILE PLACE
put()
{
	mcopy -i "$dir/disk.img" "$1" "::$2"
}
put "$parts/usr/lib/shim/shimx64.efi.signed" /EFI/BOOT/BOOTX64.EFI
put "$parts/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" /EFI/BOOT/grubx64.efi
put "$dir/grub.cfg" /EFI/debian/grub.cfg
put "$vmlinuz" /vmlinuz
put "$initrd" /initrd
