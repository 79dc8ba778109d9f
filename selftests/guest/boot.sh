#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh IMAGE VMLINUZ INITRD [WORD...]: boot a machine that has a disk of its own,
# with more words on the kernel's command line; print what it has to say, and exit
# with its status, or 1 if it has died. It speaks as the guest of run.sh does: ttyS0
# is the console, ttyS1 takes the output, ttyS2 the verdict.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=qemu.sh
. "$(dirname "$0")/qemu.sh"

[ $# -ge 3 ] || die "usage: boot.sh IMAGE VMLINUZ INITRD [WORD...]"
image=$1
vmlinuz=$2
initrd=$3
shift 3
need qemu-system-x86

verdict=$(mktemp)
trap 'rm -f "$verdict"' EXIT
mkdir -p "$BUILD/logs"
log=$BUILD/logs/boot-$(date +%Y%m%d-%H%M%S)-$$.log
cmdline="root=/dev/vda rw console=ttyS0 tsc=unstable clocksource=hpet"
cmdline+=" panic_on_warn=1 oops=panic panic=-1 log_buf_len=16M esptrack.slowness=1"
# See run.sh.
cmdline+=" norandmaps"
qemu_accel
timeout --foreground 3600 qemu-system-x86_64 "${accel[@]}" -smp 2 -m 2G \
	-nodefaults -no-user-config -display none -monitor none -no-reboot \
	-rtc base=utc,clock=host \
	-drive "file=$image,format=raw,if=virtio,cache=unsafe" \
	-kernel "$vmlinuz" -initrd "$initrd" \
	-append "$cmdline $*" \
	-serial "file:$log" \
	-chardev stdio,id=output,signal=off -serial chardev:output \
	-serial "file:$verdict" < /dev/null && qemu=0 || qemu=$?

qemu_verdict boot "$verdict" "$qemu" "$log"
