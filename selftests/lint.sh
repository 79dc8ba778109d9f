#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh [KERNEL]: whatever can be said about the sources without running them, and
# the module for each kernel of the table, or for one. Silence is success.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -le 1 ] || die "usage: lint.sh [KERNEL]"
mapfile -t kernels < <(printf '%s\n' "${1:-$(kernel_names)}")
cd "$top"
need shellcheck python3 perl xz-utils mandoc systemd
printf '%s\n' "${kernels[@]}" | xargs -n 1 -P "$(nproc)" "$top/selftests/guest/build.sh"
bad=0

# verdict WHAT COMMAND...: it must succeed, and without a word
verdict()
{
	local what=$1 status=0 out

	shift
	out=$("$@" 2>&1) || status=$?
	if [ -z "$out" ] && [ $status -eq 0 ]; then
		echo "ok - $what"
	else
		echo "not ok - $what: exit status $status"
		printf '%s\n' "$out"
		bad=1
	fi
}

# complaints LOG COMMAND...: what it says on stderr, but for what has no meaning here
complaints()
{
	local log=$1 status=0

	shift
	"$@" > "$log" 2> "$log.errors" || status=$?
	sed '/Skipping BTF generation/d; /checker-valid.sh: No such/d; /C=2 specified/d' \
		"$log.errors"
	return "$status"
}

checkpatch()
{
	# It collects names from a kernel's headers, where it finds them, and
	# leaves a cache file.
	mkdir -p "$source/include"
	(cd "$source" && perl scripts/checkpatch.pl --strict --no-tree --root=. \
		--terse --show-types --no-summary -f "$@")
}

# Compilers and sparse speak on stderr; make's own progress does not matter.
# C=2 would do nothing where the headers lack the script that looks whether
# sparse is good enough, so what comes of it is set, and the complaint ignored.
# builds_check KERNEL
builds_check()
{
	verdict "sparse and W=1, $1" complaints "$BUILD/logs/lint-$1.log" \
		"$top/selftests/kmod.sh" "$1" W=1 KBUILD_CHECKSRC=2 \
		CHECK=/src/selftests/sparse.sh
	verdict "W=1 for arm64, $1" complaints "$BUILD/logs/lint-arm64-$1.log" \
		"$top/selftests/arm64.sh" "$1"
}

# together FUNCTION ARGUMENT...: call it for each, side by side
together()
{
	local function=$1 argument pids=()

	shift
	for argument in "$@"; do
		(bad=0; "$function" "$argument"; exit "$bad") &
		pids+=($!)
	done
	for argument in "${pids[@]}"; do
		wait "$argument" || bad=1
	done
}

python_check()
{
	python3 - "$@" <<-'END'
	import ast, sys
	for path in sys.argv[1:]:
	    ast.parse(open(path, encoding="utf-8").read(), path)
	END
}

picture_check()
{
	selftests/cast_svg.py docs/demo.cast | diff -q - docs/demo.svg
}

# Where the tool is installed does not matter, but it must be something that runs.
units_check()
{
	local dir=$BUILD/logs/units unit

	rm -rf "$dir"
	install -D -m 755 /dev/null "$dir/esptrack" &&
		make -s -C userspace install-units "UNITDIR=$dir" "SBINDIR=$dir" DESTDIR= ||
		return
	for unit in "$dir"/*.service; do
		systemd-analyze verify --man=no "$unit" || return
		systemd-analyze security --offline=yes --threshold=20 "$unit" > "$dir/security" ||
			tail -n 1 "$dir/security"
	done
	systemd-analyze verify --man=no "$dir"/*.timer
}

# Each script with what it sources, on all processors.
shellcheck_all()
{
	printf '%s\0' "${scripts[@]}" | xargs -0 -n 8 -P "$(nproc)" shellcheck -x
}

need git
mapfile -t scripts < <(git ls-files | xargs grep -lE '^#!/bin/(ba)?sh|shellcheck shell=')
mapfile -t pythons < <(git ls-files '*.py')
# What is generated has a style of its own.
mapfile -t kernel_files < <(git ls-files 'kmod/*.[ch]' |
	grep -vE 'netlink_gen|uapi')
mapfile -t tool_files < <(git ls-files 'userspace/*.[ch]' 'selftests/*.[ch]')

verdict shellcheck shellcheck_all
verdict python python_check "${pythons[@]}"
verdict "man page" mandoc -T lint userspace/*.8
verdict "documents: links, and blocks that somebody runs" \
	"$top/selftests/docs.py" lint README.md docs/*.md
mkdir -p "$BUILD/logs"
verdict "systemd's units" units_check
verdict "picture, as the record has it" picture_check
touch kmod/*.c
together builds_check "${kernels[@]}"
source=$("$top/selftests/guest/source.sh" "${kernels[0]}")
verdict "netlink, as the spec says" "$top/selftests/netlink.sh" "${kernels[0]}" check
verdict "checkpatch, module" checkpatch "${kernel_files[@]/#/$top/}"
# The tool is userspace: these are rules of the kernel's own types and macros.
verdict "checkpatch, tool" checkpatch \
	--ignore ALLOC_WITH_SIZEOF,PREFER_KERNEL_TYPES,CAMELCASE,VOLATILE,MACRO_ARG_REUSE \
	"${tool_files[@]/#/$top/}"

exit $bad
