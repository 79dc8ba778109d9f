#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer may go to where another one is, be it by a forged source, and away again. The
# other one's policies must not go with him. Where they name no reqid, so that only the
# address tells whose they are, he cannot go there: they would let in what he sends.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"

bystander()
{
	answered 1 --first 2
}

# policies_at ADDRESS: how many templates name it
policies_at()
{
	ip -n server xfrm policy | grep -c "tmpl.* $1\\b"
}

# reasons SPI: for which its packets were refused
reasons()
{
	tool server -j show "$1" |
		jq -r '[.[0].history[].reason | values] | unique | join(" ")'
}

peers_up
module_load static_nat=1
peers batch states-in,states-out,policies 1 | ip_batch server || bail "no SAs"
peers --first 2 batch states-in,states-out,policies 1 | ip_batch server || bail "no SAs"
knob_wait server 0x00010001
knob_wait server 0x00010002
check "the peer is answered" answered 1
check "the bystander is answered" bystander
check "the peer is answered at the bystander's place" answered 1 --at 2
check_eq "the policies of both are there" "$(policies_at 100.64.0.2)" 4
check "the peer is answered elsewhere" answered 1 --place 3
check_eq "his policies are there" "$(policies_at 100.67.0.1)" 2
check_eq "the bystander's have stayed" "$(policies_at 100.64.0.2)" 2
check "the bystander is answered" bystander

# As above, without a reqid
peers --first 2 batch delete-in,delete-policies 1 | ip_batch server || bail "no SAs to delete"
quietly ip -n server xfrm state delete src $SERVER dst 100.64.0.2 proto esp spi 0x20002
busywait 10 knob_gone server 0x00010002 || bail "the SA stays"
peers --first 2 batch states-in,states-out,policies 1 | sed 's/reqid 1002 //' |
	ip_batch server || bail "no SAs"
knob_wait server 0x00010002
check "the bystander without reqid is answered" bystander
check_fails "the peer is not answered at the bystander's place" answered 1 --at 2
check_eq "his SA has stayed" "$(knob server 0x00010001 endpoint)" 100.67.0.1:4500
check_eq "as he would have the other one's policies" "$(reasons 0x00010001)" collision
check "the bystander is answered" bystander

# A peer without a reqid is followed as well, while he is the only one.
check "the bystander is answered at a new place" answered 1 --first 2 --place 5
check_eq "his policies are there" "$(policies_at 100.69.0.2)" 2
peers --first 2 batch policies 1 | sed 's/reqid 1002 //' | ip_batch server || bail "no policies"
check_eq "they are made anew for where he was" "$(policies_at 100.64.0.2)" 2
check "there he may come back to" bystander
check "from there he may go" answered 1 --first 2 --place 6
check "and the peer come" answered 1 --at 2

# Policies without reqid go nowhere where somebody else is.
check_fails "where the peer is he may not come, with his policies" bystander
check_eq "his SA has stayed" "$(knob server 0x00010002 endpoint)" 100.70.0.2:4500
check_eq "and his policies" "$(policies_at 100.70.0.2)" 2
check_eq "as the peer would have them" "$(reasons 0x00010002)" collision
check "the peer goes" answered 1 --place 3
check "then he may come" bystander
check "and go to where the peer was first" answered 1 --first 2 --at 1
check_fails "where the peer may not come back to now" answered 1

# Without a reqid an outbound SA is known by its flow, also if it comes later.
quietly tool server conf set static_nat off || bail "no switch"
peers --first 3 batch states-in 1 | sed 's/reqid 1003 //' | ip_batch server || bail "no SA"
knob_wait server 0x00010003
check "the inbound SA of one without reqid is switched on" knob_set server 0x00010003 1
peers --first 3 batch states-out,policies 1 | sed 's/reqid 1003 //' | ip_batch server ||
	bail "no SA"
check "he is answered" answered 1 --first 3
check "and at a new port" answered 1 --first 3 --place 16

check "the module can be unloaded" module_unload
done_testing
