#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What works after a rebinding with strongswan at the server as initiator, without MOBIKE:
# see daemons.sh.

here=$(cd "$(dirname "$0")" && pwd)

status=0
"$here/daemons.sh" strongswan initiator no port || status=1
"$here/daemons.sh" strongswan initiator no address || status=1
# What fails for want of a daemon that follows fails without the module as well.
"$here/daemons.sh" strongswan initiator no port stock || status=1
exit $status
