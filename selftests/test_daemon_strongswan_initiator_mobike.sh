#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What works after a rebinding with strongswan at the server as initiator, with MOBIKE:
# see daemons.sh.

here=$(cd "$(dirname "$0")" && pwd)

status=0
"$here/daemons.sh" strongswan initiator yes port || status=1
"$here/daemons.sh" strongswan initiator yes address || status=1
exit $status
