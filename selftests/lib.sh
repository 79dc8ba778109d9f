# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Library of the tests: TAP output, waiting for conditions, clean-up, and a
# network of namespaces with two IPsec gateways, one of them behind a NAT whose
# mapping can be changed.
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

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

SERVER=10.128.0.2
SERVER_PUB=203.0.113.10
SERVER_NET=10.10.0.1
CLIENT=192.168.1.100
CLIENT_NET=10.20.0.1
NAT_ADDR=198.51.100.7
# shellcheck disable=SC2034 # for the tests
NAT_ADDR2=198.51.100.8

# Everything that a test writes; seen on failure.
tmp=$(mktemp -d /tmp/esptrack.XXXXXX)

### Output: TAP 13

tap_count=0
tap_failed=0
tap_done=

note()
{
	local text=$*

	printf '# %s\n' "${text//$'\n'/$'\n# '}"
}

pass()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
}

skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP ${2:-}"
}

# check DESCRIPTION COMMAND...: the command's success is a test; what it
# prints is shown if it fails. It runs in a subshell: variables do not survive.
check()
{
	local text=$1 out

	shift
	if out=$("$@" 2>&1); then
		pass "$text"
		return 0
	fi
	fail "$text"
	note "failed: $*"
	[ -z "$out" ] || note "$out"
	return 1
}

# check_fails DESCRIPTION COMMAND...: the command must fail
check_fails()
{
	local text=$1 out

	shift
	if ! out=$("$@" 2>&1); then
		pass "$text"
		return 0
	fi
	fail "$text"
	note "did not fail: $*"
	[ -z "$out" ] || note "$out"
	return 1
}

# check_num DESCRIPTION GOT OPERATOR WANTED: as test(1): -eq, -le, -gt ...
check_num()
{
	if test "$2" "$3" "$4"; then
		pass "$1 ($2)"
		return 0
	fi
	fail "$1"
	note "$2 is not $3 $4"
	return 1
}

# check_eq DESCRIPTION GOT WANTED
check_eq()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
		return 0
	fi
	fail "$1"
	note "got '$2', wanted '$3'"
	return 1
}

# bail TEXT: the test cannot go on
bail()
{
	fail "$*"
	exit 1
}

# done_testing: the last call of a test; without it the test has died
done_testing()
{
	tap_done=1
	exit 0
}

### Clean-up

deferred=()

# defer COMMAND...: run at the end of the test, last in first out
defer()
{
	deferred+=("$(printf '%q ' "$@")")
}

cleanup()
{
	local status=$? i

	trap - EXIT
	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
		eval "${deferred[i]}" || note "clean-up failed: ${deferred[i]}"
	done
	if [ -z "$tap_done" ]; then
		fail "test ended early (status $status)"
	fi
	if [ "$tap_failed" -gt 0 ]; then
		show_logs
	fi
	[ "$tap_count" -eq 0 ] || echo "1..$tap_count"
	rm -rf "$tmp"
	[ "$tap_failed" -eq 0 ]
	exit
}

show_logs()
{
	local log

	for log in "$tmp"/*.log "$tmp"/*/charon.log; do
		[ -s "$log" ] || continue
		note "--- last lines of ${log#"$tmp"/}:"
		tail -n 15 "$log" | sed 's/^/# /'
	done
}

echo "TAP version 13"
trap cleanup EXIT
trap 'exit 1' TERM INT

### Waiting

# Reading from this never ends: a pause without a process of its own. To poll
# without a pause would take one of the guest's few processors from those who
# are waited for.
mkfifo "$tmp/never"
exec {never}<> "$tmp/never"

# busywait SECONDS COMMAND...: until the command succeeds; what it said last
# is shown if it does not
busywait()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) out

	shift
	until out=$("$@" 2>&1); do
		if [ "${EPOCHREALTIME/./}" -ge "$end" ]; then
			note "waited in vain for: $*"
			[ -z "$out" ] || note "$out"
			return 1
		fi
		read -rt 0.02 -u "$never"
	done
	return 0
}

file_has()
{
	grep -qs -- "$2" "$1"
}

gone()
{
	[ ! -d "/proc/$1" ]
}

# quietly COMMAND...: its output is of interest only if it fails
quietly()
{
	local out status

	out=$("$@" 2>&1) && return 0
	status=$?
	note "failed ($status): $*"
	note "$out"
	return $status
}

# start NAME NS COMMAND...: in the background and in a namespace, with output
# to $tmp/NAME.log; it is ended with the test. Sets $pid.
start()
{
	local name=$1 ns=$2

	shift 2
	# Not by in_ns: a function would run in a shell, whose pid this were.
	ip netns exec "$ns" "$@" > "$tmp/$name.log" 2>&1 &
	pid=$!
	defer stop "$pid"
}

