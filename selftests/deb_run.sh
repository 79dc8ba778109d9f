#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What runs on a machine with the packages, by its systemd: the test that the
# kernel's command line names, and a look for what the kernel complains of.
# Serial ports: ttyS1 takes the output, ttyS2 the verdict.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8
export DEBIAN_FRONTEND=noninteractive

stty -F /dev/ttyS1 raw -echo
stty -F /dev/ttyS2 raw -echo
exec < /dev/null > /dev/ttyS1 2>&1

here=/test/selftests
name=$(sed -n 's/.*esptrack\.test=\([a-z]*\).*/\1/p' /proc/cmdline)
echo "guest: $(uname -r) up in $(cut -d' ' -f1 /proc/uptime) s"
# Not straight to the port, which would be taken for a terminal.
bash "$here/deb_$name.sh" 2>&1 | cat
status=${PIPESTATUS[0]}
if "$here/guest/splat.sh"; then
	echo "ok - $name: the kernel has no complaints"
else
	echo "not ok - $name: the kernel has no complaints"
	status=1
fi

# The last close of a serial port waits until all has left. What the disk lacks of
# the packages is written when the machine goes down.
exec > /dev/null 2>&1
echo "verdict $status" > /dev/ttyS2
systemctl --no-block reboot
