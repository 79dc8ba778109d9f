#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libreswan.sh ROOT: put libreswan into a root that mmdebstrap is making.
#
# Its package conflicts with strongSwan's, so its programs are unpacked beside
# them, and the libraries that it names are installed. What its scripts call
# besides is not needed.

set -eu
export DEBIAN_FRONTEND=noninteractive

root=$1
chroot "$root" sh -c 'cd /tmp && apt-get download -qq libreswan'
libraries=$(dpkg-deb -f "$root"/tmp/libreswan_*.deb Depends | tr , '\n' |
	grep '^ *lib' | paste -sd,)
chroot "$root" apt-get satisfy -qq -y --no-install-recommends "$libraries" > /dev/null
dpkg-deb --fsys-tarfile "$root"/tmp/libreswan_*.deb |
	tar -x -C "$root" ./usr/libexec/ipsec
rm "$root"/tmp/libreswan_*.deb
