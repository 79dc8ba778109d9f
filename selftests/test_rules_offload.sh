#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The row of the table of rules about offloaded SAs (see test_rules_kernel.sh).
# netdevsim offloads SAs as drivers of real devices do, as far as the kernel can
# tell, but only AES-GCM. Debian's cloud kernels lack it; those that are built here
# have it. Linux 6.1 refuses to offload ESP in UDP, whatever the device is.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=rows.sh
. "$here/rows.sh"

# device_up: a device of netdevsim in the server's namespace; sets $dev
device_up()
{
	local dir=/sys/bus/netdevsim

	quietly modprobe -a netdevsim esp4_offload || return
	# A deleted SA lets go of them when it is freed.
	defer busywait 20 modprobe -r netdevsim esp4_offload
	in_ns server sh -c "echo '7 1' > $dir/new_device" || return
	defer device_down
	busywait 10 test -e $dir/devices/netdevsim7/net || return
	dev=$(in_ns server ls $dir/devices/netdevsim7/net) && [ -n "$dev" ]
}

device_down()
{
	echo 7 > /sys/bus/netdevsim/del_device
}

# offload SPI: another SA of the peer, offloaded to the device
offload()
{
	ip -n server xfrm state add src "$(address $HOME_PLACE)" dst $SERVER proto esp \
		spi "$1" reqid $((1000 + n)) mode tunnel replay-window 32 \
		aead 'rfc4106(gcm(aes))' "$static_key" 128 \
		encap espinudp 4500 4500 0.0.0.0 offload dev "$dev" dir in
}

if ! modinfo -n netdevsim > "$tmp/netdevsim" 2>&1; then
	skip "offload" "not on this kernel: it has no netdevsim"
	done_testing
fi

rows_up
row "offload"
home 10
device_up || bail "no device"
if ! error=$(offload 0x7777 2>&1); then
	check "offload: this kernel does not offload ESP in UDP" \
		grep -q "Encapsulation .*can't be offloaded" <<< "$error"
	skip "offload" "not on this kernel: it offloads no ESP in UDP"
	done_testing
fi
check_num "offload: an SA is offloaded" \
	"$(ip -n server xfrm state | grep -c "offload.*dev $dev")" -eq 1
refused offload 11 $NEW_PORT
refused offload 12 $NEW_ADDRESS
quietly ip -n server xfrm state delete dst $SERVER proto esp spi 0x7777
followed 13 $NEW_PORT

check "the module can be unloaded" module_unload
done_testing
