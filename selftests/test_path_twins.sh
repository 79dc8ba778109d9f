#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two networks with the same addresses and SPIs, side by side: what the peer of
# one does is nothing to the other.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

# twin: one of the networks. Commands come from stdin, answers go to fd 3.
twin()
{
	local command

	setup_topology || bail "no topology"
	monitor_start server
	tunnel_up static
	echo up >&3
	while read -ra command; do
		case ${command[0]} in
		# The first word is how many moves it makes in all.
		move)	nat_rebind "${command[@]:2}"
			quietly ping_once && events_wait server moved "${command[1]}" ;;
		end)	break ;;
		esac
		echo "$? $(events_count server all) $(encap_of server $STATIC_SPI_IN)" \
			"$(encap_of server $STATIC_SPI_OUT)" >&3
	done
	done_testing
}

if [ $# -gt 0 ]; then
	twin
fi

declare -A to from

# twin_start NAME: with names of namespaces that nobody else sees
twin_start()
{
	local fd

	mkfifo "$tmp/to-$1" "$tmp/from-$1"
	exec {fd}<> "$tmp/to-$1"
	to[$1]=$fd
	exec {fd}<> "$tmp/from-$1"
	from[$1]=$fd
	# shellcheck disable=SC2016 # for the inner shell to expand
	unshare --mount --propagation private sh -c \
		'mount -t tmpfs tmpfs /run/netns && exec bash "$@"' sh "$0" twin \
		< "$tmp/to-$1" > "$tmp/$1.log" 2>&1 3> "$tmp/from-$1" &
	twins+=($!)
	defer stop $!
}

# answer NAME: sets $answer
answer()
{
	read -rt $((60 * slowness)) -u "${from[$1]}" answer || bail "$1 is silent"
}

# ask NAME COMMAND...: sets $answer
ask()
{
	echo "${*:2}" >&"${to[$1]}"
	answer "$1"
}

twins=()
module_load static_nat=1
for name in one two; do
	twin_start $name
done
for name in one two; do
	answer $name
	check_eq "$name is up" "$answer" up
done

ask one move 1 30002
check_eq "one moves" "$answer" "0 1 30002 4500 4500 30002"
ask two look
check_eq "two does not" "$answer" "0 0 30001 4500 4500 30001"
ask two move 1 30001 $NAT_ADDR2
check_eq "two moves to another address" "$answer" "0 1 30001 4500 4500 30001"
ask one look
check_eq "one does not" "$answer" "0 1 30002 4500 4500 30002"
ask two move 2 30002
check_eq "two comes to where one is" "$answer" "0 2 30002 4500 4500 30002"
ask one move 2 30003
check_eq "one leaves" "$answer" "0 2 30003 4500 4500 30003"
ask two look
check_eq "two stays" "$answer" "0 2 30002 4500 4500 30002"

for name in one two; do
	echo end >&"${to[$name]}"
done
for pid in "${twins[@]}"; do
	wait "$pid"
	check_eq "a network has ended well" $? 0
done
check "the module can be unloaded" module_unload
done_testing
