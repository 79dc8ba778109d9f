#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ESP that is taken out of UDP by GRO, as sockets with UDP_GRO have it done since
# 6.8: packets pass neither netfilter nor the UDP socket. That none did is
# counted.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=path.sh
. "$here/path.sh"

# bypass_count: packets with ESP that netfilter sees at the server
bypass_count()
{
	in_ns server nft -f - <<-END
	table inet seen {
		counter packets_in {}
		chain in {
			type filter hook prerouting priority raw
			udp dport 4500 counter name packets_in
		}
	}
	END
}

seen()
{
	in_ns server nft -j list counter inet seen packets_in |
		jq '.nftables[] | .counter | select(.) | .packets'
}

if ! has_esp_gro; then
	skip "ESP by GRO" "this kernel has none"
	done_testing
fi

paths_up
quietly modprobe -a esp4_offload esp6_offload || bail "no offload"
bypass_count || bail "no counter"
path "not by GRO"
check_num "netfilter sees these packets" "$(seen)" -ge 3

encap_stop
encap_start server --gro
gro_on || bail "no GRO"
before=$(seen)
path "GRO"
path "GRO, ESN, window 4096" esn=1 window=4096
path "GRO, AES-CBC and HMAC-SHA2" cipher=cbc
path "GRO, transport" mode=transport follow=port
path "GRO, BEET" mode=beet
# Not with ESP in it: that the stock kernel loses here as well.
path "GRO, IPComp in it" inner=comp
path "GRO, port 0" port_in=0 follow=none reason=any-port
path "GRO, IPv6" family=6
path "GRO, IPv6, transport" family=6 mode=transport follow=port
path "GRO, IPv6, IPComp in it" family=6 inner=comp
check_eq "netfilter has seen none of these packets" "$(seen)" "$before"

quietly modprobe -a "$async" crypto_user || bail "no $async"
start_ready "$async" server "$here/asynccrypt.py" "$async" 'rfc4106(gcm(aes))'
engine=$pid
calls_start xfrm_input_resume || bail "no kprobe"
async_path "GRO, $async"
async_path "GRO, $async, IPv6" family=6
check_eq "netfilter has seen none of these either" "$(seen)" "$before"
paths_flush
stop "$engine"
check "$async can be unloaded" busywait 20 quietly modprobe -r "$async"
paths_done
