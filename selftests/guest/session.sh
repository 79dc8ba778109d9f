#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the command in the guest, and ends it. Serial ports: ttyS0 is the console,
# ttyS1 takes the command's output, ttyS2 the verdict. The verdict is written last,
# when everything that can fail has been looked at.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8

stty -F /dev/ttyS1 raw -echo
stty -F /dev/ttyS2 raw -echo

# Seconds of the real time clock, which the emulator takes from the host, and
# of the kernel's clock: they must run alike, else all times measured are void.
rtc()
{
	cat /sys/class/rtc/rtc0/since_epoch
}

uptime()
{
	cut -d. -f1 /proc/uptime
}

clock_check()
{
	local real guest

	real=$(($(rtc) - rtc_start))
	guest=$(($(uptime) - uptime_start))
	if [ $((real - guest)) -gt $((2 + real / 20)) ] ||
	   [ $((guest - real)) -gt $((2 + real / 20)) ]; then
		echo "guest: $guest s of the guest's clock were $real s"
		return 1
	fi
}

rtc_start=$(rtc)
uptime_start=$(uptime)

exec < /dev/null > /dev/ttyS1 2>&1
echo "guest: $(uname -r) up in $(cut -d' ' -f1 /proc/uptime) s"

# Not straight to the port, which would be taken for a terminal; nor through a
# pipe, which a process that the command leaves behind would hold open.
: > /run/output
bash /guest/command >> /run/output 2>&1 &
tail -f -n +1 -s 0.2 --pid=$! /run/output
wait $!
status=$?

/guest/splat.sh || status=1
if ! grep -qw esptrack.icount /proc/cmdline; then
	clock_check || status=1
fi

# The last close of a serial port waits until all has left.
exec > /dev/null 2>&1
echo "verdict $status" > /dev/ttyS2
# To reboot ends the emulator (-no-reboot), and needs less of a kernel than to
# switch the power off.
echo b > /proc/sysrq-trigger
