"""Measure this project beside others, in one run of one machine.

generate: how fast the synthetic shop is made, beside others that write the same columns.
metrics: how fast silver and gold are built on Spark and on Sail, beside DuckDB with the same SQL.
model: how fast the trees are fitted, beside XGBoost; how good they are, beside the best possible.

Reads: nothing but conf/.
Writes: nothing that stays; works in a folder that is removed at the end.
Command: ./spark-submit.sh bench generate|metrics [--events N,...] [--rounds N] [--day-cost]
    ./spark-submit.sh bench model [--snapshots N,... | --seeds N,... | --ablation SEED]
"""

from __future__ import annotations

import argparse

from jobs.core.config import load_config
from jobs.core.ending import leave
from jobs.core.progress import Progress
from jobs.proof.bench.measures import measure_of
from jobs.proof.bench.processes import require_proc
from jobs.proof.bench.request import DEFAULT_DAYS, ROUNDS, Rules, bench_parser, scratch_folder


def execute(args: argparse.Namespace) -> int:
    """Measure and print; a figure that misses its target is said, and is no failure."""
    require_proc()
    rounds = args.rounds or ROUNDS[args.what]
    rules = Rules(args.conf_file, args.days or DEFAULT_DAYS, rounds, args.dirt)
    measure = measure_of(args)
    load_config(args.conf_file)  # a bad setting ends it before anything is started
    with Progress() as progress, scratch_folder(args.warehouse) as folder:
        page = measure(rules, folder, progress)
    print(page)
    return 0


if __name__ == "__main__":
    arguments = bench_parser(__doc__).parse_args()
    leave("bench", arguments.debug, lambda: execute(arguments))
