#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deb.sh [KERNEL]: build the Debian packages for the suite of a kernel, in a root of
# that suite, into $BUILD/deb/<suite>/packages/.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

kernel=${1:-$(kernel_names | head -n 1)}
kernel_line "$kernel"
cd "$top"
# shellcheck disable=SC2154 # set by kernel_line
out=$BUILD/deb/$suite
packages=$out/packages
root=$("$top/selftests/guest/deb_root.sh" "$kernel")
place=$root/build/esptrack

need git
version=$(sed -n '1s/^esptrack (\(.*\)).*/\1/p' debian/changelog)
upstream=${version%-*}
date=$(sed -n '/^ -- /{s/.*>  //p;q}' debian/changelog)

# files PATTERN...: those of the tree that git has or would take, but no others
files()
{
	git ls-files -z --cached --others --exclude-standard -- "$@"
}

# archive OPTIONS...: the files of stdin as the tarball of a release has them
archive()
{
	tar -c --null --files-from=- --sort=name --mtime="$date" --owner=0 --group=0 \
		--numeric-owner --mode=u+rwX,go=rX "$@"
}

echo "deb: esptrack $version ($suite)" >&2
rm -rf "$packages" "$place"
mkdir -p "$packages" "$place"
orig=$place/esptrack_$upstream.orig.tar.xz
files ':!debian' ':!.ci' | archive --transform="s,^,esptrack-$upstream/,S" | xz > "$orig"
tar -xJ -C "$place" -f "$orig"
files debian | archive | tar -x -C "$place/esptrack-$upstream"

# Nothing of our caller's environment goes in, above all not make's.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$top/selftests/guest/chroot.sh" "$root" -- \
	env -C "${place#"$root"}/esptrack-$upstream" dpkg-buildpackage -us -uc \
	> "$out/build.log" 2>&1 ||
	{ tail -n 40 "$out/build.log" >&2; die "no packages, see $out/build.log"; }
mv "$place"/esptrack*_* "$packages/"
rm -rf "$place"
printf '%s\n' "${packages#"$top"/}"/*.deb
