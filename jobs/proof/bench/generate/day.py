"""The cost of one more day, after two years as after a month.

A generator that walks every user from signup on would slow down with every day. Here a day looks
back a few days only, and who has left costs next to nothing; what is left of the past is the
table of everybody who ever signed up.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from jobs.core.config import Config
from jobs.proof.bench.task import steady
from jobs.shop import parts
from jobs.shop.events import generate_rectangle
from jobs.shop.settings import shop_of
from jobs.shop.world import World, build_world

if TYPE_CHECKING:
    from jobs.core.progress import Progress

ONE_DAY = timedelta(days=1)
EARLY, LATE = 30, 720
PAIRS = 5
# So many have signed up by the late day.
USERS = 400_000


@dataclass(frozen=True)
class DayCost:
    """CPU time of one more day, early and late in a shop that does not grow.

    Attributes
    ----------
    users : dict of int to int
        Users who ever signed up, by day.
    rows : dict of int to int
        Events and orders of the day.
    microseconds : dict of int to list of float
        CPU time per row, one entry per pair.
    """

    users: dict[int, int]
    rows: dict[int, int]
    microseconds: dict[int, list[float]]

    @property
    def ratios(self) -> list[float]:
        """Late over early, pair by pair."""
        pairs = zip(self.microseconds[LATE], self.microseconds[EARLY], strict=True)
        return [late / early for late, early in pairs]

    @property
    def ratio(self) -> float:
        """Median of the pairs."""
        return statistics.median(self.ratios)


def day_cost(config: Config, progress: Progress, users: int = USERS) -> DayCost:
    """Make the rows of an early and of a late day in turns, and compare the CPU time per row.

    The rows are made as for a file, and not written: what the disk costs does not depend on the
    day.

    Parameters
    ----------
    config : Config
    progress : Progress
    users : int
        Who have signed up by the end of the late day.
    """
    settings = steady(shop_of(config))
    until = settings.first_date + timedelta(days=LATE + 1)
    world = build_world(settings, users, LATE + 1, config.seed, until)
    days = {age: settings.first_date + timedelta(days=age) for age in (EARLY, LATE)}
    make = partial(_make, world, rows_per_file=config.generate.rows_per_file)
    expected = {age: parts.expected_rows(world, day, day + ONE_DAY) for age, day in days.items()}
    # Made once before the first is timed: tables that are computed at first use stay in memory.
    rows = {age: make(day, expected=expected[age]) for age, day in days.items()}
    costs: dict[int, list[float]] = {EARLY: [], LATE: []}
    with progress.step(f"day {EARLY} and day {LATE}, {PAIRS} times"):
        for turn in range(PAIRS):
            # In turns, so that a machine that slows down does not speak against one of them.
            for age in (EARLY, LATE) if turn % 2 == 0 else (LATE, EARLY):
                started = time.process_time()
                make(days[age], expected=expected[age])
                costs[age].append((time.process_time() - started) / rows[age] * 1e6)
    signed_up = {
        age: world.user_numbers(world.warmup_start, day + ONE_DAY).stop for age, day in days.items()
    }
    return DayCost(users=signed_up, rows=rows, microseconds=costs)


def _make(world: World, day: date, rows_per_file: int, expected: int) -> int:
    """Make the events and orders of everybody on a day; returns how many."""
    rows = 0
    for part in parts.plan(world, day, day + ONE_DAY, expected, rows_per_file, tasks=1):
        for users in parts.mouthfuls(part):
            made = generate_rectangle(world, users.start, users.stop, part.cuts[0], part.cuts[-1])
            rows += len(made.events.event_id) + len(made.orders.order_id)
    return rows
