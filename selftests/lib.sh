# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Library of the tests: TAP output, waiting for conditions, clean-up; and the
# files that it sources below: the network, the daemons, tunnels, traffic, and
# what looks on.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Everything that a test writes; seen on failure.
tmp=$(mktemp -d /tmp/esptrack.XXXXXX)

### Output: TAP 13

tap_count=0
tap_failed=0
tap_done=

note()
{
	local text=$*

	printf '# %s\n' "${text//$'\n'/$'\n# '}"
}

pass()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
}

skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP ${2:-}"
}

# check DESCRIPTION COMMAND...: the command's success is a test; what it
# prints is shown if it fails. It runs in a subshell: variables do not survive.
check()
{
	local text=$1 out

	shift
	if out=$("$@" 2>&1); then
		pass "$text"
		return 0
	fi
	fail "$text"
	note "failed: $*"
	[ -z "$out" ] || note "$out"
	return 1
}

# check_fails DESCRIPTION COMMAND...: the command must fail
check_fails()
{
	local text=$1 out

	shift
	if ! out=$("$@" 2>&1); then
		pass "$text"
		return 0
	fi
	fail "$text"
	note "did not fail: $*"
	[ -z "$out" ] || note "$out"
	return 1
}

# check_num DESCRIPTION GOT OPERATOR WANTED: as test(1): -eq, -le, -gt ...
check_num()
{
	if test "$2" "$3" "$4"; then
		pass "$1 ($2)"
		return 0
	fi
	fail "$1"
	note "$2 is not $3 $4"
	return 1
}

# check_eq DESCRIPTION GOT WANTED
check_eq()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
		return 0
	fi
	fail "$1"
	note "got '$2', wanted '$3'"
	return 1
}

# bail TEXT: the test cannot go on
bail()
{
	fail "$*"
	exit 1
}

# done_testing: the last call of a test; without it the test has died
done_testing()
{
	tap_done=1
	exit 0
}

### Clean-up

deferred=()

# defer COMMAND...: run at the end of the test, last in first out
defer()
{
	deferred+=("$(printf '%q ' "$@")")
}

cleanup()
{
	local status=$? i

	trap - EXIT
	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
		eval "${deferred[i]}" || note "clean-up failed: ${deferred[i]}"
	done
	if [ -z "$tap_done" ]; then
		fail "test ended early (status $status)"
	fi
	if [ "$tap_failed" -gt 0 ]; then
		show_logs
	fi
	[ "$tap_count" -eq 0 ] || echo "1..$tap_count"
	rm -rf "$tmp"
	[ "$tap_failed" -eq 0 ]
	exit
}

show_logs()
{
	local log

	for log in "$tmp"/*.log "$tmp"/*/{charon,pluto}.log; do
		[ -s "$log" ] || continue
		note "--- last lines of ${log#"$tmp"/}:"
		tail -n 15 "$log" | sed 's/^/# /'
	done
}

echo "TAP version 13"
trap cleanup EXIT
trap 'exit 1' TERM INT

### Waiting

# Reading from this never ends: a pause without a process of its own. To poll
# without a pause would take one of the guest's few processors from those who
# are waited for.
mkfifo "$tmp/never"
exec {never}<> "$tmp/never"

# How many times longer than on a plain kernel things may take (guest/run.sh).
slowness=$(sed -n 's/.*esptrack\.slowness=\([0-9]*\).*/\1/p' /proc/cmdline)
export SLOWNESS=$slowness

# busywait SECONDS COMMAND...: until the command succeeds; what it said last
# is shown if it does not. A test whose commands are costly may poll more slowly.
poll_pause=0.02
busywait()
{
	local end=$((${EPOCHREALTIME/./} + $1 * slowness * 1000000)) out

	shift
	until out=$("$@" 2>&1); do
		if [ "${EPOCHREALTIME/./}" -ge "$end" ]; then
			note "waited in vain for: $*"
			[ -z "$out" ] || note "$out"
			return 1
		fi
		read -rt "$poll_pause" -u "$never"
	done
	return 0
}

file_has()
{
	grep -qs -- "$2" "$1"
}

gone()
{
	[ ! -d "/proc/$1" ]
}

# quietly COMMAND...: its output is of interest only if it fails
quietly()
{
	local out status

	out=$("$@" 2>&1) && return 0
	status=$?
	note "failed ($status): $*"
	note "$out"
	return $status
}

# start NAME NS COMMAND...: in the background and in a namespace, with output
# to $tmp/NAME.log; it is ended with the test. Sets $pid.
start()
{
	local name=$1 ns=$2

	shift 2
	# Not by in_ns: a function would run in a shell, whose pid this were.
	ip netns exec "$ns" "$@" > "$tmp/$name.log" 2>&1 &
	pid=$!
	defer stop "$pid"
}

# start_ready NAME NS COMMAND...: the same, for a program that prints a line
# with "ready" or "listening" when it is
start_ready()
{
	start "$@"
	busywait 20 file_has "$tmp/$1.log" 'ready\|listening' ||
		bail "$1 did not become ready"
}

# stop PID: end a program of ours and wait for it; ended ones are ignored
stop()
{
	if ! gone "$1"; then
		# A stopped process takes signals only when it goes on.
		kill -CONT "$1"
		kill -TERM "$1"
	fi
	wait "$1" || :
}

### The rest

# shellcheck source=net.sh
. "$here/net.sh"
# shellcheck source=swan.sh
. "$here/swan.sh"
# shellcheck source=tunnel.sh
. "$here/tunnel.sh"
# shellcheck source=traffic.sh
. "$here/traffic.sh"
# shellcheck source=watch.sh
. "$here/watch.sh"
