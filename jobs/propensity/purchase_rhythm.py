"""BG/NBD as features: is the customer still one, and will there be an order in the horizon.

The parameters are fitted once per training, on all customers known at its last date. What follows
from them for a snapshot is elementary, so it is an SQL expression with four constants in it: a
stage of the pipeline, saved with the model, the same in training and in scoring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.ml.feature import SQLTransformer
from pyspark.sql import functions as F

from jobs.core.errors import ContractError
from jobs.propensity.bgnbd.fitting import Fit, fit
from jobs.propensity.bgnbd.histories import Histories, histories_by_snapshot
from jobs.propensity.bgnbd.model import BgNbd

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.inputs import Log

ALIVE, BUYS = "bgnbd_alive", "bgnbd_buys"
COLUMNS = (ALIVE, BUYS)

# See BgNbd.alive and BgNbd.buys_within. Repeats are dates with an order after the first one; time
# is in days from the date of the first order.
_GONE = """
IF(
    order_days_lifetime < 2,
    0D,
    {a} / ({b} + order_days_lifetime - 2)
    * EXP(
        ({r} + order_days_lifetime - 1)
        * LN(
            ({alpha} + days_since_first_order - 1)
            / ({alpha} + days_since_first_order - days_since_last_order)
        )
    )
)
"""
_SILENT = """
EXP(
    -({r} + order_days_lifetime - 1)
    * LN(1 + {horizon}D / ({alpha} + days_since_first_order - 1))
)
"""


def fit_rhythm(orders: DataFrame, midnight: str, as_of: date) -> Fit:
    """Fit BG/NBD to every customer whose first order was known at as_of 00:00.

    Parameters
    ----------
    orders
        fact_orders.
    midnight
        That moment as an SQL expression of a timestamp, in the shop's time zone.
    as_of
        Its date.

    Raises
    ------
    ContractError
        Nobody bought twice.
    """
    known = (F.col("order_date") < F.lit(as_of)) & (F.col("ingest_ts") <= F.expr(midnight))
    days = orders.where(known).select("user_id", F.lit(as_of).alias("as_of"), "order_date")
    found = histories_by_snapshot(days).toPandas()
    return fit(Histories.of(found["repeats"], found["last"], found["age"]))


def rhythm_at(run: Run, log: Log, as_of: date, version: int | None = None) -> Fit | None:
    """Fit BG/NBD to the customers of a run's log at a date; None where too few bought twice.

    Parameters
    ----------
    version
        Delta version of fact_orders to read; the latest where None.
    """
    midnight = f"TO_UTC_TIMESTAMP(TIMESTAMP'{as_of} 00:00:00', '{log.params['tz']}')"
    try:
        return fit_rhythm(run.warehouse.read("fact_orders", version), midnight, as_of)
    except ContractError:
        # Too few bought twice: the other features have to do.
        return None


def rhythm_stage(model: BgNbd, horizon_days: int) -> SQLTransformer:
    """Stage that adds bgnbd_alive and bgnbd_buys, both 0 for who never ordered."""
    numbers = {name: f"{getattr(model, name)!r}D" for name in ("r", "alpha", "a", "b")}
    gone = _GONE.format(**numbers)
    silent = _SILENT.format(**numbers, horizon=horizon_days)
    alive = f"IF(order_days_lifetime = 0, 0D, 1 / (1 + {gone}))"
    buys = f"{alive} * (1 - {silent})"
    statement = f"SELECT *, {alive} AS {ALIVE}, {buys} AS {BUYS} FROM __THIS__"
    return SQLTransformer(statement=" ".join(statement.split()))
