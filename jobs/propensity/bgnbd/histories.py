"""What BG/NBD reads of a customer: repeat purchases, when the last one was, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.core.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pyspark.sql import DataFrame

    Floats = NDArray[np.float64]

# As text, which both engines read; functions of PySpark belong to the engine that a process began.
_BY_SNAPSHOT = """
SELECT
    user_id,
    as_of,
    COUNT(DISTINCT order_date) - 1 AS repeats,
    DATEDIFF(MAX(order_date), MIN(order_date)) AS last,
    DATEDIFF(as_of, MIN(order_date)) - 1 AS age
FROM {order_days}
GROUP BY user_id, as_of
"""


@dataclass(frozen=True)
class Histories:
    """One entry per customer, in any one unit of time.

    Parameters
    ----------
    repeats
        Days (or weeks) with a purchase after the first one; x in the paper.
    last
        From the first purchase to the last, 0 without a repeat; t_x in the paper.
    age
        From the first purchase to the end of what was observed; T in the paper.

    Raises
    ------
    ContractError
        A customer's numbers are none that a log can give.
    """

    repeats: Floats
    last: Floats
    age: Floats

    def __post_init__(self) -> None:
        """Refuse impossible histories."""
        repeats, last, age = self.repeats, self.last, self.age
        if not repeats.ndim == 1 or not repeats.shape == last.shape == age.shape:
            raise ValueError(f"arrays of {repeats.shape}, {last.shape} and {age.shape}")
        is_possible = (
            (repeats >= 0)
            & (repeats == np.floor(repeats))
            & np.isfinite(age)
            & (last <= age)
            # Purchases of one day are one purchase, so a repeat lies after the first.
            & np.where(repeats > 0, last > 0, last == 0)
        )
        if not is_possible.all():
            at = int(np.argmin(is_possible))
            raise ContractError(
                f"{repeats[at]:g} repeat purchases, the last {last[at]:g} after the first, seen "
                f"for {age[at]:g}: no such history of a customer exists; check the order days"
            )

    @classmethod
    def of(cls, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Histories:
        """Take anything that becomes an array of doubles."""
        return cls(*(np.asarray(values, dtype=np.float64) for values in (repeats, last, age)))

    def __len__(self) -> int:
        return len(self.repeats)

    def distinct(self) -> tuple[Histories, NDArray[Any], NDArray[Any]]:
        """Collapse equal histories: millions of customers have far fewer.

        Returns
        -------
        tuple
            The distinct histories in ascending order, the place among them of each customer, and
            the number of customers of each.
        """
        names = ["repeats", "last", "age"]
        columns = pd.DataFrame({name: getattr(self, name) for name in names})
        groups = columns.groupby(names)
        sizes = groups.size()
        keys = sizes.index.to_frame()
        place = groups.ngroup().to_numpy()
        return Histories.of(*(keys[name] for name in names)), place, sizes.to_numpy()


def histories_by_snapshot(order_days: DataFrame) -> DataFrame:
    """Histories in days, as of midnight before each as_of date.

    The day of the first order is no day on which a repeat could be seen, so a customer who first
    ordered the day before as_of has age 0, and one who ordered again the day before as_of has
    last = age. This is how the paper counts CDNOW.

    Parameters
    ----------
    order_days
        user_id, as_of and order_date; a row per order that was known at as_of, hence of an earlier
        date. Several orders of one day are one purchase.

    Returns
    -------
    DataFrame
        user_id, as_of, repeats, last and age; a row per user and as_of in `order_days`.
    """
    return order_days.sparkSession.sql(_BY_SNAPSHOT, order_days=order_days)
