#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The peer's address changes while strongSwan's server is the IKE initiator.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_dead initiator "$NAT_ADDR2"
