#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_deb.sh [KERNEL] [TEST=build|install|guest]: build the packages for the suite
# of a kernel, and look what they are worth; or only a part of it:
#
#   build    lintian; and is it the same when built elsewhere, and otherwise?
#   install  in a chroot with the kernel and its headers: install an older version,
#            upgrade, purge
#   guest    on a machine of its own: install, load, use, boot into a newer kernel,
#            purge (deb_first.sh and deb_second.sh)
#
# The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

kernel=$(kernel_names | head -n 1)
parts='build install guest'
for arg in "$@"; do
	case $arg in
	TEST=*)	parts=${arg#TEST=} ;;
	*)	kernel=$arg ;;
	esac
done
kernel_line "$kernel"
paths "$kernel"
# shellcheck disable=SC2154 # set by kernel_line
dir=$BUILD/deb/$suite
packages=$dir/packages
check_root=$dir/check-root
passed=0
failed=0

# count COMMAND...: count the results in what it prints, and print that
count()
{
	local status=0 good bad log=$dir/count.log

	"$@" 2>&1 | tee "$log" || status=$?
	good=$(grep -c '^ok ' "$log") || :
	bad=$(grep -c '^not ok ' "$log") || :
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "not ok - $1: status $status"
		bad=1
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
}

# result TEXT COMMAND...: its success is a result; what it prints is shown if not
result()
{
	local text=$1 out

	shift
	if out=$("$@" 2>&1); then
		echo "ok - $text"
		passed=$((passed + 1))
	else
		echo "not ok - $text"
		printf '%s\n' "$out"
		failed=$((failed + 1))
	fi
}

fails()
{
	! "$@"
}

in_check_root()
{
	"$top/selftests/guest/chroot.sh" "$check_root" -- "$@"
}

install_in_check_root()
{
	in_check_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "$@"
}

# fill_check_root RELEASE: with more than is needed to build, for what judges the
# packages. The kernel is there with its image: DKMS takes one that has no modules of
# its own for one that is no longer installed.
fill_check_root()
{
	in_check_root apt-get update &&
		install_in_check_root lintian faketime locales dkms &&
		install_in_check_root "${kernel_needs[@]}" "linux-image-$1" "linux-headers-$1" &&
		in_check_root localedef -i fr_CH -f UTF-8 fr_CH.UTF-8
}

make_check_root()
{
	local inputs stamp=$dir/check-root.stamp release root

	root=$("$top/selftests/guest/deb_root.sh" "$kernel")
	"$top/selftests/guest/build.sh" "$kernel"
	release=$(cat "$release_file")
	inputs=$(cat "$0" "$dir/root.stamp" - <<< "$release" | sha256sum)
	if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]; then
		return
	fi
	echo "deb: root to check in ($suite)" >&2
	rm -rf "$stamp" "$check_root"
	cp -a "$root" "$check_root"
	fill_check_root "$release" > "$dir/check-root.log" 2>&1 ||
		die "no root to check in, see $dir/check-root.log"
	echo "$inputs" > "$stamp"
}

# What only an upload to Debian has: a bug that asks for the package, a place of
# releases to watch. And lintian of Debian 12 does not know the newest policy, which
# does not ask for scripts of other inits.
suppressed=(
	initial-upload-closes-no-bugs
	debian-watch-file-is-missing
	newer-standards-version
	package-supports-alternative-init-but-no-init.d-script
)

