# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Ways of a packet through xfrm, one after the other, in one network: for tests
# that are a table of cases, each of them a call of "path". SAs have static keys.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

# key BYTES: no secret
key()
{
	printf '0x'
	printf '5a%.0s' $(seq "$1")
}

declare -A ciphers=(
	[gcm]="aead rfc4106(gcm(aes)) $(key 20) 128"
	[ccm]="aead rfc4309(ccm(aes)) $(key 19) 128"
	[gmac]="aead rfc4543(gcm(aes)) $(key 20) 128"
	[chacha]="aead rfc7539esp(chacha20,poly1305) $(key 36) 128"
	[null]="enc ecb(cipher_null) '' auth-trunc hmac(sha256) $(key 32) 128"
	[cbc]="enc cbc(aes) $(key 16) auth-trunc hmac(sha256) $(key 32) 128"
)

# What makes crypto asynchronous. pcrypt takes two locks of one class without a word to
# lockdep, which stops at that.
# shellcheck disable=SC2034 # for the tests
{
	async=pcrypt
	[ ! -e /proc/lockdep_stats ] || async=cryptd
}

# paths_up: the network, the module, and what looks on
paths_up()
{
	# Where these are loaded the stock kernel loses ESP that is in ESP.
	quietly modprobe -r xfrm_interface ip_vti ip6_vti || bail "no way to unload"
	setup_topology || bail "no topology"
	setup_ipv6 || bail "no IPv6"
	module_load static_nat=1
	monitor_start server
	xfrm_watch_start server
	encap_start client
	encap_start server
}

# encap_start NS [--gro]: the sockets that make the kernel take ESP out of UDP.
# Sets $encap_pids.
encap_start()
{
	start_ready "udpencap-$1" "$1" "$here/udpencap.py" "${@:2}"
	encap_pids=("$pid")
	start_ready "udpencap6-$1" "$1" "$here/udpencap.py" --ipv6 "${@:2}"
	encap_pids+=("$pid")
}

# encap_stop: those of the last encap_start
encap_stop()
{
	local pid

	for pid in "${encap_pids[@]}"; do
		stop "$pid"
	done
}

# paths_flush: no SAs any more
paths_flush()
{
	local ns

	for ns in server client; do
		quietly ip -n $ns xfrm state flush || bail "SAs of the $ns"
	done
}

# paths_done: what all cases should have had reported; the end of the test
paths_done()
{
	local line events name i

	check "as much is reported as should be" \
		busywait 10 events_reached server all "$path_events"
	mapfile -t events < <(jq -r '.name[3:-4] as $what | .msg.event as $event |
		"\(.msg.sa.spi) \($what) \($event.new.address) \($event.new.port) " +
		"\($event."moved-count" // $event.reason)"' "$tmp/events-server")
	for ((i = 1; i <= path_count; i++)); do
		printf -v name '0x%08x' $((0x1000 + i))
		line=''
		for event in "${events[@]}"; do
			[[ $event != "$name "* ]] || line+=${event#"$name "}$'\n'
		done
		check_eq "${path_names[i]}: is reported" "$line" "${path_expected[i]}"
	done
	check_eq "no ACQUIRE" "$(xfrm_watch_count server acquire)" 0
	check "the module can be unloaded" module_unload
	done_testing
}

# ip_knows WORD: of "ip xfrm state"
ip_knows()
{
	local help

	# Its exit status is that of wrong usage.
	help=$(ip xfrm state help 2>&1)
	grep -q -- "\[ $1 " <<< "$help"
}

# inner_batch: lines for what a case has inside of ESP; sets $inner_out and
# $inner_in, its templates. The variables are those of end_batch and path.
inner_batch()
{
	local src=$net dst=$remote_net way algo=${ciphers[gcm]} in out use=''

	case $inner in
	'')		return ;;
	esp)		way="proto esp reqid 2 mode transport" ;;
	esp-tunnel)	way="proto esp reqid 2 mode tunnel" ;;
	ah)		way="proto ah reqid 2 mode transport"
			algo="auth-trunc hmac(sha256) $(key 32) 128" ;;
	comp)		way="proto comp reqid 2 mode transport" ;;
	# As IKE daemons do it: what is in transport mode is the ESP around it.
	comp-tunnel)	way="proto comp reqid 1 mode tunnel" src=$local dst=$remote ;;
	*)		bail "inner=$inner" ;;
	esac
	if [[ $inner = comp* ]]; then
		# Not used where it would not make a packet shorter
		algo="comp deflate" use="level use"
	fi
	printf -v in '0x%x' $((spi_in + 0x2000))
	printf -v out '0x%x' $((spi_out + 0x2000))
	echo "xfrm state add src $dst dst $src spi $in $way $algo"
	echo "xfrm state add src $src dst $dst spi $out $way $algo"
	inner_out="tmpl src $src dst $dst $way"
	inner_in="tmpl src $dst dst $src $way $use"
}

