#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# need.sh PACKAGE...: install what is missing, without asking.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

need "$@"
