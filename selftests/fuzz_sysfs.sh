#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random writes to, and reads from, the files of an SA in sysfs.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

spi=$STATIC_SPI_IN

# kernel_state: all but the switches
kernel_state()
{
	ip -n server xfrm state && ip -n server xfrm policy &&
		tool server -j show | jq -c 'map(del(.static_nat, .port_only))'
}

setup_topology || bail "no topology"
module_load static_nat=0
tunnel_up static
knob_wait server $spi

scenario sysfs "random writes to and reads from sysfs" 1000000 20000
seed_note
before=$(kernel_state)
if ! result=$(in_ns server /payload/load/sysfsfuzz "$SEED" "$asked" "$(seconds_left)" \
	"$knobs/$spi@$SERVER"); then
	bail "a wrong answer"
fi
scenario_end=$EPOCHREALTIME
note "$result"
check_num "some was taken" "$(jq .taken <<< "$result")" -ge 1
check_num "most was refused" "$(jq .refused <<< "$result")" -ge "$(jq .taken <<< "$result")"
check_eq "all but the switches is as before" "$(kernel_state)" "$before"
knob_set server $spi 1
knob_set server $spi 0 port_only
nat_rebind 30002
check "the peer is followed as ever" \
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
scenario_done "$(jq .done <<< "$result")"

check "the module can be unloaded" module_unload
done_testing