# start_ready NAME NS COMMAND...: the same, for a program that prints a line
# with "ready" or "listening" when it is
start_ready()
{
	start "$@"
	busywait 20 file_has "$tmp/$1.log" 'ready\|listening' ||
		bail "$1 did not become ready"
}

# stop PID: end a program of ours and wait for it; ended ones are ignored
stop()
{
	if ! gone "$1"; then
		kill -TERM "$1"
		# A stopped process takes signals only when it goes on.
		kill -CONT "$1"
	fi
	wait "$1" || :
}

### The network

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
	# Packets to a mapping that is gone end at the natbox itself, unanswered.
	# As they are not accepted, they leave no entry that could be in the
	# way of the client's next mapping.
	in_ns natbox nft -f - <<-END || return
	table ip nat {
		chain pre {
			type nat hook prerouting priority dstnat
		}
		chain post {
			type nat hook postrouting priority srcnat
		}
	}
	table ip filter {
		chain input {
			type filter hook input priority filter
			iif wan meta l4proto udp drop
		}
	}
	END
	nat_map 30001
}

del_ns()
{
	quietly ip netns del "$1"
}

# nat_map PORT [ADDR] [forward]: what the client's udp port 4500 is outside;
# port 500 becomes PORT + 1 (500 for 4500). Mappings that exist stay as they
# are: see nat_rebind. forward: also let packets in which nobody asked for, so
# that the server can begin.
nat_map()
{
	local forward=''

	nat_port=$1
	nat_addr=${2:-$NAT_ADDR}
	nat_ike=$((nat_port + 1))
	[ "$nat_port" -ne 4500 ] || nat_ike=500
	if [ "${3:-}" = forward ]; then
		forward="add rule ip nat pre iif wan ip daddr $nat_addr udp dport $nat_port dnat to $CLIENT:4500
			add rule ip nat pre iif wan ip daddr $nat_addr udp dport $nat_ike dnat to $CLIENT:500"
	fi
	in_ns natbox nft -f - <<-END
	flush chain ip nat pre
	flush chain ip nat post
	$forward
	add rule ip nat post oif wan udp sport 4500 snat to $nat_addr:$nat_port
	add rule ip nat post oif wan udp sport 500 snat to $nat_addr:$nat_ike
	add rule ip nat post oif wan snat to $nat_addr
	END
}

# nat_rebind PORT [ADDR]: the NAT loses its mappings; the client's next packet
# gets this one. $rebind_time: when that was done, and up to 0.1 s later than
# when it came into effect; see rebind_from_wire.
nat_rebind()
{
	nat_map "$@" || return
	quietly in_ns natbox conntrack -F || return
	rebind_time=$EPOCHREALTIME
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

### strongSwan

# charon_start NS [KEY=VALUE...]: start charon in a namespace, wait until it is
# ready and load a connection "gw" with a child "net".
#   remote=ADDR   where the peer is (default: the server takes any, the client
#                 goes to the server)
#   mobike=yes    (no)
#   dpd=10s       delay of dead peer detection (0s)
#   extra=LINE    more lines of the connection
charon_start()
{
	local ns=$1 dir=$tmp/$1 remote mobike=no dpd=0s extra='' peer net peer_net

	shift
	if [ "$ns" = server ]; then
		peer=client net=$SERVER_NET peer_net=$CLIENT_NET remote=%any
	else
		peer=server net=$CLIENT_NET peer_net=$SERVER_NET remote=$SERVER_PUB
	fi
	while [ $# -gt 0 ]; do
		case $1 in
		remote=* | mobike=* | dpd=* | extra=*)	local "$1" ;;
		*)	bail "charon_start: $1" ;;
		esac
		shift
	done

	mkdir -p "$dir/run" "$dir/swanctl"
	cat > "$dir/strongswan.conf" <<-END
	charon {
		load = random nonce aes sha2 hmac kdf gcm openssl kernel-netlink socket-default vici
		filelog {
			file {
				path = $dir/charon.log
				time_format = %H:%M:%S
				time_add_ms = yes
				default = 1
				knl = 2
				flush_line = yes
			}
		}
	}
	swanctl {
		load = random nonce
	}
	END
	cat > "$dir/swanctl/swanctl.conf" <<-END
	connections {
		gw {
			version = 2
			remote_addrs = $remote
			proposals = aes128gcm16-prfsha256-x25519
			mobike = $mobike
			dpd_delay = $dpd
			unique = never
			$extra
			local {
				auth = psk
				id = $ns
			}
			remote {
				auth = psk
				id = $peer
			}
			children {
				net {
					local_ts = $net/32
					remote_ts = $peer_net/32
					esp_proposals = aes128gcm128
					start_action = none
				}
			}
		}
	}
	secrets {
		ike {
			secret = "a secret of these tests"
		}
	}
	END

	# Two of them on one machine: each has its own /run.
	# shellcheck disable=SC2016 # expanded by the inner shell
	STRONGSWAN_CONF=$dir/strongswan.conf start "charon-$ns" "$ns" \
		sh -c 'mount --bind "$1" /run && exec /usr/lib/ipsec/charon' sh "$dir/run"
	printf -v "charon_$ns" %s "$pid"
	busywait 20 swan_ready "$ns" || bail "charon of $ns did not start"
	quietly swan "$ns" --load-all || bail "charon of $ns refused its configuration"
}

