#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [KERNEL] [TEST=NAME] [WORD=...]: boot the guest with the module and the
# tool that were built for its kernel, and run the tests in it (run.sh).

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

kernel=$(kernel_names | head -n 1)
args=()
guest=(--timeout 3600)
for arg in "$@"; do
	case $arg in
	SUITE=stress)
		# At full speed, but with an eye on our own objects, which may
		# be made to fail as well (A). (Of two slub_debug= the last one
		# counts.)
		guest+=(--append 'slub_debug=FZPA,esptrack_*;FZP,xfrm_state')
		args+=("$arg")
		;;
	*=*)	args+=("$arg") ;;
	*)	kernel=$arg ;;
	esac
done

"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
payload=(
	--payload "$top/selftests:/payload/selftests"
	--payload "$top/docs:/payload/docs"
	--payload "$top/README.md:/payload/README.md"
	--payload "$top/userspace/hooks:/payload/hooks"
	--payload "$top/kmod/uapi/esptrack.yaml:/payload/esptrack.yaml"
	--payload "$("$top/selftests/guest/source.sh" "$kernel")/tools/net/ynl:/payload/ynl"
)
for schema in "$top"/userspace/*.schema.json; do
	payload+=(--payload "$schema:/payload/${schema##*/}")
done
for file in esptrack.ko esptrack esptrack_other rules_test load; do
	if [ -e "$BUILD/$release/$file" ]; then
		payload+=(--payload "$BUILD/$release/$file:/payload/$file")
	fi
done
exec "$top/selftests/guest/run.sh" "${guest[@]}" "${payload[@]}" "$kernel" -- \
	/payload/selftests/run.sh ${args[@]+"${args[@]}"}
