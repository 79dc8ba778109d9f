#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random requests over netlink: by root in the namespace of the SAs, whose switches
# must be what the kernel has acknowledged and nothing else; by root of another
# namespace, by nobody, and by nobody who is root of a user namespace of his own,
# all of whom must not change anything there.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

n=20

# kernel_state: of the server; all that these requests must not touch
kernel_state()
{
	ip -n server xfrm state && ip -n server xfrm policy &&
		tool server -j show | jq -c 'map(del(.static_nat, .port_only))'
}

switches()
{
	tool server -j show && tool server -j reqids
}

# fuzz NAME SHARE COMMAND...: do this share of what is asked for, in per cent
fuzz()
{
	local name=$1 count=$((asked * $2 / 100)) result before

	shift 2
	before=$(switches)
	if ! result=$("$@" $count "$(seconds_left)"); then
		fail "$name: a wrong answer"
		return 1
	fi
	pass "$name: all answers were right"
	note "$name: $result"
	did=$((did + $(jq .done <<< "$result")))
	[ "$name" = root ] ||
		check_eq "$name: nothing has changed" "$(switches)" "$before"
	check_num "$name: requests were refused" "$(jq .refused <<< "$result")" -ge 1
}

peers_up
module_load static_nat=0
{
	peers batch states-in,states-out,policies $n
	# Not only SAs that differ in all they have
	echo "xfrm state add src $NAT_ADDR dst $SERVER proto esp spi 0x1111 reqid 7" \
		"mode tunnel aead rfc4106(gcm(aes)) $static_key 128" \
		"encap espinudp 4500 4500 0.0.0.0"
	echo "xfrm state add src $NAT_ADDR2 dst $SERVER proto esp spi 0x1112 reqid 7" \
		"mode tunnel aead rfc4106(gcm(aes)) $static_key 128" \
		"encap espinudp 4500 4500 0.0.0.0"
} | ip_batch server || bail "no SAs"
knob_wait server 0x00001112
# Where nobody can run it
install -m 755 /payload/load/nlfuzz /tmp/nlfuzz || bail "no copy"
defer rm /tmp/nlfuzz

scenario netlink "random netlink requests" 1000000 5000
seed_note
before=$(kernel_state)
fuzz root 55 in_ns server /tmp/nlfuzz "$SEED"
fuzz "root of another namespace" 15 in_ns client /tmp/nlfuzz "$SEED"
fuzz nobody 15 in_ns server setpriv --reuid 65534 --regid 65534 --clear-groups \
	/tmp/nlfuzz --deny "$SEED"
fuzz "root of a user namespace" 15 in_ns server setpriv --reuid 65534 --regid 65534 \
	--clear-groups unshare -U -r /tmp/nlfuzz --deny "$SEED"
scenario_end=$EPOCHREALTIME
check_eq "SAs, policies, endpoints and counters are as before" "$(kernel_state)" "$before"
for reqid in $(tool server -j reqids | jq '.[].reqid'); do
	quietly tool server del reqid "$reqid" || bail "a reqid cannot be deleted"
done
check_eq "all reqids can be forgotten" "$(tool server -j reqids)" "[]"
check "all peers are answered" answered $n --tries 10
scenario_done $did

check "the module can be unloaded" module_unload
done_testing
