#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The hook that daemons call: with static_nat off by default, the connections
# that have it are followed, also after a rekeying, and nothing is remembered of
# those that have gone.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=libreswan.sh
. "$here/libreswan.sh"

# ping_answered: at last. While strongSwan, which follows as a responder, deletes and adds
# its SAs, some are lost.
ping_answered()
{
	busywait 10 in_ns client ping -n -c 1 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
}

# switches: of all SAs of the server, as "static_nat port_only"
switches()
{
	tool server -j show | jq -r '[.[] | "\(.static_nat) \(.port_only)"] | unique | join(",")'
}

reqids()
{
	tool server -j reqids | jq -c 'map(del(.reqid))'
}

spis()
{
	tool server -j show | jq -r '[.[].spi] | join(" ")'
}

none_left()
{
	[ "$(tool server -j show)" = "[]" ]
}

other_spi()
{
	local now

	now=$(spis)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

# packets: that the module has counted
packets()
{
	tool server -j stats | jq .packets
}

# pings: that have come to the server; also those for which strongSwan had no policy
# just then
pings()
{
	{
		in_ns server nstat -asz IcmpInEchos
		xfrm_stat server
	} | awk '
		$1 ~ /^(IcmpInEchos|XfrmInNoPols|XfrmInPolBlock|XfrmInTmplMismatch)$/ { n += $2 }
		END { print n }
	'
}

# counted SURPLUS: so many more packets have been counted than pings have come
counted()
{
	[ $(($(packets) - $(pings))) -eq "$1" ]
}

# followed DAEMON: what holds once the tunnel is up
followed()
{
	local spi surplus

	check_eq "$1: the SA is followed, as the hook says" "$(switches)" "true true"
	check_eq "$1: it is set for the reqid of the SA" "$(tool server -j reqids | jq '.[0].reqid')" \
		"$(tool server -j show | jq '.[0].reqid')"
	surplus=$(($(packets) - $(pings)))
	check "$1: ping is answered" ping_answered
	nat_rebind 30003
	check "$1: ping from the new mapping is answered" ping_answered
	# libreswan answers IKE at the old one only.
	nat_rebind 30001
	check "$1: and when the old one is back" ping_answered
	# strongSwan gives the SAs that it adds the counters of those that it deletes, as
	# they were a little before.
	check "$1: its packets are counted once" busywait 10 counted "$surplus"
	spi=$(spis)
	quietly swan client --rekey --child net || bail "no rekeying"
	check "$1: rekeyed" busywait 20 other_spi "$spi"
	check_eq "$1: the new SA is followed as well" "$(switches)" "true true"
	quietly swan client --terminate --ike gw || bail "not terminated"
	check "$1: the SAs are gone" busywait 20 none_left
	check_eq "$1: nothing is remembered" "$(reqids)" "[]"
}

setup_topology || bail "no topology"
module_load static_nat=0

# The daemons look for these as they do on a machine.
mkdir -p /usr/local/sbin /usr/local/libexec/esptrack
cp /payload/hooks/updown /usr/local/libexec/esptrack/
cp /payload/esptrack /usr/local/sbin/
# That of the guest is strongSwan's.
mkdir "$tmp/bin"
printf '#!/bin/sh\nexec %s/"$@"\n' "$libreswan" > "$tmp/bin/ipsec"
chmod +x "$tmp/bin/ipsec"
hook="/usr/local/libexec/esptrack/updown port_only on"

charon_start server "child=updown = $hook" \
	"conf=load = random nonce aes sha2 hmac kdf gcm openssl kernel-netlink socket-default vici updown"
charon_start client
swan_initiate client || bail "no tunnel"
followed strongSwan
charon_kill server

PATH=$tmp/bin:$PATH pluto_start server "updown=$hook"
swan_initiate client || bail "no tunnel"
followed libreswan

printf '#!/bin/sh\necho "ipsec $*"\n' > "$tmp/bin/ipsec"
check_eq "libreswan without a reqid: nothing is set, but for its own script" \
	"$(PATH=$tmp/bin:$PATH PLUTO_VERB=up-client \
		in_ns server /usr/local/libexec/esptrack/updown 2>&1)" "ipsec _updown"
check_eq "nothing is remembered" "$(reqids)" "[]"

check "the module can be unloaded" module_unload
done_testing
