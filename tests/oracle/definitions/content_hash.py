"""xxHash64, chained over columns: of rows that arrived together the smallest one stays."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from typing import Any

MASK = 2**64 - 1
PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
EPOCH = dt.datetime(1970, 1, 1)


def content_hash(*values: Any) -> int:
    """Signed hash of the values of a row; NULLs are skipped."""
    seed = 42
    for value in values:
        if value is not None:
            seed = _xxhash64(_bytes(value), seed)
    return seed - 2**64 if seed >= 2**63 else seed


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, Decimal):
        return struct.pack("<q", int(value * 100))
    if isinstance(value, dt.datetime):
        return struct.pack("<q", (value - EPOCH) // dt.timedelta(microseconds=1))
    if isinstance(value, dt.date):
        return struct.pack("<i", (value - EPOCH.date()).days)
    return struct.pack("<q", value)


def _xxhash64(data: bytes, seed: int) -> int:
    assert len(data) < 32, "longer values are hashed in another way, which nothing here needs"
    first, second, third, fourth, fifth = PRIMES
    state = (seed + fifth + len(data)) & MASK
    while len(data) >= 8:
        word = int.from_bytes(data[:8], "little") * second & MASK
        state ^= _rotated(word, 31) * first & MASK
        state = (_rotated(state, 27) * first + fourth) & MASK
        data = data[8:]
    if len(data) >= 4:
        state ^= int.from_bytes(data[:4], "little") * first & MASK
        state = (_rotated(state, 23) * second + third) & MASK
        data = data[4:]
    for byte in data:
        state ^= byte * fifth & MASK
        state = _rotated(state, 11) * first & MASK
    state = (state ^ state >> 33) * second & MASK
    state = (state ^ state >> 29) * third & MASK
    return state ^ state >> 32


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & MASK
