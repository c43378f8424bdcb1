"""Silver and gold from the queries in sql/, in the order in which they read each other.

A build replaces the days that something new touched, and in each table the days that look at
these. Any order of arrival, in any pieces, leads to the tables that one full build gives.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.core import batches
from jobs.core.building.changes import LAYERS, Changes, find_changes, last_build
from jobs.core.building.days import EVERY_DAY, ONE_DAY, Days
from jobs.core.building.reach import days_of, with_days_added
from jobs.core.building.records import record
from jobs.core.building.restatements import TABLE as RESTATEMENTS
from jobs.core.building.restatements import keeps_figures, restatements, whole_shop
from jobs.core.catalog import Table, all_tables, build_order, views_read
from jobs.core.errors import ContractError, UsageError
from jobs.core.queries import Value, render
from jobs.core.tables import one_row

if TYPE_CHECKING:
    from jobs.core.config import MetricSettings
    from jobs.core.entry import Run
    from jobs.core.tables import Warehouse

FACT_DAYS = {"fact_events": "event_date", "fact_orders": "order_date"}


@dataclass
class Build:
    """A build under way: what it is for, and what it has done.

    Parameters
    ----------
    kind
        full, missing or asked, as in build_log.
    changes
        What it has to do.
    silver
        Days to replace in silver.
    """

    run: Run
    kind: str
    changes: Changes
    silver: list[Days]
    params: dict[str, Value] = field(default_factory=dict)
    ranges: dict[str, list[Days]] = field(default_factory=dict)
    versions: dict[str, list[int | None]] = field(default_factory=dict)


def metric_params(metrics: MetricSettings, first_date: date, as_of: date) -> dict[str, Value]:
    """Parameters of the queries that do not depend on the table at hand."""
    return metrics.parameters() | {"first_date": first_date, "as_of": as_of}


def log_params(run: Run) -> dict[str, Value]:
    """`metric_params` for the days of a run's log."""
    return metric_params(run.config.metrics, *calendar(run.warehouse))


def built_params(run: Run) -> dict[str, Value]:
    """`metric_params` for the days of the tables; what was loaded since is not in them yet."""
    before = last_build(run.warehouse)
    if before is None:
        return log_params(run)
    return metric_params(run.config.metrics, before["first_date"], before["as_of"])


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


def build(run: Run, days: Days | None = None, full: bool = False) -> Changes:
    """Build silver and gold; returns what was found to do.

    Parameters
    ----------
    days
        Days of the log to build whatever the build log says. Batches loaded meanwhile still count
        as new afterwards, since they may touch other days too.
    full
        Build every day, whatever the build log says.

    Raises
    ------
    UsageError
        A day lies outside the log, or outside the days built so far.
    ContractError
        Days are asked for, but nothing is built yet.
    """
    first_date, as_of = batches.coverage(run.warehouse)
    if days is not None and (days.first < first_date or days.end > as_of + ONE_DAY):
        raise UsageError(f"the log covers {first_date} to {as_of}; {days.first} is not all in it")
    run.warehouse.register()
    with run.progress.step("build: what is new") as step:
        changes = find_changes(run)
        if full:
            changes = dataclasses.replace(changes, full="asked for", reasons={})
        step.note = describe(changes) if days is None else f"asked for {days}"
    if days is not None:
        _require_built(changes, days)
        _carry_out(Build(run, "asked", changes, [days]))
    elif changes.full:
        _carry_out(Build(run, "full", changes, [EVERY_DAY]))
    elif not changes.is_nothing:
        _carry_out(Build(run, "missing", changes, changes.days))
    return changes


def describe(changes: Changes) -> str:
    """What is to be done, in a few words."""
    if changes.full:
        return f"every day: {changes.full}"
    if changes.is_nothing:
        return "nothing: already done"
    if not changes.reasons:
        return "no day: what was loaded has no rows"
    return ", ".join(map(str, changes.days))


def build_steps() -> int:
    """How many steps a full build has: a look at what is new, and each table."""
    return 1 + sum(not table.is_view for table in build_order(LAYERS))


