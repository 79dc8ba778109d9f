#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_rebinding.sh: lose a NAT mapping in each scenario of rebinding.sh,
# without and with the module, and print the results.

here=$(cd "$(dirname "$0")" && pwd)
log=/tmp/rebinding.log

# Where the daemon reinstalls SAs the losses differ from time to time.
for scenario in responder responder responder initiator frozen static; do
	for variant in stock esptrack; do
		if ! "$here/rebinding.sh" $scenario $variant > "$log" 2>&1; then
			echo "$scenario, $variant: failed"
			cat "$log"
			exit 1
		fi
		grep '^result: ' "$log"
	done
done
