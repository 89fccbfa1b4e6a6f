#!/usr/bin/env python3
"""Compares two files of JSON lines that `heddle bench ... --json` wrote.

    tests/bench/compare.py BEFORE AFTER [--metric median_ms] [--only TEXT]

Rows are matched by what names them (name, shapes, graph, model, side ...); the table shows the metric in both files and
after / before, slowest change first. Rows of one file alone are listed below. Timing never makes it fail: the exit status
is 0 unless a file cannot be read.
"""
import argparse
import json
import math
import signal
import sys

NAMING = ("name", "model", "graph", "variant", "shapes", "side", "threads")


def read_rows(path):
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                sys.exit(f"{path}:{number}: expected a JSON object a line, got {line.strip()[:40]!r} ({error})")
            if not isinstance(row, dict):
                sys.exit(f"{path}:{number}: expected a JSON object, got {type(row).__name__}")
            key = " ".join(str(row[field]) for field in NAMING if field in row)
            rows.setdefault(key, []).append(row)
    return rows


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def metric_of(rows, metric):
    values = [float(row[metric]) for row in rows if metric in row]
    return median(values) if values else None


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)   # for `compare.py ... | head`
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--metric", default="median_ms", help="field to compare (median_ms)")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    arguments = parser.parse_args()
    before, after = read_rows(arguments.before), read_rows(arguments.after)

    table = []
    for key in before.keys() & after.keys():
        a, b = metric_of(before[key], arguments.metric), metric_of(after[key], arguments.metric)
        if arguments.only in key and a is not None and b is not None and a > 0:
            table.append((b / a, a, b, key))
    table.sort(key=lambda row: -row[0])
    width = max([len(row[3]) for row in table], default=4)
    print(f"{'ROW':{width}}  {'BEFORE':>12}  {'AFTER':>12}  {'RATIO':>7}   ({arguments.metric})")
    for ratio, a, b, key in table:
        print(f"{key:{width}}  {a:12.4g}  {b:12.4g}  {ratio:7.3f}")
    if table and all(row[0] > 0 for row in table):
        mean = math.exp(sum(math.log(row[0]) for row in table) / len(table))
        print(f"{'geometric mean':{width}}  {'':12}  {'':12}  {mean:7.3f}")
    for title, one, other in (("only before", before, after), ("only after", after, before)):
        for key in sorted(one.keys() - other.keys()):
            if arguments.only in key:
                print(f"{title}: {key}")


if __name__ == "__main__":
    main()
