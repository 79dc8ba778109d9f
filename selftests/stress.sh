# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of the files that lib.sh sources
#
# What the scenarios of stress_*.sh and fuzz_*.sh share, besides lib.sh and
# module.sh: how much they do, and their row of the table.
#
# From the environment: SCALE is how much of the full number is done, in per cent,
# or "small" for some seconds' worth; LIMIT is after how many seconds a scenario
# ends with what it has done by then, which its row tells. SEED makes a run of
# fuzz_*.sh do the same again.

SCALE=${SCALE:-100}
LIMIT=${LIMIT:-600}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
module_caches='esptrack_sa esptrack_policy'
objects_before=

# slab_objects CACHE...: in use, one number per line
slab_objects()
{
	awk -v caches="$*" '
		BEGIN { n = split(caches, names, " ") }
		{ objects[$1] = $2 }
		END { for (i = 1; i <= n; i++) print objects[names[i]] + 0 }
	' /proc/slabinfo
}

# kernel_memory: kB that the kernel has for itself and cannot take back. Slabs
# that are empty count for nothing.
kernel_memory()
{
	local shrink

	for shrink in /sys/kernel/slab/*/shrink; do
		echo 1 > "$shrink" || return
	done
	# A value, or this fails: nothing would be less than anything.
	awk '/^(SUnreclaim|KernelStack|PageTables|Percpu|VmallocUsed):/ { n += $2 }
		END { print n; exit !n }' /proc/meminfo
}

# slab_sizes: of each slab cache, as "NAME kB"
slab_sizes()
{
	[ ! -e /proc/slabinfo ] || awk 'NR > 2 { print $1, $6 * $15 * 4 }' /proc/slabinfo
}

# grown_slabs: the caches that have grown most
grown_slabs()
{
	slab_sizes | awk '
		NR == FNR { before[$1] = $2; next }
		$2 > before[$1] { print $2 - before[$1], "kB more in", $1 }
	' "$tmp/slab_sizes" - | sort -rn | head -n 5
}

# scenario NAME WHAT FULL SMALL: what is being done, and how often. Sets $asked.
# The module and all SAs that shall be there afterwards are there.
scenario()
{
	local full=$3

	scenario_name=$1
	scenario_what=$2
	asked=$4
	# shellcheck disable=SC2034 # for the scenarios
	if [ "$SCALE" != small ]; then
		asked=$((full * SCALE / 100))
	fi
	did=0
	skipped=
	memory_after=
	defer scenario_row
	busywait 60 sas_settled || bail "SAs that were deleted are still there"
	objects_before=$(scenario_objects)
	memory_before=$(kernel_memory) || bail "the kernel does not say what memory it has"
	slab_sizes > "$tmp/slab_sizes"
	scenario_begin=$EPOCHREALTIME
	scenario_end=
}

# sas_settled: there are as many SAs as the kernel shows: none that a test before this
# one has deleted waits to be freed
sas_settled()
{
	local ns sas=0

	[ -e /proc/slabinfo ] || return 0
	for ns in $(ip netns list | cut -d' ' -f1); do
		sas=$((sas + $(ip -n "$ns" xfrm state count | tr -dc 0-9)))
	done
	echo "$(slab_objects xfrm_state) in memory, $sas shown"
	[ "$(slab_objects xfrm_state)" -eq "$sas" ]
}

# scenario_objects: of the module's caches, and SAs, in one line
scenario_objects()
{
	# shellcheck disable=SC2086 # words
	slab_objects xfrm_state $module_caches | paste -sd' '
}

# seed_note: so that it can be done again
seed_note()
{
	note "seed of $scenario_name: SEED=$SEED"
}

# in_time: may the scenario go on?
in_time()
{
	[ $((${EPOCHREALTIME/./} - ${scenario_begin/./})) -lt $((LIMIT * 1000000)) ]
}

seconds_left()
{
	local left=$((LIMIT - (${EPOCHREALTIME/./} - ${scenario_begin/./}) / 1000000))

	echo $((left > 1 ? left : 1))
}

# as_before: are there as many objects as at the beginning?
as_before()
{
	local now

	now=$(scenario_objects)
	echo "xfrm_state $module_caches: $objects_before before, $now now"
	[ -n "$now" ] && [ "$now" = "$objects_before" ]
}

# memory_is_flat TOLERANCE: kB more than before; the kernel's own caches grow
memory_is_flat()
{
	memory_now=$(kernel_memory) || return
	echo "$memory_before kB before, $memory_now kB now"
	grown_slabs
	[ $((memory_now - memory_before)) -le "$1" ]
}

# scenario_done N: so many were done; is everything as it was before?
scenario_done()
{
	scenario_end=$EPOCHREALTIME
	did=$1
	if in_time; then
		check_num "$scenario_name: all that was asked for was done" "$did" -ge "$asked"
	else
		check_num "$scenario_name: something was done in $LIMIT s" "$did" -gt 0
		note "$scenario_name: $did of $asked in $LIMIT s"
	fi
	if [ -e /proc/slabinfo ]; then
		check "$scenario_name: as many SAs, and objects of the module, as before" \
			busywait 60 as_before
	else
		skip "$scenario_name: as many objects as before" "this kernel does not count them"
	fi
	poll_pause=0.5 check "$scenario_name: no more memory in use than before" \
		busywait 60 memory_is_flat 4096
	memory_after=$(kernel_memory)
}

# scenario_skip REASON
scenario_skip()
{
	skipped=$1
	skip "$scenario_name" "$1"
}

# The row, for stress_table.py
scenario_row()
{
	local result=ok end=${scenario_end:-$EPOCHREALTIME}

	if [ "$tap_failed" -gt 0 ] || [ -z "$tap_done" ]; then
		result=FAILED
	elif [ -n "$skipped" ]; then
		result="skipped: $skipped"
	elif [ "$did" -lt "$asked" ]; then
		result="ok, as much as $LIMIT s allow"
	fi
	jq -nrc --arg scenario "$scenario_name" --arg kernel "$(uname -r)" \
		--arg what "$scenario_what" --arg result "$result" \
		--argjson asked "$asked" --argjson did "$did" \
		--argjson us $((${end/./} - ${scenario_begin/./})) \
		--argjson before "$memory_before" --argjson after "${memory_after:-null}" \
		'{$scenario, $kernel, $what, $asked, done: $did, seconds: ($us / 1e6),
		  $result, $before, $after} | "row: \(tojson)"'
}