# end_batch LOCAL REMOTE NET REMOTE_NET SPI_IN SPI_OUT PORT_IN PORT_OUT: one end of
# a case, for "ip -batch". The other variables are those of path.
end_batch()
{
	local local=$1 remote=$2 net=$3 remote_net=$4 spi_in=$5 spi_out=$6
	local sa="reqid 1 mode $mode $esn ${ciphers[$cipher]}"
	local tmpl="proto esp reqid 1 mode $mode" select='' sel_in='' sel_out=''
	local inner_out='' inner_in='' dir

	if [ "$mode" = beet ]; then
		sel_in="sel src $remote_net dst $net"
		sel_out="sel src $net dst $remote_net"
	elif [ "$mode" = transport ] && [ -z "$inner" ]; then
		# Not the packets into which ping's are put
		net=$local remote_net=$remote select="proto $ping_proto"
	fi
	echo "xfrm state flush"
	echo "xfrm policy flush"
	echo "xfrm state add src $remote dst $local proto esp spi $spi_in $sa" \
		"replay-window $window $in encap espinudp $7 4500 0.0.0.0 $sel_in"
	echo "xfrm state add src $local dst $remote proto esp spi $spi_out $sa" \
		"$out encap espinudp 4500 $8 0.0.0.0 $sel_out"
	inner_batch
	echo "xfrm policy add src $net dst $remote_net $select dir out $policy" \
		"$inner_out tmpl src $local dst $remote $tmpl"
	for dir in in fwd; do
		echo "xfrm policy add src $remote_net dst $net $select dir $dir $policy" \
			"$inner_in tmpl src $remote dst $local $tmpl"
	done
}

path_ping()
{
	# shellcheck disable=SC2086 # words
	in_ns client ${pcpu:+taskset -c $pcpu} ping -n -c 1 -W "$1" -s "$size" -p 00 -I "$ping_src" "$ping_dst"
}

