# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tunnels of the tests: with static keys, or of daemons. Sourced by lib.sh.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

### SAs with static keys

static_key=0x0102030405060708090a0b0c0d0e0f1011121314
# shellcheck disable=SC2034 # for the tests
STATIC_SPI_IN=0x00001001
# shellcheck disable=SC2034 # for the tests
STATIC_SPI_OUT=0x00002001

# static_sa: SAs and policies on both ends, and the sockets that make the kernel
# take ESP out of UDP. SPI 0x1001 to the server, 0x2001 to the client, reqid 1.
# $replay_window may be set before.
replay_window=32
static_sa()
{
	xfrm_pair server "$SERVER" "$nat_addr" "$SERVER_NET" "$CLIENT_NET" \
		0x1001 0x2001 4500 "$nat_port" "$replay_window" || return
	xfrm_pair client "$CLIENT" "$SERVER_PUB" "$CLIENT_NET" "$SERVER_NET" \
		0x2001 0x1001 4500 4500 "$replay_window" || return
	start_ready udpencap-server server "$here/udpencap.py"
	start_ready udpencap-client client "$here/udpencap.py"
}

# xfrm_pair NS LOCAL REMOTE NET REMOTE_NET SPI_IN SPI_OUT PORT REMOTE_PORT WINDOW
xfrm_pair()
{
	local algo="aead rfc4106(gcm(aes)) $static_key 128" tmpl dir

	# shellcheck disable=SC2086 # words of one command
	{
		quietly ip -n "$1" xfrm state add src "$3" dst "$2" proto esp spi "$6" \
			reqid 1 mode tunnel replay-window "${10}" $algo \
			encap espinudp "$9" "$8" 0.0.0.0 || return
		quietly ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$7" \
			reqid 1 mode tunnel replay-window "${10}" $algo \
			encap espinudp "$8" "$9" 0.0.0.0 || return
		tmpl="proto esp reqid 1 mode tunnel"
		quietly ip -n "$1" xfrm policy add src "$4" dst "$5" dir out \
			tmpl src "$2" dst "$3" $tmpl || return
		for dir in in fwd; do
			quietly ip -n "$1" xfrm policy add src "$5" dst "$4" dir $dir \
				tmpl src "$3" dst "$2" $tmpl || return
		done
	}
}

### WireGuard

# wireguard_end NS NET PEER NET_OF_PEER [ENDPOINT]: keys are made by wireguard_up
wireguard_end()
{
	ip_batch "$1" <<-END || return
	link add wg0 type wireguard
	link set wg0 up
	route add $4/32 dev wg0 src $2
	END
	quietly in_ns "$1" wg set wg0 listen-port 4500 private-key "$tmp/wireguard-$1" \
		peer "$(wg pubkey < "$tmp/wireguard-$3")" allowed-ips "$4/32" "${@:5}"
}

wireguard_up()
{
	local ns

	quietly modprobe wireguard || return
	for ns in server client; do
		(umask 077 && wg genkey > "$tmp/wireguard-$ns") || return
	done
	wireguard_end server "$SERVER_NET" client "$CLIENT_NET" &&
		wireguard_end client "$CLIENT_NET" server "$SERVER_NET" \
			endpoint "$SERVER_PUB:4500"
}

### The tunnels by name

# tunnel_up KIND
#   responder  the client's charon initiates
#   mobike     the same, with MOBIKE at both ends
#   libreswan  the same, but the server has pluto; for those who source libreswan.sh
#   initiator  the server's charon does; the NAT forwards its ports for that
#   static     static keys, no daemon
#   wireguard  not IPsec at all, but at the same ports
tunnel_up()
{
	case $1 in
	responder)
		charon_start server
		charon_start client
		swan_initiate client || bail "no tunnel"
		;;
	mobike)
		charon_start server mobike=yes
		charon_start client mobike=yes
		swan_initiate client || bail "no tunnel"
		;;
	libreswan)
		pluto_start server
		charon_start client
		swan_initiate client || bail "no tunnel"
		;;
	initiator)
		nat_map 4500 "$NAT_ADDR" forward
		charon_start server "remote=$NAT_ADDR"
		charon_start client
		swan_initiate server || bail "no tunnel"
		;;
	static)
		static_sa || bail "no SAs"
		# The NAT has no mapping before the client has sent something.
		quietly in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET" ||
			bail "no tunnel"
		;;
	wireguard)
		wireguard_up || bail "no WireGuard"
		quietly in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET" ||
			bail "no tunnel"
		;;
	*)
		bail "tunnel_up: $1"
		;;
	esac
}
