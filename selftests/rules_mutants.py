#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Can the property test fail? Break the rules in every small way, one by one.

rules_mutants.py SOURCE FOLDER LIVES COMMAND...
SOURCE (rules.c) is changed in one place at a time, written to FOLDER/mutant.c
and built by COMMAND, which makes FOLDER/mutant of it. That must say that a
promise was not kept, within so many LIVES. What cannot be told from the rules is
in EQUIVALENT, and the test must not tell it either.
Prints the number of changes that were found out.
"""

import re
import subprocess
import sys

# What is put in the place of what: each match of a pattern gives a mutant.
CHANGES = [
    (r" <= ", (" < ", " > ")),
    (r" >= ", (" > ", " < ")),
    (r" < ", (" <= ",)),
    (r" > ", (" >= ", " < ")),
    (r" && ", (" || ",)),
    (r" \|\| ", (" && ",)),
    (r"(?<=[ (])!(?=\w)", ("",)),
    (r"(?<=if \()(?=facts->\w+\))", ("!",)),
    (r"\btrue\b", ("false",)),
    (r"\bfalse\b", ("true",)),
    (r" \+ ", (" - ",)),
    (r" - ", (" + ",)),
    (r"(?<=\(burst) - 1\b", ("", " - 2")),
    (r"\bhistory->moves\b", ("history->reports",)),
    (r"\bhistory->reports\b", ("history->moves",)),
    # Half of a condition is left out.
    (r" \|\| [^()|]+?(?=\))", ("",)),
    (r"(?<=if \()[^()|]+? \|\| ", ("",)),
    # A rule, or another statement, is left out.
    (r"\tif \([^{}]*?\)\n\t\treturn [^;]*;\n", ("",)),
    (r"(?m)^\t[\w>*-]+ = [^;]*;\n", ("",)),
]

# Another reason, another verdict
NAMES = {
    r"(?<=return )ESPTRACK_REASON_\w+": "ESPTRACK_REASON_{}",
    r"(?<=return )ESPTRACK_(?:MOVE|OBSERVE|REFUSE)\b": "ESPTRACK_{}",
}

# (text before and after): why nobody can tell
EQUIVALENT = {
    ("full_at > now ?", "full_at >= now ?"): "both are the same then",
    # The throttle of a life stays as it is; rules_test.c opens it.
    ("if (full_at > now + burst", "if (full_at >= now + burst"): "not reached",
    ("full_at = now + (burst - 1) * interval;", ""): "not reached",
    ("full_at = now + (burst - 1)", "full_at = now - (burst - 1)"): "not reached",
    ("full_at = now + (burst - 1)", "full_at = now + (burst + 1)"): "not reached",
    ("full_at = now + (burst - 1)", "full_at = now + (burst)"): "not reached",
    ("full_at = now + (burst - 1)", "full_at = now + (burst - 2)"): "not reached",
}


def blank_comments(text):
    return re.sub(r"/\*.*?\*/|^#include[^\n]*", lambda match: re.sub(r"[^\n]", " ", match[0]),
                  text, flags=re.S | re.M)


def mutants(text):
    code = blank_comments(text)
    for pattern, replacements in CHANGES:
        for match in re.finditer(pattern, code):
            for replacement in replacements:
                yield match.start(), match.end(), replacement
    for pattern, form in NAMES.items():
        matches = list(re.finditer(pattern, code))
        names = sorted({match[0] for match in matches})
        for match in matches:
            yield match.start(), match.end(), names[names.index(match[0]) - 1]


def describe(text, start, end, replacement):
    line = text.count("\n", 0, start) + 1
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    before = " ".join(text[first:last].split())
    after = " ".join((text[first:start] + replacement + text[end:last]).split())
    return line, before, after


def is_equivalent(before, after):
    return any(old in before and before.replace(old, new) == after
               for old, new in EQUIVALENT)


def main():
    source, folder, lives, *command = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    killed = equivalent = wrong = 0
    for start, end, replacement in mutants(text):
        line, before, after = describe(text, start, end, replacement)
        with open(f"{folder}/mutant.c", "w", encoding="utf-8") as file:
            file.write(text[:start] + replacement + text[end:])
        subprocess.run(command, check=True)
        run = subprocess.run([f"{folder}/mutant", "-s", "1", "-n", lives],
                             capture_output=True, text=True, check=False, timeout=120)
        found = run.returncode == 1 and "\nnot ok - rules: " in run.stdout
        if not found and run.returncode:
            sys.exit(f"line {line}: {after}\nexit status {run.returncode}: {run.stdout}"
                     f"{run.stderr}")
        if is_equivalent(before, after):
            equivalent += 1
            if found:
                wrong += 1
                print(f"# line {line}: told from the rules, but should not be: {after}")
        elif found:
            killed += 1
        else:
            wrong += 1
            print(f"# line {line}: not found out: {before}  ->  {after or 'nothing'}")
    total = killed + wrong
    print(f"{'not ok' if wrong or not killed else 'ok'} - rules: {killed} of {total} "
          f"changes of the rules were found out, {equivalent} cannot be")
    sys.exit(bool(wrong or not killed))


main()
