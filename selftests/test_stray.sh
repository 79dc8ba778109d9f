#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A daemon deletes an SA and adds it again where it had put it first, while the other
# SAs of the peer have gone on to another address. It is brought to them. But where
# another peer has come to share the reqid, it stays: policies go by reqid.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

# sa I [K]: child K of peer I
sa()
{
	printf '0x%08x' $((${2:-0} * 0x100000 + 0x10000 + $1))
}

# sa_at I K ENDPOINT: is the SA there?
sa_at()
{
	[ "$(knob server "$(sa "$1" "$2")" endpoint)" = "$3" ]
}

# template_at I: the address that his policy for input names
template_at()
{
	ip -n server xfrm policy list dir in | grep -B 1 "reqid $((1000 + $1)) " |
		awk '$1 == "tmpl" { print $3 }'
}

# stray I [LINE [SWITCH]]: the older of two children has brought the peer to another address, and
# the younger has gone on to another port alone. Then the daemon makes the older and
# the policies anew, as they were at first, and also what LINE says. SWITCH 0: the older
# one remains switched off.
stray()
{
	local i=$1

	peers --first "$i" batch states-in,states-out,policies 1 | ip_batch server ||
		bail "no SAs"
	knob_wait server "$(sa "$i")"
	answered 1 --first "$i" --place 1 --tries 20 || bail "does not follow"
	peers --first "$i" --child 1 --source "100.65.0.$i" batch states-in 1 |
		ip_batch server || bail "no second child"
	knob_wait server "$(sa "$i" 1)"
	knob_set server "$(sa "$i")" 0
	quietly peers --first "$i" send 1000 1@17
	sa_at "$i" 1 "100.65.0.$i:4501" || bail "the second child does not follow"
	sa_at "$i" 0 "100.65.0.$i:4500" || bail "the first child does not stay"
	knob_set server "$(sa "$i")" "${3:-1}"
	{
		echo "${2:-}"
		peers --first "$i" batch delete-in,states-in,policies 1
	} | ip_batch server || bail "no SA again"
}

# update I K WHAT: in place
update()
{
	peers --first "$1" --child "$2" batch "$3" 1 |
		sed 's/state add/state update/' | ip_batch server || bail "no update"
}

peers_up
module_load static_nat=1
quietly tool server conf set rate 1000/second burst 1000 || bail "no throttle"

stray 1
check "an SA that comes back where the others are not any more is brought to them" \
	busywait 10 sa_at 1 0 100.65.0.1:4501
check_eq "and its policies with it" "$(template_at 1)" 100.65.0.1
check "the peer is answered there" answered 1 --place 17 --tries 10
check_eq "by the older child, which has gone nowhere" \
	"$(knob server "$(sa 1)" endpoint)" 100.65.0.1:4501

# The same SA of another peer, but for the reqid
stray 2 "$(peers --first 3 batch states-in 1 | sed 's/reqid 1003/reqid 1002/')"

# Of two pairs the daemon puts the newer one where the peer was at first, and where he
# is again: the older inbound SA is not where he is.
peers --first 5 batch states-in,states-out,policies 1 | ip_batch server || bail "no SAs"
peers --first 5 --child 1 batch states-in,states-out 1 | ip_batch server || bail "no SAs"
knob_wait server "$(sa 5 1)"
check "one with two pairs is answered at another port" \
	answered 1 --first 5 --child 1 --place 16 --tries 10
check_eq "both go" "$(encap_of server 0x00020005) $(encap_of server 0x00120005)" \
	"4500 4501 4500 4501"
update 5 1 states-in,states-out
# An SA that is switched off is led nowhere.
stray 6 '' 0

# Sweeps look at all SAs.
peers --first 4 batch states-in 1 | ip_batch server || bail "no SA"
knob_wait server "$(sa 4)"
peers --first 4 batch delete-in 1 | ip_batch server || bail "no SA to delete"
check "a sweep comes by" busywait 10 knob_gone server "$(sa 4)"
check_eq "where two peers share the reqid it stays" \
	"$(knob server "$(sa 2)" endpoint)" 100.64.0.2:4500
check_eq "and its policies, too" "$(template_at 2)" 100.64.0.2
check_eq "and the other peer's SA" "$(knob server "$(sa 3)" endpoint)" 100.64.0.3:4500

check_eq "and an outbound one that was put to where its inbound one is" \
	"$(encap_of server 0x00120005)" "4500 4500"
check_eq "and one that is switched off" \
	"$(knob server "$(sa 6)" endpoint)" 100.64.0.6:4500

check "the module can be unloaded" module_unload
done_testing
