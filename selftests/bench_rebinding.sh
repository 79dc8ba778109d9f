#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_rebinding.sh: lose a NAT mapping in each scenario of rebinding.sh,
# without and with the module, and WireGuard's as well, and print the results.

here=$(cd "$(dirname "$0")" && pwd)
log=/tmp/rebinding.log

# run SCENARIO VARIANT
run()
{
	if ! "$here/rebinding.sh" "$1" "$2" > "$log" 2>&1; then
		echo "$1, $2: failed"
		cat "$log"
		exit 1
	fi
	grep '^result: ' "$log"
}

# Where the daemon reinstalls SAs the losses differ from time to time.
for scenario in responder responder responder mobike mobike mobike \
		initiator frozen libreswan static; do
	run $scenario stock
	run $scenario esptrack
done
run wireguard stock
run wireguard stock
