#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# daemons.sh strongswan|libreswan responder|initiator MOBIKE KIND [stock]:
# what of IKE works after the module has followed a change of the NAT mapping.
# The daemon is that of the server; the client has strongSwan always. MOBIKE is
# yes or no; KIND of the change is port or address. stock: without the module,
# and only what is expected to fail with it.
#
# Each check is a cell of a table, printed as "cell: {JSON}". What cannot work
# because of the daemon is a cell as well, with the reason: the test asserts
# how it fails, so it is noticed when it begins to work. Checks that work share
# one tunnel; those that fail get a new one each.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=libreswan.sh
. "$here/libreswan.sh"

daemon=${1:?daemon}
role=${2:?role}
mobike=${3:?yes or no}
kind=${4:?port or address}
variant=${5:-esptrack}

moves=0
port=30100
# DPD is on
asking=''
# shellcheck disable=SC2034 # of lib.sh
poll_pause=0.4
NAT_ADDR3=198.51.100.9

# shellcheck source=gateway.sh
. "$here/gateway.sh"

### Cells

# cell NAME works|fails|FAILED [REASON]
cell()
{
	echo "cell: $(jq -nc --arg kernel "$(uname -r)" --arg daemon "$daemon" \
		--arg version "$version" --arg role "$role" --arg mobike "$mobike" \
		--arg kind "$kind" --arg variant "$variant" --arg check "$1" \
		--arg result "$2" --arg reason "${3:-}" \
		'{$kernel, $daemon, $version, $role, $mobike, $kind, $variant, $check, $result, $reason}')"
}

title=
judge()
{
	local text=$1

	shift
	check "$title: $text" "$@"
}

# alive: both ways, the server first, which shows that nothing had to be learnt
# from the client
alive()
{
	judge "the server reaches the client" busywait 10 ping_from server
	judge "the client reaches the server" ping_from client
	judge "one pair of SAs, three policies" busywait 10 has_pair
	[ "$variant" = esptrack ] || return
	check_eq "$title: the endpoint is the new one" "$(endpoints)" "$nat_addr:$nat_port"
	check_eq "$title: one event per rebinding" \
		"$(events_count server moved) of $(events_count server all)" "$moves of $moves"
	check_eq "$title: the knob is on" \
		"$(tool server -j show | jq -c '[.[].static_nat] | unique')" "[true]"
}

# rebind: the kind of change that is asked for
rebind()
{
	local address=$nat_addr

	mark
	old=$nat_addr:$nat_port
	port=$((port + 10))
	if [ "$kind" = address ]; then
		# Never back to the one that the daemon remembers.
		address=$NAT_ADDR2
		[ "$nat_addr" != "$NAT_ADDR2" ] || address=$NAT_ADDR3
	fi
	nat_rebind "$port" "$address" || bail "no rebinding"
	new=$nat_addr:$nat_port
	# The client speaks first here: how else should one know?
	if [ "$variant" = esptrack ]; then
		judge "the rebinding is followed" busywait 10 ping_from client
	else
		check_fails "$title: stock does not follow" ping_from client
	fi
	# Now what strongSwan does about the kernel's message is over.
	if does_follow; then
		judge "the daemon follows as well" busywait 10 gw_knows "$new"
	fi
	[ "$variant" = esptrack ] || return
	if [ -n "$asking" ] && does_follow &&
	   ! events_reached server moved $((moves + 1)); then
		# Then IKE told it before any ESP came, and it has written the new
		# endpoint into the SAs itself: nothing was left to move.
		note "the daemon was faster"
		return
	fi
	moves=$((moves + 1))
	judge "by one event" events_wait server moved "$moves"
}

gw_knows()
{
	swan server --list-sas --raw | grep -q "remote-host=${1%:*} remote-port=${1#*:}"
}

# swan_drop NS: it may give the tunnel up by itself at the same time
swan_drop()
{
	[ -z "$(swan "$1" --list-sas)" ] && return
	swan "$1" --terminate --ike gw --force --timeout 10
	return 1
}

# drop: end all tunnels without a word, whatever is left of them
drop()
{
	local ns

	for ns in client server; do
		if [ "$ns-$daemon" = server-libreswan ]; then
			pluto_reload server
		else
			busywait 20 swan_drop "$ns" ||
				bail "charon of $ns does not end its tunnel"
		fi
	done
	quietly ip -n server xfrm state flush
	leaks=0
}

