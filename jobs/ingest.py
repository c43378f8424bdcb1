"""Ingest a team's own logs: users, events and orders, of which any may be missing.

Reads: CSV, JSON lines, Parquet or blank-divided text, as the mapping says; GLASSHOUSE_HMAC_KEY.
Writes: bronze_users, bronze_events, bronze_orders, quarantine (stage ingest), bronze_batches.
Command: ./spark-submit.sh ingest [--users F] [--events F] [--orders F] [--mapping FILE]
"""

from __future__ import annotations

import argparse
import shlex

from jobs.core.config import Config
from jobs.core.entry import Job, Run, main
from jobs.core.progress import summary
from jobs.ingestion.load import ingest
from jobs.ingestion.request import add_ingest_arguments, check_request


def execute(run: Run, args: argparse.Namespace) -> int:
    """Load what is not in bronze yet."""
    lines = ingest(run, args.request)
    run.manifest.facts["ingest"] = dict(lines)
    root = str(run.warehouse.root)
    settings = f" --conf-file {shlex.quote(str(args.conf_file))}" if args.conf_file else ""
    step = ("next", f"./spark-submit.sh build --warehouse {shlex.quote(root)}{settings}")
    print(summary("ingest", [*lines, ("warehouse", root), step]))
    return 0


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse inputs that cannot be read, before Spark starts and anything is written."""
    args.request = check_request(args)


if __name__ == "__main__":
    main(Job("ingest", __doc__, execute, add_ingest_arguments, check))
