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

# apt_install PACKAGE...: without asking; what it says goes to stdout
apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" 2>&1
}

# need PACKAGE...: install what is missing. What apt says matters only if it fails.
need()
{
	local pkg said missing=()

	for pkg in "$@"; do
		if [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$pkg" 2>&1)" != installed ]; then
			missing+=("$pkg")
		fi
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	# A fresh machine has no package lists, or outdated ones. Two guests may be
	# started at once, and apt would not wait for itself.
	{
		flock 8
		said=$(apt_install "${missing[@]}") && return
		if ! said=$(apt-get update -qq 2>&1 && apt_install "${missing[@]}"); then
			printf '%s\n' "$said" >&2
			return 1
		fi
	} 8< /etc/apt
}

# bootstrap OPTION...: mmdebstrap, as root. Its mounts live in a namespace of their own,
# so that none outlives it if it is killed: what then removes the root would go on in
# the machine's /dev.
bootstrap()
{
	need mmdebstrap debian-archive-keyring < /dev/null
	unshare --mount --propagation private mmdebstrap --quiet --mode=root \
		--aptopt='APT::Install-Recommends "false"' "$@"
}

# kernel_line NAME: sets suite, pocket and headers from the table, and kernel_needs:
# packages of the suite that the image of a pocket's kernel needs from there. Only
# they: with "-t" apt would take a newer linux-libc-dev as well, and what else it finds.
kernel_line()
{
	local line variants

	line=$(awk -v name="${1%%-*}" '$1 == name' "$top/selftests/kernels")
	[ -n "$line" ] || die "no kernel '$1' in selftests/kernels"
	# shellcheck disable=SC2034 # for those who source this file
	read -r _ suite pocket headers variants <<< "$line"
	kernel_needs=()
	# shellcheck disable=SC2034
	[ "$pocket" = - ] || kernel_needs=("linux-base/$pocket")
	if [[ $1 = *-* && ,$variants, != *,${1#*-},* ]]; then
		die "no variant '${1#*-}' of kernel ${1%%-*} in selftests/kernels"
	fi
}

# kernel_names: all names of the table
kernel_names()
{
	awk '!/^#/ && NF { print $1 }' "$top/selftests/kernels"
}

# variant_names: all kernels that are built here, with the table's instruments
variant_names()
{
	awk '!/^#/ && NF > 4 {
		n = split($5, variants, ",")
		for (i = 1; i <= n; i++)
			print $1 "-" variants[i]
	}' "$top/selftests/kernels"
}

# paths NAME: sets where build.sh leaves the parts of this kernel. One that is
# built here, as 6.1-debug, shares all but itself with Debian's own.
paths()
{
	# shellcheck disable=SC2034 # for those who source this file
	{
		base=${1%%-*}
		variant=${1#"$base"}
		variant=${variant#-}
		guest_dir=$BUILD/guest/$1
		build_root=$BUILD/guest/$base/build-root
		initramfs=$BUILD/guest/$base/guest.cpio
		vmlinuz=$guest_dir/vmlinuz
		release_file=$guest_dir/release
		# The next two only if there is a variant.
		kernel_tree=$guest_dir/tree
		modules=$guest_dir/modules.cpio
	}
}
