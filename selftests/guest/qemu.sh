# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What those who boot a machine in QEMU share (run.sh, boot.sh). Sourced by them.

# qemu_accel: set $accel; KVM is used where the processor has it, and not only a device
qemu_accel()
{
	if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
		accel=(-accel kvm -cpu host)
	else
		# shellcheck disable=SC2034 # for those who source this
		accel=(-accel tcg -cpu max)
	fi
}

# qemu_verdict WHO FILE STATUS LOG: exit as the guest says in FILE; or with 1 if it says
# nothing, after QEMU's own status and the end of the console's log
qemu_verdict()
{
	local verdict

	verdict=$(sed -n 's/^verdict \([0-9]*\)\r*$/\1/p' "$2")
	if [ -z "$verdict" ]; then
		echo "$1: no verdict (qemu's status $3); the console's last lines, all in $4:" >&2
		tail -n 60 "$4" >&2
		exit 1
	fi
	exit "$verdict"
}
