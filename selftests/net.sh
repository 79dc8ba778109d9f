# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The network of the tests: namespaces with two IPsec gateways, one of them
# behind a NAT whose mapping can be changed. Sourced by lib.sh.
#
#                   "the cloud": static           the internet
#                   NAT, ports unchanged
#
#   +--------+        +-------+                     +------+
#   | server |--------| cloud |---------------------| inet |
#   +--------+  lan   +-------+  wan            cl  +------+ nb
#   eth0          .1  10.128.0.2  203.0.113.10   .1            |
#   10.128.0.2/24     <-> 203.0.113.10   /24                   | 198.51.100.1/24
#   10.10.0.1/32                                               |
#                                                              |
#   +--------+        +--------+  wan                          |
#   | client |--------| natbox |-------------------------------+
#   +--------+  lan   +--------+  198.51.100.7/24, 198.51.100.8/24
#   eth0          .1  many-to-one NAT: the client's udp port 4500
#   192.168.1.100/24  is nat_addr:nat_port outside
#   10.20.0.1/32
#
# The tunnel is between 10.10.0.1 and 10.20.0.1. The server knows the client
# by nat_addr:nat_port only, and that is what nat_rebind changes.
#
# setup_ipv6 puts IPv6 beside it: the same names with a 6 at the end, no NAT in
# the cloud, and a NAT of the same kind at the client.

# shellcheck disable=SC2034 # for others
{
	SERVER=10.128.0.2
	SERVER_PUB=203.0.113.10
	SERVER_NET=10.10.0.1
	CLIENT=192.168.1.100
	CLIENT_NET=10.20.0.1
	NAT_ADDR=198.51.100.7
	NAT_ADDR2=198.51.100.8
	SERVER6=2001:db8:10::2
	SERVER_PUB6=$SERVER6
	SERVER_NET6=fd00:10::1
	CLIENT6=fd00:192::100
	CLIENT_NET6=fd00:20::1
	NAT_ADDR6=2001:db8:198::7
	NAT_ADDR26=2001:db8:198::8
}

# in_ns NAMESPACE COMMAND...
in_ns()
{
	local ns=$1

	shift
	ip netns exec "$ns" "$@"
}

# ip_batch NS: commands for ip(8) from stdin, in one process
ip_batch()
{
	quietly ip -n "$1" -batch -
}

setup_topology()
{
	local ns

	# New namespaces take this over from the first one.
	quietly sysctl -w net.ipv4.ip_forward=1 || return
	for ns in server cloud inet natbox client; do
		quietly ip netns add "$ns" || return
		defer del_ns "$ns"
	done
	ip_batch server <<-END || return
	link set lo up
	link add eth0 type veth peer name lan netns cloud
	link set eth0 up
	addr add $SERVER/24 dev eth0
	addr add $SERVER_NET/32 dev lo
	route add default via 10.128.0.1
	END
	ip_batch cloud <<-END || return
	link add wan type veth peer name cl netns inet
	link set lan up
	link set wan up
	addr add 10.128.0.1/24 dev lan
	addr add $SERVER_PUB/24 dev wan
	route add default via 203.0.113.1
	END
	ip_batch inet <<-END || return
	link add nb type veth peer name wan netns natbox
	link set cl up
	link set nb up
	addr add 203.0.113.1/24 dev cl
	addr add 198.51.100.1/24 dev nb
	END
	ip_batch natbox <<-END || return
	link add lan type veth peer name eth0 netns client
	link set wan up
	link set lan up
	addr add $NAT_ADDR/24 dev wan
	addr add $NAT_ADDR2/24 dev wan
	addr add 192.168.1.1/24 dev lan
	route add default via 198.51.100.1
	END
	ip_batch client <<-END || return
	link set lo up
	link set eth0 up
	addr add $CLIENT/24 dev eth0
	addr add $CLIENT_NET/32 dev lo
	route add default via 192.168.1.1
	END

	# Stateless, as a provider's 1:1 NAT is: it forgets nothing, and lets
	# fragments through as they are.
	in_ns cloud nft -f - <<-END || return
	table ip cloud {
		chain in {
			type filter hook prerouting priority raw
			iif wan ip daddr $SERVER_PUB ip daddr set $SERVER
		}
		chain out {
			type filter hook postrouting priority raw
			oif wan ip saddr $SERVER ip saddr set $SERVER_PUB
		}
	}
	END
	nat_table ip || return
	nat_map 30001
}

