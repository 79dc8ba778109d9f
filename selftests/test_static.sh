#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Static keys, and no daemon that could follow.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_dead static
