#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build_kernel.sh BASE-VARIANT: build a kernel from the source package of Debian's
# kernel BASE, for the guest alone, with the instruments of VARIANT.config. To be
# called by build.sh, when BASE's own parts are there.
#
# Leaves in $BUILD/guest/BASE-VARIANT:
#   vmlinuz      the kernel
#   modules.cpio its few modules, an initramfs to be appended to BASE's
#   tree/        what the build of a module needs
#   config       all its options
#   release      its release, as uname -r prints it
#
# It is compiled in the build root of BASE, by the compiler of the suite. The
# result is kept in the folder ESPTRACK_CACHE (/var/cache/esptrack) under a hash
# of all that makes it, so that fresh copies of the sources find it there.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: build_kernel.sh BASE-VARIANT"
kernel=$1
kernel_line "$kernel"
paths "$kernel"
[ -n "$variant" ] || die "$kernel is Debian's own"
need zstd cpio

fragments=(
	"$top/selftests/config"
	"$top/selftests/guest/machine.config"
	"$top/selftests/guest/$variant.config"
)
source=$guest_dir/source
results=(vmlinuz modules.cpio tree config release)

base_release=$(cat "$BUILD/guest/$base/release")
# shellcheck disable=SC2016 # for dpkg-query to expand
version=$(chroot "$build_root" dpkg-query -W -f '${Version}' \
	"linux-headers-$base_release")

# fragment_lines PATTERN: options of the fragments, of lines with the pattern
fragment_lines()
{
	cat "${fragments[@]}" | grep '^CONFIG_' | grep -E -- "$1" | sed 's/ # not in .*//'
}

# Options that this kernel cannot have are marked in the fragments.
unknown="# not in( [0-9.]+)* ${base//./\\.}( |\$)"
wanted_options()
{
	fragment_lines . | grep -vxFf <(fragment_lines "$unknown")
}

get_source()
{
	local package

	package=linux-source-$(cut -d. -f1,2 <<< "$base_release")
	echo "guest: source of $kernel ($package $version)" >&2
	cp /etc/resolv.conf "$build_root/etc/resolv.conf"
	# shellcheck disable=SC2016 # expanded by the inner shell
	chroot "$build_root" sh -euc '
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		apt-get install -qq -y --no-install-recommends \
			flex bison bc libelf-dev xz-utils > /dev/null
		cd /tmp
		apt-get download -qq "$1=$2"
	' sh "$package" "$version" >&2
	rm -rf "$source"
	mkdir -p "$source"
	# The bulk that no x86 machine without a screen compiles.
	dpkg-deb --fsys-tarfile "$build_root"/tmp/linux-source-*.deb |
		tar -xO --wildcards '*.tar.xz' |
		tar -xJ -C "$source" --strip-components=1 \
			--exclude='*/drivers/gpu/*.[ch]' --exclude='*/Documentation/*.rst'
	rm "$build_root"/tmp/linux-source-*.deb
}

# kernel_make ARGUMENTS...
kernel_make()
{
	"$top/selftests/guest/in-root.sh" "$base" -- \
		make -s -C "/src/${source#"$top"/}" "$@"
}

# Kconfig drops without a word what it does not know, or cannot have.
check_options()
{
	local option bad=0

	while read -r option; do
		if ! grep -qxF -- "$option" "$source/.config"; then
			echo "guest: $kernel cannot have $option" >&2
			bad=1
		fi
	done < <(wanted_options)
	while read -r option; do
		if grep -qxF -- "$option" "$source/.config"; then
			echo "guest: $kernel does have $option, against its mark" >&2
			bad=1
		fi
	done < <(fragment_lines "$unknown")
	[ $bad -eq 0 ] || die "the fragments of $kernel's options must be mended"
}

configure()
{
	fragment_lines . > "$source/fragment.config"
	kernel_make KCONFIG_ALLCONFIG=fragment.config allnoconfig > "$guest_dir/configure.log"
	check_options
}

compile()
{
	local start=$SECONDS

	echo "guest: compiling $kernel" >&2
	kernel_make "-j$(nproc)" bzImage modules
	echo "guest: $kernel was compiled in $((SECONDS - start)) s" >&2
}

# collect: take out of the source tree what is needed of it
collect()
{
	local root=$guest_dir/modules

	rm -rf "$root" "$kernel_tree"
	kernel_make "INSTALL_MOD_PATH=/src/${root#"$top"/}/usr" modules_install > /dev/null
	rm -f "$root"/usr/lib/modules/*/{build,source}
	(cd "$root" && find . -mindepth 1 | sort |
		cpio --quiet --create --format=newc) > "$modules"
	rm -rf "$root"

	mkdir "$kernel_tree"
	(
		cd "$source"
		{
			printf './%s\n' .config Makefile Module.symvers
			find ./include ./scripts ./arch/x86/include ./tools/objtool/objtool \
				! -name '*.o'
			find . -name 'Makefile*' -o -name 'Kconfig*' -o -name 'Kbuild*'
		} | sort -u | cpio --quiet -p --make-directories "$kernel_tree"
	)
	cp "$source/arch/x86/boot/bzImage" "$vmlinuz"
	cp "$source/.config" "$guest_dir/config"
	cp "$source/include/config/kernel.release" "$release_file"
	rm -rf "$source"
}

# What a folder of the cache is named after.
inputs=$(cat "$0" "${fragments[@]}" - <<< "$kernel $version" | sha256sum | cut -c1-16)
cache=${ESPTRACK_CACHE:-/var/cache/esptrack}
cached=$cache/$kernel-$inputs.tar.zst
stamp=$guest_dir/stamp
up_to_date()
{
	[ -e "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]
}

if up_to_date; then
	exit 0
fi
case $guest_dir in
"$top"/*)	;;
*)		die "BUILD must be inside of $top" ;;
esac
mkdir -p "$guest_dir" "$cache"
exec 9> "$guest_dir/lock"
flock 9
if up_to_date; then
	exit 0
fi
rm -rf "$stamp" "${results[@]/#/$guest_dir/}"
if [ ! -e "$cached" ]; then
	get_source
	configure
	compile
	collect
	tar -C "$guest_dir" --zstd -cf "$cached.$$" "${results[@]}"
	mv "$cached.$$" "$cached"
else
	tar -C "$guest_dir" --zstd -xf "$cached"
fi
echo "$inputs" > "$stamp"
