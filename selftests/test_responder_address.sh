#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The peer's address changes while strongSwan's server is the IKE responder,
# which deletes and adds its SAs: the outbound one by the address it had, which
# fails, as it has been moved.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_reinstalled responder "$NAT_ADDR2"
