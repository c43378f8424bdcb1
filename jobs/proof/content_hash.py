"""A fingerprint of a table's content that does not depend on the order of its rows.

Two tables with equal fingerprints hold the same rows, whatever wrote them in whatever files: the
hash of each row is added up, so neither order nor partitioning matters, and a duplicated row
changes the sum where an exclusive-or would cancel it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.core.tables import one_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Fingerprint:
    """Rows of a table and the sum of their hashes, as 32 hex digits."""

    rows: int
    digest: str


def fingerprint(frame: DataFrame, unhashed: Iterable[str] = ()) -> Fingerprint:
    """Fingerprint of a frame.

    Parameters
    ----------
    frame
        Any frame with columns of simple types.
    unhashed
        Columns of load bookkeeping (batch and run ids, load times), left out.
    """
    columns = sorted(set(frame.columns) - set(unhashed))
    # Spark's hash skips NULLs, so (NULL, 1) and (1, NULL) would collide without the null flags.
    values = ", ".join(
        [f"`{name}`" for name in columns] + [f"`{name}` IS NULL" for name in columns]
    )
    # Two sums with different seeds make 128 bits; each is exact as a decimal, then cut to 64 bits.
    sums = frame.selectExpr(
        "COUNT(*) AS rows",
        f"SUM(CAST(XXHASH64({values}) AS DECIMAL(38, 0))) AS low",
        f"SUM(CAST(XXHASH64('second', {values}) AS DECIMAL(38, 0))) AS high",
    )
    result = one_row(sums)
    low, high = (int(result[name] or 0) % 2**64 for name in ("low", "high"))
    return Fingerprint(result["rows"], f"{high:016x}{low:016x}")
