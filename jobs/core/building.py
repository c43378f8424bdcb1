"""Silver and gold from the queries in sql/, in the order in which they read each other."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from jobs.core import batches
from jobs.core.catalog import Table, all_tables, build_order
from jobs.core.errors import UsageError
from jobs.core.queries import Value, render
from jobs.core.tables import one_row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.config import MetricSettings
    from jobs.core.entry import Run
    from jobs.core.tables import Warehouse

LAYERS = ("silver", "gold")
FACT_DAYS = {"fact_events": "event_date", "fact_orders": "order_date"}
# A full build names every day there could be, so that a row with an absurd date is judged too.
BEGINNING, END = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Days:
    """Half-open range of days, first <= day < end."""

    first: date
    end: date

    def widened(self, back: int | Literal["all"], ahead: int) -> Days:
        """Days whose rows depend on these, for a query that looks back and ahead so far."""
        first, end = self.first, self.end
        if back == "all":
            end = END
        elif end < END:
            end += timedelta(days=back)
        return Days(first - timedelta(days=ahead) if first > BEGINNING else first, end)


EVERY_DAY = Days(BEGINNING, END)


def metric_params(metrics: MetricSettings, first_date: date, as_of: date) -> dict[str, Value]:
    """Parameters of the queries that do not depend on the table at hand."""
    return dataclasses.asdict(metrics) | {"first_date": first_date, "as_of": as_of}


def log_params(run: Run) -> dict[str, Value]:
    """`metric_params` for the days of a run's log."""
    return metric_params(run.config.metrics, *calendar(run.warehouse))


def calendar(warehouse: Warehouse) -> tuple[date, date]:
    """First and last day of the log, both inclusive.

    Of a synthetic shop these are the days made. A team's log has days only where it has valid
    rows: one stray row that silver turned away must not stretch every metric by years.
    """
    loaded = batches.coverage(warehouse)
    if batches.is_gapless(warehouse):
        return loaded
    bounds = []
    for name, day in FACT_DAYS.items():
        if warehouse.exists(name):
            days = warehouse.read(name).selectExpr(f"MIN({day}) AS first", f"MAX({day}) AS last")
            bounds.append(one_row(days))
    seen = [row for row in bounds if row["first"] is not None]
    if not seen:
        return loaded
    return min(row["first"] for row in seen), max(row["last"] for row in seen)


def build(run: Run, days: Days | None = None) -> None:
    """Build silver and gold.

    Parameters
    ----------
    days
        Days of the log that changed; the tables are replaced on these days and on those that
        look at them. None rebuilds everything.

    Raises
    ------
    UsageError
        A day lies outside the log, or a setting makes a metric depend on more than its days.
    """
    first_date, as_of = batches.coverage(run.warehouse)
    if days is not None:
        require_days_suffice(run.config.metrics)
    if days is not None and (days.first < first_date or days.end > as_of + timedelta(days=1)):
        raise UsageError(f"the log covers {first_date} to {as_of}; {days.first} is not all in it")
    run.warehouse.register()
    ranges: dict[str, Days] = {}
    for layer in LAYERS:
        # Anew for gold: the calendar of a team's log follows from its silver facts.
        params = log_params(run)
        for table in (t for t in build_order(LAYERS) if t.layer == layer):
            ranges[table.name] = _range_of(table, ranges, days or EVERY_DAY)
            _build_table(run, table, ranges[table.name], params)


def require_days_suffice(metrics: MetricSettings) -> None:
    """Refuse to build days alone where entries of other days may change with them.

    Raises
    ------
    UsageError
        The funnel looks back, or further ahead than its contract says.
    """
    ahead = metrics.funnel_days_ahead
    if ahead is None or ahead > all_tables()["funnel_daily"].contract.depends_ahead:
        raise UsageError(
            "with these funnel settings (unit attempt, range period or a longer window) a day "
            "cannot be built alone: build without days"
        )


def build_steps() -> int:
    """How many tables a build writes."""
    return sum(not table.is_view for table in build_order(LAYERS))


def _range_of(table: Table, ranges: dict[str, Days], days: Days) -> Days:
    """Output days to replace: those of all inputs together, widened by how far the query looks."""
    inputs = [ranges[name] for name in table.inputs(set(ranges))] or [days]
    joint = Days(min(r.first for r in inputs), max(r.end for r in inputs))
    if table.contract.write != "replace_day":
        return joint
    return joint.widened(table.contract.depends_back, table.contract.depends_ahead)


def _build_table(run: Run, table: Table, days: Days, params: dict[str, Value]) -> None:
    assert table.query is not None  # build_order gives only tables with a query
    statement = render(table.query, params | {"from_date": days.first, "to_date": days.end})
    frame = run.spark.sql(statement)
    if table.is_view:
        frame.createOrReplaceTempView(table.name)
        return
    if "run_id" in table.schema.names:
        frame = frame.selectExpr("*", f"'{run.warehouse.run_id}' AS run_id")
    with run.progress.step(f"build {table.name}") as step:
        step.rows = _write(run.warehouse, table, frame, days)
    run.warehouse.register([table.name])


def _write(warehouse: Warehouse, table: Table, frame: DataFrame, days: Days) -> int:
    contract = table.contract
    whole = days == EVERY_DAY and contract.replace_filter is None
    if contract.write == "replace_table" or whole:
        return warehouse.replace_table(table.name, frame)
    return warehouse.replace_days(table.name, frame, days.first, days.end)
