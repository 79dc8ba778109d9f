#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# secureboot.sh [KERNEL]: boot a kernel of the table with Secure Boot on, and see
# that it takes the module only if it is signed. The key is made and the module
# signed by the commands of docs/secure-boot.md, in the build root of the kernel, of
# which nothing stays.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

kernel=${1:-$(kernel_names | head -n 1)}
"$top/selftests/guest/build.sh" "$kernel"
paths "$kernel"
release=$(cat "$release_file")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

page=$top/docs/secure-boot.md

# commands: the page's, and then another module, signed by another key
commands()
{
	"$top/selftests/docs.py" get "$page" key
	"$top/selftests/docs.py" get "$page" sign
	cat <<-END
		cp /var/lib/dkms/mok.pub /results/
		find /lib/modules/$release -name 'esptrack.ko*' -exec cp {} /results/ \;
	END
	"$top/selftests/docs.py" get "$page" key
	cat <<-END
		/lib/modules/$release/build/scripts/sign-file sha256 \
			/var/lib/dkms/mok.key /var/lib/dkms/mok.pub /results/other.ko
	END
}

cp "$BUILD/$release/esptrack.ko" "$work/other.ko"
"$top/selftests/guest/throwaway.sh" "$kernel" "$work" \
	bash -euxc "$(commands)" > "$work/log" 2>&1 || {
	cat "$work/log"
	die "cannot sign as the page says"
}
need openssl xz-utils
if [ -e "$work/esptrack.ko.xz" ]; then
	xz -d "$work/esptrack.ko.xz"
fi
openssl x509 -inform der -in "$work/mok.pub" -out "$work/certificate"
"$top/selftests/guest/run.sh" --secure-boot "$work/certificate" \
	--payload "$top/selftests:/payload/selftests" \
	--payload "$page:/payload/secure-boot.md" \
	--payload "$BUILD/$release/esptrack.ko:/payload/unsigned.ko" \
	--payload "$work/other.ko:/payload/other.ko" \
	--payload "$work/esptrack.ko:/payload/esptrack.ko" \
	--payload "$BUILD/$release/esptrack:/payload/esptrack" \
	"$kernel" -- /payload/selftests/secureboot_guest.sh
