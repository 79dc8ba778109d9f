#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""coverage_table.py RELEASE SOURCES COUNTS: print which lines of the module were run.

COUNTS is what "gcov --json-format --stdout" says, one document after the other.
A line that is compiled into several objects was run if it was run in one of them.
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


def counts_of(path, sources):
    """File -> line -> [how often it was run, its function]."""
    counts = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as file:
        for document in documents(file.read()):
            for part in document["files"]:
                name = os.path.basename(part["file"])
                if not ("kmod/" in part["file"] and
                        os.path.exists(os.path.join(sources, name))):
                    continue
                for line in part["lines"]:
                    entry = counts[name].setdefault(
                        line["line_number"], [0, line.get("function_name", "")])
                    entry[0] += line["count"]
    return counts


def gaps(lines):
    """Ranges of lines without a count, up to the next that was run."""
    start = last = None
    for number in sorted(lines):
        if lines[number][0]:
            if start:
                yield start, last
            start = None
        else:
            start = start or number
            last = number
    if start:
        yield start, last


def main():
    release, sources, path = sys.argv[1:]
    counts = counts_of(path, sources)
    if not counts:
        sys.exit("coverage: no lines of the module were counted")
    print(f"Lines of the module that the tests ran on {release}:\n")
    print(f"{'file':<20}{'lines':>8}{'run':>8}{'per cent':>10}")
    rows = [(name, len(lines), sum(1 for line in lines.values() if line[0]))
            for name, lines in sorted(counts.items())]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    for name, total, run in rows:
        print(f"{name:<20}{total:>8}{run:>8}{100 * run / total:>10.1f}")
    print("\nLines that no test ran:\n")
    for name, lines in sorted(counts.items()):
        with open(os.path.join(sources, name), encoding="utf-8") as file:
            text = file.read().split("\n")
        for first, last in gaps(lines):
            where = f"{name}:{first}" + (f"-{last}" if last > first else "")
            print(f"{where} {lines[first][1]}: {text[first - 1].strip()}")


main()
