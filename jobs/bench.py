"""Measure how fast the synthetic shop is made, beside others that write the same columns.

Reads: nothing but conf/.
Writes: nothing that stays; works in a folder that is removed at the end.
Command: ./spark-submit.sh bench generate [--events N,N,...] [--rounds N] [--dirt] [--day-cost]
"""

from __future__ import annotations

import argparse

from jobs.core.config import load_config
from jobs.core.ending import leave
from jobs.core.progress import Progress
from jobs.proof.bench_day import day_cost
from jobs.proof.bench_flow import Bench
from jobs.proof.bench_processes import require_proc
from jobs.proof.bench_report import render, render_day_cost
from jobs.proof.bench_request import Rules, bench_parser, parse_sizes, scratch_folder


def execute(args: argparse.Namespace) -> int:
    """Measure and print; a figure that misses its target is said, and is no failure."""
    config, sizes = load_config(args.conf_file), parse_sizes(args.events)
    require_proc()
    with Progress() as progress:
        if args.day_cost:
            print(render_day_cost(day_cost(config, progress)))
            return 0
        rules = Rules(args.conf_file, args.days, args.rounds, args.dirt)
        with scratch_folder(args.warehouse) as folder:
            bench = Bench(rules, folder, progress)
            comparisons = [bench.compare(events) for events in sizes]
            profile = bench.profile(min(sizes))
    print(render(comparisons, profile))
    return 0


if __name__ == "__main__":
    arguments = bench_parser(__doc__).parse_args()
    leave("bench", arguments.debug, lambda: execute(arguments))