def _require_built(changes: Changes, days: Days) -> None:
    if changes.full or changes.before is None:
        raise ContractError(f"{changes.full}: run build without days first")
    first_date, as_of = changes.before["first_date"], changes.before["as_of"]
    if days.end > as_of + ONE_DAY:
        built = f"the tables are built through {as_of}"
        raise UsageError(f"{built}: build without days brings the later ones")
    if days.first < first_date:
        built = f"the tables begin on {first_date}"
        raise UsageError(f"{built}: build without days brings the earlier ones")


def _carry_out(build: Build) -> None:
    order = build_order(LAYERS)
    build.params = _params(build)
    for table in order:
        if table.layer == "silver":
            _build_table(build, table, build.silver)
    # Anew for gold: the calendar of a team's log follows from its silver facts.
    build.params = _params(build)
    gold, segments = build.silver, _segments(build)
    before = build.changes.before
    if before is not None and build.kind != "full":
        gold = _gold_days(build, before, segments)
    for table in order:
        if table.layer == "gold":
            _build_table(build, table, gold)
    record(build, segments)


def _params(build: Build) -> dict[str, Value]:
    first_date, as_of = calendar(build.run.warehouse)
    before = build.changes.before
    if build.kind == "asked" and before is not None:
        # Days loaded since the last build would get rows of zeros, which would pass for figures.
        first_date, as_of = max(first_date, before["first_date"]), min(as_of, before["as_of"])
    return metric_params(build.run.config.metrics, first_date, as_of)


def _gold_days(build: Build, before: dict[str, Any], segments: str) -> list[Days]:
    """Days whose gold rows follow from the silver days, before each query's own reach.

    Every date and segment has a row, so a new segment or an earlier first date means all of them,
    and a date without rows is still one to write.
    """
    first_date, as_of = build.params["first_date"], build.params["as_of"]
    assert isinstance(first_date, date) and isinstance(as_of, date)
    shrunk = as_of < before["as_of"]
    if segments != before["segments"] or first_date != before["first_date"] or shrunk:
        return [EVERY_DAY]
    return with_days_added(build.silver, before["as_of"], as_of)


def _segments(build: Build) -> str:
    statement = render(all_tables()["segments"].query or "", build.params)
    rows = build.run.spark.sql(statement).collect()
    return json.dumps(sorted([row["country"], row["channel"]] for row in rows))


def _build_table(build: Build, table: Table, days: list[Days]) -> None:
    """Bring one table up to date where its inputs changed, or note what a view passes on."""
    metrics = build.run.config.metrics
    touched = build.ranges[table.name] = days_of(table, build.ranges, days, metrics)
    if table.is_view:
        return
    contract = table.contract
    warehouse = build.run.warehouse
    before = warehouse.version(table.name) if warehouse.exists(table.name) else None
    with build.run.progress.step(f"build {table.name}") as step:
        whole = contract.write == "replace_table"
        step.rows = sum(_write(build, table, d) for d in ([EVERY_DAY] if whole else touched))
    build.versions[table.name] = [before, warehouse.version(table.name)]
    warehouse.register([table.name])


def _write(build: Build, table: Table, days: Days) -> int:
    """Replace some days of a table; returns their rows."""
    spark, warehouse, contract = build.run.spark, build.run.warehouse, table.contract
    params = build.params | {"from_date": days.first, "to_date": days.end}
    for view in views_read(table):
        spark.sql(render(view.query or "", params)).createOrReplaceTempView(view.name)
    frame = spark.sql(render(table.query or "", params))
    if "run_id" in table.schema.names:
        frame = frame.selectExpr("*", f"'{warehouse.run_id}' AS run_id")
    before = whole_shop(warehouse, table, days) if keeps_figures(table) else {}
    if days == EVERY_DAY and contract.replace_filter is None:
        rows = warehouse.replace_table(table.name, frame)
    else:
        rows = warehouse.replace_days(table.name, frame, days.first, days.end)
    if before:
        after = whole_shop(warehouse, table, days)
        warehouse.append_rows(RESTATEMENTS, restatements(table, before, after, warehouse.run_id))
    return rows
