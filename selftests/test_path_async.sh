#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Asynchronous crypto: packets come back from the engine long after the hook has
# seen them, and the peer is followed with the first reply all the same. That it
# was asynchronous is counted where xfrm takes such packets back.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=path.sh
. "$here/path.sh"

gcm='rfc4106(gcm(aes))'
cbc='authenc(hmac(sha256),cbc(aes))'

# nested_path NAME [KEY=VALUE...]: one with several SAs
nested_path()
{
	if [ "$async" = cryptd ]; then
		# xfrm_input_state_lookup() of 6.12, at which lockdep complains
		skip "$1" "the kernel looks for the second SA without RCU's lock here"
	else
		async_path "$@"
	fi
}

# engine NAME ALGORITHM...: from now on SAs with these use it
engine()
{
	local name=$1 algorithm

	shift
	quietly modprobe -a "$name" crypto_user || bail "no $name"
	engine=()
	for algorithm in "$@"; do
		start_ready "$name-${#engine[@]}" server "$here/asynccrypt.py" "$name" "$algorithm"
		engine+=("$pid")
	done
}

# engine_off: once no SA uses it any more
engine_off()
{
	local pid

	for pid in "${engine[@]}"; do
		stop "$pid"
	done
}

forged_are()
{
	[ "$(tool server -j stats | jq .forged)" -eq "$1" ]
}

# forge: packets in the peer's name, from elsewhere, that the engine finds forged.
# In a path, whose variables it uses.
forge()
{
	local spi before_it

	printf -v spi '0x%08x' "$spi1"
	wire_start forge inet nb
	check "$name: ping" path_ping 5
	wire_wait forge "$spi" || return
	wire_stop forge
	before_it=$(resumed)
	quietly inject inet --pcap "$tmp/forge.pcap" --spi "$spi" --count 3 \
		--src 198.51.100.9:5555 --dst "$SERVER_PUB:4500" --seq-to 100000 || return
	check "$name: forged packets are counted" busywait 10 forged_are 3
	check_num "$name: they were asynchronous" $(($(resumed) - before_it)) -ge 3
	check "$name: ping after them" path_ping 5
}

# to_others FAMILY: while we have a callback, other packets of IPsec and errors about
# them go on to those whom they are for
to_others()
{
	local to=$SERVER peer=198.51.100.60 kind sa modules='ah4 ipcomp'

	if [ "$1" = 6 ]; then
		to=$SERVER6 peer=2001:db8:198::60 modules='ah6 ipcomp6'
	fi
	# Else nobody is there who would count them.
	# shellcheck disable=SC2086 # words
	quietly modprobe -a $modules || bail "IPv$1: no $modules"
	xfrm_stat_mark server
	for kind in esp ah comp; do
		quietly in_ns cloud "$here/plainesp.py" packet $kind "$to" 0x999 ||
			bail "IPv$1, $kind: not sent"
	done
	check "IPv$1: ESP, AH and IPComp without UDP are for the kernel" \
		busywait 5 no_states 3
	sa="src $to dst $peer proto esp spi 0x9999"
	# shellcheck disable=SC2086 # words
	quietly ip -n server xfrm state add $sa mode tunnel ${ciphers[gcm]} || bail "no SA"
	quietly in_ns cloud "$here/plainesp.py" toobig "$to" $peer 0x9999 1300 ||
		bail "IPv$1: no error sent"
	check "IPv$1: of an error about ESP the kernel learns the MTU" \
		busywait 5 mtu_is server $peer 1300
	# shellcheck disable=SC2086 # words
	quietly ip -n server xfrm state delete $sa
}

no_states()
{
	xfrm_stat_delta server
	[ "$(xfrm_stat_delta server XfrmInNoStates)" -eq "$1" ]
}

# mtu_is NS ADDRESS MTU: of the path to there
mtu_is()
{
	ip -n "$1" route get "$2" | grep "mtu $3"
}

# cryptd_paths: it has a queue of its own for each processor. Without encryption, as the
# kernel has no self-test for that: 6.1 finds cryptd wanting in others.
cryptd_paths()
{
	if ! modinfo -n cryptd > "$tmp/cryptd" 2>&1; then
		skip "cryptd" "this kernel has none"
		return
	fi
	engine cryptd 'authenc(hmac(sha256),ecb(cipher_null))'
	async_path "cryptd" cipher=null
	async_path "cryptd, window 4096" cipher=null window=4096
	async_path "cryptd, ESP in it" cipher=null inner=esp
	async_path "cryptd, IPv6" family=6 cipher=null
	paths_flush
	engine_off
}

paths_up
calls_start xfrm_input_resume || bail "no kprobe"

engine "$async" "$gcm" "$cbc"
async_path "$async" after=forge
async_path "$async, ESN, window 4096" esn=1 window=4096
async_path "$async, AES-CBC and HMAC-SHA2" cipher=cbc
async_path "$async, transport" mode=transport follow=port
nested_path "$async, ESP in it" inner=esp
nested_path "$async, AH in it" inner=ah
nested_path "$async, IPComp in it" inner=comp
nested_path "$async, IPComp of a daemon" inner=comp-tunnel mode=transport follow=port
# While SAs of this IP version are asynchronous
to_others 4
async_path "$async, IPv6" family=6
async_path "$async, IPv6, BEET, AES-CBC" family=6 mode=beet cipher=cbc
nested_path "$async, IPv6, IPComp in it" family=6 inner=comp
to_others 6
paths_flush
engine_off
check "$async can be unloaded" busywait 20 quietly modprobe -r "$async"

[ "$async" = cryptd ] || cryptd_paths
path "synchronous again"
paths_done
