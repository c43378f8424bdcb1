"""Totals that must agree between tables; each query gives expected, found and days_off.

Parameters are those of the queries in sql/. `days_off` counts the days on which the two sides
differ, so that two errors which cancel in the sum are still seen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reconciliation:
    """One identity between tables.

    `needs_all_active` marks one that holds only where every event type makes a user active.
    """

    name: str
    tables: tuple[str, ...]
    query: str
    needs_all_active: bool = False


def _by_day(expected: str, found: str) -> str:
    """Compare two queries of (day, amount) in sum and day by day."""
    return f"""
        SELECT
            COALESCE(SUM(l.amount), 0) AS expected,
            COALESCE(SUM(r.amount), 0) AS found,
            COUNT_IF(COALESCE(l.amount, 0) <> COALESCE(r.amount, 0)) AS days_off
        FROM ({expected}) AS l
        FULL OUTER JOIN ({found}) AS r ON l.day <=> r.day
    """


def _rows_conserved(name: str, fact: str, day: str, bronze_day: str) -> Reconciliation:
    """Every row of a bronze table is in its silver table or in quarantine, on its own day."""
    kept = f"SELECT {day} AS day FROM {fact}"
    turned_away = (
        "SELECT row_date AS day FROM quarantine "
        f"WHERE stage = 'build' AND table_name = 'bronze_{name}'"
    )
    return Reconciliation(
        f"bronze {name} = {fact} + quarantined, per day",
        (f"bronze_{name}", fact, "quarantine"),
        _by_day(
            f"SELECT {bronze_day} AS day, COUNT(*) AS amount FROM bronze_{name} GROUP BY 1",
            f"SELECT day, COUNT(*) AS amount FROM ({kept} UNION ALL {turned_away}) GROUP BY day",
        ),
    )


def _sums_equal(
    name: str,
    left: tuple[str, str, str],
    right: tuple[str, str, str],
    needs_all_active: bool = False,
) -> Reconciliation:
    """Two tables give the same total on every day; a side is (table, day, aggregate)."""
    sides = [
        f"SELECT {day} AS day, {amount} AS amount FROM {source} GROUP BY {day}"
        for source, day, amount in (left, right)
    ]
    tables = tuple(source.split(" ")[0] for source, _, _ in (left, right))
    return Reconciliation(name, tables, _by_day(*sides), needs_all_active)


# Bronze knows instants only; its rows belong to the date in the business time zone.
EVENT_DAY = "CAST(FROM_UTC_TIMESTAMP(ts, '${tz}') AS DATE)"
WHOLE_SHOP = "WHERE country = 'all' AND channel = 'all'"
REVENUE = "CAST(SUM(revenue) AS DECIMAL(38,2))"
AMOUNT = "CAST(SUM(amount) AS DECIMAL(38,2))"

RECONCILIATIONS = (
    _rows_conserved("users", "dim_users", "signup_date", "signup_date"),
    _rows_conserved("events", "fact_events", "event_date", EVENT_DAY),
    _rows_conserved("orders", "fact_orders", "order_date", EVENT_DAY),
    _sums_equal(
        "revenue: fact_orders = user_daily_metrics, per day",
        ("fact_orders", "order_date", AMOUNT),
        ("user_daily_metrics", "metric_date", REVENUE),
    ),
    _sums_equal(
        "revenue: fact_orders = revenue_daily, per day",
        ("fact_orders", "order_date", AMOUNT),
        (f"revenue_daily {WHOLE_SHOP} AND revenue <> 0", "metric_date", REVENUE),
    ),
    _sums_equal(
        "revenue: whole shop = sum of country x channel, per day",
        (f"revenue_daily {WHOLE_SHOP}", "metric_date", REVENUE),
        ("revenue_daily WHERE country <> 'all' AND channel <> 'all'", "metric_date", REVENUE),
    ),
    _sums_equal(
        "active users: user_daily_metrics = active_users_daily, per day",
        ("user_daily_metrics", "metric_date", "COUNT(*)"),
        (f"active_users_daily {WHOLE_SHOP} AND dau > 0", "metric_date", "SUM(dau)"),
    ),
    _sums_equal(
        "events: fact_events = user_daily_metrics, per day",
        ("fact_events", "event_date", "COUNT(*)"),
        ("user_daily_metrics WHERE events > 0", "metric_date", "SUM(events)"),
        needs_all_active=True,
    ),
    _sums_equal(
        "sessions: sessions = user_daily_metrics, per day",
        ("sessions", "session_date", "COUNT(*)"),
        ("user_daily_metrics WHERE sessions > 0", "metric_date", "SUM(sessions)"),
        needs_all_active=True,
    ),
)
