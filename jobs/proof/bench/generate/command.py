"""The two measurements of `bench generate`, from settings to page."""

from __future__ import annotations

from pathlib import Path

from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.core.progress import Progress
from jobs.proof.bench.generate import day
from jobs.proof.bench.generate.flow import Bench
from jobs.proof.bench.generate.report import render, render_day_cost
from jobs.proof.bench.request import Rules

SIZES = (1_000_000, 10_000_000, 100_000_000)


def compare(rules: Rules, sizes: list[int], folder: Path, progress: Progress) -> str:
    """Measure all contestants at each size (SIZES where none are named); returns the page."""
    sizes = sizes or list(SIZES)
    bench = Bench(rules, folder, progress)
    comparisons = [bench.compare(events) for events in sizes]
    return render(comparisons, bench.profile(min(sizes)))


def day_cost(rules: Rules, sizes: list[int], folder: Path, progress: Progress) -> str:
    """Measure the cost of one more day; returns the page.

    Raises
    ------
    UsageError
        Sizes are named.
    """
    if sizes:
        raise UsageError("--events: the days of generate --day-cost have a size of their own")
    return render_day_cost(day.day_cost(load_config(rules.conf_file), progress))
