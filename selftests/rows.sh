# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a row of the table of rules is made of: a peer of its own, packets from where
# he is and from elsewhere, and what must come of each. For test_rules_*.sh.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

# Places of a peer: see esppeers.py
# shellcheck disable=SC2034 # for the rows
{
	HOME_PLACE=0
	NEW_ADDRESS=1
	NEW_PORT=16
}

# ask WORDS: of espverdict.py, which goes on to run; sets $answer
ask()
{
	echo "$*" >&"${driver[1]}"
	read -rt $((120 * slowness)) answer <&"${driver[0]}" || bail "$row: no answer to: $*"
	[[ $answer != error:* ]] || bail "$row: $answer"
}

driver_start()
{
	coproc driver {
		exec ip netns exec server "$here/espverdict.py" "$tmp/events-server" \
			2> "$tmp/driver.log"
	}
	# shellcheck disable=SC2154 # set by coproc
	defer stop "$driver_PID"
	read -rt $((60 * slowness)) answer <&"${driver[0]}" || bail "no driver"
}

# row TITLE [OPTIONS]: the next peer, and its SAs and policies (see esppeers.py).
# Sets $row, $n, $spi and $sa.
n=0
row()
{
	n=$((n + 1))
	row=$1
	shift
	sa=("$@")
	spi=$(printf '0x%08x' $((0x10000 + n)))
	ask "--first $n ${sa[*]} batch states-in,states-out,policies 1"
}

# again [OPTIONS]: its inbound SA is deleted, and added again with these, as
# quickly as a daemon does it
again()
{
	sa=("$@")
	ask "--first $n ${sa[*]} batch delete-in,states-in 1"
}

# place WHERE: the address and port of a place
place()
{
	case $1 in
	*:*)	echo "$1" ;;
	*)	echo "100.$((64 + $1 % 16)).0.$n:$((4500 + $1 / 16))" ;;
	esac
}

address()
{
	place "$1" | cut -d: -f1
}

# home SEQ: a packet from where the peer is
home()
{
	ask "quiet --first $n ${sa[*]} send $1 $HOME_PLACE"
	check_eq "$row: number $(($1)) from where the peer is" "$answer" \
		"1 delivered; nothing reported; moves +0 refused +0; SAs and policies as before; at $(place $HOME_PLACE)"
}

# unmoved EVENT REFUSED SEQ WHERE [AT]: a packet from elsewhere is delivered, and
# reported with this event; nothing moves. REFUSED is how the counters rise, AT where the
# SA leads to.
unmoved()
{
	local at

	at=$(place "${5:-$HOME_PLACE}")
	ask "--first $n ${sa[*]} send $3 $4"
	check_eq "$row: number $(($3)) from elsewhere: $1" "$answer" \
		"1 delivered; $1 $spi $at > $(place "$4") number $(($3)); moves +0 refused +$2; SAs and policies as before; at $at"
}

# refused REASON SEQ WHERE [AT]: the packet is delivered and refused
refused()
{
	local reason=$1

	shift
	unmoved "refused $reason" "1 ($reason +1)" "$@"
}

# followed SEQ WHERE [AT]: the packet is delivered, and moves the SA
followed()
{
	ask "--first $n ${sa[*]} send $1 $2"
	check_eq "$row, holds: number $(($1)) from elsewhere: moved" "$answer" \
		"1 delivered; moved $spi $(place "${3:-$HOME_PLACE}") > $(place "$2") number $(($1)); moves +1 refused +0; SAs and policies changed; at $(place "$2")"
}

# follows SEQ WHERE: packets from there, one after the other, until one moves
follows()
{
	local seq=$1 end=$((SECONDS + 15))

	until [[ $answer = *"; moves +1 "* ]]; do
		[ "$SECONDS" -lt "$end" ] || return
		read -rt 0.1 -u "$never"
		ask "quiet --first $n ${sa[*]} send $seq $2"
		seq=$((seq + 1))
	done
}

# sibling OPTIONS: another inbound SA of this peer; sets $sibling, its SPI
sibling()
{
	sibling_sa=("$@")
	# shellcheck disable=SC2034 # for the rows
	sibling=$(printf '0x%08x' $((0x110000 + n)))
	ask "--first $n $* batch states-in 1"
}

sibling_gone()
{
	ask "--first $n ${sibling_sa[*]} batch delete-in 1"
}

# other_reqid OPTIONS: the same, but it has a reqid of its own
other_reqid()
{
	sibling=$(printf '0x%08x' $((0x110000 + n)))
	peers --first "$n" --child 1 "$@" batch states-in 1 |
		sed "s/reqid $((1000 + n))/reqid $((2000 + n))/" | ip_batch server ||
		bail "$row: no SA"
	knob_wait server "$sibling"
}

# left_at WHERE: that SA has stayed
left_at()
{
	check_eq "$row: it has stayed" "$(knob server "$sibling" endpoint)" "$(place "$1")"
}

# packets SPI: how many its SA has accepted
packets()
{
	ip -n server -s xfrm state get dst $SERVER proto esp spi "$1" |
		awk '/[0-9]\(packets\)/ { print $2 + 0; exit }'
}

# nth_time NAME N, last_time NAME: when that event happened, in nanoseconds
nth_time()
{
	grep "\"sa-$1-ntf\"" "$tmp/events-server" | sed -n "$2p" | jq .msg.event.time
}

last_time()
{
	nth_time "$1" '$'
}

# refused_since TIME: the reasons of what was refused since, each once
refused_since()
{
	jq -rs --argjson since "$1" '
		map(select(.msg.event.time > $since).msg.event.reason | select(.)) | unique | join(" ")
	' "$tmp/events-server"
}

# rows_up: the network, the module, what looks on, and the driver
rows_up()
{
	peers_up
	module_load static_nat=1
	monitor_start server
	row=driver
	driver_start
}
