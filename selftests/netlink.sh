#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netlink.sh KERNEL [check]: make the netlink header and policies from
# kmod/uapi/esptrack.yaml, with the generator of Linux 6.12; or say how those in
# the tree differ from it.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -ge 1 ] || die "usage: netlink.sh KERNEL [check]"
kernel=$1
mode=${2:-write}
need python3 python3-yaml python3-jsonschema xz-utils
source=$("$top/selftests/guest/source.sh" "$kernel")

# The generator looks for the schema beside the folder of the spec, and for the
# root of a kernel tree, which has a file MAINTAINERS, above it.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
specs=$tree/Documentation/netlink/specs
mkdir -p "$specs"
touch "$tree/MAINTAINERS"
cp "$source"/Documentation/netlink/*.yaml "$tree/Documentation/netlink/"
cp "$top/kmod/uapi/esptrack.yaml" "$specs/"

# make_one MODE KIND FILE
make_one()
{
	local made=$tree/${3##*/}

	python3 "$source/tools/net/ynl/ynl-gen-c.py" --mode "$1" "--$2" \
		--spec "$specs/esptrack.yaml" -o "$made"
	if [ "$mode" = check ]; then
		diff -u "$top/$3" "$made" || :
	else
		cp "$made" "$top/$3"
	fi
}

make_one uapi header kmod/uapi/linux/esptrack.h
make_one kernel header kmod/netlink_gen.h
make_one kernel source kmod/netlink_gen.c
