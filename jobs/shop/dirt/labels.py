"""Labels: what was done to which row, so that cleaning can be graded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import IntArray

TABLES = ("bronze_events", "bronze_orders")
EVENTS, ORDERS = 0, 1
FAULTS = (
    "duplicate_exact",
    "duplicate_burst",
    "duplicate_altered",
    "late",
    "out_of_order",
    "clock_ahead",
    "clock_reset",
    "clock_skew",
    "unknown_user",
)
KINDS = (*FAULTS, "bot", "tracking_outage")
BOT, TRACKING_OUTAGE = KINDS.index("bot"), KINDS.index("tracking_outage")


@dataclass(frozen=True, eq=False)
class Labels:
    """Dirtied events and orders, one entry each.

    Attributes
    ----------
    table : int array
        Position in `TABLES`.
    row_id, user_id : int arrays
        The event or order, and the user it truly belongs to.
    kind : int array
        Position in `KINDS`.
    copies : int array
        Rows added to the log, -1 where the row is missing, 0 where it was only changed.
    ts : int array
        When it truly happened, microseconds since 1970-01-01 UTC.
    """

    table: NDArray[np.int8]
    row_id: IntArray
    user_id: IntArray
    kind: NDArray[np.int8]
    copies: IntArray
    ts: IntArray


def labels_of(
    table: int,
    row_id: IntArray,
    user_id: IntArray,
    ts: IntArray,
    kind: IntArray | int,
    copies: IntArray | int,
) -> Labels:
    """Label rows of one table; `kind` and `copies` may be the same for all of them."""
    return Labels(
        table=np.full(len(row_id), table, dtype=np.int8),
        row_id=row_id,
        user_id=user_id,
        kind=np.broadcast_to(np.asarray(kind, dtype=np.int8), row_id.shape),
        copies=np.broadcast_to(np.asarray(copies, dtype=np.int64), row_id.shape),
        ts=ts,
    )


def no_labels() -> Labels:
    """Labels of a clean shop: none."""
    nothing = np.empty(0, dtype=np.int64)
    return labels_of(EVENTS, nothing, nothing, nothing, 0, 0)


def join_labels(parts: Iterable[Labels]) -> Labels:
    """Put labels one after the other."""
    every = list(parts)
    return Labels(
        *(np.concatenate([getattr(part, field.name) for part in every]) for field in fields(Labels))
    )
