# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Lose a NAT mapping with and without the module, and check what became of it.
# For the tests of rebinding.sh's scenarios.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

# rebinding SCENARIO VARIANT [ADDRESS]: sets $result, the JSON line of rebinding.sh
rebinding()
{
	local log=$tmp/$1-$2.log

	"$here/rebinding.sh" "$1" "$2" 5 ${3:+"$3"} > "$log" 2>&1 || {
		note "$(grep -A 3 '^not ok\|^# waited\|^# failed' "$log")"
		bail "$1, $2: did not run"
	}
	result=$(sed -n 's/^result: //p' "$log")
}

# get FILTER: a value of $result
get()
{
	jq -r "$1" <<< "$result"
}

lost()
{
	note "$(get '"\(.scenario), \(.variant): to the client \(.since_news.to_client.lost) of \(.since_news.to_client.sent) lost, \(.since_news.to_client.lost_after) of them after the news; to the server \(.since_news.to_server.lost) of \(.since_news.to_server.sent); \(.mapping) mapping messages, \(.newsa) NEWSA, \(.delsa) DELSA; \(.dropped)"')"
}

# What holds wherever the module follows, whatever the daemon does.
check_followed()
{
	check_eq "after the first packet from the new mapping all go there" \
		"$(get .stale)" 0
	check_eq "no ACQUIRE" "$(get .acquire)" 0
	check_eq "exactly one event" "$(get '.events | length')" 1
	check_eq "it is a move" "$(get '.events[0].name')" sa-moved-ntf
	check_eq "of both SAs" "$(get '[.events[0].msg.event.moved[].dir] | sort | join(" ")')" "in out"
	check_eq "from the old endpoint" \
		"$(get '.events[0].msg.event.old | "\(.address):\(.port)"')" "$(get .old)"
	check_eq "to the new one" \
		"$(get '.events[0].msg.event.new | "\(.address):\(.port)"')" "$(get .new)"
	check_eq "the SA's endpoint is the new one" \
		"$(get '.knob[0].endpoint | "\(.address):\(.port)"')" "$(get .new)"
	check_eq "the SA has moved once" "$(get '.knob[0].moves')" 1
	check_eq "no sequence number is used twice" "$(get .reused)" 0
	check_eq "the kernel's mapping messages end with the move" "$(get .mapping)" 1
}

# Where no daemon reinstalls the SAs, nothing is lost but what was in flight; and what is
# sent while an SA is between two addresses, which takes no longer than to send one or two.
check_lossless()
{
	check_num "to the client: lost after the news only where the SA was on its way" \
		"$(get .since_news.to_client.lost_after)" -le "$(drops .XfrmOutNoStates)" ||
		note "$(get '.since_news.to_client.gaps | tojson')"
	check_num "to the client: few of them" "$(drops .XfrmOutNoStates)" -le $((2 * slowness))
	check_eq "nothing to the server is lost" "$(get .since_news.to_server.lost)" 0
	check_eq "no datagram is duplicated" \
		"$(get '.since_news | .to_client.duplicated + .to_server.duplicated')" 0
	check_eq "no SA is deleted or added" "$(get '.newsa + .delsa')" 0
	check_eq "the move is announced for both SAs" "$(get .updsa)" 2
	check_eq "there are as many SAs as before" "$(get .sas)" 2
}

# check_dead: without the module, the tunnel does not come back
check_dead()
{
	check_eq "stock: no datagram reaches the client any more" \
		"$(get .since_news.to_client.recovery)" null
	check_num "stock: a mapping message per packet" "$(get .mapping)" -gt 100
}

# compare_dead SCENARIO [ADDRESS]: the tunnel stays dead without the module, which a
# new port shows as well as a new address
compare_dead()
{
	if [ $# -eq 1 ]; then
		rebinding "$1" stock
		lost
		check_dead
	fi
	rebinding "$1" esptrack "${2:-}"
	lost
	check_followed
	check_lossless
	done_testing
}

# drops COUNTERS: the sum of some of xfrm's
drops()
{
	get ".dropped | [$1] | map(. // 0) | add"
}

# compare_reinstalled SCENARIO [ADDRESS]: the daemon deletes and adds its SAs
# and policies. What is lost meanwhile is its doing, and xfrm's counters tell it
# apart.
compare_reinstalled()
{
	if [ $# -eq 1 ]; then
		rebinding "$1" stock
		lost
		check_num "stock: SAs are deleted and added" "$(get .delsa)" -gt 0
	fi

	rebinding "$1" esptrack "${2:-}"
	lost
	check_followed
	check_num "to the client: lost after the news only where the daemon had no policy" \
		"$(get .since_news.to_client.lost_after)" -le \
		"$(drops '.XfrmOutPolBlock, .XfrmOutNoStates')" ||
		note "$(get '.since_news.to_client | {gaps, recovery, send_errors} | tojson')"
	check_num "to the server: lost only where the daemon had no SA or policy" \
		"$(get .since_news.to_server.lost)" -le \
		"$(drops '.XfrmInNoStates, .XfrmInNoPols, .XfrmInStateInvalid')"
	check_eq "no datagram is duplicated" \
		"$(get '.since_news | .to_client.duplicated + .to_server.duplicated')" 0
	check_num "no more SAs are added than the daemon adds itself" "$(get .newsa)" -le 2
	check_eq "as many SAs are deleted" "$(get .delsa)" "$(get .newsa)"
	check_eq "there are as many SAs as before" "$(get .sas)" 2
	done_testing
}