# path NAME [KEY=VALUE...]: the client has an SA each way with the server; his
# mapping gets another port, and then another address as well.
#   mode=M       of the SAs (tunnel), transport or beet
#   cipher=C     one of those above (gcm)
#   window=N     replay window (32)
#   esn=1        extended sequence numbers
#   inner=I      what is encapsulated: esp, esp-tunnel, ah, comp, comp-tunnel
#   family=6     of the outer addresses, and of the inner ones
#   follow=F     both, port (an address is refused), or none
#   reason=R     why an address, or all, is refused
#   to=A         the address that he gets
#   port_in=P    that the server's inbound SA names (the client's)
#   in=, out=    more of the server's inbound and outbound SA
#   policy=      more of the server's policies
#   client_out=  more of the client's outbound SA
#   pcpu=N       the server's SAs are processor N's, where the client sends
#   before=, after=  commands, once around it
# The first packet from each new mapping must be answered there.
# async_path does the same, and looks whether xfrm has taken every packet back from a
# crypto engine; calls_start xfrm_input_resume comes before.
path_count=0
path_events=0
path_names=()
path_expected=()
path()
{
	local name=$1 mode=tunnel cipher=gcm window=32 esn='' inner='' family=4
	local follow=both reason=mode port_in='' in='' out='' policy='' client_out=''
	local to='' before='' after='' pcpu='' pair word v='' ping_proto=1 ping_src ping_dst size=56
	local addr addr2 server server_pub client server_net client_net spi1 spi2
	local expected=''

	shift
	while [ $# -gt 0 ]; do
		case $1 in
		mode=* | cipher=* | window=* | esn=* | inner=* | family=* | follow=* | \
		reason=* | to=* | port_in=* | in=* | out=* | policy=* | client_out=* | \
		before=* | after=* | pcpu=*)
			local "$1" ;;
		*)	bail "path: $1" ;;
		esac
		shift
	done

	[ "$family" = 4 ] || v=6 ping_proto=58
	for pair in addr=NAT_ADDR addr2=NAT_ADDR2 server=SERVER server_pub=SERVER_PUB \
		client=CLIENT server_net=SERVER_NET client_net=CLIENT_NET; do
		word=${pair#*=}$v
		printf -v "${pair%=*}" %s "${!word}"
	done
	ping_src=$client_net ping_dst=$server_net
	if [ "$mode" = transport ] && [ -z "$inner" ]; then
		ping_src=$client ping_dst=$server_pub
	fi
	# Packets that are too short are not compressed.
	[[ $inner != comp* ]] || size=1000
	[ -z "$to" ] || addr2=$to
	[ -z "$esn" ] || esn="flag esn"
	[[ $in = *dir* ]] || out="replay-window $window $out"

	# It begins where the one before has ended.
	case $nat_addr in
	"$addr")	;;
	"$addr2")	addr2=$addr ;;
	*)		nat_rebind 30001 "$addr" ;;
	esac
	path_count=$((path_count + 1))
	spi1=$((0x1000 + path_count)) spi2=$((0x2000 + path_count))
	if [ -n "$before" ]; then
		$before || bail "$name: $before"
	fi
	end_batch "$server" "$nat_addr" "$server_net" "$client_net" $spi1 $spi2 \
		"${port_in:-$nat_port}" "$nat_port" > "$tmp/batch-server"
	in='' out="replay-window $window $client_out" policy=''
	end_batch "$client" "$server_pub" "$client_net" "$server_net" $spi2 $spi1 \
		4500 4500 > "$tmp/batch-client"
	ip_batch server < "$tmp/batch-server" || bail "$name: SAs of the server"
	ip_batch client < "$tmp/batch-client" || bail "$name: SAs of the client"

	if [ -n "$pcpu" ]; then
		quietly in_ns server "$here/sapcpu.py" "$pcpu" $spi1 $spi2 ||
			bail "$name: SAs of processor $pcpu"
	fi

	check "$name: works" path_ping 5
	nat_rebind $((nat_port + 1)) "$nat_addr"
	if [ "$follow" = none ]; then
		check_fails "$name: a new port is not followed" path_ping 0.5
	else
		check "$name: a new port is followed" path_ping 5
		expected="moved $nat_addr $nat_port 2"$'\n'
	fi
	nat_rebind $((nat_port + 1)) "$addr2"
	if [ "$follow" = both ]; then
		check "$name: a new address is followed" path_ping 5
		expected+="moved $nat_addr $nat_port 2"$'\n'
	else
		check_fails "$name: a new address is not followed" path_ping 0.5
		expected+="refused $nat_addr $nat_port $reason"$'\n'
	fi
	if [ -n "$after" ]; then
		$after || bail "$name: $after"
	fi

	path_names[path_count]=$name
	path_expected[path_count]=$expected
	expected=${expected//[!$'\n']/}
	path_events=$((path_events + ${#expected}))
}

# resumed: how often xfrm has taken a packet back so far
resumed()
{
	calls xfrm_input_resume
}

async_path()
{
	local before_it

	before_it=$(resumed)
	path "$@"
	check_num "$1: packets were asynchronous" $(($(resumed) - before_it)) -ge 3
}
