"""Parts of a synthetic shop: who makes which users and days, and into which files they go.

A file is a group of users by a slice of days. There are about as many slices as groups, so a
query of one day and a query of one user each read the square root of the files. A group is made
of id blocks that are neighbours by public id, so that its file has a narrow range of user ids.

A task makes a group by several slices: what has to be known of a user before the first day costs
as much as weeks of days.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jobs.shop.dirt.recorded import recorded_rectangle
from jobs.shop.ids import BLOCK_BITS, user_ids
from jobs.shop.world import World

_BLOCK_USERS = 1 << BLOCK_BITS
# Days of a slice at least, and of a task about: with twice as many the rows come hardly faster.
_SHORTEST_SLICE, _TASK_DAYS = 10, 90
# User-days of one rectangle: with twice as many its arrays leave the cache, with half as many the
# calls of numpy begin to count.
_RECTANGLE_USER_DAYS = 1 << 19
_MOST_USERS = 1 << 17
# More tasks than files are wanted, for all cores to have one; but none smaller than these.
_FEWEST_ROWS = 100_000
_FEWEST_USERS = 10_000
# Estimate the rows from so many runs of so many users.
_SAMPLE_RUNS, _SAMPLE_USERS = 16, 256


@dataclass(frozen=True)
class Part:
    """What one task makes: runs of user numbers, and the days from the first cut to the last.

    Between two cuts lie the days of one file.
    """

    users: tuple[range, ...]
    cuts: tuple[date, ...]


def expected_rows(world: World, day_from: date, day_to: date) -> int:
    """Estimate the events of the days [day_from, day_to) from a few thousand users.

    Within a few per cent for any large shop: good for a plan and for the time left, not for
    more. For a small shop it is exact.
    """
    numbers = world.user_numbers(world.warmup_start, day_to)
    runs = [numbers]
    if len(numbers) > _SAMPLE_RUNS * _SAMPLE_USERS:
        starts = np.linspace(0, len(numbers) - _SAMPLE_USERS, _SAMPLE_RUNS).astype(int).tolist()
        runs = [numbers[start : start + _SAMPLE_USERS] for start in starts]
    rows = sum(
        len(recorded_rectangle(world, run.start, run.stop, day_from, day_to).events.event_id)
        for run in runs
    )
    return round(rows * len(numbers) / max(1, sum(map(len, runs))))


def plan(
    world: World, day_from: date, day_to: date, rows: int, rows_per_file: int, tasks: int
) -> list[Part]:
    """Divide users and days into parts.

    Parameters
    ----------
    world : World
    day_from, day_to : date
        Half-open, within the world's days.
    rows : int
        Events to expect, from `expected_rows`.
    rows_per_file : int
        Events wanted per file, about.
    tasks : int
        Cores to keep busy.

    Returns
    -------
    list of Part
        Together each user and day once; users who sign up after the end of a part are left out.
    """
    files = max(math.ceil(rows / rows_per_file), min(tasks, rows // _FEWEST_ROWS), 1)
    days = (day_to - day_from).days
    slices = max(1, min(round(math.sqrt(files)), days // _SHORTEST_SLICE))
    cuts = [day_from + timedelta(days=days * cut // slices) for cut in range(slices + 1)]
    stretches = max(1, min(slices, round(days / _TASK_DAYS)))
    ends = [slices * end // stretches for end in range(stretches + 1)]
    everyone = world.user_numbers(world.warmup_start, day_to)
    groups = _groups(everyone, world.seed, math.ceil(files / slices), by_id=days >= _SHORTEST_SLICE)
    parts = []
    for first, last in zip(ends, ends[1:], strict=False):
        # Users are numbered in order of signup: who comes later has no rows yet.
        signed_up = world.user_numbers(world.warmup_start, cuts[last]).stop
        for group in groups:
            users = [range(run.start, min(run.stop, signed_up)) for run in group]
            part = Part(tuple(run for run in users if len(run)), tuple(cuts[first : last + 1]))
            if part.users:
                parts.append(part)
    return parts


def mouthfuls(part: Part) -> Iterator[range]:
    """Cut a part's users so that one rectangle of them fits the cache."""
    days = max(1, (part.cuts[-1] - part.cuts[0]).days)
    step = min(_MOST_USERS, max(1, _RECTANGLE_USER_DAYS // days))
    for run in part.users:
        yield from pieces(run, step)


def plan_users(numbers: range, seed: int, users_per_file: int, tasks: int) -> list[list[range]]:
    """Divide users into groups, each one task and one file, narrow in public ids.

    Parameters
    ----------
    numbers : range
        User numbers.
    seed : int
        Of the world.
    users_per_file : int
        Wanted, about.
    tasks : int
        Cores to keep busy.
    """
    wanted = max(
        math.ceil(len(numbers) / users_per_file), min(tasks, len(numbers) // _FEWEST_USERS)
    )
    return _groups(numbers, seed, wanted, by_id=len(numbers) > _BLOCK_USERS)


def pieces(run: range, most: int) -> Iterator[range]:
    """Cut a range into pieces of equal length, none longer than `most`."""
    count = math.ceil(len(run) / most)
    for piece in range(count):
        yield run[len(run) * piece // count : len(run) * (piece + 1) // count]


def _groups(numbers: range, seed: int, count: int, *, by_id: bool) -> list[list[range]]:
    """Share out the id blocks, as evenly as whole blocks allow.

    In order of their public ids if so wanted. Else in order of signup, where blocks that follow
    each other are one run: on a few days, a block alone is too little to make at once.
    """
    starts = np.arange(numbers.start // _BLOCK_USERS * _BLOCK_USERS, numbers.stop, _BLOCK_USERS)
    if by_id:
        starts = starts[np.argsort(user_ids(starts, seed))]
    shares = np.array_split(starts, max(1, min(count, len(starts))))

    def run(first: int, last: int) -> range:
        return range(max(first, numbers.start), min(last + _BLOCK_USERS, numbers.stop))

    if not by_id:
        return [[run(int(share[0]), int(share[-1]))] for share in shares if len(share)]
    return [[run(start, start) for start in share.tolist()] for share in shares]