lintian()
{
	local changes tag tags=''

	# It does not take one that it does not know.
	for tag in "${suppressed[@]}"; do
		if [ -n "$(find "$check_root/usr/share/lintian/tags" -name "$tag.tag")" ]; then
			tags+=,$tag
		fi
	done
	changes=$(echo "$packages"/*.changes)
	in_check_root runuser -u nobody -- lintian --pedantic --display-info \
		--suppress-tags "${tags#,}" --fail-on error,warning,info \
		"/src/${changes#"$top"/}"
}

# take_source DIRECTORY: the source package, into one of the root to check in
take_source()
{
	rm -rf "$1"
	mkdir -p "$1"
	cp "$packages"/*.dsc "$packages"/*.tar.* "$1/"
}

# From the source package, in another folder, a year later, by the clock of another
# place, in another language, one process at a time, with another umask and home.
again=$check_root/home/somebody/else
build_again()
{
	take_source "$again"
	# shellcheck disable=SC2016 # expanded by the inner shell
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		"$top/selftests/guest/chroot.sh" "$check_root" -- \
		env -C "${again#"$check_root"}" TZ=Asia/Kathmandu LC_ALL=fr_CH.UTF-8 \
		HOME=/nonexistent DEB_BUILD_OPTIONS=parallel=1 sh -euc '
			umask 0007
			dpkg-source -x ./*.dsc source
			cd source
			faketime -f +400d dpkg-buildpackage -us -uc -b
		'
}

hashes()
{
	(cd "$1" && sha256sum ./*.deb)
}

same()
{
	diff <(hashes "$packages") <(hashes "$again")
}

# list_files: of the root to check in, less what apt and dpkg keep for themselves,
# and the key that DKMS makes when it builds its first module
list_files()
{
	find "$check_root" -xdev -path "$check_root/var/lib/dpkg" -prune -o \
		-path "$check_root/var/cache" -prune -o \
		-path "$check_root/var/log" -prune -o \
		-path "$check_root/var/lib/dkms/mok.*" -prune -o -print | sort
}

# Of a version before all others.
older=$check_root/home/somebody/older
build_older()
{
	take_source "$older"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		"$top/selftests/guest/chroot.sh" "$check_root" -- \
		env -C "${older#"$check_root"}" sh -euc '
			dpkg-source -x ./*.dsc source
			sed -i "1s/(.*)/(0.0-1)/" source/debian/changelog
			cd source
			dpkg-buildpackage -us -uc -b
		'
}

older_left()
{
	in_check_root dkms status -m esptrack | grep '0\.0' ||
		[ -e "$check_root/usr/src/esptrack-0.0" ]
}

# install_packages DIRECTORY: as the root calls it. They are copied to a place that
# every user of apt can read.
install_packages()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_check_root env DEBIAN_FRONTEND=noninteractive sh -euc '
		mkdir /tmp/packages
		cp "$1"/esptrack_*.deb "$1"/esptrack-dkms_*.deb /tmp/packages/
		apt-get install -y --no-install-recommends /tmp/packages/*.deb
		rm -r /tmp/packages
	' sh "$1"
}

dkms_installed()
{
	in_check_root dkms status -m esptrack -k "$1" | grep ': installed$'
}

modules_named()
{
	grep -l esptrack "$check_root/lib/modules/$1"/modules.*
}

purge_packages()
{
	in_check_root env DEBIAN_FRONTEND=noninteractive \
		apt-get purge -y --auto-remove esptrack esptrack-dkms
}

check_build()
{
	result "lintian has nothing to say" lintian
	result "built again, otherwise" build_again
	result "it is the same, byte by byte" same
}

check_install()
{
	local release

	release=$(cat "$release_file")
	result "chroot: an older version can be built" build_older
	list_files > "$dir/files.before"
	result "chroot: it can be installed" install_packages "${older#"$check_root"}"
	result "chroot: its module is built" older_left
	result "chroot: both packages can be upgraded" \
		install_packages "/src/${packages#"$top"/}"
	result "chroot: of the older version nothing is left" fails older_left
	result "chroot: the module is built for $release" dkms_installed "$release"
	result "chroot: depmod knows it" modules_named "$release"
	result "chroot: the tool runs" in_check_root esptrack -V
	result "chroot: both can be purged" purge_packages
	list_files > "$dir/files.after"
	result "chroot: no file is left" diff "$dir/files.before" "$dir/files.after"
	result "chroot: depmod knows nothing of it" fails modules_named "$release"
}

# boot RELEASE PHASE: let the machine run a test
boot()
{
	"$top/selftests/guest/boot.sh" "$image" "$work/vmlinuz-$1" \
		"$work/initrd.img-$1" "esptrack.test=$2"
}

# boot_files RELEASE: take what the emulator boots out of the disk
boot_files()
{
	local file

	for file in "vmlinuz-$1" "initrd.img-$1"; do
		debugfs -R "dump /boot/$file $work/$file" "$image" 2> "$work/debugfs.log"
		[ -s "$work/$file" ] || die "there is no /boot/$file on the disk"
	done
}

check_guest()
{
	local machine=$BUILD/deb/$kernel tree

	"$top/selftests/guest/deb_image.sh" "$kernel"
	need e2fsprogs
	tree=$machine/tree
	rm -rf "$tree/test"
	mkdir "$tree/test"
	cp -a "$top/selftests" "$packages" "$tree/test/"
	cp "$machine/old" "$machine/new" "$tree/test/"
	"$top/selftests/docs.py" get "$top/docs/secure-boot.md" key > "$tree/test/key"
	cp "$top/selftests/guest/esptrack-test.service" "$tree/etc/systemd/system/"
	mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
	ln -sf ../esptrack-test.service \
		"$tree/etc/systemd/system/multi-user.target.wants/"
	image=$machine/disk
	rm -f "$image"
	truncate -s 4G "$image"
	mke2fs -q -t ext4 -d "$tree" "$image"
	boot_files "$(cat "$machine/old")"
	count boot "$(cat "$machine/old")" first
	boot_files "$(cat "$machine/new")"
	count boot "$(cat "$machine/new")" second
	rm "$image"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$top/selftests/deb.sh" "$kernel"
for part in $parts; do
	case $part in
	build | install)	make_check_root ;;
	guest)	;;
	*)	die "no part '$part'" ;;
	esac
	start=$SECONDS
	"check_$part"
	echo "# $part: $((SECONDS - start)) s"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
