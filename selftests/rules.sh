#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rules.sh: the rules (kmod/rules.c) against a model of the world around them
# (rules_model.c), on this machine: by chance, under sanitizers, and chosen by a
# fuzzer; and whether all that notices when the rules are broken.
#
# From the environment:
#   LIVES         of peers, by chance (200000)
#   SEED          of the first of them (the clock); printed, to repeat it
#   FUZZ_SECONDS  (15)

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

LIVES=${LIVES:-200000}
FUZZ_SECONDS=${FUZZ_SECONDS:-15}
cd "$top"
out=$BUILD/rules
mkdir -p "$out"
# The fuzzer's run time comes with the version of clang that Debian has.
need gcc libc6-dev python3 clang
need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

warn=(-std=gnu11 -g -Wall -Wextra -Wshadow -Werror -Ikmod -Ikmod/uapi)
model=(selftests/rules_model.c selftests/rules_property.c)
sanitize=-fsanitize=address,undefined
seed=(${SEED:+-s "$SEED"})

# result TEXT COMMAND...: runs it; its output is shown
bad=0
result()
{
	local text=$1

	shift
	if "$@"; then
		echo "ok - rules: $text"
	else
		echo "not ok - rules: $text"
		bad=1
	fi
}

# fuzz PROGRAM SECONDS: with a corpus of its own, which is not kept
fuzz()
{
	local corpus status=0

	corpus=$(mktemp -d)
	"$1" -max_total_time="$2" -max_len=4096 -print_final_stats=1 \
		-artifact_prefix="$corpus/" "$corpus" > "$1.log" 2>&1 || status=$?
	rm -rf "$corpus"
	return "$status"
}

fuzz_rules()
{
	if ! fuzz "$out/fuzz" "$FUZZ_SECONDS"; then
		tail -n 60 "$out/fuzz.log"
		return 1
	fi
	sed -n 's/^stat::\(number_of_executed_units\|average_exec_per_sec\): */# \1: /p' \
		"$out/fuzz.log"
}

# fuzz_broken: the fuzzer must find out where the number of the last move is not
# remembered
fuzz_broken()
{
	grep -v 'history->floor = facts->seq' kmod/rules.c > "$out/broken.c"
	! cmp -s kmod/rules.c "$out/broken.c" || return
	fuzzer "$out/broken.c" "$out/fuzz-broken"
	! fuzz "$out/fuzz-broken" 120 || return
	grep 'NOT KEPT' "$out/fuzz-broken.log"
}

# fuzzer SOURCE PROGRAM
fuzzer()
{
	clang "${warn[@]}" -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o "$2" \
		selftests/rules_fuzz.c selftests/rules_model.c "$1"
}

gcc "${warn[@]}" -O2 -o "$out/property" "${model[@]}" kmod/rules.c
gcc "${warn[@]}" -O1 $sanitize -fno-sanitize-recover=all -o "$out/property-sanitize" \
	"${model[@]}" kmod/rules.c
fuzzer kmod/rules.c "$out/fuzz"
for file in "${model[@]}"; do
	gcc "${warn[@]}" -O2 -c -o "$out/$(basename "$file" .c).o" "$file"
done

result "by chance" "$out/property" -n "$LIVES" ${seed[@]+"${seed[@]}"}
result "by chance, under address and undefined behaviour sanitizers" \
	"$out/property-sanitize" -n $((LIVES / 10)) ${seed[@]+"${seed[@]}"}
result "each small change of them is found out" \
	selftests/rules_mutants.py kmod/rules.c "$out" 20000 \
	gcc -std=gnu11 -O1 -w -Ikmod -Ikmod/uapi -o "$out/mutant" "$out/mutant.c" \
	"$out/rules_model.o" "$out/rules_property.o"
result "fuzzed for $FUZZ_SECONDS s" fuzz_rules
result "the fuzzer finds out a change of them" fuzz_broken
exit $bad
