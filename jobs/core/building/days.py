"""Ranges of days, half-open: first <= day < end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

# A full build names every day there could be, so that a row with an absurd date is judged too.
BEGINNING, END = date(1, 1, 1), date(9999, 12, 31)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Days:
    """The days first <= day < end."""

    first: date
    end: date

    def widened(self, back: int | Literal["all"], ahead: int) -> Days:
        """Days whose rows depend on these, for a query that looks back and ahead so far."""
        first = self.first if self.first == BEGINNING else self.first - timedelta(days=ahead)
        if back == "all" or self.end == END:
            return Days(first, END)
        return Days(first, self.end + timedelta(days=back))

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is among them."""
        return self.first <= day < self.end

    def __str__(self) -> str:
        """Write 2024-01-03, or 2024-01-03 to 2024-01-05 with both days included."""
        last = self.end - ONE_DAY
        return str(self.first) if last == self.first else f"{self.first} to {last}"


EVERY_DAY = Days(BEGINNING, END)


def merged(ranges: Iterable[Days]) -> list[Days]:
    """Put ranges that overlap or touch into one, in order."""
    result: list[Days] = []
    for days in sorted(ranges):
        if result and days.first <= result[-1].end:
            result[-1] = Days(result[-1].first, max(result[-1].end, days.end))
        else:
            result.append(days)
    return result


def ranges_of(days: Iterable[date]) -> list[Days]:
    """Cover single days by as few ranges as there are gaps between them."""
    return merged(Days(day, day + ONE_DAY) for day in days if day < END)
