#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The scenarios of "make check-fuzz", some seconds' worth of each.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

for scenario in "$here"/fuzz_*.sh; do
	# Indented, for they are tests within a test.
	SCALE=small "$scenario" > >(sed 's/^/    /') 2>&1 &
	wait $!
	check_eq "$(basename "$scenario" .sh), a little of it: exit status" $? 0
done
done_testing
