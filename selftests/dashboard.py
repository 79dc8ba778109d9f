#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the dashboard asks Prometheus for.

dashboard.py DASHBOARD exprs          its expressions, one a line
dashboard.py DASHBOARD rules          the same as a file of rules, for promtool
dashboard.py DASHBOARD check METRICS  prints what is wrong with it; METRICS has
                                      what is served
The variables that Grafana puts in have a value that matches everything.
"""

import json
import re
import sys

VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$instance": ".*"}


def expressions(board):
    for panel in board["panels"]:
        for target in panel["targets"]:
            expr = target["expr"]
            for name, value in VARIABLES.items():
                expr = expr.replace(name, value)
            yield expr


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and
            a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def wrong(board, served):
    panels = board["panels"]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "panels share an id"
    for i, panel in enumerate(panels):
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield f"{panel['title']}: beyond the right edge"
        if any(overlap(place, other["gridPos"]) for other in panels[:i]):
            yield f"{panel['title']}: lies over another panel"
        if panel["datasource"]["uid"].strip("${}") not in variables:
            yield f"{panel['title']}: unknown source of data"
    asked = set()
    for expr in expressions(board):
        if "$" in expr:
            yield f"unknown variable: {expr}"
        asked.update(re.findall(r"\besptrack_\w+", expr))
    ours = {name for name in served if name.startswith("esptrack_")}
    if asked - ours:
        yield f"never served: {asked - ours}"
    if ours - asked:
        yield f"not shown: {ours - asked}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        board = json.load(file)
    if sys.argv[2] == "exprs":
        print("\n".join(expressions(board)))
    elif sys.argv[2] == "rules":
        rules = [{"record": f"dashboard:{i}", "expr": expr}
                 for i, expr in enumerate(expressions(board))]
        # JSON is YAML.
        print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    else:
        with open(sys.argv[3], encoding="utf-8") as file:
            served = {re.match(r"\w+", line)[0] for line in file if line[0].isalpha()}
        for text in wrong(board, served):
            print(text)


main()
