"""The two measurements of `bench metrics`, from settings to page."""

from __future__ import annotations

from pathlib import Path

from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.core.progress import Progress
from jobs.proof.bench.metrics import day
from jobs.proof.bench.metrics.flow import MetricsBench
from jobs.proof.bench.metrics.report import render, render_day_cost
from jobs.proof.bench.request import Rules

SIZES = (1_000_000, 10_000_000, 50_000_000)
EVENTS_PER_DAY = 20_000


def compare(rules: Rules, sizes: list[int], folder: Path, progress: Progress) -> str:
    """Measure all contestants at each size (SIZES where none are named); returns the page.

    Rows are compared at the smallest size alone: they do not depend on it, and it takes memory.
    """
    sizes = sizes or list(SIZES)
    bench = MetricsBench(rules, folder, progress)
    return render([bench.compare(events, events == min(sizes)) for events in sizes])


def day_cost(rules: Rules, sizes: list[int], folder: Path, progress: Progress) -> str:
    """Measure the cost of one more day; returns the page.

    Raises
    ------
    UsageError
        More than one size of a day is named.
    """
    if len(sizes) > 1:
        raise UsageError("--events: one number of events a day is wanted with --day-cost")
    events = sizes[0] if sizes else EVENTS_PER_DAY
    config = load_config(rules.conf_file)
    return render_day_cost(day.day_cost(config, rules, folder, progress, events))
