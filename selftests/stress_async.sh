#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded while packets of its SAs are with an asynchronous crypto
# engine. Each time it is loaded again it follows by such packets.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=stress.sh
. "$here/stress.sh"

n=8
algorithm='authenc(hmac(sha256),ecb(cipher_null))'

# in_use TEMPLATE: how often
in_use()
{
	awk -v template="$1" '
		$1 == "driver" { hit = index($3, template "(authenc") == 1 }
		hit && $1 == "refcnt" { n += $3 }
		END { print n + 0 }
	' /proc/crypto
}

moved()
{
	[ "$(moves_of server)" -ge 1 ]
}

# pending_start: from now on it is noted how many packets from elsewhere are with the
# engine whenever the module begins to unload
pending_start()
{
	echo 'p:esptrack_unload esptrack:esptrack_km_uninit n=@esptrack_claims:s32' \
		> "$tracing/kprobe_events" &&
		echo > "$tracing/trace" &&
		echo 1 > "$tracing/events/kprobes/esptrack_unload/enable" || return
	defer pending_stop
}

pending_stop()
{
	echo 0 > "$tracing/events/kprobes/esptrack_unload/enable" &&
		echo -:esptrack_unload >> "$tracing/kprobe_events"
}

# pending: how often there were some, of how many times
pending()
{
	awk '/esptrack_unload:/ { n++; if (!/ n=0$/) some++ } END { print some + 0, n + 0 }' \
		"$tracing/trace"
}

# reload TEMPLATE ROUNDS
reload()
{
	local round flood crypto

	start_ready "$1" server "$here/asynccrypt.py" "$1" "$algorithm"
	crypto=$pid
	peers batch states-in,states-out,policies $n | ip_batch server || bail "no SAs"
	check_num "the SAs use $1" "$(in_use "$1")" -ge $((2 * n))
	check "$1: all peers are answered" answered $n --tries 10
	start_ready flood cloud /payload/load/espflood $n
	flood=$pid
	for ((round = 0; round < $2; round++)); do
		in_time || break
		busywait 30 moved || bail "$1, round $round: no move"
		quietly rmmod esptrack || bail "$1, round $round: cannot unload"
		quietly insmod "$module" static_nat=1 || bail "$1, round $round: cannot load"
		did=$((did + 1))
	done
	stop "$flood"
	check "$1: all peers are answered, at a new place" \
		answered $n --place 5 --tries 20
	check_eq "$1: SAs and policies" "$(xfrm_counts server)" "$((2 * n)) $((2 * n))"
	quietly ip -n server xfrm policy flush || bail "policies stay"
	quietly ip -n server xfrm state flush || bail "SAs stay"
	stop "$crypto"
	check_eq "$1 can be removed" "$(in_use "$1")" 0
}

quietly modprobe -a crypto_user pcrypt || bail "no pcrypt"
engines=(pcrypt)
# To lockdep the locks of pcrypt are one that is taken twice (path.sh).
[ ! -e /proc/lockdep_stats ] || engines=()
# The cloud kernel of 7.3 has none.
if modinfo -n cryptd > "$tmp/cryptd" 2>&1; then
	quietly modprobe cryptd || bail "no cryptd"
	engines+=(cryptd)
fi
[ ${#engines[@]} -gt 0 ] || bail "no engine"
peers_up
module_load static_nat=1
pending_start || bail "no kprobe"

scenario async "unloaded with packets in asynchronous crypto" 400 2
for name in "${engines[@]}"; do
	reload "$name" $((asked / ${#engines[@]}))
done
read -r some times < <(pending)
note "packets were with the engine at $some of $times times that it was unloaded"
check_num "each time was seen" "$times" -ge $did
check_num "packets were with the engine when it was unloaded" "$some" -ge 1
scenario_done $did

check "the module can be unloaded" module_unload
done_testing
