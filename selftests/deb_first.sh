#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# On a machine that was just set up: install the packages, have the tool load the
# module, try all commands of the man page, and what bash completes; then install
# a newer kernel.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=deb_machine.sh
. "$here/deb_machine.sh"

# timed TEXT COMMAND...: a check that tells how long it took
timed()
{
	local start=$SECONDS status=0

	check "$@" || status=$?
	note "$((SECONDS - start)) s"
	return $status
}

# left_alone UNIT: neither is it enabled, nor does it run
left_alone()
{
	[[ $(systemctl is-enabled "$1") = @(disabled|static) ]] &&
		[ "$(systemctl is-active "$1")" = inactive ]
}

# status COMMAND...: its exit status; what it says is in $tmp/said
status()
{
	"$@" > "$tmp/said" 2>&1
	echo $?
}

# completions LINE: what bash offers when Tab is pressed at its end
completions()
{
	# shellcheck disable=SC2034 # for the function
	local COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9 COMP_WORDS COMP_CWORD
	local COMPREPLY=() function

	set +u
	# To readline colons are words of their own.
	read -ra COMP_WORDS < <(sed -E 's/:+/ & /g' <<< "$1")
	[[ $1 != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	function=$(complete -p esptrack)
	function=${function#*-F }
	"${function%% *}" esptrack "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	echo "${COMPREPLY[*]}"
}

# completes LINE WORDS
completes()
{
	check_eq "completion: '$1'" "$(completions "$1")" "$2"
}

# examples: the commands of the man page, one per line
examples()
{
	zcat /usr/share/man/man8/esptrack.8.gz |
		sed -n '/^\.EX/,/^\.EE/s/^# //p' | sed -e 's/\\-/-/g' -e 's/\\e/\\/g'
}

# example COMMAND: run it; a monitor until it listens, and then as Ctrl-C ends it
example()
{
	local pid

	if [[ $1 != *monitor* ]]; then
		bash -o pipefail -c "$1"
		return
	fi
	bash -o pipefail -c "$1" 2> "$tmp/monitor.log" &
	pid=$!
	busywait 20 file_has "$tmp/monitor.log" monitoring || return
	pkill -INT -x esptrack
	wait "$pid"
}

list_files > "$before"
check_eq "the older kernel runs" "$(uname -r)" "$old"
check_fails "the module is not there" modinfo esptrack
check "a key can be made as the page about Secure Boot says" sh -eu /test/key
timed "both packages can be installed" apt-get install -y \
	/test/packages/esptrack_*.deb /test/packages/esptrack-dkms_*.deb ||
	bail "nothing to test"
check "DKMS has built the module for $old" dkms_has "$old"
check_eq "and signed it with that key" "$(modinfo -F signer esptrack)" esptrack
check_fails "nothing is loaded yet" loaded
for unit in $(dpkg -L esptrack | sed -n 's,.*/systemd/system/,,p'); do
	check "$unit: is a unit that systemd can run" systemd-analyze verify "$unit"
	check "$unit: is left to the operator" left_alone "$unit"
done
check "the man page can be read, without a warning" \
	[ -z "$(man --warnings -E UTF-8 -l /usr/share/man/man8/esptrack.8.gz 2>&1 > /dev/null)" ]
check "man finds it" man -w esptrack

# It does not care for unset variables.
set +u
# shellcheck source=/dev/null
. /usr/share/bash-completion/bash_completion
_completion_loader esptrack
set -u
completes "esptrack show " "history spi dst mark mask src reqid if_id proto"
check_fails "completion does not load the module" loaded

check_eq "the tool: exit status" "$(status esptrack)" 0
check "the tool has the module loaded" loaded
check "it is what DKMS has built" is_dkms_module
check "it can be unloaded" rmmod esptrack
check_eq "who may not use it: exit status" "$(status runuser -u nobody -- esptrack)" 2
check "and is told why" grep CAP_NET_ADMIN "$tmp/said"
check "but has it loaded" loaded
rmmod esptrack
echo "blacklist esptrack" > /etc/modprobe.d/test.conf
check_eq "modprobe.d can forbid it: exit status" "$(status esptrack)" 2
check "and the tool tells what is missing" grep 'modprobe esptrack' "$tmp/said"
check_fails "it is not loaded" loaded
rm /etc/modprobe.d/test.conf

ip netns add vpn
modprobe esptrack
sa_add $SRC $DST $SPI 1
sa_add fd00::7 fd00::2 0x00001002 2
sa_add $SRC $DST 0x00001003 3 vpn
check "the tool shows an SA" busywait 10 sa_seen $SPI
check "and one with IPv6" busywait 10 sa_seen 0x1002

completes "esptrack " "show set del reqids conf stats metrics monitor help"
completes "esptrack sh" "show"
completes "esptrack --p" "--pretty"
completes "esptrack -j -n " "vpn"
completes "esptrack show 0x" "0x00001002 $SPI"
completes "esptrack -j show spi " "0x00001002 $SPI"
completes "esptrack -n vpn show 0x" "0x00001003"
completes "esptrack show dst " "$DST fd00::2"
completes "esptrack show dst fd00::" "2"
completes "esptrack show src " "$SRC fd00::7"
completes "esptrack set reqid " "1 2"
completes "esptrack set spi $SPI dst $DST " "mark mask proto static_nat port_only"
completes "esptrack set " "spi dst mark mask proto reqid"
completes "esptrack set mark 1 s" "spi"
completes "esptrack set reqid 1 static_nat on " "port_only"
completes "esptrack show $SPI s" "src"
completes "esptrack set reqid 1 static_nat " "on off"
completes "esptrack conf " "show set"
completes "esptrack conf set rate 1/second b" "burst"
completes "esptrack monitor moved " "seen refused sync all-nsid"
completes "esptrack monitor all" "all-nsid"
completes "esptrack metrics t" "text"
completes "esptrack del " "reqid"
completes "esptrack help " ""
quietly esptrack set reqid 77 static_nat on
completes "esptrack del reqid " "77"
completes "esptrack set reqid " "1 2"
quietly esptrack del reqid 77
# shellcheck disable=SC2016 # it must not be expanded
touch '/run/netns/$(touch expanded)'
completes "esptrack -n v" "vpn"
check_fails "completion expands nothing" test -e expanded
# shellcheck disable=SC2016
rm '/run/netns/$(touch expanded)'

examples > "$tmp/examples"
check_num "the man page has examples" "$(wc -l < "$tmp/examples")" -ge 15
check_eq "all of its lines with a prompt are" "$(wc -l < "$tmp/examples")" \
	"$(zcat /usr/share/man/man8/esptrack.8.gz | grep -c '^# ')"
while read -r line <&3; do
	check "man page: $line" example "$line"
done 3< "$tmp/examples"
check_eq "man page: they had an effect" \
	"$(esptrack -j show $SPI | jq '.[0].static_nat')" true

timed "a newer kernel can be installed" apt-get install -y \
	"linux-image-$new" "linux-headers-$new"
check "DKMS has built the module for $new" dkms_has "$new"
check "and still has the one for $old" dkms_has "$old"
check "the newer kernel can be booted" test -s "/boot/initrd.img-$new"
done_testing