# swan NS ARGUMENTS: swanctl
swan()
{
	local ns=$1 command=$2

	shift 2
	STRONGSWAN_CONF=$tmp/$ns/strongswan.conf SWANCTL_DIR=$tmp/$ns/swanctl \
		swanctl "$command" "$@" --uri "unix://$tmp/$ns/run/charon.vici"
}

swan_ready()
{
	[ -S "$tmp/$1/run/charon.vici" ] && swan "$1" --stats
}

# swan_initiate NS: bring the tunnel up
swan_initiate()
{
	quietly swan "$1" --initiate --child net --timeout 30
}

charon_pid()
{
	local name=charon_$1

	echo "${!name}"
}

# charon_freeze, charon_thaw, charon_kill NS
charon_freeze()
{
	local pid

	pid=$(charon_pid "$1")
	kill -STOP "$pid"
	busywait 5 grep -q 'State:.T' "/proc/$pid/status"
}

charon_thaw()
{
	kill -CONT "$(charon_pid "$1")"
}

# The kernel keeps the SAs: charon gets no chance to delete them.
charon_kill()
{
	local pid

	pid=$(charon_pid "$1")
	kill -KILL "$pid"
	wait "$pid" || :
}

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
	xfrm_pair server $SERVER "$nat_addr" $SERVER_NET $CLIENT_NET \
		0x1001 0x2001 4500 "$nat_port" "$replay_window" || return
	xfrm_pair client $CLIENT $SERVER_PUB $CLIENT_NET $SERVER_NET \
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

### Traffic through the tunnel

traffic_pids=()

# traffic_start: both ends send numbered datagrams to each other; options of
# traffic.py run in $traffic_server and $traffic_client
traffic_server=
traffic_client=
traffic_start()
{
	rm -f "$tmp"/traffic-*
	# shellcheck disable=SC2086 # words
	start_ready traffic-server server "$here/traffic.py" run \
		$SERVER_NET $CLIENT_NET "$tmp/traffic-server.json" $traffic_server
	traffic_pids=("$pid")
	# shellcheck disable=SC2086 # words
	start_ready traffic-client client "$here/traffic.py" run \
		$CLIENT_NET $SERVER_NET "$tmp/traffic-client.json" $traffic_client
	traffic_pids+=("$pid")
	# They wait for this, so that neither sends to nobody.
	kill -USR1 "${traffic_pids[@]}"
}

# traffic_count NS sent|received
traffic_count()
{
	local sent received

	read -r sent received < "$tmp/traffic-$1.json.count"
	[ "$2" = sent ] || sent=$received
	echo "$((10#$sent))"
}

traffic_has()
{
	[ "$(traffic_count "$1" "$2")" -ge "$3" ]
}

# traffic_reach NS sent|received N [SECONDS]: until it is N in all
traffic_reach()
{
	busywait "${4:-20}" traffic_has "$1" "$2" "$3"
}

# traffic_wait NS sent|received N [SECONDS]: until this end has sent or
# received N more datagrams than now
traffic_wait()
{
	local now

	now=$(traffic_count "$1" "$2")
	traffic_reach "$1" "$2" $((now + $3)) "${4:-20}"
}

# traffic_stop: end it, when all that is under way has arrived
traffic_stop()
{
	kill -TERM "${traffic_pids[@]}"
	wait "${traffic_pids[@]}"
}

# traffic_summary: sets $summary: JSON as of traffic.py summary, with times
# counted from $rebind_time, if that is set
traffic_summary()
{
	summary=$("$here/traffic.py" summary "$tmp/traffic-server.json" \
		"$tmp/traffic-client.json" ${rebind_time:+"$rebind_time"})
}

# traffic FILTER: a value of the summary, as "traffic .to_client.lost"
traffic()
{
	jq -r "$1" <<< "$summary"
}

