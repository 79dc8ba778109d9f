# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# libreswan: pluto in a namespace, and whack. Sourced by tests after lib.sh.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

libreswan=/usr/libexec/ipsec

# pluto_start NS [KEY=VALUE...]: start pluto in a namespace, with the connection
# "gw" as charon_start has it, and wait until that is loaded.
#   remote=ADDR   where the peer is (default: any)
#   mobike=yes    (no)
#   dpd=10        delay of dead peer detection in seconds (0: none)
#   updown=CMD    what it calls when a tunnel comes up or goes down (nothing)
#   extra=LINE    more lines of the connection
#   config=FILE   all of ipsec.conf, in place of what the others say
#   secrets=FILE  all of ipsec.secrets
pluto_start()
{
	local ns=$1 dir=$tmp/$1 remote=%any mobike=no dpd=0 extra='' peer=client updown=%disabled
	local config='' secrets=''

	[ "$ns" = server ] || bail "pluto_start: $ns"
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		remote=* | mobike=* | dpd=* | updown=* | extra=* | config=* | secrets=*)	local "$1" ;;
		*)	bail "pluto_start: $1" ;;
		esac
		shift
	done

	mkdir -p "$dir/run" "$dir/nss"
	quietly certutil -N -d "sql:$dir/nss" --empty-password || bail "no NSS database"
	cat > "$dir/ipsec.conf" <<-END
	config setup
	  dnssec-enable=no

	conn gw
	  auto=add
	  ikev2=insist
	  authby=secret
	  left=$SERVER
	  leftid=@$ns
	  leftsubnet=$SERVER_NET/32
	  leftupdown="$updown"
	  right=$remote
	  rightid=@$peer
	  rightsubnet=$CLIENT_NET/32
	  ike=aes_gcm128-sha2_256-dh31
	  esp=aes_gcm128
	  pfs=no
	  mobike=$mobike
	  dpddelay=$dpd
	  dpdtimeout=$dpd
	  $extra
	END
	cat > "$dir/ipsec.secrets" <<-END
	@$ns @$peer : PSK "a secret of these tests"
	END
	if [ -n "$config" ]; then
		cp "$config" "$dir/ipsec.conf"
		cp "$secrets" "$dir/ipsec.secrets"
	fi
	start "pluto-$ns" "$ns" "$libreswan/pluto" --nofork \
		--config "$dir/ipsec.conf" --secretsfile "$dir/ipsec.secrets" \
		--rundir "$dir/run" --nssdir "$dir/nss" --logfile "$dir/pluto.log"
	printf -v "pluto_$ns" %s "$pid"
	busywait 30 pluto_ready "$ns" || bail "pluto of $ns did not start"
}

# whack NS ARGUMENTS
whack()
{
	local ns=$1

	shift
	in_ns "$ns" "$libreswan/whack" --rundir "$tmp/$ns/run" "$@"
}

pluto_ready()
{
	whack "$1" --status | grep -q '"gw"'
}

# pluto_dpd NS SECONDS: another delay of dead peer detection, from the next
# pluto_reload on; 0: none
pluto_dpd()
{
	sed -i "s/\(dpd[a-z]*\)=.*/\1=$2/" "$tmp/$1/ipsec.conf"
}

# pluto_reload NS: forget the connection, its SAs, and that it should be up; and
# load it again
pluto_reload()
{
	quietly whack "$1" --delete --name gw
	quietly in_ns "$1" "$libreswan/addconn" --config "$tmp/$1/ipsec.conf" \
		--ctlsocket "$tmp/$1/run/pluto.ctl" gw || bail "pluto of $1 refused its configuration"
}

# pluto_rekey_child: whack's option, which libreswan 5 calls otherwise
pluto_rekey_child()
{
	case $("$libreswan/whack" --version) in
	*' 4.'*)	echo --rekey-ipsec ;;
	*)		echo --rekey-child ;;
	esac
}
