#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bad input over sysfs, the tool and netlink: a clear error, and nothing
# changes.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"

spi=$STATIC_SPI_IN

state()
{
	tool server -j show
}

# sysfs_refuses VALUE ERROR
sysfs_refuses()
{
	local out

	out=$(knob_set server $spi "$1" 2>&1)
	check_eq "sysfs: '$1' is refused: $2" "${out##*: }" "$2"
}

# tool_says STATUS WORDS ARGUMENTS...: exit status, and words on stderr
tool_says()
{
	local want=$1 words=$2 out status

	shift 2
	out=$(tool server "$@" 2>&1 > "$tmp/out")
	status=$?
	check_eq "esptrack $*: exit status" "$status" "$want"
	check "esptrack $*: says '$words'" grep -qF -- "$words" <<< "$out"
}

# ask REQUEST: over raw netlink; sets $answer. One program for all of them, as to start
# it takes longer than most of it.
ask()
{
	echo "$1" >&"${genl[1]}"
	read -rt $((20 * slowness)) answer <&"${genl[0]}" || bail "no answer to $1"
}

# kernel_says REQUEST ANSWER
kernel_says()
{
	ask "$1"
	check_eq "netlink, $1: $2" "$answer" "$2"
}

setup_topology || bail "no topology"
module_load static_nat=0
tunnel_up static
knob_wait server $spi
before=$(state)
before_conf=$(tool server -j conf)

for value in 2 -1 on 1x 0x1 256 99999999999999999999; do
	sysfs_refuses "$value" "Invalid argument"
done
sysfs_refuses "" "Invalid argument"
for file in endpoint reqid outbound moves refused; do
	check_fails "sysfs: $file cannot be written" \
		in_ns server sh -c "echo 1 > $knobs/$spi@$SERVER/$file"
done

tool_says 2 "no inbound ESP-in-UDP SA" set spi 0x1234 dst $SERVER static_nat on
tool_says 2 "no inbound ESP-in-UDP SA" set spi $spi dst 10.128.0.3 static_nat on
tool_says 2 "no inbound ESP-in-UDP SA" set spi $STATIC_SPI_OUT dst "$nat_addr" static_nat on
tool_says 2 "no inbound ESP-in-UDP SA" show spi 0x1234 dst $SERVER
tool_says 2 "no inbound ESP-in-UDP SA" set spi $spi dst $SERVER mark 1 static_nat on
tool_says 1 "static_nat" set spi $spi dst $SERVER static_nat 1
tool_says 1 "" set spi 0 dst $SERVER static_nat on
tool_says 1 "" set spi $spi static_nat on
tool_says 1 "" set spi $spi dst elsewhere static_nat on
tool_says 1 "spi SPI dst ADDR" set static_nat on
tool_says 1 "goes without" set reqid 1 spi $spi dst $SERVER static_nat on
tool_says 1 "means none" set reqid 0 static_nat on
tool_says 1 "static_nat" set reqid 1
tool_says 1 "reqid REQID" del
tool_says 1 "reqid REQID" del reqid 1 spi $spi
tool_says 2 "nothing is set for this reqid" del reqid 1
tool_says 1 "" frobnicate
tool_says 2 "" -n no-such-namespace show

out=$(tool client set spi $spi dst $SERVER static_nat on 2>&1)
check_eq "an SA of another namespace: exit status" $? 2
check "an SA of another namespace is not there" \
	grep -q "no inbound ESP-in-UDP SA" <<< "$out"
check_eq "and is not listed" "$(tool client -j show | jq -c 'map(.spi)')" '["0x00002001"]'