# up: a new tunnel on a mapping of its own
up()
{
	local spi

	if [ "$role" = responder ]; then
		port=$((port + 10))
		nat_map "$port" || bail "no NAT"
		nat_forget || bail "the NAT does not forget"
		swan_initiate client || bail "no tunnel"
	else
		nat_map 4500 "$NAT_ADDR" forward || bail "no NAT"
		nat_forget || bail "the NAT does not forget"
		gw_initiate || bail "no tunnel"
	fi
	busywait 10 has_pair || bail "no pair of SAs"
	[ "$daemon-$role" = strongswan-initiator ] || return
	# strongSwan as initiator believes the client's second request, and no
	# later one, where he is. Be past that, as is any tunnel that has lived
	# for a while.
	spi=$(spi_of server in)
	client_do child
	busywait 20 child_is_new "$spi" || bail "no rekeying"
}

# renew: a new tunnel that has seen a rebinding
renew()
{
	drop
	up
	rebind
}

### Checks that work

works_follow()
{
	local spi

	spi=$(spi_of server in)
	rebind
	alive
	check_eq "$title: the SA's count of moves" "$(knob server "$spi" moves)" 1
}

works_child()
{
	local spi

	spi=$(spi_of server in)
	# The daemon deletes the old outbound SA by an address that it has not any
	# more. The module sees to that later: test_leak.sh.
	if is_lost; then
		leaks=1
	fi
	"$1_do" child
	judge "the child SA is rekeyed" busywait 15 child_is_new "$spi"
	alive
}

works_child_client() { works_child client; }
works_child_gateway() { works_child gw; }

works_ike()
{
	local spis

	spis=$(ike_spis)
	"$1_do" ike
	judge "the IKE SA is rekeyed" busywait 15 ike_is_new "$spis"
	alive
}

works_ike_client() { works_ike client; }
works_ike_gateway() { works_ike gw; }

# dpd_answered NS: since the mark
dpd_answered()
{
	judge "it asks" busywait 15 said "$1" 'sending DPD request'
	judge "and is answered" busywait 10 said "$1" 'parsed INFORMATIONAL response'
}

# With MOBIKE the client compares what he hears of his own address with what he
# heard the last time, and tells the server when it has changed.
works_dpd_client()
{
	dpd client 2
	drop
	up
	mark
	dpd_answered client
	rebind
	dpd_answered client
	if [ "$daemon-$role-$mobike" = strongswan-responder-yes ]; then
		judge "he finds that his mapping has changed" busywait 10 \
			said client 'initiating MOBIKE update'
	fi
	dpd client 0
	alive
}

works_dpd_gateway()
{
	dpd server 2
	renew
	dpd_answered server
	dpd server 0
	alive
}

works_next()
{
	rebind
	alive
}

works_end_client()
{
	client_do end
	judge "no SA and no policy is left" busywait 15 has "$nothing"
}

works_end_gateway()
{
	gw_do end
	judge "no SA and no policy is left" busywait 15 has "$nothing"
	judge "the client has ended his tunnel" busywait 10 client_has_none
}

### Checks that fail

# unheard: what the server sends goes to the old mapping, and it gives up
unheard()
{
	judge "its requests go to the old mapping" busywait 20 went "$SERVER:4500" "$old"
	judge "the daemon gives up" busywait 20 said server "$gives_up"
	check_fails "$title: a request goes to the new mapping" went "$SERVER:4500" "$new"
	check_fails "$title: the client has answered" went "$new" "$SERVER:4500"
}

# unanswered: what the client asks is answered to the old mapping, and he gives up
unanswered()
{
	judge "the client's request arrives" busywait 10 went "$new" "$SERVER:4500"
	judge "the answer goes to the old mapping" busywait 10 went "$SERVER:4500" "$old"
	judge "the client gives up" busywait 20 said client 'giving up after'
	check_fails "$title: an answer goes to the new mapping" went "$SERVER:4500" "$new"
}

fails_child_client()
{
	renew
	mark
	client_do child
	unanswered
}

fails_ike_client()
{
	renew
	mark
	client_do ike
	unanswered
}

fails_dpd_client()
{
	dpd client 2
	renew
	unanswered
	dpd client 0
}

# fails_rekey child|ike: the tunnel lives on while the server asks in vain
fails_rekey()
{
	renew
	mark
	gw_do "$1"
	if [ "$variant" = esptrack ]; then
		judge "meanwhile the server reaches the client" ping_from server
		judge "and the client the server" ping_from client
	fi
	unheard
}

