# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Looking on: wires, what xfrm tells key managers, its counters, calls in the kernel;
# and packets that are sent once more. Sourced by lib.sh.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

tracing=/sys/kernel/tracing

# wire_start NAME NS INTERFACE: capture UDP; wire_stop NAME ends it
wire_start()
{
	start_ready "wire-$1" "$2" tcpdump -i "$3" -n -U --immediate-mode \
		-B 8192 -w "$tmp/$1.pcap" udp
	printf -v "wire_pid_$1" %s "$pid"
}

wire_stop()
{
	local name=wire_pid_$1

	stop "${!name}"
}

# wire_lines NAME: what was captured, one line per packet (see wirewatch.py)
wire_lines()
{
	"$here/wirewatch.py" list "$tmp/$1.pcap"
}

# wire_wait NAME PATTERN [SECONDS]: until a line of the capture matches
wire_wait()
{
	busywait "${3:-10}" wire_has "$1" "$2"
}

wire_has()
{
	local lines

	lines=$(wire_lines "$1") && grep -q -- "$2" <<< "$lines"
}

# wire_stale NAME LOCAL NEW: of a capture at the server's side: the number of
# ESP packets from LOCAL (address:port) that did not go to NEW after the first
# ESP packet had come from there
wire_stale()
{
	"$here/wirewatch.py" stale "$tmp/$1.pcap" "$2" "$3"
}

# rebind_from_wire NAME: set $rebind_time to when the first ESP packet from the
# present mapping came, in a capture at the server's side that was stopped.
# What the server sent before could only go to the old one: it was in flight.
rebind_from_wire()
{
	# shellcheck disable=SC2034 # for traffic_summary
	rebind_time=$("$here/wirewatch.py" first "$tmp/$1.pcap" "$nat_addr:$nat_port")
}

# xfrm_watch_start NS: count what the kernel tells key managers (xfrmwatch.py)
xfrm_watch_start()
{
	start_ready "xfrm-$1" "$1" "$here/xfrmwatch.py"
}

# xfrm_watched NS KIND: how many the watcher has printed
xfrm_watched()
{
	awk -v kind="$2" '$2 == kind { n++ } END { print n + 0 }' "$tmp/xfrm-$1.log"
}

xfrm_watched_more()
{
	[ "$(xfrm_watched "$1" "$2")" -gt "$3" ]
}

# xfrm_watch_count NS KIND: acquire, mapping, newsa, delsa, updsa, expire ...
# The watcher may be behind: a policy is deleted, and all that the kernel has told
# before is counted once the watcher has come to that.
xfrm_watch_count()
{
	local policy="src 192.0.2.1 dst 192.0.2.2 dir out" marks

	marks=$(xfrm_watched "$1" delpolicy)
	# shellcheck disable=SC2086 # words
	quietly ip -n "$1" xfrm policy add $policy action block || return
	# shellcheck disable=SC2086 # words
	quietly ip -n "$1" xfrm policy delete $policy || return
	busywait 20 xfrm_watched_more "$1" delpolicy "$marks" || return
	xfrm_watched "$1" "$2"
}

# xfrm_stat NS: xfrm's error counters
xfrm_stat()
{
	in_ns "$1" cat /proc/net/xfrm_stat
}

# xfrm_stat_mark NS; xfrm_stat_delta NS [NAME]: what was counted since, as
# lines "NAME N" without zeros; or the one number
xfrm_stat_mark()
{
	xfrm_stat "$1" > "$tmp/xfrm_stat-$1"
}

xfrm_stat_delta()
{
	xfrm_stat "$1" | awk -v name="${2:-}" '
		NR == FNR { old[$1] = $2; next }
		name == $1 { print $2 - old[$1] }
		!name && $2 != old[$1] { print $1, $2 - old[$1] }
	' "$tmp/xfrm_stat-$1" -
}

# inject NS OPTIONS: send ESP packets of a capture, changed (see espinject.py)
inject()
{
	local ns=$1

	shift
	in_ns "$ns" "$here/espinject.py" "$@"
}

# calls_start FUNCTION: from now on it is counted how often the kernel calls it; the
# module has such functions as well, until it is unloaded
calls_start()
{
	echo "p:calls_$1 $1" > "$tracing/kprobe_events" &&
		echo 1 > "$tracing/events/kprobes/calls_$1/enable" || return
	defer calls_stop "$1"
}

calls_stop()
{
	[ -e "$tracing/events/kprobes/calls_$1" ] || return 0
	echo 0 > "$tracing/events/kprobes/calls_$1/enable" &&
		echo "-:calls_$1" >> "$tracing/kprobe_events"
}

# calls FUNCTION: how often so far
calls()
{
	awk -v name="calls_$1" '$1 == name { print $2 }' "$tracing/kprobe_profile"
}

# encap_of NS SPI: the ports of an SA, as "sport dport"
encap_of()
{
	ip -n "$1" xfrm state | awk -v spi="$2" '
		/^src/ { hit = 0 }
		/proto esp spi/ && $4 == spi { hit = 1 }
		hit && /encap type/ { print $5, $7 }
	'
}

# spi_of NS in|out: SPI of the (first) SA to or from the peer
spi_of()
{
	local local_addr=$SERVER key=dst

	[ "$1" = server ] || local_addr=$CLIENT
	[ "$2" = in ] || key=src
	ip -n "$1" xfrm state | awk -v key="$key" -v addr="$local_addr" '
		/^src/ { hit = ($1 == key && $2 == addr) || ($3 == key && $4 == addr) }
		hit && /proto esp spi/ { print $4; exit }
	'
}

# xfrm_counts NS: how many SAs and policies there are
xfrm_counts()
{
	{
		ip -n "$1" xfrm state count
		ip -n "$1" xfrm policy count
	} | awk '{
		for (i = 1; i < NF; i++)
			if ($i == "count")
				states = $(i + 1)
			else if ($i ~ /^(IN|OUT|FWD)$/)
				policies += $(i + 1)
	} END { print states + 0, policies + 0 }'
}
