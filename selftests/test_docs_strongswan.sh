#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# docs/strongswan.md: its files are a gateway and a client, its commands work there,
# and its log lines are those that come.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=pages.sh
. "$here/pages.sh"

log=$tmp/server/charon.log
# Set by charon_start.
charon_server='' charon_client=''
plugins='load = random nonce aes sha1 sha2 hmac kdf gcm openssl kernel-netlink socket-default vici updown'

# warm_up: the first SA with an algorithm has the kernel load it, which takes longer
# than an impatient client waits
warm_up()
{
	local sa="src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100"

	# shellcheck disable=SC2086 # words
	quietly ip -n server xfrm state add $sa aead 'rfc4106(gcm(aes))' "$static_key" 128 &&
		quietly ip -n server xfrm state delete $sa
}

ping_once()
{
	in_ns client ping -n -c 1 -W 2 -I "$CLIENT_NET" "$SERVER_NET"
}

# unheard: three packets of the client, to which the answers go elsewhere
unheard()
{
	! in_ns client ping -n -c 3 -i 0.2 -W 1 -I "$CLIENT_NET" "$SERVER_NET"
}

# page PAGE NAME: its commands
page()
{
	check "the page's commands work: $1" gateway "$charon_server" strongswan "$1"
}

# daemons REMOTE: both, by the files of the page; the gateway's remote_addrs as given
daemons()
{
	charon_start server "knl=1" "swanctl=$tmp/gateway" "conf=$plugins
	retransmit_timeout = 2.0"
	charon_start client "swanctl=$(page_file strongswan swanctl-client)" "conf=$plugins"
	gateway_env+=("SWANCTL_DIR=$tmp/server/swanctl" "STRONGSWAN_CONF=$tmp/server/strongswan.conf")
}

setup_topology || bail "no topology"
warm_up || bail "no SA"
tool_install

note "the gateway is responder"
nat_map 4500
cp "$(page_file strongswan swanctl-gateway)" "$tmp/gateway"
daemons
swan_initiate client || bail "no tunnel"
check "ping is answered" ping_once
see strongswan no-module "$log" 0
from=$(log_length "$log")
nat_rebind 40010
check "charon follows at last" busywait 10 ping_once
see strongswan responder-stock "$log" "$from"

module_install
quietly modprobe esptrack static_nat=1 || bail "no module"
busywait 10 knob_exists server "$(spi_of server in)" || bail "no knob"
from=$(log_length "$log")
nat_rebind 40020
# Here charon follows as well, and a packet may come while it makes the SA anew.
check "ping from the new mapping is answered" busywait 10 ping_once
see strongswan responder "$log" "$from"
page gateway-responder

quietly swan client --terminate --ike gw || bail "not terminated"
module_unload
page gateway-hook
nat_map 4500
nat_forget || bail "the NAT does not forget"
swan_initiate client || bail "no tunnel"
page gateway-hook-up
stop "$charon_client"
stop "$charon_server"
module_unload
# Else the hook would have the kernel load it.
module_uninstall

note "the gateway is initiator"
nat_map 4500 "$NAT_ADDR" forward
sed -i "s/remote_addrs = %any/remote_addrs = $NAT_ADDR/; s/dpd_delay = .*/dpd_delay = 0s/" "$tmp/gateway"
daemons
swan_initiate server || bail "no tunnel"
# The client's second request of all is believed.
quietly swan client --rekey --child net || bail "no rekeying"
check "ping is answered" busywait 10 ping_once
from=$(log_length "$log")
nat_rebind 40030
check "charon does not follow" unheard
see strongswan initiator-stock "$log" "$from"
from=$(log_length "$log")
module_install
quietly modprobe esptrack static_nat=1 || bail "no module"
knob_wait server "$(spi_of server in)"
check "with the module the client is answered" ping_once
quietly swan server --rekey --child net
see strongswan initiator "$log" "$from"
from=$(log_length "$log")
nat_rebind 40040 "$NAT_ADDR2"
check "and at a new address" ping_once
quietly swan client --rekey --child net || bail "no rekeying"
see strongswan initiator-address "$log" "$from"
done_testing
