# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tests of the module need besides lib.sh: the module, its tool, events.

module=/payload/esptrack.ko
knobs=/sys/kernel/esptrack

module_load()
{
	quietly insmod "$module" "$@" || bail "the module cannot be loaded"
	defer module_unload
}

module_loaded()
{
	[ -e /sys/module/esptrack ]
}

# Also at the end of a test that has done it already.
module_unload()
{
	if module_loaded; then
		quietly rmmod esptrack
	fi
}

# tool NS ARGUMENTS: esptrack in a namespace
tool()
{
	local ns=$1

	shift
	ip netns exec "$ns" /payload/esptrack "$@"
}

# as_schema NAME: how many JSON values, all as userspace/NAME.schema.json says, come
# from stdin
as_schema()
{
	# shellcheck disable=SC2154 # of lib.sh
	jq -c . | "$here/jsoncheck.py" "/payload/$1.schema.json"
}

# monitor NAME NS ARGUMENTS: of the tool in a namespace, with lines in $tmp/NAME. Sets
# $pid.
monitor()
{
	local name=$1 ns=$2

	shift 2
	# shellcheck disable=SC2154 # of lib.sh
	ip netns exec "$ns" /payload/esptrack "$@" > "$tmp/$name" 2> "$tmp/$name.log" &
	pid=$!
	defer stop "$pid"
	busywait 20 file_has "$tmp/$name.log" monitoring ||
		bail "the monitor did not start"
}

# monitor_start NS: events as JSON, one per line, in $tmp/events-NS
monitor_start()
{
	monitor "events-$1" "$1" -j monitor
	printf -v "monitor_$1" %s "$pid"
}

# events_lost NS: how many its monitor has called lost
events_lost()
{
	jq -s '[.[] | select(.name == "overrun") | .msg.lost] | add // 0' "$tmp/events-$1"
}

# accounted FILE: how many events its lines have told or called lost
accounted()
{
	jq -s '[.[] | if .name == "overrun" then .msg.lost
		elif .name | endswith("-ntf") then 1 else 0 end] | add // 0' "$1"
}

is_accounted()
{
	[ "$(accounted "$1")" -eq "$2" ]
}

# sas_are NS N: the module knows so many
sas_are()
{
	[ "$(tool "$1" -j show | jq length)" -eq "$2" ]
}

# refused_as REASON: how many packets to the server were refused for this reason
refused_as()
{
	tool server -j stats | jq ".refused.\"$1\" // 0"
}

# ip_monitor_start NS: "ip xfrm monitor" of SAs, to $tmp/ip-monitor-NS.log. Sets
# $pid.
ip_monitor_start()
{
	start "ip-monitor-$1" "$1" ip xfrm monitor SA
	busywait 20 netlink_joined "$1" 6 "$pid" || bail "ip does not listen"
}

# netlink_joined NS PROTOCOL PID: has a process joined a multicast group?
netlink_joined()
{
	in_ns "$1" cat /proc/net/netlink | awk -v protocol="$2" -v pid="$3" '
		$2 == protocol && $3 == pid && $4 !~ /^0*$/ { found = 1 }
		END { exit !found }
	'
}

# events_count NS NAME: how many sa-NAME-ntf there were; "all" counts all
events_count()
{
	if [ "$2" = all ]; then
		grep -c . "$tmp/events-$1"
	else
		grep -c "\"sa-$2-ntf\"" "$tmp/events-$1"
	fi
}

events_reached()
{
	[ "$(events_count "$1" "$2")" -ge "$3" ]
}

# events_wait NS NAME N [SECONDS]: until there were N
events_wait()
{
	busywait "${4:-10}" events_reached "$1" "$2" "$3"
}

# monitor_events NS: all events so far as a JSON array. The monitor is ended
# first, which makes it print what it has been sent.
monitor_events()
{
	local pid=monitor_$1

	stop "${!pid}"
	jq -sc . "$tmp/events-$1"
}

# wire_reused NAME LOCAL: of a capture, how many ESP packets from LOCAL
# (address:port) had a sequence number that their SA had used before
wire_reused()
{
	wire_lines "$1" | awk -v from="$2" '
		$2 == from && $4 != "-" && seen[$4, $5]++ { n++ }
		END { print n + 0 }
	'
}

# knob NS SPI FILE: what the SA's directory in sysfs says
knob()
{
	in_ns "$1" cat "$knobs/$2@$SERVER/$3"
}

# knob_set NS SPI VALUE [FILE]
knob_set()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_ns "$1" bash -c 'echo "$1" > "$2"' bash "$3" \
		"$knobs/$2@$SERVER/${4:-static_nat}"
}

knob_exists()
{
	in_ns "$1" test -d "$knobs/$2@$SERVER"
}

knob_gone()
{
	! knob_exists "$1" "$2"
}

# knob_wait NS SPI: it is made a moment after the SA
knob_wait()
{
	busywait 10 knob_exists "$1" "$2" || bail "SA $2 got no knob"
}
