#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
bench_compare.py [--write] RELEASE FOLDER EXPECTED JSON: compare the instructions that
the module adds, in what bench_packets.sh and bench_moves.sh have printed into FOLDER,
with the table EXPECTED, print both, and write what was measured to the file JSON; or
make EXPECTED of it. Fails if a figure is over 5 per cent higher, or missing.
"""

import argparse
import json
import os
import sys

from bench_table import PACKETS, move_figures, packet_figures, results

# By how much a figure may be higher: in per cent, and then the noise. What a packet
# costs without the module can differ by 2 from one measurement to the next, and with it
# as well; the clock by which a move is timed has steps of ten.
WORSE, NOISE, NOISE_MOVE = 5, 4, 20


def measured(folder):
    packets = packet_figures(results(os.path.join(folder, "packets")), PACKETS)
    moves = move_figures(results(os.path.join(folder, "moves")))
    return {f["figure"]: f["added"]["median"] for f in packets + moves}


def limit(name, expected):
    return (expected + abs(expected) * WORSE / 100 +
            (NOISE_MOVE if name.startswith("move") else NOISE))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("release")
    parser.add_argument("folder")
    parser.add_argument("expected")
    parser.add_argument("output")
    args = parser.parse_args()

    now = {"release": args.release, "added": measured(args.folder)}
    with open(args.expected if args.write else args.output, "w", encoding="utf-8") as file:
        json.dump(now, file, indent=1)
        file.write("\n")
    with open(args.expected, encoding="utf-8") as file:
        then = json.load(file)

    print(f"Instructions added, expected on {then['release']}, measured on {args.release}")
    worse = 0
    for name, expected in then["added"].items():
        got = now["added"].get(name)
        bad = got is None or got > limit(name, expected)
        worse += bad
        print(f"{name:24} {expected:9} {'none' if got is None else got:>9}"
              f"{'  WORSE' if bad else ''}")
    if worse:
        sys.exit(f"{worse} figures are worse than they were")


main()
