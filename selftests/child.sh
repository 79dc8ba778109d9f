# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Child SAs with static keys, one beside the other: number N has the SPIs 0x100N
# to the server and 0x200N to the client, and the reqid N.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

# sa_batch SRC DST SPI REQID SPORT DPORT OPTIONS...
sa_batch()
{
	local src=$1 dst=$2 spi=$3 reqid=$4 encap="encap espinudp $5 $6 0.0.0.0"

	shift 6
	echo "xfrm state add src $src dst $dst proto esp spi $spi reqid $reqid mode tunnel" \
		"replay-window 32 aead rfc4106(gcm(aes)) $static_key 128 $encap $*"
}

# policy_batch LOCAL REMOTE NET REMOTE_NET REQID OPTIONS...: one per direction
policy_batch()
{
	local local=$1 remote=$2 net=$3 remote_net=$4 tmpl="proto esp reqid $5 mode tunnel" dir

	shift 5
	echo "xfrm policy add src $net dst $remote_net dir out $*" \
		"tmpl src $local dst $remote $tmpl"
	for dir in in fwd; do
		echo "xfrm policy add src $remote_net dst $net dir $dir $*" \
			"tmpl src $remote dst $local $tmpl"
	done
}

# Not by its knob, whose name has the mark.
is_tracked()
{
	tool server -j show | jq -e --arg spi "$1" 'any(.spi == $spi)'
}

# child_server N NET PORT OPTIONS...: the server's end of a child SA to NET, of
# the peer with this port; OPTIONS as "mark 1" are for SAs and policies
child_server()
{
	local n=$1 net=$2 port=$3

	shift 3
	{
		sa_batch "$nat_addr" $SERVER "0x100$n" "$n" "$port" 4500 "$@"
		sa_batch $SERVER "$nat_addr" "0x200$n" "$n" 4500 "$port" "$@"
		policy_batch $SERVER "$nat_addr" $SERVER_NET "$net" "$n" "$@"
	} | ip_batch server || bail "no child SA at the server"
	busywait 10 is_tracked "0x0000100$n" || bail "child SA $n is not tracked"
}

# child_client N NET OPTIONS...
child_client()
{
	local n=$1 net=$2

	shift 2
	{
		sa_batch $SERVER_PUB $CLIENT "0x200$n" "$n" 4500 4500 "$@"
		sa_batch $CLIENT $SERVER_PUB "0x100$n" "$n" 4500 4500 "$@"
		policy_batch $CLIENT $SERVER_PUB "$net" $SERVER_NET "$n" "$@"
	} | ip_batch client || bail "no child SA at the client"
}

# udpencap_start: the sockets that make the kernel take ESP out of UDP
udpencap_start()
{
	start_ready udpencap-server server "$here/udpencap.py"
	start_ready udpencap-client client "$here/udpencap.py"
}

# ends_of SPI: of SAs as ip prints them on stdin, "SRC:PORT DST:PORT" of the
# last one with this SPI
ends_of()
{
	awk -v spi="$1" '
		/^[^ \t]/ { hit = 0 }
		/^(Updated )?src / { src = $(NF - 2); dst = $NF }
		$1 == "proto" && index($4, spi) == 1 { hit = 1 }
		hit && /encap type/ { ends = src ":" $5 " " dst ":" $7 }
		END { print ends }
	'
}

# sa_state NS SPI: of "ip -s xfrm state", "PACKETS SEQ OSEQ ADDED": the sequence
# numbers that have come and gone, in hex, and when the SA was added
sa_state()
{
	ip -n "$1" -s xfrm state | awk -v spi="$2" '
		/^src/ { hit = 0 }
		$1 == "proto" && index($4, spi) == 1 { hit = 1 }
		!hit { next }
		/anti-replay context/ { gsub(",", ""); seq = $4; oseq = $6 }
		/[0-9]\(packets\)/ { packets = $2 + 0 }
		$1 == "add" { added = $2 "T" $3 }
		END { print packets, seq, oseq, added }
	'
}

# pairs_at ADDRESS:PORT N...: do both SAs of these children lead there?
pairs_at()
{
	local at=$1 states n

	shift
	states=$(ip -n server xfrm state)
	for n; do
		if [ "$(ends_of "0x0000100$n" <<< "$states")" != "$at $SERVER:4500" ] ||
		   [ "$(ends_of "0x0000200$n" <<< "$states")" != "$SERVER:4500 $at" ]; then
			echo "$states"
			return 1
		fi
	done
}

# templates_at ADDRESS REQID: how many policies name it
templates_at()
{
	ip -n server xfrm policy | awk -v address="$1" -v reqid="$2" '
		/tmpl src/ { hit = $3 == address || $5 == address }
		hit && /proto esp/ {
			for (i = 1; i < NF; i++)
				if ($i == "reqid" && $(i + 1) == reqid)
					n++
			hit = 0
		}
		END { print n + 0 }
	'
}