### Looking on

# wire_start NAME NS INTERFACE: capture UDP; wire_stop NAME ends it
wire_start()
{
	start_ready "wire-$1" "$2" tcpdump -i "$3" -n -U --immediate-mode \
		-B 8192 -w "$tmp/$1.pcap" udp
	printf -v "wire_pid_$1" %s "$pid"
}

wire_stop()
{
	local name=wire_pid_$1

	stop "${!name}"
}

# wire_lines NAME: what was captured, one line per packet (see wirewatch.py)
wire_lines()
{
	"$here/wirewatch.py" list "$tmp/$1.pcap"
}

# wire_wait NAME PATTERN [SECONDS]: until a line of the capture matches
wire_wait()
{
	busywait "${3:-10}" wire_has "$1" "$2"
}

wire_has()
{
	local lines

	lines=$(wire_lines "$1") && grep -q -- "$2" <<< "$lines"
}

# wire_stale NAME LOCAL NEW: of a capture at the server's side: the number of
# ESP packets from LOCAL (address:port) that did not go to NEW after the first
# ESP packet had come from there
wire_stale()
{
	"$here/wirewatch.py" stale "$tmp/$1.pcap" "$2" "$3"
}

# rebind_from_wire NAME: set $rebind_time to when the first ESP packet from the
# present mapping came, in a capture at the server's side that was stopped.
# What the server sent before could only go to the old one: it was in flight.
rebind_from_wire()
{
	rebind_time=$("$here/wirewatch.py" first "$tmp/$1.pcap" "$nat_addr:$nat_port")
}

# xfrm_watch_start NS: count what the kernel tells key managers (xfrmwatch.py)
xfrm_watch_start()
{
	start_ready "xfrm-$1" "$1" "$here/xfrmwatch.py"
}

# xfrm_watch_count NS KIND: acquire, mapping, newsa, delsa, updsa, expire ...
xfrm_watch_count()
{
	awk -v kind="$2" '$2 == kind { n++ } END { print n + 0 }' "$tmp/xfrm-$1.log"
}

# xfrm_stat NS: xfrm's error counters
xfrm_stat()
{
	in_ns "$1" cat /proc/net/xfrm_stat
}

# xfrm_stat_mark NS; xfrm_stat_delta NS [NAME]: what was counted since, as
# lines "NAME N" without zeros; or the one number
xfrm_stat_mark()
{
	xfrm_stat "$1" > "$tmp/xfrm_stat-$1"
}

xfrm_stat_delta()
{
	xfrm_stat "$1" | awk -v name="${2:-}" '
		NR == FNR { old[$1] = $2; next }
		name == $1 { print $2 - old[$1] }
		!name && $2 != old[$1] { print $1, $2 - old[$1] }
	' "$tmp/xfrm_stat-$1" -
}

# inject NS OPTIONS: send ESP packets of a capture, changed (see espinject.py)
inject()
{
	local ns=$1

	shift
	in_ns "$ns" "$here/espinject.py" "$@"
}

# encap_of NS SPI: the ports of an SA, as "sport dport"
encap_of()
{
	ip -n "$1" xfrm state | awk -v spi="$2" '
		/^src/ { hit = 0 }
		/proto esp spi/ && $4 == spi { hit = 1 }
		hit && /encap type/ { print $5, $7 }
	'
}

### The four tunnels of the tests

# tunnel_up KIND
#   responder  the client's charon initiates
#   initiator  the server's charon does; the NAT forwards its ports for that
#   static     static keys, no daemon
tunnel_up()
{
	case $1 in
	responder)
		charon_start server
		charon_start client
		swan_initiate client || bail "no tunnel"
		;;
	initiator)
		nat_map 4500 $NAT_ADDR forward
		charon_start server remote=$NAT_ADDR
		charon_start client
		swan_initiate server || bail "no tunnel"
		;;
	static)
		static_sa || bail "no SAs"
		# The NAT has no mapping before the client has sent something.
		quietly in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" $SERVER_NET ||
			bail "no tunnel"
		;;
	*)
		bail "tunnel_up: $1"
		;;
	esac
}

# spi_of NS in|out: SPI of the (first) SA to or from the peer
spi_of()
{
	local local_addr=$SERVER key=dst

	[ "$1" = server ] || local_addr=$CLIENT
	[ "$2" = in ] || key=src
	ip -n "$1" xfrm state | awk -v key="$key" -v addr="$local_addr" '
		/^src/ { hit = ($1 == key && $2 == addr) || ($3 == key && $4 == addr) }
		hit && /proto esp spi/ { print $4; exit }
	'
}
