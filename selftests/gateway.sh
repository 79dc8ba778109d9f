# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The gateway of daemons.sh, whichever its daemon is: what it is told to do, what
# it has, and what it says and sends. Sourced by daemons.sh, after its settings, and
# by others who have set $daemon and ask for its version.

# shellcheck disable=SC2154 # variables of those who source this

### The server's daemon, whichever it is

gw_start()
{
	local remote=%any

	# As an initiator it must know where to go.
	[ "$role" = responder ] || remote=$NAT_ADDR
	case $daemon in
	strongswan)	charon_start server "remote=$remote" "mobike=$mobike" "conf=$impatient" ;;
	libreswan)	pluto_start server "remote=$remote" "mobike=$mobike" \
				extra="retransmit-timeout=6s" ;;
	esac
}

gw_version()
{
	case $daemon in
	strongswan)	grep -o 'strongSwan [0-9.]*' "$tmp/server/charon.log" ;;
	libreswan)	whack server --version ;;
	esac | grep -o '[0-9][0-9.]*' | head -n 1
}

gw_log()
{
	case $daemon in
	strongswan)	cat "$tmp/server/charon.log" ;;
	libreswan)	cat "$tmp/server/pluto.log" ;;
	esac
}

gw_initiate()
{
	case $daemon in
	strongswan)	swan_initiate server ;;
	libreswan)	quietly whack server --initiate --name gw ;;
	esac
}

# gw_do child|ike|end: rekey the child SA or the IKE SA, or end the tunnel; no
# wait for the outcome
gw_do()
{
	case $daemon-$1 in
	strongswan-child)	quietly swan server --rekey --child net ;;
	strongswan-ike)		quietly swan server --rekey --ike gw ;;
	strongswan-end)		quietly swan server --terminate --ike gw --timeout -1 ;;
	libreswan-child)	quietly whack server "$(pluto_rekey_child)" --name gw --asynchronous ;;
	libreswan-ike)		quietly whack server --rekey-ike --name gw --asynchronous ;;
	libreswan-end)		quietly whack server --terminate --name gw --asynchronous ;;
	esac
}

# client_do child|ike|end
client_do()
{
	case $1 in
	child)	quietly swan client --rekey --child net ;;
	ike)	quietly swan client --rekey --ike gw ;;
	end)	quietly swan client --terminate --ike gw --timeout -1 ;;
	esac
}

# dpd NS SECONDS: for tunnels to come; 0: none
dpd()
{
	# shellcheck disable=SC2034 # for daemons.sh
	asking=${2/#0/}
	case $1-$daemon in
	server-libreswan)	pluto_dpd server "$2" ;;
	*)			swan_dpd "$1" "${2}s" ;;
	esac
}

### What the server has

# what: "N in, N out, N policies". Policies of sockets, by which daemons except
# their own packets, have no template.
what()
{
	{
		ip -n server xfrm state
		ip -n server xfrm policy
	} | awk -v local="$SERVER" '
		/^src/ && $4 == local && NF == 4 { in_++ }
		/^src/ && $2 == local && NF == 4 { out++ }
		/tmpl src/ { policies++ }
		END { print in_ + 0 " in, " out + 0 " out, " policies + 0 " policies" }
	'
}

# has PATTERN: what there is, as a regular expression
has()
{
	local now

	now=$(what)
	echo "$now"
	[[ $now =~ ^$1$ ]]
}

# has_pair: $leaks outbound SAs may be there besides, for half a minute
leaks=0
has_pair()
{
	has "1 in, [1-$((1 + leaks))] out, 3 policies"
}

child_is_new()
{
	has_pair && [ "$(spi_of server in)" != "$1" ]
}

# ike_spis: of the client's IKE SAs
ike_spis()
{
	swan client --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*'
}

ike_is_new()
{
	local now

	now=$(ike_spis)
	echo "$now"
	[ "$(wc -l <<< "$now")" -eq 1 ] && [ -n "$now" ] && [ "$now" != "$1" ]
}

client_has_none()
{
	[ -z "$(ike_spis)" ] && [ -z "$(ip -n client xfrm state)" ]
}

# endpoints: of all tracked SAs
endpoints()
{
	tool server -j show | jq -r '[.[].endpoint | "\(.address):\(.port)"] | unique | join(" ")'
}

ping_from()
{
	case $1 in
	server)	in_ns server ping -n -c 1 -W 2 -I "$SERVER_NET" "$CLIENT_NET" ;;
	client)	in_ns client ping -n -c 1 -W 2 -I "$CLIENT_NET" "$SERVER_NET" ;;
	esac
}

### What the daemons say and send

# mark: remember how long the logs are
mark()
{
	mark_server=$(gw_log | wc -l)
	mark_client=$(wc -l < "$tmp/client/charon.log")
	mark_ike=$(wc -l < "$tmp/ike.log")
}

# said NS PATTERN
said()
{
	case $1 in
	server)	gw_log | tail -n "+$((mark_server + 1))" ;;
	client)	tail -n "+$((mark_client + 1))" "$tmp/client/charon.log" ;;
	esac | grep -q -- "$2"
}

# ike_start: IKE on the server's wire, in $tmp/ike.log: behind four zero bytes. A
# keepalive has none.
ike_start()
{
	start_ready ike server tcpdump -i eth0 -n -l -q --immediate-mode \
		'udp port 4500 and udp[8:4] == 0'
}

# ike_packets FROM TO: those since the mark; both as ADDRESS:PORT
ike_packets()
{
	tail -n "+$((mark_ike + 1))" "$tmp/ike.log" | grep -F " ${1/:/.} > ${2/:/.}:"
}

went()
{
	[ -n "$(ike_packets "$1" "$2")" ]
}
