#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The server's charon is stopped: nobody but the kernel can follow.

# shellcheck source=compare.sh
. "$(dirname "$0")/compare.sh"

compare_dead frozen