# nobody, with no capabilities
nobody()
{
	in_ns server setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
cp /payload/esptrack /tmp/
chmod 755 /tmp/esptrack
for command in show "set spi $spi dst $SERVER static_nat on" monitor \
	"set reqid 1 static_nat on" "del reqid 1" reqids; do
	# shellcheck disable=SC2086 # words
	out=$(nobody /tmp/esptrack $command 2>&1)
	check_eq "without privilege, $command: exit status" $? 2
	check "without privilege, $command: says so" grep -q CAP_NET_ADMIN <<< "$out"
done
check "without privilege the names of SAs can be seen" grep -qF "$spi@$SERVER" \
	<<< "$(nobody ls $knobs)"
check_fails "without privilege nothing of them can be read" \
	nobody cat "$knobs/$spi@$SERVER/endpoint"
check_fails "without privilege the knob cannot be written" \
	nobody sh -c "echo 1 > $knobs/$spi@$SERVER/static_nat"
rm /tmp/esptrack

coproc genl { exec ip netns exec server "$here/genl.py" 2> "$tmp/genl.log"; }
# shellcheck disable=SC2154 # set by coproc
defer stop "$genl_PID"
not_found='no inbound ESP-in-UDP SA with this SPI, address and mark'
kernel_says get-nothing "EINVAL: SPI of the SA is missing [missing 2]"
kernel_says get-no-spi "EINVAL: SPI of the SA is missing [missing 2]"
kernel_says get-no-address "EINVAL: local address of the SA is missing [missing 3]"
kernel_says get-two-addresses "EINVAL: local address is given twice [at 36]"
kernel_says get-mask-only "EINVAL: mask of a mark that is not given [at 36]"
kernel_says get-unknown-sa "ENOENT: $not_found [at 20]"
kernel_says set-unknown-sa "ENOENT: $not_found [at 20]"
kernel_says set-nothing "EINVAL: nothing to set: static_nat is missing [missing 12]"
kernel_says dump-with-selector "EINVAL: a dump takes no attributes"
kernel_says reqid-set-no-number "EINVAL: number of the reqid is missing [missing 1]"
kernel_says reqid-set-nothing "EINVAL: nothing to set: static_nat is missing [missing 2]"
kernel_says reqid-set-zero "ERANGE: integer out of range [at 20]"
kernel_says reqid-set-two "ERANGE: integer out of range [at 28]"
kernel_says reqid-del-no-number "EINVAL: number of the reqid is missing [missing 1]"
kernel_says reqid-del-unknown "ENOENT: nothing is set for this reqid [at 20]"
kernel_says reqid-get-unknown "ENOENT: nothing is set for this reqid [at 20]"
kernel_says reqid-get-no-number "EINVAL: number of the reqid is missing [missing 1]"
kernel_says reqid-dump-with-selector "EINVAL: a dump takes no attributes"
kernel_says set-two "ERANGE: integer out of range [at 36]"
kernel_says stats-dump EOPNOTSUPP
kernel_says conf-set-nothing "EINVAL: nothing to set: static_nat is missing [missing 2]"
for request in two no-interval slow no-burst burst; do
	kernel_says conf-set-$request "ERANGE: integer out of range [at 20]"
done
# These the kernel's own attribute policy refuses, in its own words.
for request in get-short-address get-short-ipv6 get-unknown-attribute \
	get-with-value set-wide set-read-only set-nested set-cut \
	reqid-set-short reqid-del-with-value stats-with-value \
	conf-get-with-value conf-set-pad; do
	ask $request
	check "netlink, $request: refused with a reason ($answer)" \
		grep -Eq '^E(INVAL|RANGE): .+' <<< "$answer"
done
kernel_says unknown-command EOPNOTSUPP
kernel_says notification-as-command EOPNOTSUPP

check_eq "after all of it nothing has changed" "$(state)" "$before"
check_eq "nor for the namespace" "$(tool server -j conf)" "$before_conf"
check_eq "and nothing is set for any reqid" "$(tool server -j reqids)" "[]"
kernel_says good-get ok
kernel_says good-set ok
check_eq "a good request does its work" "$(knob server $spi static_nat)" 1

check "the module can be unloaded" module_unload
out=$(tool server show 2>&1)
check_eq "without the module: exit status" $? 2
check "without the module: says so" grep -q "not loaded" <<< "$out"
done_testing
