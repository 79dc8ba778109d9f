#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The fenced blocks of the documents, for the tests that run them.

A block says in the first word behind its fence what it is, and in the second one
by which test it is run, or for which it is a file:

    ```sh gateway           commands, run as they stand
    ```console gateway      "# command" lines, each followed by what it prints
    ```log libreswan-stock  lines of a log, in their order
    ```conf swanctl-client  a file
    ```sh not-run:gce       commands that nothing runs, and why

docs.py list FILE...           one line for each block: FILE:LINE WORD NAME
docs.py get FILE NAME          the lines of the blocks with this name
docs.py run FILE NAME SHELL... run its commands, each by SHELL -c, in the order of
                               the page; in a console block their output must have
                               the lines that follow
docs.py seen FILE NAME LOG     the block's lines must be in the file LOG, in order
docs.py lint FILE...           what is wrong with blocks, links and anchors

Where lines are compared, what differs from run to run is not: see loose(). "..." is
for anything, and lines need not follow each other immediately.
"""

import os
import re
import subprocess
import sys

KINDS = ("sh", "console", "log", "conf", "text")


class Block:
    """A fenced block: where it begins, what it is, its lines."""

    def __init__(self, path, line, info):
        words = info.split()
        self.where = f"{path}:{line}"
        self.kind = words[0] if words else ""
        self.name = words[1] if len(words) > 1 else ""
        self.lines = []


def parse(path):
    """The blocks of a document, and its lines outside of them."""
    blocks, prose, block = [], [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.lstrip().startswith("```"):
                if block is None:
                    block = Block(path, number, line.strip()[3:])
                    blocks.append(block)
                else:
                    block = None
            elif block is not None:
                block.lines.append(line)
            else:
                prose.append(line)
    return blocks, prose


def named(path, name):
    """The blocks with a name; there must be one."""
    blocks = [block for block in parse(path)[0] if block.name == name]
    if not blocks:
        sys.exit(f"{path}: no block '{name}'")
    return blocks


# What is different each time: times, SPIs, numbers of threads, SAs and packets.
LOOSE = (
    (r"\b[0-9a-f]{16}\b", "IKESPI"),
    (r"\b(0x)?[0-9a-f]{8}\b", "SPI"),
    (r"\b\d+:\d\d:\d\d(\.\d+)?", "TIME"),
    (r"\b\d\d\[(?=[A-Z]{3}\])", "NN["),
    (r"#\d+", "#N"),
    (r"\{\d+\}", "{N}"),
    (r"\|\d+>", "|N>"),
    (r"\b\d+\.\d+\.\d+(-\d+)?(\+deb\d+)?-(cloud-amd64|debug|kcsan|gcov)\b", "RELEASE"),
    (r"\b(after|for|in|within) [\d.]+ ?(ms|s|seconds?)\b", r"\1 N"),
    (r"\b\d+( bytes)", r"N\1"),
    (r"\b(esp-seq|event|seq|pid|reqid|time) ?[=:]? ?(0x[0-9a-f]+|[\d.]+)( ms)?", r"\1 N"),
    (r'"\[\d+\]', '"[N]'),
    (r"^\[ *[\d.]+\] ", "[TIME] "),
    (r"\b\d+s( ago)?\b", r"Ns\1"),
    (r"[ \t]+", " "),
)


def loose(line):
    """A line without what differs from run to run."""
    for pattern, replacement in LOOSE:
        line = re.sub(pattern, replacement, line)
    return line.strip()


def missing(wanted, got):
    """The first of the wanted lines that does not follow, or None."""
    rest = iter([loose(line) for line in got])
    for line in wanted:
        want = re.compile(".*".join(re.escape(part) for part in loose(line).split("...")))
        if want.pattern and not any(want.search(line) for line in rest):
            return line
    return None


def commands(block):
    """(command, lines that it should print or None), in order."""
    if block.kind == "sh":
        return [("\n".join(block.lines), None)]
    found = []
    for line in block.lines:
        if line.startswith("# "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0] + "\n" + line, [])
        else:
            found[-1][1].append(line)
    return found


def run(path, name, shell):
    """Run the commands of blocks."""
    for block in named(path, name):
        for command, wanted in commands(block):
            print(f"{block.where}: {command}", flush=True)
            done = subprocess.run([*shell, "-c", "set -e\n" + command], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            print(done.stdout, end="", flush=True)
            # What is shown to fail says how.
            if done.returncode and wanted is None:
                sys.exit(f"{block.where}: status {done.returncode} of: {command}")
            lost = missing(wanted or [], done.stdout.splitlines())
            if lost is not None:
                sys.exit(f"{block.where}: not printed: {lost}")


def seen(path, name, log):
    """Look for the lines of blocks in a log."""
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    for block in named(path, name):
        lost = missing(block.lines, lines)
        if lost is not None:
            sys.exit(f"{block.where}: not in the log: {lost}\nas: {loose(lost)}")


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for line in parse(path)[1]:
        heading = re.match(r"#+ +(.*)", line)
        if heading:
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            text = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
            base, count = text, 0
            while text in found:
                count += 1
                text = f"{base}-{count}"
            found.add(text)
    return found


def lint_links(path):
    """Relative links must lead to a file, and anchors to a heading."""
    # A link may be broken over two lines.
    prose = re.sub(r"`[^`]*`", "", "\n".join(parse(path)[1]))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        to = os.path.join(os.path.dirname(path), place) if place else path
        if not os.path.exists(to):
            yield f"{path}: no such file: {target}"
        elif anchor and anchor not in anchors(to):
            yield f"{path}: no such heading: {target}"


def lint_fences(path):
    """Commands that are only indented nobody would find."""
    before = ""
    for line in parse(path)[1]:
        if line.startswith("    ") and not before.strip():
            yield f"{path}: indented, not fenced: {line}"
        before = line


def lint(paths):
    """All complaints about documents."""
    for path in paths:
        yield from lint_links(path)
        yield from lint_fences(path)
        for block in parse(path)[0]:
            if block.kind not in KINDS:
                yield f"{block.where}: a block of kind '{block.kind}'"
            elif not block.name and block.kind != "text":
                yield f"{block.where}: nobody runs this"


def main(words):
    """Do what the words say."""
    verb, rest = words[0], words[1:]
    if verb == "list":
        for path in rest:
            for block in parse(path)[0]:
                print(block.where, block.kind, block.name)
    elif verb == "get":
        for block in named(*rest):
            print("\n".join(block.lines))
    elif verb == "run":
        run(rest[0], rest[1], rest[2:])
    elif verb == "seen":
        seen(*rest)
    elif verb == "lint":
        complaints = list(lint(rest))
        print("\n".join(complaints), end="\n" if complaints else "")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:] or ["help"])
