#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that are wrong in some way: forged in the name of some peers, none of
# whom may be moved or reported by them; and of other peers, who seal nonsense with
# their own keys, and can move themselves only. Half of them come by IPv4, half by
# IPv6; and half of each by GRO, where the kernel has that.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

n=10

# forged_state: of the peers in whose name there are forged packets. That includes
# their replay windows.
forged_state()
{
	tool server -j show | jq -c --argjson n $n 'map(select(.reqid <= 1000 + $n))'
	ip -n server xfrm state | awk -v n=$n '
		/^src/ { head = $0; hit = 0 }
		/proto esp/ { hit = $6 <= 1000 + n; if (hit) print head }
		hit
	'
	ip -n server xfrm policy | awk -v n=$n '
		/^src/ { head = $0 }
		/tmpl/ { tmpl = $0 }
		/proto esp/ && $4 <= 1000 + n { print head; print tmpl; print }
	'
}

# audit_real: the SAs and policies of the others are there once, and fit
audit_real()
{
	local wrong

	wrong=$(peers --gateway "$gateway" audit $((2 * n))) || return
	[ "$(jq add <<< "$wrong")" -eq 0 ] && return
	echo "$wrong"
	return 1
}

# all_answered TRIES
all_answered()
{
	answered $((2 * n)) --gateway "$gateway" --tries "$1"
}

# fuzz SEED COUNT SECONDS: so many packets, or as many as the time allows; adds to $results
fuzz()
{
	in_ns cloud /payload/load/espfuzz "$1" "$2" "$3" lan "$(mac server eth0)" \
		"$gateway" $n >> "$results"
}

# family_up GATEWAY: by this address of it, peers 1 to 2 N and nobody else
family_up()
{
	gateway=$1
	quietly ip -n server xfrm state flush || bail "SAs stay"
	quietly ip -n server xfrm policy flush || bail "policies stay"
	peers --gateway "$gateway" batch states-in,states-out,policies $((2 * n)) |
		ip_batch server || bail "no SAs"
	check "$gateway: all peers are answered" all_answered 10
}

# family_fuzz SOCKET GRO-FUNCTION SEED COUNT SECONDS [OPTION]: SOCKET takes their
# packets; the option is udpencap.py's for another such one.
family_fuzz()
{
	local socket=$1 function=$2 seed=$3 count=$4 seconds=$5 before result

	before=$(forged_state)
	xfrm_stat_mark server
	: > "$results"
	if has_esp_gro; then
		fuzz "$seed" $((count / 2)) $((seconds / 2)) || bail "packets cannot be sent"
		stop "$socket"
		start_ready "$function" server "$here/udpencap.py" --gro "${@:6}"
		calls_start "$function" || bail "no kprobe"
		fuzz $((seed + 1)) $((count - count / 2)) $((seconds / 2)) ||
			bail "packets cannot be sent by GRO"
		check_num "$gateway: packets have come by GRO" "$(calls "$function")" -ge 100
		calls_stop "$function"
	else
		fuzz "$seed" "$count" "$seconds" || bail "packets cannot be sent"
	fi
	result=$(jq -cs 'map(to_entries) | add | group_by(.key) |
		map({key: .[0].key, value: map(.value) | add}) | from_entries' "$results")
	total=$((total + $(jq .done <<< "$result")))
	note "$gateway: $result; $(xfrm_stat_delta server | paste -sd,)"
	check_num "$gateway: some were for the receiver to cut into segments" \
		"$(jq .to_segment <<< "$result")" -ge 1
	check_num "$gateway: forged packets have reached their SAs" \
		"$(xfrm_stat_delta server XfrmInStateProtoError)" -ge 100
	check_eq "$gateway: the peers in whose name they came are as they were" \
		"$(forged_state)" "$before"
	check_num "$gateway: real ones have moved" "$(moves_of server)" -ge 1
	check "$gateway: all is there once, and fits" audit_real
	check "$gateway: all peers are still answered" all_answered 20
}

results=$tmp/results
total=0
peers_up
socket=$pid
peers_up_ipv6
socket6=$pid
# For jumbo frames, and more
for end in "server eth0" "cloud lan"; do
	read -r ns device <<< "$end"
	quietly ip -n "$ns" link set "$device" mtu 65535 || bail "no jumbo frames"
done
if has_esp_gro; then
	quietly modprobe -a esp4_offload esp6_offload || bail "no offload"
	gro_on || bail "no GRO"
fi
module_load static_nat=1
family_up "$SERVER"
monitor_start server

scenario packets "mutated packets" 1000000 4000
seed_note
family_fuzz "$socket" xfrm4_gro_udp_encap_rcv "$SEED" $((asked / 2)) \
	$(($(seconds_left) / 2))
family_up "$SERVER6"
family_fuzz "$socket6" xfrm6_gro_udp_encap_rcv $((SEED + 2)) $((asked - asked / 2)) \
	"$(seconds_left)" --ipv6
scenario_end=$EPOCHREALTIME
note "$(events_count server all) events were heard, $(events_lost server) lost"
check_eq "no event is about a peer in whose name packets were forged" \
	"$(jq -c --argjson n $n 'select((.name | endswith("-ntf")) and .msg.sa.reqid <= 1000 + $n)' \
		"$tmp/events-server" | head -n 3)" ""
scenario_done "$total"

check "the module can be unloaded" module_unload
check "without the module all still fits" audit_real
done_testing
