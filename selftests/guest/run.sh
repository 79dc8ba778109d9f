#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [OPTIONS] KERNEL -- COMMAND...: run a command in the guest, print its
# output, and exit with its status; or 1 if the kernel has complained or died.
#
#   --payload SRC:DST   copy a file or directory of the host into the guest
#   --fleet             the guest of fleet_root.sh, with systemd
#   --append WORDS      more words for the kernel's command line
#   --smp N             processors (2)
#   --mem SIZE          memory (2G; 3G for a debug kernel)
#   --icount            count instructions: 1 ns of the guest's time is one
#                       instruction; one processor
#   --plugin FILE,ARGS  have a plugin of QEMU look on
#   --secure-boot CERT  boot by UEFI with Secure Boot on, from a disk, with this
#                       certificate in the firmware's db besides Microsoft's
#   --timeout SECONDS   end the guest after this time (900), or up to five times as
#                       much for a kernel that is built here
#   --log FILE          where the console's log goes

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=qemu.sh
. "$(dirname "$0")/qemu.sh"

usage()
{
	sed -n '4,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

payload=() fleet='' append='' smp=2 mem='' icount='' plugin=() secure_boot=''
timeout=900 log=''
while [ $# -gt 0 ]; do
	case $1 in
	--payload)	payload+=("$2"); shift 2 ;;
	--fleet)	fleet=1; shift ;;
	--append)	append+=" $2"; shift 2 ;;
	--smp)		smp=$2; shift 2 ;;
	--mem)		mem=$2; shift 2 ;;
	--icount)	icount=1; shift ;;
	--plugin)	plugin=(-plugin "$2"); shift 2 ;;
	--secure-boot)	secure_boot=$2; shift 2 ;;
	--timeout)	timeout=$2; shift 2 ;;
	--log)		log=$2; shift 2 ;;
	-*)		usage ;;
	*)		break ;;
	esac
done
if [ $# -lt 3 ] || [ "$2" != -- ]; then
	usage
fi
kernel=$1
shift 2

"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
if [ -n "$fleet" ]; then
	"$top/selftests/guest/fleet_root.sh" "$kernel"
	initramfs=${initramfs%/*}/fleet.cpio
	mem=${mem:-4G}
	append+=" systemd.show_status=0"
fi
# Instruments take time and memory; to count lines takes next to none. There slub keeps
# who has allocated (U), which costs too much elsewhere, and lets our own caches fail on
# order (A: 6.1 takes no such order later); without slub_debug= kmemleak takes caches for
# lost that ACPI has made at boot.
slub=FZP
case $variant in
'')	slowness=1 ;;
gcov)	slowness=2 ;;
*)	slowness=5 mem=${mem:-3G} slub='FZPU;FZPUA,esptrack_*' ;;
esac
need qemu-system-x86 cpio

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
mkdir -p "$tree/guest" "$BUILD/logs"
log=${log:-$BUILD/logs/$kernel-$(date +%Y%m%d-%H%M%S)-$$.log}
printf '%q ' "$@" > "$tree/guest/command"
cp "$top/selftests/guest/"{session,splat}.sh "$tree/guest/"
if [ -n "$fleet" ]; then
	units=$tree/etc/systemd/system
	install -D -m 644 -t "$units" "$top/selftests/guest/guest.service"
	mkdir "$units/multi-user.target.wants"
	ln -s ../guest.service "$units/multi-user.target.wants/"
	ln -s usr/lib/systemd/systemd "$tree/init"
else
	install -m 755 "$top/selftests/guest/init" "$tree/init"
fi
for item in ${payload[@]+"${payload[@]}"}; do
	mkdir -p "$tree/$(dirname "${item#*:}")"
	cp -a "${item%%:*}" "$tree/${item#*:}"
done
(cd "$tree" && find . -mindepth 1 | cpio --quiet --create --format=newc) > "$work/payload.cpio"
archives=("$initramfs")
if [ -n "$variant" ]; then
	archives+=("$modules")
fi
# An archive begins at a multiple of four bytes; cpio pads to 512.
cat "${archives[@]}" "$work/payload.cpio" > "$work/initrd"

cmdline="console=ttyS0 tsc=unstable clocksource=hpet slub_debug=$slub"
cmdline+=" slab_nomerge panic_on_warn=1 oops=panic panic=-1 log_buf_len=16M"
cmdline+=" esptrack.slowness=$slowness"
# The emulator keeps what it has translated by address: where programs and libraries are
# at the same ones each time, most processes start in a third of the time.
cmdline+=" norandmaps"
if [ "$variant" = kcsan ]; then
	# A race is a warning, but not each one is ours: see splat.sh.
	cmdline+=" panic_on_warn=0"
	# Emulated processors are slow: watch more often, and for longer.
	cmdline+=" kcsan.skip_watch=500 kcsan.udelay_interrupt=60"
fi
machine=()
if [ -n "$icount" ]; then
	# Each turn of a rep instruction counts. Without these features the
	# kernel copies and clears words, not bytes, by them.
	machine+=(-accel tcg -cpu 'max,-erms,-fsrm' -icount 'shift=0,sleep=off' -smp 1)
	cmdline+=" esptrack.icount"
else
	qemu_accel
	machine+=("${accel[@]}" -smp "$smp")
fi

show=(cat)
boot=(-kernel "$vmlinuz" -initrd "$work/initrd" -append "$cmdline$append")
if [ -n "$secure_boot" ]; then
	# Its loader reads slowly.
	gzip -1 "$work/initrd"
	"$top/selftests/guest/firmware.sh" "$kernel" "$work" "$secure_boot" \
		"$work/initrd.gz" "$cmdline$append"
	# The firmware's variables are written in system management mode only.
	boot=(-machine 'q35,smm=on' -global 'driver=cfi.pflash01,property=secure,value=on'
		-drive "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
		-drive "if=pflash,format=raw,unit=1,file=$work/vars.fd"
		-drive "if=none,id=disk,format=raw,file=$work/disk.img"
		-device 'virtio-blk-pci,drive=disk,bootindex=0')
	# The firmware speaks on all serial ports.
	# shellcheck disable=SC2016 # of sed
	show=(sed -un '/^guest: /,$p')
fi

# The command's output comes straight through; no input, for the guest must
# not read this terminal.
timeout --foreground "$((timeout * slowness))" qemu-system-x86_64 \
	"${machine[@]}" ${plugin[@]+"${plugin[@]}"} -m "${mem:-2G}" \
	-nodefaults -no-user-config -display none -monitor none -no-reboot \
	-rtc base=utc,clock=host \
	"${boot[@]}" -serial "file:$log" \
	-chardev stdio,id=output,signal=off -serial chardev:output \
	-serial "file:$work/verdict" < /dev/null |
	"${show[@]}" && qemu=0 || qemu=$?

qemu_verdict guest "$work/verdict" "$qemu" "$log"
