"""Measure how fast the synthetic shop is made, beside others that write the same columns.

Reads: nothing but conf/.
Writes: nothing that stays; works in a folder that is removed at the end.
Command: ./spark-submit.sh bench generate [--events N,N,...] [--rounds N] [--day-cost]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.core.config import load_config
from jobs.core.entry import OneLineParser, leave, positive
from jobs.core.progress import Progress
from jobs.proof import bench_day, bench_report
from jobs.proof.bench_flow import Bench, parse_sizes, scratch_folder
from jobs.proof.bench_processes import require_proc


def execute(args: argparse.Namespace) -> int:
    """Measure and print; a figure that misses its target is said, and is no failure."""
    config, sizes = load_config(args.conf_file), parse_sizes(args.events)
    require_proc()
    with Progress() as progress:
        if args.day_cost:
            print(bench_report.render_day_cost(bench_day.day_cost(config, progress)))
            return 0
        with scratch_folder(args.warehouse) as folder:
            bench = Bench(config, args.conf_file, args.days, args.rounds, folder, progress)
            comparisons = [bench.compare(events) for events in sizes]
            profile = bench.profile(min(sizes))
    print(bench_report.render(comparisons, profile))
    return 0


if __name__ == "__main__":
    parser = OneLineParser(prog="bench", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=["generate"], help="what to measure")
    for option, kind, default, text in (
        (
            "--events",
            str,
            "1000000,10000000,100000000",
            "sizes (default: %(default)s)",
        ),
        ("--days", positive, 180, "days of each shop (default: %(default)s)"),
        ("--rounds", positive, 1, "runs of each, in turns; the fastest counts"),
        ("--warehouse", Path, None, "work in a folder in this one (default: the system's)"),
        ("--conf-file", Path, None, "YAML with the settings that differ from conf/base.yaml"),
    ):
        parser.add_argument(option, type=kind, default=default, help=text)
    parser.add_argument("--day-cost", action="store_true", help="the cost of a late day instead")
    parser.add_argument("--debug", action="store_true", help="show the trace of an error")
    arguments = parser.parse_args()
    leave("bench", arguments.debug, lambda: execute(arguments))
