#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo, inside the guest: a real strongSwan tunnel loses its NAT mapping,
# first without esptrack and then with it. The server is the IKE initiator,
# where strongSwan itself does not follow.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh" > /dev/null
# shellcheck source=module.sh
. "$here/module.sh"

say()
{
	printf '\n%s\n' "$*"
}

# show COMMAND...: as if typed at the server
show()
{
	printf '\nserver# %s\n' "$*"
	in_ns server env "PATH=/payload:$PATH" "$@"
}

received()
{
	echo "    the client has received $(traffic_count client received) of" \
		"$(traffic_count server sent) datagrams, the server" \
		"$(traffic_count server received) of $(traffic_count client sent)"
}

# second N: until the client has sent for N more seconds
seconds()
{
	traffic_wait client sent $(($1 * 100)) $(($1 * 10)) || bail "no traffic"
}

setup_topology || bail "no topology"
cat <<-END

	  server ---- 1:1 NAT ---- internet ---- NAT router ---- client
	  $SERVER   $SERVER_PUB               $NAT_ADDR      $CLIENT
	  "a GCE instance"                      "a home"

	A strongSwan tunnel, 100 datagrams a second in both directions.
END
tunnel_up initiator
swan server --list-sas | sed -n '1,4p' | sed 's/^/    /'
traffic_start
seconds 2
received

say "--- The router forgets the mapping. Without esptrack:"
nat_rebind 40001
echo "    the client's packets now come from $nat_addr:40001"
seconds 4
received
echo "    The server still sends to port $(encap_of server "$(spi_of server out)" | cut -d' ' -f2). The tunnel is dead one way, and stays so."

say "--- Now the module is loaded, into the running tunnel:"
echo "server# insmod esptrack.ko"
module_load static_nat=0
spi=$(spi_of server in)
knob_wait server "$spi"
show esptrack -o show
echo
echo "server# esptrack monitor &"
ip netns exec server stdbuf -oL /payload/esptrack monitor 2> "$tmp/monitor.log" &
monitor=$!
defer stop $monitor
busywait 10 file_has "$tmp/monitor.log" monitoring || bail "no monitor"
show esptrack set spi "$spi" dst $SERVER static_nat on
seconds 2
received

say "--- The router forgets the mapping again. With esptrack:"
followed=$EPOCHREALTIME
nat_rebind 40002
seconds 2
received
say "--- And again:"
nat_rebind 40003
seconds 2
received
traffic_stop || bail "traffic did not end"
show esptrack -o show

rebind_time=$followed
traffic_summary
say "Lost to the client: $(traffic .to_client.lost_before) datagrams without esptrack," \
	"$(traffic .to_client.lost_after) in two rebindings with it."
stop $monitor
show rmmod esptrack
done_testing
