#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that are wrong in some way: forged in the name of some peers, none of
# whom may be moved or reported by them; and of other peers, who seal nonsense with
# their own keys, and can move themselves only.

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

	wrong=$(peers audit $((2 * n))) || return
	[ "$(jq add <<< "$wrong")" -eq 0 ] && return
	echo "$wrong"
	return 1
}

# fuzz SEED COUNT SECONDS: so many packets, or as many as the time allows; adds to $results
fuzz()
{
	in_ns cloud /payload/load/espfuzz "$1" "$2" "$3" lan \
		"$(mac server eth0)" $n >> "$results"
}

# gro_begin: from now on packets come to ESP by GRO
gro_begin()
{
	stop "$encap"
	quietly modprobe -a esp4_offload || bail "no offload"
	start_ready udpencap-gro server "$here/udpencap.py" --gro
	gro_on || bail "no GRO"
	calls_start xfrm4_gro_udp_encap_rcv || bail "no kprobe"
}

results=$tmp/results
peers_up
encap=$pid
# For jumbo frames, and more
for end in "server eth0" "cloud lan"; do
	read -r ns device <<< "$end"
	quietly ip -n "$ns" link set "$device" mtu 65535 || bail "no jumbo frames"
done
module_load static_nat=1
peers batch states-in,states-out,policies $((2 * n)) | ip_batch server || bail "no SAs"
check "all peers are answered" answered $((2 * n)) --tries 10
monitor_start server

scenario packets "mutated packets" 1000000 4000
seed_note
before=$(forged_state)
xfrm_stat_mark server
if has_esp_gro; then
	fuzz "$SEED" $((asked / 2)) $(($(seconds_left) / 2)) || bail "packets cannot be sent"
	gro_begin
	fuzz $((SEED + 1)) $((asked - asked / 2)) "$(seconds_left)" ||
		bail "packets cannot be sent by GRO"
	check_num "packets have come by GRO" "$(calls xfrm4_gro_udp_encap_rcv)" -ge 100
else
	fuzz "$SEED" "$asked" "$(seconds_left)" || bail "packets cannot be sent"
fi
result=$(jq -cs 'map(to_entries) | add | group_by(.key) |
	map({key: .[0].key, value: map(.value) | add}) | from_entries' "$results")
scenario_end=$EPOCHREALTIME
note "$result; $(xfrm_stat_delta server | paste -sd,)"
check_num "some were for the receiver to cut into segments" "$(jq .to_segment <<< "$result")" \
	-ge 1
check_num "forged packets have reached their SAs" \
	"$(xfrm_stat_delta server XfrmInStateProtoError)" -ge 100
check_eq "the peers in whose name they came are as they were" "$(forged_state)" "$before"
check_num "real ones have moved" "$(moves_of server)" -ge 1
check "all is there once, and fits" audit_real
check "all peers are answered" answered $((2 * n)) --tries 20
note "$(events_count server all) events were heard, $(events_lost server) lost"
check_eq "no event is about a peer in whose name packets were forged" \
	"$(jq -c --argjson n $n 'select((.name | endswith("-ntf")) and .msg.sa.reqid <= 1000 + $n)' \
		"$tmp/events-server" | head -n 3)" ""
scenario_done "$(jq .done <<< "$result")"

check "the module can be unloaded" module_unload
check "without the module all still fits" audit_real
done_testing
