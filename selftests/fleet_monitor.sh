#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Events of a gateway in the journal of its machine: each one, by a service that may
# do nothing else, and comes back.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=fleet.sh
. "$here/fleet.sh"

unit=esptrack-monitor

# journal: the lines of JSON that the service has written
journal()
{
	journalctl --sync
	journalctl -t "$unit" -o cat | grep '^{'
}

journal_has()
{
	[ "$(journal | grep -c '"sa-moved-ntf"')" -eq "$1" ]
}

says_monitoring()
{
	journalctl --sync
	[ "$(journalctl -t "$unit" -o cat | grep -c '^esptrack: monitoring')" -eq "$1" ]
}

# told FILTER: of jq, by which a line of the journal counts as an object
told()
{
	journal | jq -sc "map(select($1))"
}

# status FIELD: of the service's process
status()
{
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(service $unit MainPID)/status"
}

for file in /usr/lib/systemd/system/esptrack-*; do
	check "systemd likes ${file##*/}" systemd-analyze verify --man=no "$file"
done
for name in metrics monitor; do
	check "esptrack-$name.service may do little" \
		systemd-analyze security --offline=yes --threshold=20 "esptrack-$name.service"
done

gateway_up
in_server $unit
service_enable $unit.service fleet-monitor
check "the monitor listens" busywait 20 says_monitoring 1
check_eq "and has told which SAs there are" "$(told '.name == "sync-sa"' | jq length)" $PEERS
check "all peers move" answered $PEERS --place 1
check "the journal has each" busywait 20 journal_has $PEERS
check_eq "each line is as the schema says" "$(journal | as_schema monitor)" \
	"$(journal | wc -l)"
check_eq "from the first to the last one" \
	"$(told .msg.event | jq 'map(.msg.event.seq) == [range(1; length + 1)]')" true
check_eq "and who has moved" \
	"$(told .msg.event | jq 'map(.msg.sa.reqid) | unique | length')" $PEERS

check_fails "it is not root's" test "$(status Uid)" -eq 0
check_eq "it has one privilege, CAP_NET_ADMIN" "$(status CapEff)" 0000000000001000
check_eq "and can get no other" "$(status CapBnd)" 0000000000001000
check_eq "nor by a program" "$(status NoNewPrivs)" 1
check_eq "system calls are filtered" "$(status Seccomp)" 2

quietly systemctl kill --signal=KILL $unit.service
check "all peers move, and nobody listens" answered $PEERS --place 2
check "killed, it comes back" busywait 60 says_monitoring 2
check_eq "and tells where they are" \
	"$(told '.name == "sync-sa"' | jq -c "map([.msg.sa.spi, .msg.sa.endpoint])[-$PEERS:] | sort")" \
	"$(in_ns server esptrack -j show | jq -c 'map([.spi, .endpoint]) | sort')"
check_eq "after which event" "$(told '.name == "sync-done"' | jq '.[-1].msg.seq')" $((2 * PEERS))
check "all peers move again" answered $PEERS --place 3
check "the journal has each" busywait 20 journal_has $((2 * PEERS))
check_eq "systemd has counted" "$(service $unit NRestarts)" 1

quietly module_unload
check "without the module it waits" busywait 30 service_is $unit SubState auto-restart
quietly systemctl stop $unit.service
service_is $unit Result success || quietly systemctl reset-failed $unit.service

done_testing
