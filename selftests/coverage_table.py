#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""coverage_table.py [--all] RELEASE SOURCES REASONS COUNTS...: which lines were run?

Prints a table of the module's files, and the lines that were never run, each gap of
them with the reason that REASONS gives. With --all (all tests were run) a gap without
a reason is a failure.

COUNTS are files with what "gcov --json-format --stdout" says, one document after the
other. A line that is compiled into several objects was run if it was run in one of
them.

REASONS has entries of two parts: "FILE FUNCTION" for all lines of a function, or "FILE
FUNCTION TEXT" for the gap in it that begins with a line of this text; and below, behind
tabs, the reason.
"""

import collections
import json
import os
import sys


def documents(text):
    decoder = json.JSONDecoder()
    end = 0
    while end < len(text):
        document, end = decoder.raw_decode(text, end)
        yield document
        while end < len(text) and text[end].isspace():
            end += 1


def counts_of(paths, sources):
    """File -> line -> [how often it was run, its function]."""
    counts = collections.defaultdict(dict)
    for path in paths:
        with open(path, encoding="utf-8") as file:
            parts = [part for document in documents(file.read())
                     for part in document["files"]]
        for part in parts:
            name = os.path.basename(part["file"])
            if not ("kmod/" in part["file"] and
                    os.path.exists(os.path.join(sources, name))):
                continue
            for line in part["lines"]:
                entry = counts[name].setdefault(
                    line["line_number"], [0, line.get("function_name", "")])
                entry[0] += line["count"]
    return counts


def reasons_of(path):
    """"FILE FUNCTION" or "FILE FUNCTION TEXT" -> reason."""
    reasons = {}
    key = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("\t") and key:
                reasons[key] = f"{reasons[key]} {line.strip()}".strip()
            elif line.strip() and not line.startswith("#"):
                key = line.strip()
                if key in reasons:
                    sys.exit(f"{path}: two reasons for: {key}")
                reasons[key] = ""
    for key, reason in reasons.items():
        if not reason:
            sys.exit(f"{path}: no reason for: {key}")
    return reasons


def gaps(lines):
    """Ranges of lines without a count, up to the next that was run or the end of
    the function."""
    start = last = None
    for number in sorted(lines):
        count, function = lines[number]
        if start and (count or function != lines[start][1]):
            yield start, last
            start = None
        if not count:
            start = start or number
            last = number
    if start:
        yield start, last


def print_table(counts):
    print(f"{'file':<20}{'lines':>8}{'run':>8}{'per cent':>10}")
    rows = [(name, len(lines), sum(1 for line in lines.values() if line[0]))
            for name, lines in sorted(counts.items())]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    for name, total, run in rows:
        print(f"{name:<20}{total:>8}{run:>8}{100 * run / total:>10.1f}")


def print_gaps(counts, sources, reasons):
    """Returns how many have no reason."""
    unexplained = 0
    unused = set(reasons)
    for name, lines in sorted(counts.items()):
        with open(os.path.join(sources, name), encoding="utf-8") as file:
            text = file.read().split("\n")
        for first, last in gaps(lines):
            function = f"{name} {lines[first][1]}"
            gap = f"{function} {text[first - 1].strip()}"
            where = f"{name}:{first}" + (f"-{last}" if last > first else "")
            print(f"{where} {gap.split(' ', 1)[1]}")
            key = gap if gap in reasons else function
            unused.discard(key)
            unexplained += key not in reasons
            print(f"\t{reasons.get(key, 'WITHOUT REASON')}")
    if unused:
        print("\nThese have reasons, but were run this time, or are there no more:\n")
        print("\n".join(sorted(unused)))
    return unexplained


def main():
    args = sys.argv[1:]
    strict = args[0] == "--all"
    release, sources, reasons, *paths = args[strict:]
    counts = counts_of(paths, sources)
    if not counts:
        sys.exit("coverage: no lines of the module were counted")
    print(f"Lines of the module that the tests ran on {release}:\n")
    print_table(counts)
    print("\nLines that no test ran:\n")
    unexplained = print_gaps(counts, sources, reasons_of(reasons))
    print(f"\n{unexplained} gaps without reason")
    sys.exit(1 if strict and unexplained else 0)


main()
