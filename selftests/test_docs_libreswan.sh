#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# docs/libreswan.md: its files are a gateway, its commands work there, and its log
# lines are those that come. The client is that of docs/strongswan.md.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=libreswan.sh
. "$here/libreswan.sh"
# shellcheck source=pages.sh
. "$here/pages.sh"

log=$tmp/server/pluto.log
# Set by pluto_start.
pluto_server=

ping_once()
{
	in_ns client ping -n -c 1 -W 2 -I "$CLIENT_NET" "$SERVER_NET"
}

# page PAGE NAME: its commands
page()
{
	check "the page's commands work: $1" gateway "$pluto_server" libreswan "$1"
}

setup_topology || bail "no topology"
tool_install
module_install
# That of the guest is strongSwan's.
mkdir "$tmp/bin"
cat > "$tmp/bin/ipsec" <<-END
	#!/bin/sh
	program=\$1
	shift
	[ "\$program" != whack ] || set -- --rundir $tmp/server/run "\$@"
	exec $libreswan/"\$program" "\$@"
END
chmod +x "$tmp/bin/ipsec"
PATH=$tmp/bin:$PATH
gateway_env=(PATH="/usr/local/sbin:$PATH")

nat_map 4500
pluto_start server "config=$(page_file libreswan ipsec-gateway)" \
	"secrets=$(page_file libreswan secrets-gateway)"
charon_start client "swanctl=$(page_file strongswan swanctl-client)" \
	"conf=retransmit_timeout = 2.0"
swan_initiate client || bail "no tunnel"
check "ping is answered" ping_once
page gateway-hook-up

from=$(log_length "$log")
quietly rmmod esptrack
nat_rebind 40010
check_fails "pluto does not follow" ping_once
check_eq "and says nothing" "$(log_length "$log")" "$from"
page gateway-stock

quietly modprobe esptrack static_nat=1 || bail "no module"
knob_wait server "$(spi_of server in)"
check "with the module the client is answered" ping_once
check_eq "pluto says nothing" "$(log_length "$log")" "$from"
page gateway-moved

quietly swan client --rekey --child net || bail "no rekeying"
see libreswan client-asks "$log" "$from"
from=$(log_length "$log")
quietly whack server "$(pluto_rekey_child)" --name gw --asynchronous
see libreswan gateway-asks "$log" "$from"
done_testing