fails_child_gateway() { fails_rekey child; }
fails_ike_gateway() { fails_rekey ike; }

# The server asks as soon as it has heard nothing for a while, so what it says is
# looked at from the rebinding on.
fails_dpd_gateway()
{
	dpd server 2
	renew
	unheard
	dpd server 0
}

# The module deletes that SA later: test_leak.sh. libreswan as initiator is asked
# to end its tunnel, but keeps a policy in order to bring it up again.
fails_end_client()
{
	renew
	client_do end
	if [ "$daemon-$role" = libreswan-initiator ]; then
		judge "the daemon wants the tunnel up again" busywait 20 \
			said server 'supposed to remain up'
	fi
	judge "what is left" \
		busywait 20 has "0 in, $(is_lost && echo 1 || echo 0) out, $(kept client) policies"
}

fails_end_gateway()
{
	renew
	mark
	gw_do end
	judge "its request goes to the old mapping" busywait 10 went "$SERVER:4500" "$old"
	judge "it ends its own side, but for what it cannot delete, or keeps" \
		busywait 20 has "0 in, $(is_lost && echo 1 || echo 0) out, $(kept gateway) policies"
	check_fails "$title: a request goes to the new mapping" went "$SERVER:4500" "$new"
	check_fails "$title: the client knows" client_has_none
}

### What is expected

nothing="0 in, 0 out, 0 policies"

# kept client|gateway: how many policies libreswan as initiator keeps when that
# end has ended the tunnel; libreswan 5 none if it was itself
kept()
{
	case $daemon-$role-${version%%.*}-$1 in
	libreswan-initiator-5-gateway)	echo 0 ;;
	libreswan-initiator-*)		echo 1 ;;
	*)				echo 0 ;;
	esac
}

# does_follow: the daemon follows on its own
does_follow()
{
	[ "$daemon-$role" = strongswan-responder ]
}

# is_lost: the daemon names the outbound SA by an address that it has not any more
is_lost()
{
	[ "$kind-$variant" = address-esptrack ] && ! does_follow
}

# reason CHECK: why it fails; nothing if it works
reason()
{
	case $daemon-$role-$1 in
	strongswan-initiator-*_gateway | libreswan-*-*_gateway)
		echo "requests go to the old mapping" ;;
	libreswan-*-child_client | libreswan-*-ike_client | libreswan-*-dpd_client)
		echo "answers go to the old mapping" ;;
	libreswan-initiator-end_client)
		echo "the daemon wants it up again, and keeps a policy" ;;
	*-end_client)
		if is_lost; then
			echo "outbound SA is deleted late"
		fi
		;;
	esac
}

# run works|fails CHECK
run()
{
	local failed=$tap_failed result=$1

	title="$daemon $version, $role, MOBIKE $mobike, $kind${variant/esptrack/}: $2"
	note "$title"
	"$1_$2"
	[ "$tap_failed" -eq "$failed" ] || result=FAILED
	cell "$2" "$result" "$(reason "$2")"
}

checks=(follow child_client child_gateway ike_client ike_gateway next end_client
	dpd_client dpd_gateway end_gateway)
impatient='retransmit_timeout = 2.0
	retransmit_base = 1.0
	retransmit_tries = 2
	delete_rekeyed_delay = 1'
gives_up='giving up after\|timeout exceeded'

# warm_up: the first SA with an algorithm has the kernel load and test it, which
# can take longer than an impatient daemon waits
warm_up()
{
	local sa="src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100"

	# shellcheck disable=SC2086 # words
	quietly ip -n server xfrm state add $sa \
		aead 'rfc4106(gcm(aes))' "$static_key" 128 || return
	# shellcheck disable=SC2086 # words
	quietly ip -n server xfrm state delete $sa
}

setup_topology || bail "no topology"
quietly ip -n natbox addr add $NAT_ADDR3/24 dev wan || bail "no third address"
warm_up || bail "no SA"
if [ "$variant" = esptrack ]; then
	module_load static_nat=1
	monitor_start server
fi
gw_start
charon_start client "mobike=$mobike" "conf=$impatient"
version=$(gw_version)
ike_start
up
if [ "$variant" = esptrack ]; then
	for check in "${checks[@]}"; do
		if [ -z "$(reason "$check")" ]; then
			run works "$check"
		fi
	done
fi
for check in "${checks[@]}"; do
	if [ -n "$(reason "$check")" ]; then
		run fails "$check"
	fi
done
done_testing
