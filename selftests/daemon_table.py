#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a table in Markdown of what daemons.sh has found.

daemon_table.py [FILE...]
    FILEs (or standard input) are the output of runs of the tests. Prints a
    table for each kernel, and what its footnotes mean. Fails if a cell has
    come out otherwise than expected, or if there is none.
"""

import fileinput
import json
import sys

PREFIX = "cell: "
ROW = ("daemon", "version", "role", "mobike", "kind")
CHECKS = {
    "follow": "followed",
    "next": "next one followed",
    "child_client": "child rekey by client",
    "child_gateway": "by gateway",
    "ike_client": "IKE rekey by client",
    "ike_gateway": "by gateway",
    "dpd_client": "DPD by client",
    "dpd_gateway": "by gateway",
    "end_client": "end by client",
    "end_gateway": "by gateway",
}


def read(lines):
    kernels = {}
    for line in lines:
        if not line.startswith(PREFIX):
            continue
        cell = json.loads(line[len(PREFIX):])
        row = [cell[name] for name in ROW]
        if cell["variant"] != "esptrack":
            row[0] += f" ({cell['variant']})"
        rows = kernels.setdefault(cell["kernel"], {})
        rows.setdefault(tuple(row), {})[cell["check"]] = cell
    return kernels


def text(cell, notes):
    if cell is None:
        return ""
    if cell["result"] == "works":
        return "yes"
    if cell["result"] == "fails":
        if cell["reason"] not in notes:
            notes.append(cell["reason"])
        return f"no <sup>{notes.index(cell['reason']) + 1}</sup>"
    return "**FAILED**"


def line(columns):
    print("| " + " | ".join(columns) + " |")


def table(kernel, rows, notes):
    print(f"Kernel {kernel}:\n")
    line(["daemon", "role", "MOBIKE", "change of", *CHECKS.values()])
    line(["---"] * (4 + len(CHECKS)))
    for row, cells in rows.items():
        daemon, version, role, mobike, kind = row
        line([f"{daemon} {version}", role, mobike, kind,
              *(text(cells.get(check), notes) for check in CHECKS)])
    print()


def main():
    kernels = read(fileinput.input())
    notes = []
    for kernel, rows in kernels.items():
        table(kernel, rows, notes)
    for number, note in enumerate(notes, 1):
        print(f"<sup>{number}</sup> {note}  ")
    cells = [cell for rows in kernels.values() for row in rows.values()
             for cell in row.values()]
    if not cells or any(cell["result"] not in ("works", "fails") for cell in cells):
        sys.exit("not all cells are as expected")


main()
