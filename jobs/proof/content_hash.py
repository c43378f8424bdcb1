"""A fingerprint of a table's content that does not depend on the order of its rows.

Two tables with equal fingerprints hold the same rows, whatever wrote them in whatever files: the
hash of each row is added up, so neither order nor partitioning matters, and a duplicated row
changes the sum where an exclusive-or would cancel it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

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
    values = [F.col(name) for name in columns]
    flags = [F.col(name).isNull() for name in columns]
    row_hash = F.xxhash64(*values, *flags)
    # Two sums with different seeds make 128 bits; each is exact as a decimal, then cut to 64 bits.
    other = F.xxhash64(F.lit("second"), *values, *flags)
    sums = frame.select(
        F.count(F.lit(1)).alias("rows"),
        F.sum(row_hash.cast("decimal(38,0)")).alias("low"),
        F.sum(other.cast("decimal(38,0)")).alias("high"),
    )
    result = one_row(sums)
    low, high = (int(result[name] or 0) % 2**64 for name in ("low", "high"))
    return Fingerprint(result["rows"], f"{high:016x}{low:016x}")
