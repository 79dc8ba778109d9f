#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make uninstall on a machine whose services run: nothing of them is left, and nothing
# of what they have written is served for ever.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=fleet.sh
. "$here/fleet.sh"

folder=/var/lib/prometheus/node-exporter

enable()
{
	quietly "$here/docs.py" run /payload/README.md "$1" bash
}

# ours: files where make install, systemctl and the timer put them
ours()
{
	find /usr /etc/systemd $folder -name '*esptrack*'
}

uninstall()
{
	make -C "$here/.." uninstall PREFIX=/usr
}

module_load
check "the monitor is enabled" enable fleet-monitor
check "and the timer" enable fleet-metrics
check "the timer has the file written" busywait 60 test -s $folder/esptrack.prom
check "the monitor runs" busywait 20 service_is esptrack-monitor SubState running

check "make uninstall" uninstall
for unit in esptrack-monitor.service esptrack-metrics.timer; do
	check_eq "$unit does not run" "$(service $unit ActiveState)" inactive
	check_eq "and is not there any more" "$(service $unit LoadState)" not-found
done
check_eq "nothing is left" "$(ours)" ""
check_eq "no unit has failed" "$(systemctl list-units --failed --plain --no-legend)" ""
check "where nothing is installed it does no harm" uninstall

done_testing
