# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What both tests of a machine with the packages need besides lib.sh.

# shellcheck disable=SC2034 # for those who source this file
{
	old=$(cat /test/old)
	new=$(cat /test/new)
	before=/test/files.before
}

# The SA of the man page's examples.
SPI=0xc9463b23
DST=10.128.0.2
SRC=198.51.100.7

# list_files: all there are, less those of kernels and what Debian's tools keep for
# themselves
list_files()
{
	find / -xdev -regextype egrep -regex \
		'/(test|tmp|root|boot|lost\+found|usr/lib/modules|var/(cache|log|tmp)|var/lib/(dpkg|apt|systemd|initramfs-tools|ucf))' \
		-prune -o -print |
		grep -vE '^/(vmlinuz|initrd\.img)(\.old)?$|^/usr/(src|lib|share/(doc|bug|lintian/overrides))/linux-|^/var/lib/dkms/mok\.' |
		sort
}

# sa_add SRC DST SPI REQID [NS]: an inbound one, as DST is made an address of ours
sa_add()
{
	ip ${5:+-n "$5"} link set lo up
	ip ${5:+-n "$5"} addr replace "$2" dev lo
	ip ${5:+-n "$5"} xfrm state add src "$1" dst "$2" proto esp spi "$3" reqid "$4" \
		mode tunnel replay-window 32 aead 'rfc4106(gcm(aes))' \
		0x000102030405060708090a0b0c0d0e0f10111213 128 \
		encap espinudp 4500 4500 0.0.0.0
}

# Can the tool see it?
sa_seen()
{
	[ "$(esptrack -j show "$1" | jq length)" = 1 ]
}

loaded()
{
	[ -e /sys/module/esptrack ]
}

# dkms_has RELEASE: has DKMS built and installed the module for this kernel?
dkms_has()
{
	dkms status -m esptrack -k "$1" | grep ': installed$'
}

# Is what is loaded what DKMS has built for this kernel?
is_dkms_module()
{
	[ "$(cat /sys/module/esptrack/srcversion)" = "$(modinfo -F srcversion esptrack)" ] &&
		modinfo -n esptrack | grep "/lib/modules/$(uname -r)/updates/dkms/"
}
