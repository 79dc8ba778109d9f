#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""jsoncheck.py SCHEMA [FILE]: is each line of the file, or of stdin, one JSON value
after the schema? Prints how many there are, or the first that is not."""

import json
import sys

import jsonschema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    count = 0
    # A number is the file that is open already.
    with open(sys.argv[2] if len(sys.argv) > 2 else 0, encoding="utf-8") as file:
        for line in file:
            validator.validate(json.loads(line))
            count += 1
    print(count)


main()
