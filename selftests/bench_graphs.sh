#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench_graphs.sh KERNEL: pictures of what bench.sh has measured on a kernel, from
# $BUILD/bench-<kernel release>.json, to selftests/graphs/. Those of other parts stay.

set -euo pipefail
# shellcheck source=guest/common.sh
. "$(dirname "$0")/guest/common.sh"

[ $# -eq 1 ] || die "usage: bench_graphs.sh KERNEL"
need gnuplot-nox jq
paths "$1"
release=$(cat "$release_file")
json=$BUILD/bench-$release.json
[ -e "$json" ] || die "make bench has measured nothing on $release"
out=$top/selftests/graphs
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# lost SCENARIO VARIANT: of the run in the middle, by what was lost: seconds since the rebinding, and datagrams
# to the client that were lost by then. What comes at once is drawn as a slope: each
# gap is known by its first and last datagram.
lost()
{
	jq -r --arg scenario "$1" --arg variant "$2" '
		[.rebindings[] | select(.scenario == $scenario and .variant == $variant)] |
		sort_by([.gaps[].count] | add // 0) | .[length / 2 | floor] |
		reduce .gaps[] as $gap ([[-1, 0]];
			.[-1][1] as $so_far |
			. + [[$gap.from, $so_far + 1], [$gap.until, $so_far + $gap.count]]) |
		. + [[5, .[-1][1]]] | .[] | "\(.[0]) \(.[1])"
	' "$json"
}

# added FIGURE...: other SAs, and instructions added; a figure's name ends with how
# many there are, or 1
added()
{
	local figure

	for figure; do
		jq -r --arg figure "$figure" '
			(.packets + .moves)[] | select(.figure == $figure) |
			"\($figure | capture("-(?<n>[0-9]+)(-on)?$").n? // "1") \(.added.median)"
		' "$json"
	done
}

picture()
{
	gnuplot -e "set terminal svg size 640,360 dynamic font 'sans,12' background 'white';
		set output '$out/$1.svg'; set grid; set key outside below" -
}

# measured PART
measured()
{
	jq -e --arg part "$1" '.[$part] | length > 0' "$json" > /dev/null
}

if measured rebindings; then
	for run in initiator-stock static-stock responder-stock responder-esptrack \
		   initiator-esptrack wireguard-stock; do
		lost "${run%-*}" "${run#*-}" > "$work/$run"
	done
	picture loss <<-END
		set title 'A NAT mapping is lost at 0: datagrams lost to the client ($release)'
		set xlabel 'seconds; 100 datagrams are sent in each'
		set ylabel 'lost so far'
		set xrange [-0.5:5]
		set yrange [-5:]
		plot '$work/initiator-stock' with lines lw 2 title 'stock, strongSwan as initiator', \\
		     '$work/responder-stock' with lines lw 2 title 'stock, strongSwan as responder', \\
		     '$work/responder-esptrack' with lines lw 2 title 'esptrack, strongSwan as responder', \\
		     '$work/initiator-esptrack' with lines lw 2 title 'esptrack, strongSwan as initiator', \\
		     '$work/wireguard-stock' with lines lw 2 dt 2 title 'WireGuard'
	END
fi

if measured packets && measured moves; then
	added in4-on in4-1000-on in4-100000-on > "$work/packet"
	added move-port-10 move-port-1000 move-port-100000 > "$work/port"
	added move-address-10 move-address-1000 move-address-100000 > "$work/address"
	picture cost <<-END
		set title 'Instructions that esptrack adds ($release)'
		set xlabel 'other SAs'
		set ylabel 'instructions'
		set logscale x
		set logscale y
		set xrange [1:200000]
		set yrange [1:20000]
		plot '$work/address' with linespoints lw 2 title 'packet that moves its peer to an address', \\
		     '$work/port' with linespoints lw 2 title 'packet that moves its peer to a port', \\
		     '$work/packet' with linespoints lw 2 title 'any other packet received'
	END
fi
