# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Traffic through the tunnel, counted. Sourced by lib.sh.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

traffic_pids=()

# traffic_start: both ends send numbered datagrams to each other, at the rate that
# this kernel can stand; options of traffic.py run in $traffic_server and
# $traffic_client
traffic_server=
traffic_client=
traffic_start()
{
	rm -f "$tmp"/traffic-*
	# shellcheck disable=SC2086 # words
	start_ready traffic-server server "$here/traffic.py" run \
		--rate $((100 / slowness)) $SERVER_NET $CLIENT_NET "$tmp/traffic-server.json" $traffic_server
	traffic_pids=("$pid")
	# shellcheck disable=SC2086 # words
	start_ready traffic-client client "$here/traffic.py" run \
		--rate $((100 / slowness)) $CLIENT_NET $SERVER_NET "$tmp/traffic-client.json" $traffic_client
	traffic_pids+=("$pid")
	# They wait for this, so that neither sends to nobody.
	kill -USR1 "${traffic_pids[@]}"
}

# traffic_count NS sent|received
traffic_count()
{
	local sent received

	read -r sent received < "$tmp/traffic-$1.json.count"
	[ "$2" = sent ] || sent=$received
	echo "$((10#$sent))"
}

traffic_has()
{
	[ "$(traffic_count "$1" "$2")" -ge "$3" ]
}

# traffic_reach NS sent|received N [SECONDS]: until it is N in all
traffic_reach()
{
	busywait "${4:-20}" traffic_has "$1" "$2" "$3"
}

# traffic_wait NS sent|received N [SECONDS]: until this end has sent or
# received N more datagrams than now
traffic_wait()
{
	local now

	now=$(traffic_count "$1" "$2")
	traffic_reach "$1" "$2" $((now + $3)) "${4:-20}"
}

# traffic_stop: end it, when all that is under way has arrived
traffic_stop()
{
	kill -TERM "${traffic_pids[@]}"
	wait "${traffic_pids[@]}"
}

# traffic_summary: sets $summary: JSON as of traffic.py summary, with times
# counted from $rebind_time, if that is set
traffic_summary()
{
	summary=$("$here/traffic.py" summary "$tmp/traffic-server.json" \
		"$tmp/traffic-client.json" ${rebind_time:+"$rebind_time"})
}

# traffic FILTER: a value of the summary, as "traffic .to_client.lost"
traffic()
{
	jq -r "$1" <<< "$summary"
}
