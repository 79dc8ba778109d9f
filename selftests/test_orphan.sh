#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Outbound SAs that a daemon could not delete, as their address was moved and it has
# not followed. They keep no peer from moving, nor lead one astray, and are deleted
# where the module knows that it has moved them: the older, not the one in use.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=child.sh
. "$here/child.sh"

# speaks I K WHERE...: is child K of peer I answered there?
speaks()
{
	answered 1 --first "$1" --child "$2" --tries 10 "${@:3}"
}

# change I K WHAT [--home J]: SAs or policies of child K of peer I
change()
{
	peers --first "$1" --child "$2" batch "$3" 1 "${@:4}" | ip_batch server ||
		bail "peer $1, child $2: $3"
}

# outbound: of all peers, as I:K
outbound()
{
	ip -n server xfrm state | awk -v local="$SERVER" '
		/^src/ { hit = $2 == local }
		hit && /proto esp/ { print $4 }
	' | while read -r spi; do
		echo "$((spi & 15)):$((spi >> 20))"
	done | sort | paste -sd' '
}

outbound_is()
{
	outbound
	[ "$(outbound)" = "$1" ]
}

templates_are()
{
	[ "$(templates_at "$1" "$2")" -eq "$3" ]
}

peers_up
# One of somebody else, which asks for no reqid
quietly ip -n server xfrm policy add src 10.40.0.0/24 dst 10.41.0.0/24 dir out \
	tmpl src $SERVER dst 198.51.100.99 proto esp mode tunnel || bail "no policy"
module_load static_nat=1
change 1 0 states-in,states-out,policies
change 2 0 states-in,states-out,policies
check "a peer is followed" speaks 1 0 --place 1
next_second
change 2 1 states-in,states-out
quietly rmmod esptrack || bail "cannot unload"
module_load

# The module does not know that it has moved the one that is left, nor can that be
# switched on.
change 1 1 states-in,states-out,policies
knob_wait server 0x00110001
knob_set server 0x00110001 1
change 1 0 delete-in
check "loaded anew: one left from before keeps nobody from moving" speaks 1 1 --place 1

# Both pairs are there as the module is loaded.
knob_set server 0x00010002 1
knob_set server 0x00110002 1
check "loaded in a rekeying: the peer is followed" speaks 2 1 --place 1
change 2 0 delete-in
quietly tool server conf set static_nat on || bail "no switch"

# The client has crashed, and comes back by another mapping.
change 3 0 states-in,states-out,policies
check "a third peer is followed" speaks 3 0 --place 1
change 3 0 delete-in
change 3 1 states-in,states-out,policies --home 13
check "one left where the peer is no more does not keep him from moving" \
	speaks 3 1 --at 13 --place 1

# The tunnel ends, and begins again where it was at first.
change 4 0 states-in,states-out,policies
check "a fourth peer is followed" speaks 4 0 --place 1
change 4 0 delete-in,delete-policies
change 4 1 states-in
knob_wait server 0x00110004
check_eq "what is left of a tunnel leads a new one nowhere" \
	"$(knob server 0x00110004 endpoint)" 100.64.0.4:4500

# Rekeyed with the policies that are there. Since 6.12 xfrm has a place where a policy
# keeps the SA that it took, for as long as that lives; it is never filled so far.
change 5 0 states-in,states-out,policies
check "a fifth peer is followed" speaks 5 0 --place 1
next_second
change 5 1 states-in,states-out
change 5 0 delete-in
check "rekeyed, he is answered by the new SA" speaks 5 1 --place 1

# Its daemon has a policy that shall ask for a new tunnel when somebody wants one. It
# comes while the old one is there.
change 6 0 states-in,states-out,policies
check "a sixth peer is followed" speaks 6 0 --place 1
change 6 0 policies
check_eq "a policy that comes meanwhile names where he is" \
	"$(templates_at 100.65.0.6 1006)" 2
change 6 0 delete-in
check "where his tunnel has ended it names what the daemon gave" \
	busywait 5 templates_are 100.64.0.6 1006 2

# Another tunnel of the same peer is where he is, as its daemon has put it, and ends.
# The policies become those of the first one again.
change 7 0 states-in,states-out,policies
check "a seventh peer is followed" speaks 7 0 --place 1
peers --first 7 --child 1 batch states-in,states-out 1 |
	sed 's/100\.64\.0\.7/100.65.0.7/' | ip_batch server || bail "no second tunnel"
knob_wait server 0x00110007
change 7 0 policies
check_eq "the policies of the older of two tunnels name where he is" \
	"$(templates_at 100.65.0.7 1007)" 2
ip_batch server <<-END || bail "the second tunnel stays"
xfrm state delete dst $SERVER proto esp spi 0x00110007
xfrm state delete dst 100.65.0.7 proto esp spi 0x00120007
END
check "without the younger one he is answered by the older" speaks 7 0 --place 1

check "those that the module has moved are deleted, but for the ones in use" \
	busywait 90 outbound_is "1:0 1:1 2:1 3:1 5:1 7:0"
check "who is there is answered" speaks 2 1 --place 1
check "and the other one" speaks 3 1 --at 13 --place 1

check "the module can be unloaded" module_unload
done_testing
