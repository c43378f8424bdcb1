"""From a world to bronze: makes and loads the days that are not there yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.core import batches
from jobs.core.batches import SHOP_PREFIX, Batch
from jobs.core.errors import UsageError
from jobs.core.tables import one_row, storage_errors
from jobs.shop import bronze, parts, rectangles
from jobs.shop.stored import identity_of
from jobs.shop.truth.daily import load_daily_truth

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.core.data_files import DataFile
    from jobs.core.entry import Run
    from jobs.core.progress import Step
    from jobs.core.tables import Warehouse
    from jobs.shop.world import World

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """Half-open range of days, first <= day < end."""

    first: date
    end: date


def gaps(wanted: Span, covered: Iterable[Span]) -> list[Span]:
    """The parts of `wanted` that `covered` leaves open, in order of time."""
    open_parts = []
    start = wanted.first
    for span in sorted(covered, key=lambda span: span.first):
        if span.first > start and start < wanted.end:
            open_parts.append(Span(start, min(span.first, wanted.end)))
        start = max(start, span.end)
    if start < wanted.end:
        open_parts.append(Span(start, wanted.end))
    return open_parts


def load_world(run: Run, world: World, days: Span) -> None:
    """Load users, events and orders of the given days; what is there already is left alone.

    Parameters
    ----------
    world
        A world whose signup table reaches `days.end`.
    days
        Days of events and orders. Users are loaded from the warm-up on, since those who signed up
        long ago are active too.

    Raises
    ------
    UsageError
        The warehouse holds something else than this world.
    """
    source = SHOP_PREFIX + world.world_id
    _refuse_other_sources(run.warehouse, source)
    everyone = Span(world.warmup_start, days.end)
    _load(run, world, "bronze_users", everyone, lambda s: _users(run, world, s))
    _load_truth(run, world, everyone)
    load_daily_truth(run, world)
    if run.config.generate.writer == "files":
        _load_files(run, world, days)
    else:
        _load(run, world, "bronze_events", days, lambda s: _events(run, world, s))
        _load(run, world, "bronze_orders", days, lambda s: _orders(run, world, s))
        _load(run, world, "truth_dirt", days, lambda s: _labels(run, world, s))


def _users(run: Run, world: World, span: Span) -> DataFrame:
    if world.is_dirty:
        _label_users(run, world, span)
    return bronze.users_frame(run.spark, world, span.first, span.end)


def _label_users(run: Run, world: World, wanted: Span) -> None:
    """Load the labels of users not labelled yet, in batches that cover signups but no day.

    Before the users themselves: a run that dies in between finds the labels there.
    """
    source = SHOP_PREFIX + world.world_id
    covered = [
        Span(*map(date.fromisoformat, json.loads(row["detail"])["signups"]))
        for row in batches.recorded(run.warehouse)
        if row["table_name"] == "truth_dirt" and row["first_date"] is None
    ]
    for span in gaps(wanted, covered):
        batch = Batch(
            table_name="truth_dirt",
            batch_id=batches.batch_id("truth_dirt", "signups", source, span.first, span.end),
            source=source,
            first_date=None,
            last_date=None,
            detail={"signups": [span.first, span.end]},
        )
        labels = bronze.user_labels_frame(run.spark, world, span.first, span.end)
        batches.load(run.warehouse, batch, labels)


def _events(run: Run, world: World, span: Span) -> DataFrame:
    return bronze.events_frame(run.spark, world, span.first, span.end)


def _orders(run: Run, world: World, span: Span) -> DataFrame:
    return bronze.orders_frame(run.spark, world, span.first, span.end)


def _labels(run: Run, world: World, span: Span) -> DataFrame:
    return bronze.labels_frame(run.spark, world, span.first, span.end)


def _missing(run: Run, table: str, wanted: Span) -> list[Span]:
    covered = [
        Span(row["first_date"], row["last_date"] + ONE_DAY)
        for row in batches.recorded(run.warehouse)
        if row["table_name"] == table and row["first_date"] is not None
    ]
    return gaps(wanted, covered)


def _load(
    run: Run, world: World, table: str, wanted: Span, make: Callable[[Span], DataFrame]
) -> None:
    missing = _missing(run, table, wanted)
    with run.progress.step(f"generate {table.removeprefix('bronze_')}") as step:
        step.rows = 0
        step.note = "" if missing else "already there"
        for span in missing:
            batch = _batch(world, table, span)
            step.rows += batches.load(run.warehouse, batch, make(span)) or 0


def _load_files(run: Run, world: World, wanted: Span) -> None:
    """Load all tables of the rectangles in one pass over the days that any of them lacks."""
    missing = {table: _missing(run, table, wanted) for table in rectangles.FILLS}
    with run.progress.step("generate events and orders") as step:
        step.rows = 0
        step.note = "" if any(missing.values()) else "already there"
        for span in sorted({span for spans in missing.values() for span in spans}):
            wanting = [_batch(world, t, span) for t, spans in missing.items() if span in spans]
            write = partial(_write_files, run, step, world, span)
            step.rows += sum(batches.load_files(run.warehouse, wanting, write).values())


def _write_files(
    run: Run, step: Step, world: World, span: Span, wanted: Sequence[Batch]
) -> dict[str, list[DataFile]]:
    spark, rows_per_file = run.spark, run.config.generate.rows_per_file
    rows = parts.expected_rows(world, span.first, span.end)
    tasks = spark.sparkContext.defaultParallelism
    chosen = parts.plan(world, span.first, span.end, rows, rows_per_file, tasks)
    targets = [
        rectangles.Target(
            run.warehouse.layout(batch.table_name),
            {"source": batch.source, "batch_id": batch.batch_id},
        )
        for batch in wanted
    ]
    written = spark.sparkContext.accumulator(0)
    counting = run.progress.counting(step, lambda: written.value, rows)
    with counting, storage_errors(str(run.warehouse.root)):
        return rectangles.write_rectangles(spark, world, chosen, targets, written)


def _batch(world: World, table: str, span: Span) -> Batch:
    source = SHOP_PREFIX + world.world_id
    return Batch(
        table_name=table,
        batch_id=batches.batch_id(table, source, span.first, span.end),
        source=source,
        first_date=span.first,
        last_date=span.end - ONE_DAY,
        covers_every_day=True,
        detail=identity_of(world),
    )


def _load_truth(run: Run, world: World, everyone: Span) -> None:
    """Truth of the same users; replaced as a whole where users were added, so it never doubles."""
    name = "truth_users"
    source = SHOP_PREFIX + world.world_id
    identity = batches.batch_id(name, source, everyone.first, everyone.end)
    warehouse = run.warehouse
    if warehouse.exists(name):
        stored = one_row(warehouse.read(name).agg(F.max("signup_date").alias("last")))
        if stored["last"] is not None and stored["last"] >= everyone.end - ONE_DAY:
            return
    frame = bronze.truth_users_frame(run.spark, world, everyone.first, everyone.end)
    with run.progress.step(f"generate {name}") as step:
        step.rows = warehouse.replace_table(name, frame.withColumn("batch_id", F.lit(identity)))


def _refuse_other_sources(warehouse: Warehouse, source: str) -> None:
    others = {row["source"] for row in batches.recorded(warehouse)} - {source}
    if others:
        raise UsageError(
            f"{warehouse.root} holds {sorted(others)[0]}, not {source} (another seed, size, "
            "setting or a log of your own): choose another --warehouse"
        )
