#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# docs.sh [KERNEL...]: build and install by the commands of README.md and docs/gce.md,
# as root of a fresh machine with a kernel's headers, of which nothing stays. Then list
# the commands of all documents that nothing runs.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -gt 0 ] || set -- 6.1 6.12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# install PAGE KERNEL: the module must be where modprobe looks for it, the tool must
# be in the path and start, and the hook be where the pages say; and nothing of it be
# left by "make uninstall"
install()
{
	local page=$1 kernel=$2 release

	paths "$kernel"
	release=$(cat "$release_file")
	"$top/selftests/docs.py" get "$page" build > "$work/commands"
	if cmp -s "$work/commands" "$work/done-$kernel"; then
		echo "# as before" > "$work/log"
		return 0
	fi
	cp "$work/commands" "$work/tried"
	cat >> "$work/commands" <<-END
		modinfo -k $release esptrack
		esptrack -V
		test -x /usr/local/libexec/esptrack/updown
		make uninstall
		find /usr/local /lib/modules/$release -name '*esptrack*' | tee /dev/stderr |
			diff - /dev/null
		if modinfo -k $release esptrack; then exit 1; fi
	END
	"$top/selftests/guest/throwaway.sh" "$kernel" "$work" \
		bash -euxc "$(cat "$work/commands")" > "$work/log" 2>&1 || return
	mv "$work/tried" "$work/done-$kernel"
}

for kernel in "$@"; do
	"$top/selftests/guest/build.sh" "$kernel"
	for page in README.md docs/gce.md; do
		if install "$top/$page" "$kernel"; then
			echo "ok - $page installs on $kernel"
		else
			echo "not ok - $page installs on $kernel"
			sed 's/^/# /' "$work/log"
			failed=1
		fi
	done
done

cd "$top"
selftests/docs.py list README.md docs/*.md | awk '
	$3 ~ /^not-run:/ { print "# not run by any test: " $1 " (" substr($3, 9) ")"; n++ }
	END { print "# " n + 0 " of " NR " blocks of the documents are not run" }
'
exit $failed