# setup_ipv6: after setup_topology
setup_ipv6()
{
	local ns

	for ns in cloud inet natbox; do
		quietly in_ns "$ns" sysctl -w net.ipv6.conf.all.forwarding=1 || return
	done
	ip_batch server <<-END || return
	addr add $SERVER6/64 dev eth0 nodad
	addr add $SERVER_NET6/128 dev lo nodad
	route add default via 2001:db8:10::1
	END
	ip_batch cloud <<-END || return
	addr add 2001:db8:10::1/64 dev lan nodad
	addr add 2001:db8:203::10/64 dev wan nodad
	route add default via 2001:db8:203::1
	END
	ip_batch inet <<-END || return
	addr add 2001:db8:203::1/64 dev cl nodad
	addr add 2001:db8:198::1/64 dev nb nodad
	route add 2001:db8:10::/64 via 2001:db8:203::10
	END
	ip_batch natbox <<-END || return
	addr add $NAT_ADDR6/64 dev wan nodad
	addr add $NAT_ADDR26/64 dev wan nodad
	addr add fd00:192::1/64 dev lan nodad
	route add default via 2001:db8:198::1
	END
	ip_batch client <<-END || return
	addr add $CLIENT6/64 dev eth0 nodad
	addr add $CLIENT_NET6/128 dev lo nodad
	route add default via fd00:192::1
	END
	nat_table ip6
}

# nat_table FAMILY: what nat_map needs. Packets to a mapping that is gone end at
# the natbox itself, unanswered. As they are not accepted, they leave no entry
# that could be in the way of the client's next mapping.
nat_table()
{
	in_ns natbox nft -f - <<-END
	table $1 nat {
		chain pre {
			type nat hook prerouting priority dstnat
		}
		chain post {
			type nat hook postrouting priority srcnat
		}
	}
	table $1 filter {
		chain input {
			type filter hook input priority filter
			iif wan meta l4proto udp drop
		}
	}
	END
}

del_ns()
{
	quietly ip netns del "$1"
}

nat_maps=0

# nat_map PORT [ADDR] [forward]: what the client's udp port 4500 is outside;
# port 500 becomes PORT + 1 (500 for 4500). Mappings that exist stay as they
# are: see nat_rebind. forward: also let packets in which nobody asked for, so
# that the server can begin.
nat_map()
{
	local forward='' family=ip at

	nat_port=$1
	nat_addr=${2:-$NAT_ADDR}
	at=$nat_addr
	if [[ $nat_addr = *:* ]]; then
		family=ip6
		at="[$nat_addr]"
	fi
	nat_ike=$((nat_port + 1))
	[ "$nat_port" -ne 4500 ] || nat_ike=500
	nat_mark=$((1 << nat_maps++ % 31))
	if [ "${3:-}" = forward ]; then
		forward="add rule ip nat pre iif wan ct mark set $nat_mark
			add rule ip nat pre iif wan ip daddr $nat_addr udp dport $nat_port dnat to $CLIENT:4500
			add rule ip nat pre iif wan ip daddr $nat_addr udp dport $nat_ike dnat to $CLIENT:500"
	fi
	in_ns natbox nft -f - <<-END
	flush chain $family nat pre
	flush chain $family nat post
	$forward
	add rule $family nat post oif wan ct mark set $nat_mark
	add rule $family nat post oif wan udp sport 4500 snat to $at:$nat_port
	add rule $family nat post oif wan udp sport 500 snat to $at:$nat_ike
	add rule $family nat post oif wan snat to $nat_addr
	END
}

# nat_rebind PORT [ADDR]: the NAT loses its mappings; the client's next packet
# gets this one. $rebind_time: when that was done, and up to 0.1 s later than
# when it came into effect; see rebind_from_wire.
nat_rebind()
{
	nat_map "$@" || return
	nat_forget || return
	rebind_time=$EPOCHREALTIME
}

# nat_forget: all mappings but those of the last nat_map. To flush them takes so long
# that the client may have a new one meanwhile, which would go as well.
nat_forget()
{
	local family=ipv4 others found

	[[ $nat_addr != *:* ]] || family=ipv6
	others=(-f "$family" --mark "0/$nat_mark")
	# To delete fails if there are none; to list them tells their number on stderr.
	# shellcheck disable=SC2154 # $tmp is lib.sh's
	found=$(in_ns natbox conntrack -L "${others[@]}" 2> "$tmp/conntrack.log") || {
		cat "$tmp/conntrack.log"
		return 1
	}
	[ -z "$found" ] || quietly in_ns natbox conntrack -D "${others[@]}"
}

# path_block to_server|to_client, path_unblock: lose the packets of a
# direction inside the internet, behind where wire_start sees them at "nb"
path_block()
{
	local iif=nb

	[ "$1" = to_server ] || iif=cl
	in_ns inet nft -f - <<-END
	table ip block
	delete table ip block
	table ip block {
		chain forward {
			type filter hook forward priority filter
			iif $iif drop
		}
	}
	END
}

path_unblock()
{
	in_ns inet nft delete table ip block
}

# has_esp_gro: can this kernel take ESP out of UDP by GRO?
has_esp_gro()
{
	grep -qw xfrm4_gro_udp_encap_rcv /proc/kallsyms
}

# A veth device receives by NAPI, and so by GRO, if it is told to, and what its
# peer sends may need segmentation otherwise.
gro_on()
{
	quietly in_ns server ethtool -K eth0 gro on &&
		quietly in_ns cloud ethtool -K lan tso off
}
