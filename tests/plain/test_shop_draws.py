"""Draws as a source of chance: no stream, bit, neighbour or input bit tells of another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jobs.shop.hashing import (
    Stream,
    counter,
    draw,
    draw_per_user,
    hash_long,
    high_half,
    low_half,
    unit,
    user_keys,
)
from tests.goodness import UNLIKELY

USERS = 40_000
BITS = np.arange(64, dtype=np.uint64)


def largest_correlation(columns: np.ndarray) -> float:
    """Largest correlation between two of the columns, in standard errors."""
    table = np.corrcoef(columns, rowvar=False) * np.sqrt(len(columns))
    np.fill_diagonal(table, 0)
    return float(np.abs(table).max())


def limit(pairs: int) -> float:
    """What the largest of so many standard normal numbers hardly ever exceeds."""
    return float(stats.norm.isf(UNLIKELY / 2 / pairs))


def bits_of(draws: np.ndarray) -> np.ndarray:
    """The bits of draws, shape (n, 64), as 0 and 1."""
    return ((draws[:, None] >> BITS) & np.uint64(1)).astype(np.float32)


@pytest.fixture(scope="module")
def streams() -> np.ndarray:
    """A draw of each user from each stream, shape (users, streams)."""
    keys = user_keys(42, np.arange(USERS))
    return np.stack([draw_per_user(keys, stream) for stream in Stream], axis=1)


def test_every_stream_is_uniform_in_both_halves(streams: np.ndarray) -> None:
    for place, stream in enumerate(Stream):
        for half in (high_half, low_half):
            values = half(streams[:, place]).astype(np.float64) * 2.0**-32
            assert stats.kstest(values, "uniform").pvalue > UNLIKELY, (stream.name, half.__name__)


def test_no_stream_tells_of_another(streams: np.ndarray) -> None:
    halves = [half(streams).astype(np.float64) for half in (high_half, low_half)]
    columns = np.concatenate(halves, axis=1)
    pairs = columns.shape[1] * (columns.shape[1] - 1) // 2
    assert largest_correlation(columns) < limit(pairs)


def test_no_bit_tells_of_another(streams: np.ndarray) -> None:
    bits = bits_of(streams[:, list(Stream).index(Stream.DAY)])
    assert largest_correlation(bits) < limit(64 * 63 // 2)
    both = [bits_of(streams[:, place]) for place in (0, 1)]
    across = np.corrcoef(np.concatenate(both, axis=1), rowvar=False)[:64, 64:]
    assert np.abs(across).max() * np.sqrt(USERS) < limit(64 * 64)


@pytest.mark.parametrize("part", ["k", "position", "day", "user"])
def test_neighbours_of_all_lags_are_uncorrelated(part: str) -> None:
    rows, steps = 4000, 32
    user = np.repeat(np.arange(rows), steps)
    step = np.tile(np.arange(steps), rows)
    day = 19_700 + (step if part == "day" else 0)
    counters = counter(
        Stream.EVENT, np.broadcast_to(day, step.shape), step if part == "k" else 0 * step
    )
    if part == "position":
        counters |= step.astype(np.uint64)
    if part == "user":
        user = user * steps + step
    draws = draw(user_keys(42, np.arange(user.max() + 1)), user, counters)
    assert len(np.unique(draws)) == len(draws)
    assert largest_correlation(unit(draws).reshape(rows, steps)) < limit(steps * (steps - 1) // 2)


def test_two_draws_in_a_row_fill_the_square() -> None:
    keys = user_keys(42, np.arange(USERS))
    day = np.full(USERS, 19_700)
    pair = [unit(draw(keys, np.arange(USERS), counter(Stream.DAY, day + k))) for k in (0, 1)]
    cells = (pair[0] * 32).astype(int) * 32 + (pair[1] * 32).astype(int)
    assert stats.chisquare(np.bincount(cells, minlength=1024)).pvalue > UNLIKELY


def test_each_bit_of_the_input_turns_half_of_the_output() -> None:
    words = hash_long(np.arange(4000), np.uint64(1))
    hashed = hash_long(words, np.uint64(99))
    turned = np.stack(
        [
            bits_of(hash_long(words ^ (np.uint64(1) << bit), np.uint64(99)) ^ hashed).sum(axis=0)
            for bit in BITS
        ]
    )
    z = (turned - len(words) / 2) / np.sqrt(len(words) / 4)
    assert np.abs(z).max() < limit(64 * 64)
