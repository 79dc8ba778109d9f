#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan bug #731: the server is behind a 1:1 NAT and the IKE responder, and
# the client's port mapping changes under traffic in both directions.
#
# strongSwan follows here, by deleting its SAs and policies and adding them
# again. What is lost meanwhile is its doing, and xfrm's counters tell it apart.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

drops()
{
	get ".dropped | [$1] | map(. // 0) | add"
}

rebinding responder stock
lost
check_num "stock: more than one mapping message" "$(get .mapping)" -gt 1

rebinding responder esptrack
lost
check_followed
check_num "to the client: lost after the news only where strongSwan had no policy" \
	"$(get .since_news.to_client.lost_after)" -le \
	"$(drops '.XfrmOutPolBlock, .XfrmOutNoStates')"
check_num "to the server: lost only where strongSwan had no SA or policy" \
	"$(get .since_news.to_server.lost)" -le \
	"$(drops '.XfrmInNoStates, .XfrmInNoPols, .XfrmInStateInvalid')"
check_eq "no datagram is duplicated" \
	"$(get '.since_news | .to_client.duplicated + .to_server.duplicated')" 0
check_eq "strongSwan's delete and add, and nothing else" \
	"$(get '"\(.newsa) \(.delsa)"')" "2 2"
done_testing
