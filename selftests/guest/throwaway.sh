#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# throwaway.sh KERNEL DIR COMMAND...: run a command in the build root of a kernel, as
# root who may change all of it: nothing stays. Its working directory is /src, a copy
# of the sources; what it writes into /results is in DIR.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

[ $# -ge 3 ] || die "usage: throwaway.sh KERNEL DIR COMMAND..."
kernel=$1 dir=$2
shift 2
need git
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
mnt=$(mktemp -d)
trap 'rmdir "$mnt"' EXIT

# The mounts live in a namespace of their own and end with the command. What is
# written is in memory, as not every file system can be the upper one.
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --propagation private bash -euc '
	lower=$1 top=$2 dir=$3 mnt=$4 release=$5
	shift 5
	mount -t tmpfs tmpfs "$mnt"
	mkdir "$mnt"/upper "$mnt"/inner "$mnt"/root
	root=$mnt/root
	mount -t overlay overlay \
		-o "lowerdir=$lower,upperdir=$mnt/upper,workdir=$mnt/inner" "$root"
	mkdir "$root/results"
	mount --bind "$dir" "$root/results"
	(cd "$top" && git ls-files -z | xargs -0 cp -p --parents -t "$root/src")
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mount -t proc proc "$root/proc"
	mount --bind /dev "$root/dev"
	# It should be the kernel of the headers that runs.
	printf "#!/bin/sh\n[ \"\$*\" != -r ] || exec echo %s\nexec /bin/uname \"\$@\"\n" \
		"$release" > "$root/usr/local/bin/uname"
	chmod +x "$root/usr/local/bin/uname"
	chroot "$root" /usr/bin/env -C /src -u BUILD -u MAKEFLAGS -u MAKELEVEL PWD=/src \
		HOME=/root DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
' throwaway "$build_root" "$top" "$dir" "$mnt" "$release" "$@"
