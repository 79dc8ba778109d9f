# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the host-side scripts share: paths, packages, the table of kernels.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$top/build}

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# need PACKAGE...: install what is missing
need()
{
	local pkg missing=()

	for pkg in "$@"; do
		if [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$pkg" 2>&1)" != installed ]; then
			missing+=("$pkg")
		fi
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	export DEBIAN_FRONTEND=noninteractive
	# A fresh machine has no package lists, or outdated ones.
	if ! apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2; then
		apt-get update -qq >&2
		apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
	fi
}

# kernel_line NAME: sets suite, pocket, headers from the table
kernel_line()
{
	local line

	line=$(awk -v name="$1" '$1 == name' "$top/selftests/kernels")
	[ -n "$line" ] || die "no kernel '$1' in selftests/kernels"
	# shellcheck disable=SC2034 # for those who source this file
	read -r _ suite pocket headers <<< "$line"
}

# kernel_names: all names of the table
kernel_names()
{
	awk '!/^#/ && NF { print $1 }' "$top/selftests/kernels"
}

# paths NAME: sets where build.sh leaves the parts of this kernel
paths()
{
	# shellcheck disable=SC2034 # for those who source this file
	{
		guest_dir=$BUILD/guest/$1
		build_root=$guest_dir/build-root
		vmlinuz=$guest_dir/vmlinuz
		initramfs=$guest_dir/guest.cpio
		release_file=$guest_dir/release
	}
}
