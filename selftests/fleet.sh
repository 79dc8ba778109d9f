# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tests of a machine of a fleet need besides lib.sh, module.sh and peers.sh:
# its services, and what Prometheus has of it. Sourced by them.

# shellcheck disable=SC2154 # of those who source this

PEERS=10

# in_server SERVICE: it shall run in the server's namespace
in_server()
{
	local dir=/run/systemd/system/$1.service.d

	mkdir -p "$dir"
	defer rm -r "$dir"
	printf '[Service]\nNetworkNamespacePath=/run/netns/server\n' > "$dir/netns.conf"
	quietly systemctl daemon-reload
}

# service_start UNIT: it is stopped with the test
service_start()
{
	quietly systemctl start "$1" || bail "$1 does not start"
	defer systemctl stop "$1"
}

# service_enable UNIT NAME: by the commands of the README with this name
service_enable()
{
	defer systemctl disable --now "$1"
	check "$1 is enabled as the README says" \
		quietly "$here/docs.py" run /payload/README.md "$2" bash
}

# service UNIT PROPERTY
service()
{
	systemctl show --value --property "$2" "$1"
}

service_is()
{
	[ "$(service "$1" "$2")" = "$3" ]
}

# gateway_up: the server has peers, whom it follows
gateway_up()
{
	peers_up
	module_load static_nat=1
	peers batch states-in,states-out,policies $PEERS > "$tmp/batch"
	ip_batch server < "$tmp/batch" || bail "no SAs"
	busywait 20 sas_are server $PEERS || bail "SAs are missing"
}

# get URL
get()
{
	python3 -c 'import sys, urllib.request as r
sys.tracebacklimit = 0
print(r.urlopen(sys.argv[1], timeout=10).read().decode(), end="")' "$1"
}
