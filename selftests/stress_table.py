#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the rows that stress.sh has written as one table.

stress_table.py [FILE...]
    FILEs (or standard input) are the output of runs of the tests. Fails if a
    scenario failed, or if there is none.
"""

import fileinput
import json
import sys

PREFIX = "row: "
HEADER = ("scenario", "what", "asked", "done", "seconds", "kernel memory, kB", "result")


def text(row):
    before, after = row["before"], row["after"]
    memory = f"{before:,} - {after:,}" if after is not None else f"{before:,} -"
    return (row["scenario"], row["what"], f"{row['asked']:,}", f"{row['done']:,}",
            f"{row['seconds']:.1f}", memory, row["result"])


def main():
    rows = [json.loads(line.strip()[len(PREFIX):]) for line in fileinput.input()
            if line.strip().startswith(PREFIX)]
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        lines = [HEADER] + [text(row) for row in rows if row["kernel"] == kernel]
        widths = [max(map(len, column)) for column in zip(*lines)]
        print(f"Kernel {kernel}:\n")
        for line in lines:
            print("  ".join(cell.rjust(width) if 2 <= i <= 5 else cell.ljust(width)
                            for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
        print()
    if not rows or any(row["result"] == "FAILED" for row in rows):
        sys.exit("not all scenarios went well")


main()
