"""Generate the synthetic shop: users, events and orders of any days, always the same rows.

Reads: bronze_batches (what is there already).
Writes: bronze_users, bronze_events, bronze_orders, bronze_batches, truth_users, truth_daily,
    truth_dirt.
Command: ./spark-submit.sh generate [--scale NAME] [--users N --days N] [--seed N] [--from D --to D]
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.shop.loading import load_world
from jobs.shop.request import add_shop_arguments, check_shop_arguments, requested_world


def execute(run: Run, args: argparse.Namespace) -> int:
    """Load the days that are missing."""
    world, days = requested_world(args, run.config)
    load_world(run, world, days)
    return 0


if __name__ == "__main__":
    main(Job("generate", __doc__, execute, add_shop_arguments, check_shop_arguments))
