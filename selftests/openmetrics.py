#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Read OpenMetrics from stdin, as strictly as Prometheus' own library does. Prints
the samples as one JSON object: by name, with the values of the labels behind it."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families


def main():
    samples = {}
    for family in text_string_to_metric_families(sys.stdin.read()):
        if family.type == "unknown" or not family.documentation:
            raise SystemExit(f"{family.name} has no type or no help")
        for sample in family.samples:
            name = " ".join([sample.name, *sample.labels.values()])
            if name in samples:
                raise SystemExit(f"{name} is there twice")
            samples[name] = sample.value
    print(json.dumps(samples))


main()
