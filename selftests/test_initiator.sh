#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan's server is the IKE initiator: it does not follow a mapping change then.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_dead initiator
