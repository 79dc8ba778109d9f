#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# After deb_first.sh, the newer kernel was booted: the module is loaded as the
# examples say; then the older kernel and the packages go, and nothing is left.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=deb_machine.sh
. "$here/deb_machine.sh"

# known_to_depmod: files of the kernel's module tree that speak of the module
known_to_depmod()
{
	grep -l esptrack "/lib/modules/$new"/modules.*
}

check_eq "the newer kernel runs" "$(uname -r)" "$new"
check "the module was loaded at boot" loaded
check "it is what DKMS has built for this kernel" is_dkms_module
check_eq "and signed" "$(modinfo -F signer esptrack)" esptrack
check "with the parameter of the example" grep Y /sys/module/esptrack/parameters/static_nat
sa_add $SRC $DST $SPI 1
check "the tool shows an SA" busywait 10 sa_seen $SPI
check_eq "and its peer is followed" "$(esptrack -j show | jq '.[0].static_nat')" true
check "depmod knows the module" known_to_depmod

check "the older kernel can be purged" \
	apt-get purge -y "linux-image-$old" "linux-headers-$old"
check_fails "with what DKMS had built for it" dkms_has "$old"
check "but not for the newer one" dkms_has "$new"

# As if node_exporter were there.
figures=/var/lib/prometheus/node-exporter
mkdir -p $figures
for unit in $(dpkg -L esptrack | sed -n 's,.*/systemd/system/,,p'); do
	check "$unit: can be started" systemctl start "$unit"
done
rm /etc/modules-load.d/esptrack.conf /etc/modprobe.d/esptrack.conf
check "the figures are where node_exporter reads them" \
	busywait 20 file_has $figures/esptrack.prom esptrack_sas
apt-get purge -y --auto-remove esptrack esptrack-dkms > "$tmp/purge.log" 2>&1
check_eq "the packages can be purged" $? 0
check "and tell that the module is still loaded" grep 'rmmod esptrack' "$tmp/purge.log"
check_fails "the tool is gone" test -e /usr/sbin/esptrack
check_eq "the figures are gone" "$(ls -A $figures)" ""
rmdir -p --ignore-fail-on-non-empty $figures
check_fails "no process is left" pgrep -x esptrack
check_eq "DKMS has nothing of it" "$(dkms status -m esptrack)" ""
check_fails "depmod knows nothing of it" known_to_depmod
check_fails "modinfo finds nothing" modinfo esptrack
check "the module is still loaded" loaded
check "it can be unloaded" rmmod esptrack
check_eq "no kernel has modules of others" "$(find /lib/modules -path '*/updates/*' -type f)" ""
list_files > "$tmp/files.after"
check_eq "no file is left" "$(diff "$before" "$tmp/files.after")" ""
done_testing
