#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A daemon installs a peer on the mapping on which another one is: the NAT has
# given it away, or the newcomer has forged the source of his IKE messages. For
# once he can take the other one's replies to where he is; but the other one's
# next packets show that they are two, and from then on they go separate ways. If
# one peer looked like two, he is one again when they meet.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

# spi PEER[:CHILD]: of the inbound SA
spi()
{
	local peer=${1%:*} child=0

	[ "$peer" = "$1" ] || child=${1#*:}
	printf '0x%08x' $((child * 0x100000 + 0x10000 + peer))
}

# states PEER HOME: with its first place at that of another one
states()
{
	peers --first "$1" batch states-in,states-out,policies 1 --home "$2" |
		ip_batch server || bail "no SAs of peer $1"
}

install()
{
	states "$@"
	knob_wait server "$(spi "$1")"
}

# rekey PEER CHILD: with the next child, that has the same reqid
rekey()
{
	peers --first "$1" --child $(($2 + 1)) batch states-in,states-out 1 |
		ip_batch server || bail "no SAs of peer $1"
	knob_wait server "$(spi "$1:$(($2 + 1))")"
	peers --first "$1" --child "$2" batch delete-in 1 | ip_batch server ||
		bail "no SA of peer $1"
	busywait 10 knob_gone server "$(spi "$1:$2")" || bail "the old SA stays"
}

# endpoints PEER[:CHILD]...
endpoints()
{
	local peer

	for peer in "$@"; do
		knob server "$(spi "$peer")" endpoint
	done | paste -sd' '
}

# speaks PEER[:CHILD] PLACE [AT]: and is answered there; for two seconds it may be
# taken for a packet that was late
speaks()
{
	local peer=${1%:*} child=()

	[ "$peer" = "$1" ] || child=(--child "${1#*:}")
	answered 1 --first "$peer" "${child[@]}" --place "$2" --at "${3:-$peer}" \
		--tries 12 --wait 0.5
}

# apart TEXT: the two children of peer 5 are not at one place
apart()
{
	check_eq "$1" "$(endpoints 5 6)" "100.71.0.5:4500 100.64.0.5:4500"
}

at_home=100.64.0.1:4500
at_another=100.71.0.1:4500
of_intruder=100.69.0.2:4500

peers_up
module_load static_nat=1
monitor_start server
# Peer 1 has two child SAs, 1 and 3.
install 1 1
install 3 1
check "both children are answered" speaks 1 0
check "the second one is" speaks 3 0 1
check "one moves, and is answered" speaks 1 7
check "the other one speaks from there" speaks 3 7 1
check "and is the first one where the old mapping is back" speaks 3 0 1
check_eq "they are still one peer" "$(endpoints 1 3)" "$at_home $at_home"

install 2 1
check_eq "the intruder is installed on the peer's mapping" "$(endpoints 2)" "$at_home"
check "he speaks from elsewhere" speaks 2 5
check_eq "and takes all with him" "$(endpoints 1 2 3)" "$of_intruder $of_intruder $of_intruder"
check "the peer goes on to speak, and is answered" speaks 1 0
check_eq "so does his other child, and the intruder stays" \
	"$(endpoints 1 2 3)" "$at_home $of_intruder $at_home"

before=$(events_count server moved)
for round in 1 2 3; do
	check "round $round: the intruder is answered" speaks 2 5
	check "round $round: the peer is" speaks 1 0
done
check_eq "nothing has moved any more" "$(events_count server moved)" "$before"
# He forges the source of his packets, and is at the peer's mapping: a peer who has
# come back would look like that.
check "the intruder is answered where the peer is" speaks 2 0 1
check "he speaks from elsewhere" speaks 2 5
check_eq "and takes all with him once more" "$(endpoints 1 2 3)" \
	"$of_intruder $of_intruder $of_intruder"
check "the peer goes on to speak" speaks 1 0
check "the intruder forges it again" speaks 2 0 1
check "and speaks from elsewhere" speaks 2 5
check_eq "but now he goes alone" "$(endpoints 1 2 3)" "$at_home $of_intruder $at_home"
check "the peer moves" speaks 1 7
check_eq "with his other child, but without the intruder" \
	"$(endpoints 1 2 3)" "$at_another $of_intruder $at_another"

# Once more, with a new connection.
check "the peer is back" speaks 1 0
install 4 1
check "another intruder speaks from elsewhere" speaks 4 5
check_eq "and takes nobody with him" "$(endpoints 1 3)" "$at_home $at_home"

# A peer goes elsewhere, where he uses one of his children, and comes back with the
# other one.
install 5 5
install 6 5
check "both children are answered" speaks 5 0
check "the second one is" speaks 6 0 5
check "one moves, and is answered" speaks 5 7
check "the other one is the first to be back" speaks 6 0 5
apart "it comes alone, as it might be somebody else's"
check "the first one is back as well" speaks 5 0
check "one moves again" speaks 5 7
check_eq "with the other one: they are one peer" "$(endpoints 5 6)" \
	"100.71.0.5:4500 100.71.0.5:4500"

# With three children
install 7 7
install 8 7
install 9 7
for peer in 7 8 9; do
	check "each of three children is answered" speaks $peer 0 7
done
check "one moves" speaks 7 7
check "the second is back first" speaks 8 0 7
check "then the third" speaks 9 0 7
check "and the one that went" speaks 7 0
check "which goes again" speaks 7 8
check_eq "with both others: they are one peer" "$(endpoints 7 8 9)" \
	"100.72.0.7:4500 100.72.0.7:4500 100.72.0.7:4500"

# A child brings the peer elsewhere and ends there. With another one he comes back.
install 10 10
install 11 10
install 12 10
check "the first of three is answered" speaks 10 0
check "and the last" speaks 12 0 10
check "the second brings him elsewhere" speaks 11 7 10
quietly ip -n server xfrm state deleteall reqid 1011 || bail "no SAs"
busywait 10 knob_gone server "$(spi 11)" || bail "the SA stays"
check "and ends; the first is back" speaks 10 0
check_eq "with the last, which would not have gone by itself" "$(endpoints 10 12)" \
	"100.64.0.10:4500 100.64.0.10:4500"

# The peer is rekeyed between.
install 13 13
install 14 13
check "an intruder speaks from elsewhere" speaks 14 5
check "the peer goes on to speak" speaks 13 0
rekey 13 0
check "rekeyed: the intruder forges the peer's place" speaks 14 0 13
check "rekeyed: he speaks from elsewhere" speaks 14 5
check "rekeyed: the peer goes on to speak" speaks 13:1 0
rekey 13 1
check "rekeyed again: the intruder forges it" speaks 14 0 13
check "rekeyed again: he speaks from elsewhere" speaks 14 5
check_eq "rekeyed again: he goes alone" "$(endpoints 13:2 14)" \
	"100.64.0.13:4500 100.69.0.14:4500"

# The peer is rekeyed before he speaks again: his new SA knows how the old one was led away.
install 18 18
install 19 18
check "an intruder speaks from elsewhere" speaks 19 5
rekey 18 0
check_eq "rekeyed meanwhile: the new SA goes to where the old one was led" \
	"$(endpoints 18:1 19)" "100.69.0.19:4500 100.69.0.19:4500"
check "rekeyed meanwhile: the peer goes on to speak" speaks 18:1 0
check_eq "rekeyed meanwhile: the intruder stays" "$(endpoints 18:1 19)" \
	"100.64.0.18:4500 100.69.0.19:4500"

# He leads the flow back and away all the time. What comes from where the peer was less
# than two seconds ago might be late, but not for ever.
quietly tool server conf set rate 1000/second burst 1000 || bail "no throttle"
install 20 20
install 21 20
check "the peer is answered" speaks 20 0
check "an intruder speaks from elsewhere" speaks 21 5
end=$((SECONDS + 8 * slowness))
for ((round = 0; round < 8 || SECONDS < end; round++)); do
	answered 1 --first 20 --place 0 --at 20 --tries 1 --wait 0.3 > "$tmp/round"
	speaks 21 0 20 || bail "the intruder is not answered where the peer is"
	speaks 21 5 || bail "the intruder is not answered"
done
check "back and forth: the peer is answered at once" \
	answered 1 --first 20 --place 0 --at 20 --tries 1
check_eq "back and forth: the intruder is alone" "$(endpoints 20 21)" \
	"100.64.0.20:4500 100.69.0.21:4500"

# He has several child SAs there.
for peer in 22 23 24 25 26; do
	install $peer 22
done
check "the peer is answered" speaks 22 0
for peer in 23 24; do
	check "several children: the intruder speaks from elsewhere" speaks $peer 5
	check "several children: the peer goes on to speak" speaks 22 0
done
for peer in 25 26; do
	check "several children: the next one speaks from elsewhere" speaks $peer 5
	check_eq "several children: but goes alone" "$(endpoints 22)" 100.64.0.22:4500
done

# All are there when the module is loaded, and it meets the newest first.
quietly module_unload || bail "cannot unload"
states 15 15
states 16 15
next_second
states 17 15
module_load static_nat=1
knob_wait server "$(spi 15)"
check "loaded later: the intruder takes all with him" speaks 17 5
check_eq "loaded later: he does" "$(endpoints 15 16)" "100.69.0.17:4500 100.69.0.17:4500"
check "loaded later: the peer goes on to speak" speaks 15 0
check_eq "loaded later: all of him is back, and the intruder stays" \
	"$(endpoints 15 16 17)" "100.64.0.15:4500 100.64.0.15:4500 100.69.0.17:4500"

check "the module can be unloaded" module_unload
done_testing
