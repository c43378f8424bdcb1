"""What the clean rows of a synthetic shop show, counted in SQL: days, users, retention, funnel.

Of a clean shop the rows are those of the silver tables, so the tables themselves are proved. Of a
dirty one, or where silver dates differ from the UTC dates of the process, they are those of the
clean twin, made anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from jobs.shop import bronze
from jobs.shop.layout import EVENT_TYPES
from jobs.shop.world import World

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run

SILVER = ("fact_events", "fact_orders", "dim_users")
# Names of this module's relations; a leading part nothing else in the warehouse has.
_EVENTS, _ORDERS, _USERS, _USER_DAYS = (
    f"truth_seen_{name}" for name in ("events", "orders", "users", "user_days")
)
COUNTED = ("dau", "sessions", "carts", "orders", "revenue")

# A session's first event has the position 0 in the last byte of its id; every order has its event.
_PER_USER_AND_DAY = """
    SELECT
        per_day.user_id,
        per_day.day,
        DATEDIFF(per_day.day, seen.signup_date) AS age,
        seen.country,
        seen.channel,
        per_day.sessions,
        per_day.carts,
        per_day.orders,
        per_day.revenue
    FROM (
        SELECT
            user_id,
            day,
            SUM(sessions) AS sessions,
            SUM(carts) AS carts,
            SUM(orders) AS orders,
            SUM(revenue) AS revenue
        FROM (
            SELECT
                user_id,
                CAST(ts AS DATE) AS day,
                IF((event_id & 255) = 0, 1, 0) AS sessions,
                IF(event_type = 'add_to_cart', 1, 0) AS carts,
                0 AS orders,
                0D AS revenue
            FROM {events}
            UNION ALL
            SELECT user_id, CAST(ts AS DATE), 0, 0, 1, CAST(amount AS DOUBLE) FROM {orders}
        )
        WHERE day >= DATE'{first}' AND day < DATE'{end}'
        GROUP BY user_id, day
    ) AS per_day
    INNER JOIN {users} AS seen ON per_day.user_id = seen.user_id
"""


@dataclass(frozen=True)
class Observed:
    """The relations of a shop's clean rows on the days [first, end)."""

    run: Run
    first: date
    end: date

    def per_day(self) -> pd.DataFrame:
        """The totals of each day: day, and one column per measure."""
        return self._frame(f"SELECT day, {_totals()} FROM {_USER_DAYS} GROUP BY day ORDER BY day")

    def per_segment(self) -> pd.DataFrame:
        """Sums over users of their totals, squares and products, by country and channel."""
        products = [("sessions", "carts"), ("carts", "orders")]
        sums = [f"SUM({name}) AS {name}" for name in COUNTED]
        sums += [f"SUM({name} * {name}) AS {name}_{name}" for name in COUNTED]
        sums += [f"SUM({one} * {other}) AS {one}_{other}" for one, other in products]
        return self._frame(
            f"SELECT country, channel, {', '.join(sums)} FROM ("
            f"SELECT user_id, country, channel, {_totals()} FROM {_USER_DAYS} "
            "GROUP BY user_id, country, channel) GROUP BY country, channel"
        )

    def signups(self) -> pd.DataFrame:
        """Users by country and channel."""
        return self._frame(
            f"SELECT country, channel, COUNT(*) AS users FROM {_USERS} "
            f"WHERE signup_date < DATE'{self.end}' GROUP BY country, channel"
        )

    def active_at_age(self, ages: tuple[int, ...]) -> dict[int, int]:
        """Users active so many days after signing up; whatever their day of signup."""
        frame = self._frame(
            f"SELECT age, COUNT(*) AS users FROM {_USER_DAYS} "
            f"WHERE age IN ({', '.join(map(str, ages))}) GROUP BY age"
        )
        return dict(zip(frame["age"].tolist(), frame["users"].tolist(), strict=True))

    def funnel(self, weeks: list[int]) -> pd.Series:
        """Sums over users of n, x, y, x^2, x n, n^2, y^2, y n.

        n counts the first dates of the given weeks, from `first` on, on which a user is active;
        x and y those of them on which, or on the six dates after it, there is a cart or an order.
        """
        return self._frame(
            "SELECT SUM(n) AS n, SUM(x) AS x, SUM(y) AS y, SUM(x * x) AS xx, SUM(x * n) AS xn, "
            "SUM(n * n) AS nn, SUM(y * y) AS yy, SUM(y * n) AS yn FROM ("
            "SELECT user_id, SUM(IF(a, 1, 0)) AS n, SUM(IF(a AND c, 1, 0)) AS x, "
            "SUM(IF(a AND o, 1, 0)) AS y FROM ("
            "SELECT user_id, week, MAX(place = 0) AS a, MAX(carts > 0) AS c, MAX(orders > 0) AS o "
            f"FROM (SELECT *, DATEDIFF(day, DATE'{self.first}') DIV 7 AS week, "
            f"DATEDIFF(day, DATE'{self.first}') % 7 AS place FROM {_USER_DAYS}) "
            f"WHERE week IN ({', '.join(map(str, weeks))}) GROUP BY user_id, week) "
            "GROUP BY user_id)"
        ).iloc[0]

    def users_with(self, condition: str, first: date, days: int) -> NDArray[np.int64]:
        """Ids of the users with a day like that on the days from `first` on."""
        frame = self._frame(
            f"SELECT DISTINCT user_id FROM {_USER_DAYS} WHERE {condition} "
            f"AND day >= DATE'{first}' AND day < DATE'{first + timedelta(days=days)}'"
        )
        return frame["user_id"].to_numpy(dtype=np.int64)

    def _frame(self, query: str) -> pd.DataFrame:
        return self.run.spark.sql(query).toPandas()


def silver_is_as_made(run: Run, world: World) -> bool:
    """True where the silver tables hold every row of the clean shop, and by UTC date."""
    metrics = run.config.metrics
    return (
        not world.is_dirty and metrics.tz == "UTC" and set(EVENT_TYPES) <= set(metrics.event_types)
    )


@contextmanager
def observed(run: Run, world: World, first: date, end: date) -> Iterator[Observed]:
    """Lay out a shop's clean rows on the days [first, end); they are cached for the block only."""
    spark = run.spark
    twin = dataclasses.replace(world, is_dirty=False)
    frames: tuple[DataFrame, ...]
    if not silver_is_as_made(run, world):
        frames = (
            bronze.events_frame(spark, twin, first, end),
            bronze.orders_frame(spark, twin, first, end),
            bronze.users_frame(spark, twin, twin.warmup_start, end),
        )
    else:
        frames = tuple(run.warehouse.read(name) for name in SILVER)
    views = (_EVENTS, _ORDERS, _USERS)
    for frame, view in zip(frames, views, strict=True):
        frame.createOrReplaceTempView(view)
    user_days = spark.sql(
        _PER_USER_AND_DAY.format(events=_EVENTS, orders=_ORDERS, users=_USERS, first=first, end=end)
    ).cache()
    user_days.createOrReplaceTempView(_USER_DAYS)
    try:
        yield Observed(run, first, end)
    finally:
        user_days.unpersist()
        for view in (*views, _USER_DAYS):
            spark.catalog.dropTempView(view)


def _totals() -> str:
    return "COUNT(*) AS dau, " + ", ".join(f"SUM({name}) AS {name}" for name in COUNTED[1:])
