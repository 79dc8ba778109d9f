# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tests with many peers of the server need besides lib.sh and module.sh:
# esppeers.py plays them, right in front of the server.

# mac NS DEVICE
mac()
{
	ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}

# peers_up: the network, and what the server needs for peers anywhere
peers_up()
{
	setup_topology || bail "no topology"
	# A flood may leave no time for ARP, and packets that wait for it are overtaken.
	quietly ip -n cloud neigh replace "$SERVER" lladdr "$(mac server eth0)" dev lan \
		nud permanent || bail "no neighbour"
	quietly ip -n server neigh replace 10.128.0.1 lladdr "$(mac cloud lan)" dev eth0 \
		nud permanent || bail "no neighbour"
	# What the server sends to the peers is looked at on the wire only.
	quietly ip -n cloud route add blackhole 100.64.0.0/10
	# shellcheck disable=SC2154 # of lib.sh
	start_ready udpencap server "$here/udpencap.py"
	peers_start
}

# peers_up_ipv6: after peers_up, the same for peers by IPv6
peers_up_ipv6()
{
	setup_ipv6 || bail "no IPv6"
	quietly ip -n cloud neigh replace "$SERVER6" lladdr "$(mac server eth0)" dev lan \
		nud permanent || bail "no neighbour"
	quietly ip -n server neigh replace 2001:db8:10::1 lladdr "$(mac cloud lan)" dev eth0 \
		nud permanent || bail "no neighbour"
	quietly ip -n cloud route add blackhole 2001:db8:64::/48
	start_ready udpencap-ipv6 server "$here/udpencap.py" --ipv6
}

# peers_start: what plays them
peers_start()
{
	# shellcheck disable=SC2154 # of lib.sh
	mkfifo "$tmp/peers-do" "$tmp/peers-done"
	exec {peers_do}<> "$tmp/peers-do" {peers_done}<> "$tmp/peers-done"
	ip netns exec cloud "$here/esppeers.py" serve \
		< "$tmp/peers-do" > "$tmp/peers-done" 2> "$tmp/peers.log" &
	defer stop $!
	# shellcheck disable=SC2154 # of lib.sh
	read -rt $((20 * slowness)) -u "$peers_done" || bail "no peers"
}

# peers ARGUMENTS: of esppeers.py, one call at a time
peers()
{
	local status

	echo "/proc/$BASHPID/fd/1 /proc/$BASHPID/fd/2 $*" >&"$peers_do"
	if ! read -rt $((120 * slowness)) -u "$peers_done" status; then
		echo "esppeers.py: no answer" >&2
		return 1
	fi
	return "$status"
}

# answered N [--first I] [--child K] [--gateway A] PING-ARGUMENTS...: are all N peers answered?
answered()
{
	local result n=$1 who=()

	shift
	while [[ ${1:-} = --@(first|child|gateway) ]]; do
		who+=("$1" "$2")
		shift 2
	done
	result=$(peers "${who[@]}" ping "$n" "$@") || return
	[ "$(jq .answered <<< "$result")" -eq "$n" ] && return
	echo "$result"
	return 1
}

clock_past()
{
	[ "$(date +%s)" -gt "$1" ]
}

# next_second: SAs that are added from now on are newer by the kernel's clock
next_second()
{
	busywait 5 clock_past "$(date +%s)" || bail "the clock stands"
}

# moves_of NS: of all its inbound SAs together
moves_of()
{
	# shellcheck disable=SC2016,SC2154 # expanded by the inner shell; of module.sh
	in_ns "$1" sh -c 'cat "$1"/*/moves' sh "$knobs" | awk '{ n += $1 } END { print n + 0 }'
}

# received_on CPU: packets that its softirq has taken from the network
received_on()
{
	printf '%d\n' "0x$(awk -v row=$(($1 + 1)) 'NR == row { print $1 }' /proc/net/softnet_stat)"
}
