#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What works after a rebinding with libreswan at the server as responder, with MOBIKE:
# see daemons.sh.

here=$(cd "$(dirname "$0")" && pwd)

status=0
"$here/daemons.sh" libreswan responder yes port || status=1
"$here/daemons.sh" libreswan responder yes address || status=1
exit $status
