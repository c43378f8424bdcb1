"""Measure this project beside others, in one run of one machine.

generate: how fast the synthetic shop is made, beside others that write the same columns.
metrics: how fast silver and gold are built on Spark and on Sail, beside DuckDB with the same SQL.

Reads: nothing but conf/.
Writes: nothing that stays; works in a folder that is removed at the end.
Command: ./spark-submit.sh bench generate|metrics [--events N,...] [--rounds N] [--day-cost]
"""

from __future__ import annotations

import argparse

from jobs.core.config import load_config
from jobs.core.ending import leave
from jobs.core.progress import Progress
from jobs.proof.bench.generate import command as generate
from jobs.proof.bench.metrics import command as metrics
from jobs.proof.bench.processes import require_proc
from jobs.proof.bench.request import Rules, bench_parser, parse_sizes, scratch_folder

MEASURES = {"generate": generate, "metrics": metrics}


def execute(args: argparse.Namespace) -> int:
    """Measure and print; a figure that misses its target is said, and is no failure."""
    require_proc()
    rules = Rules(args.conf_file, args.days, args.rounds, args.dirt)
    measure, sizes = MEASURES[args.what], parse_sizes(args.events)
    load_config(args.conf_file)  # a bad setting ends it before anything is started
    with Progress() as progress, scratch_folder(args.warehouse) as folder:
        compare = measure.day_cost if args.day_cost else measure.compare
        page = compare(rules, sizes, folder, progress)
    print(page)
    return 0


if __name__ == "__main__":
    arguments = bench_parser(__doc__).parse_args()
    leave("bench", arguments.debug, lambda: execute(arguments))
