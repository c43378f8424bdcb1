"""Segments of the gold tables: every country and channel that has users, and 'all' for totals."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def segments(history: History) -> list[tuple[str, str]]:
    """Pairs of country and channel that some user is in, 'all' standing for any of them."""
    pairs = {(user["country"], user["channel"]) for user in history.users}
    return sorted(
        {
            choice
            for country, channel in pairs
            for choice in itertools.product((country, "all"), (channel, "all"))
        }
    )


def members(history: History, segment: tuple[str, str]) -> list[Row]:
    """Users of a segment."""
    country, channel = segment
    return [
        user
        for user in history.users
        if country in ("all", user["country"]) and channel in ("all", user["channel"])
    ]
