"""Remove the data files that runs left which died before their commit.

Reads: the logs of all tables.
Writes: nothing; removes files that no version of a table names, so time travel goes on working.
Command: ./spark-submit.sh maintain [--list] [--older-than HOURS]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from jobs.core.catalog import all_tables
from jobs.core.entry import Job, Run, main
from jobs.core.orphans import Orphan, find_orphans, remove_orphans, render_orphans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--list", action="store_true", help="only show the files, remove none")
    parser.add_argument(
        "--older-than",
        type=_hours,
        default=0.0,
        metavar="HOURS",
        help="leave younger files alone; wanted where somebody writes to the tables without these "
        "commands, since a file about to be committed looks like one left behind (default: 0)",
    )


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 <= hours < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours")
    return hours


def execute(run: Run, args: argparse.Namespace) -> int:
    """Go through all tables; prints table, files and bytes of those with such files."""
    found: dict[str, list[Orphan]] = {}
    for name, table in all_tables().items():
        if not table.is_view and run.warehouse.exists(name):
            run.warehouse.version(name)  # fails where the log is damaged: nothing is safe to remove
            found[name] = find_orphans(Path(run.warehouse.path(name)), args.older_than)
            if not args.list:
                remove_orphans(found[name])
    print(render_orphans(found, removed=not args.list))
    return 0


if __name__ == "__main__":
    main(Job("maintain", __doc__, execute, add_arguments))
