#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan bug #731: the server is behind a 1:1 NAT and the IKE responder, and
# the client's port mapping changes under traffic in both directions.
#
# strongSwan follows here, by deleting its SAs and policies and adding them
# again. What is lost meanwhile is its doing, and xfrm's counters tell it apart.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_reinstalled responder
