#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# secureboot.sh, inside the guest: what the kernel takes, as docs/secure-boot.md
# has it, and that the module works under lockdown.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

ping_once()
{
	in_ns client ping -n -c 1 -W 5 -I "$CLIENT_NET" "$SERVER_NET"
}

cd /payload || bail "no payload"
quietly mount -t securityfs securityfs /sys/kernel/security
setup_topology || bail "no topology"
defer module_unload

# One by another key: the file is right, and only the kernel does not know the key.
check_eq "the other module is signed as well" \
	"$(modinfo -F signer other.ko)" "$(modinfo -F signer esptrack.ko)"
check_fails "a module that is signed by another key is refused" insmod other.ko
check_fails "it is not there" module_loaded
check "all is as the page says" "$here/docs.py" run secure-boot.md secure-boot bash
check "the module is there" module_loaded
check_eq "the kernel calls it foreign, but not unsigned" "$(cat /proc/sys/kernel/tainted)" 4096

static_sa || bail "no SAs"
knob_wait server "$STATIC_SPI_IN"
check "the peer is answered" ping_once
nat_rebind 30003
check "and where he is now" ping_once
check_eq "the SA was moved once" "$(knob server "$STATIC_SPI_IN" moves)" 1
done_testing
