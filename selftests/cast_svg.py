#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""cast_svg.py CAST: a recorded terminal session as a picture, to stdout.

The recorded program writes lines, and nothing else that moves the cursor. They
appear when they did, but nobody has to wait longer than the record's
idle_time_limit. Where pictures do not move, the end is seen.
"""

import json
import sys
from xml.sax.saxutils import escape

CHAR = 7.8      # of 13 pixels' height
LINE = 17
MARGIN = 14
PAUSE = 6       # seconds at the end

STYLE = """
    rect { fill: #1b1f24 }
    text { fill: #c9d1d9; font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
           white-space: pre }
    .command { fill: #7ee787 }
    .event { fill: #79c0ff }
    .title { fill: #ffffff; font-weight: bold }
"""


def read(path):
    """The header, and each line with the time at which it was complete."""
    with open(path, encoding="utf-8") as file:
        header = json.loads(next(file))
        limit = header.get("idle_time_limit", 2)
        now = last = 0.0
        lines, line = [], ""
        for record in file:
            time, kind, data = json.loads(record)
            now += min(time - last, limit)
            last = time
            if kind != "o":
                continue
            for char in data.replace("\r\n", "\n"):
                if char == "\n":
                    lines.append((now, line))
                    line = ""
                elif char.isprintable():
                    line += char
                else:
                    raise SystemExit(f"{path}: {char!r} at {time} s: not only lines")
    if line:
        lines.append((now, line))
    return header, lines


def wrap(lines, width):
    for time, line in lines:
        for start in range(0, max(len(line), 1), width):
            yield time, line[start:start + width], style_of(line)


def style_of(line):
    if line.startswith("server# "):
        return "command"
    if line.startswith("moved "):
        return "event"
    if line.startswith(("--- ", "Lost to")):
        return "title"
    return None


def picture(header, rows):
    shown = header["height"]
    width = round(header["width"] * CHAR + 2 * MARGIN)
    height = shown * LINE + 2 * MARGIN
    total = rows[-1][0] + PAUSE

    def at(time):
        return f"{100 * time / total:.2f}%"

    def scroll(count):
        return -LINE * max(0, count - shown)

    css, steps = [STYLE.strip("\n")], {}
    for i, (time, text, _) in enumerate(rows):
        steps[at(time)] = scroll(i + 1)
        if text:
            css.append(f"    @keyframes r{i} {{ 0% {{ opacity: 0 }} "
                       f"{at(time)} {{ opacity: 1 }} }}")
    css.append("    @keyframes scroll { 0% { transform: translateY(0) }")
    css += [f"      {when} {{ transform: translateY({by}px) }}"
            for when, by in steps.items() if by]
    css.append(f"      100% {{ transform: translateY({scroll(len(rows))}px) }} }}")
    css.append(f"    .moving, text {{ animation: {total:.1f}s step-end infinite }}")
    css.append(f"    .moving {{ animation-name: scroll; "
               f"transform: translateY({scroll(len(rows))}px) }}")

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'width="{width}" height="{height}">')
    yield f"  <title>{escape(header.get('title', ''))}</title>"
    yield "  <style>\n" + "\n".join(css) + "\n  </style>"
    yield f'  <clipPath id="screen"><rect y="{MARGIN}" width="{width}" height="{shown * LINE}"/></clipPath>'
    yield f'  <rect width="{width}" height="{height}" rx="6"/>'
    yield '  <g clip-path="url(#screen)"><g class="moving">'
    for i, (_, text, style) in enumerate(rows):
        if text:
            kind = f' class="{style}"' if style else ""
            yield (f'    <text x="{MARGIN}" y="{MARGIN + LINE * i + 13}"{kind} '
                   f'xml:space="preserve" style="animation-name: r{i}">{escape(text)}</text>')
    yield "  </g></g>\n</svg>"


def main():
    header, lines = read(sys.argv[1])
    rows = list(wrap(lines, header["width"]))
    print("\n".join(picture(header, rows)))


main()
