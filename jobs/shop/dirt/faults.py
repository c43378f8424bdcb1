"""Faults of single rows: sent twice, late, by a wrong clock, under a wrong user.

Which fault a row has, if any, is one draw, a hash of its id; how large the fault is, another one.
The id packs user, day, session and position, so any slice of the rows has the faults that it has
within the whole.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jobs.shop.dirt.labels import FAULTS
from jobs.shop.dirt_settings import DirtSettings, OrderFaults
from jobs.shop.hashing import (
    Float64Array,
    IntArray,
    Stream,
    UInt64Array,
    counter,
    draw,
    hash_long,
    high_half,
    low_half,
    threshold,
    user_keys,
)
from jobs.shop.ids import MAX_USERS, POSITION_BITS
from jobs.shop.world import World

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
# An id has 53 bits; the copies of a row draw from the ones above.
_COPY_SHIFT = 53


@dataclass(frozen=True, eq=False)
class Rows:
    """Events or orders, as far as faults can touch them; entries as in `Events` and `Orders`.

    `value` is the worth, NaN where a row has none.
    """

    row_id: IntArray
    user_id: IntArray
    ts: IntArray
    ingest_ts: IntArray
    value: Float64Array


@dataclass(frozen=True, eq=False)
class Faulty:
    """What becomes of rows.

    Attributes
    ----------
    rows : Rows
        The rows as they arrive, in their order; copies are not among them.
    position, kind : int arrays, one entry per faulty row
        Its place in `rows`, and its fault's in `FAULTS`.
    copies : int array, one entry per faulty row
        How many copies arrive beside it.
    copied : Rows
        The copies, in order of the rows they repeat.
    """

    rows: Rows
    position: IntArray
    kind: IntArray
    copies: IntArray
    copied: Rows

    @property
    def source(self) -> IntArray:
        """Place in `rows` of the row that each copy repeats."""
        return np.repeat(self.position, self.copies)


def stream_key(world: World, stream: Stream) -> np.uint64:
    """Key of a stream whose draws are hashes of ids; no user has number -1."""
    return _stream_key(world.seed, stream)


@cache
def _stream_key(seed: int, stream: Stream) -> np.uint64:
    # A rectangle asks for ten of them, and numpy takes as long for one number as for hundreds.
    keys = draw(user_keys(seed, [-1]), [0], np.atleast_1d(counter(stream)))
    return np.uint64(keys[0])


def spoil(
    world: World,
    rows: Rows,
    shares: OrderFaults,
    streams: tuple[Stream, Stream],
    is_there: NDArray[np.bool_] | None = None,
) -> Faulty:
    """Give some rows a fault.

    Parameters
    ----------
    world : World
    rows : Rows
        Whole sessions, each in order of time: a row out of order comes after the next one.
    shares : OrderFaults
        Those of `world.settings.dirt` for this kind of row.
    streams : tuple of Stream
        Which fault a row has; how large it is.
    is_there : bool array, optional
        False for rows that never arrive: they have no fault.

    Returns
    -------
    Faulty
    """
    position, kind = _faulty(world, rows.row_id, shares, streams[0])
    dirt = world.settings.dirt
    can_be = np.ones(len(position), dtype=bool) if is_there is None else is_there[position]
    out_of_order = kind == FAULTS.index("out_of_order")
    can_be[out_of_order] &= _has_successor(rows, position[out_of_order], dirt)
    position, kind = position[can_be], kind[can_be]
    sizes = hash_long(rows.row_id[position], stream_key(world, streams[1]))
    changed = _changed(rows, position, kind, sizes, dirt)
    copies = np.zeros(len(position), dtype=np.int64)
    for name in ("duplicate_exact", "duplicate_altered"):
        copies[kind == FAULTS.index(name)] = 1
    burst = kind == FAULTS.index("duplicate_burst")
    copies[burst] = 1 + _below(sizes[burst], dirt.burst_sends_max - 1)
    copied = _copies(world, rows, position, kind, copies, streams[1])
    return Faulty(changed, position, kind, copies, copied)


def _faulty(
    world: World, ids: IntArray, shares: OrderFaults, stream: Stream
) -> tuple[IntArray, IntArray]:
    """Find the faulty rows and the fault of each."""
    by_name = dataclasses.asdict(shares)
    limits = threshold(np.cumsum([by_name.get(name, 0.0) for name in FAULTS]))
    chance = high_half(hash_long(ids, stream_key(world, stream)))
    position = np.flatnonzero(chance < limits[-1])
    return position, np.searchsorted(limits, chance[position], side="right")


def _has_successor(rows: Rows, position: IntArray, dirt: DirtSettings) -> NDArray[np.bool_]:
    """Tell which rows another one of their session follows soon enough."""
    following = np.minimum(position + 1, len(rows.row_id) - 1)
    pause = rows.ts[following] - rows.ts[position]
    same_session = rows.row_id[following] >> POSITION_BITS == rows.row_id[position] >> POSITION_BITS
    return same_session & (pause > 0) & (pause <= dirt.out_of_order_minutes * MINUTE)


def _changed(
    rows: Rows, position: IntArray, kind: IntArray, sizes: UInt64Array, dirt: DirtSettings
) -> Rows:
    """Change the rows whose fault is in themselves."""
    user_id, ts, ingest_ts = rows.user_id.copy(), rows.ts.copy(), rows.ingest_ts.copy()

    def of(name: str) -> tuple[IntArray, Float64Array]:
        chosen = kind == FAULTS.index(name)
        return position[chosen], _unit(sizes[chosen])

    row, size = of("late")
    delay = np.interp(size, *np.array(dirt.late_hours).T)
    ingest_ts[row] = rows.ts[row] + (delay * HOUR).astype(np.int64)
    row, size = of("out_of_order")
    behind = SECOND + (size * (dirt.out_of_order_minutes * MINUTE - SECOND)).astype(np.int64)
    ingest_ts[row] = rows.ingest_ts[row + 1] + behind
    row, size = of("clock_ahead")
    low, high = dirt.clock_ahead_days
    ts[row] += ((low + size * (high - low)) * DAY).astype(np.int64)
    row, size = of("clock_reset")
    ts[row] = (size * dirt.clock_reset_days * DAY).astype(np.int64)
    row, size = of("clock_skew")
    ts[row] = _skewed(rows.ts[row], size, dirt)
    row = position[kind == FAULTS.index("unknown_user")]
    ids = low_half(sizes[kind == FAULTS.index("unknown_user")]).astype(np.int64)
    user_id[row] = MAX_USERS + ids % MAX_USERS
    return Rows(rows.row_id, user_id, ts, ingest_ts, rows.value)


def _skewed(ts: IntArray, size: Float64Array, dirt: DirtSettings) -> IntArray:
    """Shift by some minutes to either side, but never to another day.

    A row moved to the day before a signup would be turned away: that fault has a kind of its own.
    """
    side = np.where(size < 0.5, -1, 1)
    width = np.abs(2 * size - 1) * (dirt.clock_skew_minutes * MINUTE - SECOND)
    shift = side * (SECOND + width.astype(np.int64))
    stays = (ts + shift) // DAY == ts // DAY
    return np.where(stays, ts + shift, ts - shift)


def _copies(
    world: World,
    rows: Rows,
    position: IntArray,
    kind: IntArray,
    copies: IntArray,
    stream: Stream,
) -> Rows:
    """Make the copies: each arrives after its row, and an altered one is not quite the same."""
    dirt = world.settings.dirt
    row, copied_kind = np.repeat(position, copies), np.repeat(kind, copies)
    number = 1 + np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
    sizes = hash_long(rows.row_id[row] | number << _COPY_SHIFT, stream_key(world, stream))
    size = _unit(sizes)
    is_burst = copied_kind == FAULTS.index("duplicate_burst")
    within = np.where(is_burst, SECOND, dirt.repeat_minutes * MINUTE)
    wait = 1 + (size * (within - 1)).astype(np.int64)
    value, ts = rows.value[row], rows.ts[row]
    altered = np.flatnonzero(copied_kind == FAULTS.index("duplicate_altered"))
    # A third each: stamped anew on the way, worth something else, both. Views have no worth.
    way = (low_half(sizes[altered]) & 0xFFFF).astype(np.int64) * 3 >> 16
    has_worth = ~np.isnan(value[altered])
    new_worth, new_ts = altered[(way > 0) & has_worth], altered[(way != 1) | ~has_worth]
    value[new_worth] = _other_worth(value[new_worth], size[new_worth], dirt)
    ts[new_ts] += np.maximum(1, wait[new_ts] // 2)
    return Rows(rows.row_id[row], rows.user_id[row], ts, rows.ingest_ts[row] + wait, value)


def _other_worth(value: Float64Array, size: Float64Array, dirt: DirtSettings) -> Float64Array:
    """Raise or lower by at least a hundredth; never below 0."""
    cents = np.rint(value * 100).astype(np.int64)
    change = np.rint(cents * (2 * size - 1) * dirt.altered_share).astype(np.int64)
    change[change == 0] = 1
    return (cents + change) / 100


def _unit(draws: UInt64Array) -> Float64Array:
    """Map the upper halves to [0, 1)."""
    return high_half(draws).astype(np.float64) * 2.0**-32


def _below(draws: UInt64Array, end: int) -> IntArray:
    """Map the lower halves to 0 .. end - 1."""
    return (low_half(draws).astype(np.int64) * end) >> 32
