"""Rows of a step under way: how many so far, how fast, and how long still."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RowCount:
    """Rows written so far against those expected.

    Parameters
    ----------
    read
        Returns the rows so far; called from another thread, several times a second.
    expected
        Rows in the end, about.
    """

    read: Callable[[], int]
    expected: int
    started: float = field(default_factory=time.monotonic)

    def text(self, seconds: float | None = None) -> str:
        """Say it in words, e.g. ``1,200,000 of about 2,400,000 rows, 1.50 M/s, 1 s left``.

        Parameters
        ----------
        seconds
            Since the start; measured if not given.
        """
        seconds = time.monotonic() - self.started if seconds is None else seconds
        rows = self.read()
        so_far = f"{rows:,} of about {max(rows, self.expected):,} rows"
        if not rows or seconds <= 0:
            return so_far  # a rate of nothing would promise an endless wait
        left = max(0, self.expected - rows) * seconds / rows
        return f"{so_far}, {rows / seconds / 1e6:.2f} M/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
