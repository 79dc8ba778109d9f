# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# strongSwan: charon in a namespace, and swanctl. Sourced by lib.sh.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

# charon_start NS [KEY=VALUE...]: start charon in a namespace, wait until it is
# ready and load a connection "gw" with a child "net".
#   remote=ADDR   where the peer is (default: the server takes any, the client
#                 goes to the server)
#   mobike=yes    (no)
#   dpd=10s       delay of dead peer detection (0s)
#   extra=LINE    more lines of the connection
#   child=LINE    more lines of the child
#   conf=LINE     more lines of the section "charon" of strongswan.conf
#   knl=1         how much it says about the kernel (2)
#   swanctl=FILE  all of swanctl.conf, in place of what the others say
charon_start()
{
	local ns=$1 dir=$tmp/$1 remote mobike=no dpd=0s extra='' child='' conf=''
	local knl=2 swanctl=''
	local peer net peer_net

	shift
	if [ "$ns" = server ]; then
		peer=client net=$SERVER_NET peer_net=$CLIENT_NET remote=%any
	else
		peer=server net=$CLIENT_NET peer_net=$SERVER_NET remote=$SERVER_PUB
	fi
	while [ $# -gt 0 ]; do
		case $1 in
		remote=* | mobike=* | dpd=* | extra=* | child=* | conf=* | knl=* | swanctl=*)	local "$1" ;;
		*)	bail "charon_start: $1" ;;
		esac
		shift
	done

	mkdir -p "$dir/run" "$dir/swanctl"
	cat > "$dir/strongswan.conf" <<-END
	charon {
		load = random nonce aes sha2 hmac kdf gcm openssl kernel-netlink socket-default vici
		$conf
		filelog {
			file {
				path = $dir/charon.log
				time_format = %H:%M:%S
				time_add_ms = yes
				default = 1
				knl = $knl
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
					$child
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

	if [ -n "$swanctl" ]; then
		cp "$swanctl" "$dir/swanctl/swanctl.conf"
	fi

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

# swan_dpd NS DELAY: another delay of dead peer detection, for IKE SAs to come
swan_dpd()
{
	sed -i "s/dpd_delay = .*/dpd_delay = $2/" "$tmp/$1/swanctl/swanctl.conf"
	quietly swan "$1" --load-conns || bail "charon of $1 refused its configuration"
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
