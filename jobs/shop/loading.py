"""From a world to bronze: makes and loads the days that are not there yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from jobs.core import batches
from jobs.core.batches import SHOP_PREFIX, Batch
from jobs.core.data_files import DataFile
from jobs.core.errors import UsageError
from jobs.core.spark_errors import storage_errors
from jobs.shop import jit
from jobs.shop.passes import DAYS, TRUTH, USERS, Pass
from jobs.shop.stored import identity_of
from jobs.shop.truth.outlook import check_campaign
from jobs.shop.workers import Target

if TYPE_CHECKING:
    from jobs.core.entry import Run
    from jobs.core.progress import Step
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
    """Load users, events and orders of the given days, and the truth behind them.

    What is there already is left alone.

    Parameters
    ----------
    run : Run
    world : World
        Its signup table reaches `days.end`.
    days : Span
        Days of events and orders. Users are loaded from the warm-up on, since those who signed up
        long ago are active too.

    Raises
    ------
    UsageError
        The warehouse holds something else than this world, or a campaign lies on days that no id
        could hold.
    """
    recorded = batches.recorded(run.warehouse)
    _refuse_other_sources(run, recorded, SHOP_PREFIX + world.world_id)
    check_campaign(world)
    everyone = Span(world.warmup_start, days.end)
    users = [t for t in USERS.frames if world.is_dirty or t != "truth_dirt"]
    to_do = [
        (one, {table: _missing(recorded, one, table, wanted) for table in tables})
        for one, tables, wanted in (
            (USERS, users, everyone),
            (DAYS, list(DAYS.frames), days),
            (TRUTH, list(TRUTH.frames), Span(world.first_date, days.end)),
        )
    ]
    if not jit.is_compiled() and any(spans for _, missing in to_do for spans in missing.values()):
        run.progress.tell("generate: its loops are compiled at first use, once: half a minute")
    for one, missing in to_do:
        _load(run, world, one, missing)


def _load(run: Run, world: World, one: Pass, missing: dict[str, list[Span]]) -> None:
    if run.config.generate.writer == "spark":
        for table, spans in missing.items():
            _load_frames(run, world, one, table, spans)
        return
    with run.progress.step(f"generate {one.name}") as step:
        step.rows = 0
        step.note = "" if any(missing.values()) else "already there"
        for span in sorted({span for spans in missing.values() for span in spans}):
            wanting = [_batch(world, one, t, span) for t, spans in missing.items() if span in spans]
            write = partial(_write_files, run, world, one, span, step)
            step.rows += max(batches.load_files(run.warehouse, wanting, write).values(), default=0)


def step_name(one: Pass, table: str) -> str:
    """Name of the step that loads one table of a pass, where Spark writes."""
    # Two passes label what they dirtied.
    of_what = ", users" if one is USERS else ", log"
    return f"generate {table.removeprefix('bronze_')}{of_what if table == 'truth_dirt' else ''}"


def _load_frames(run: Run, world: World, one: Pass, table: str, spans: list[Span]) -> None:
    with run.progress.step(step_name(one, table)) as step:
        step.rows = 0
        step.note = "" if spans else "already there"
        for span in spans:
            frame = one.frames[table](run.spark, world, span.first, span.end)
            step.rows += batches.load(run.warehouse, _batch(world, one, table, span), frame) or 0


def _write_files(
    run: Run, world: World, one: Pass, span: Span, step: Step, wanted: Sequence[Batch]
) -> list[DataFile]:
    targets = [
        Target(
            run.warehouse.layout(batch.table_name),
            {"source": batch.source, "batch_id": batch.batch_id},
        )
        for batch in wanted
    ]
    with storage_errors(str(run.warehouse.root)):
        return one.write(run, world, span.first, span.end, targets, step)


def _missing(recorded: list[dict[str, Any]], one: Pass, table: str, wanted: Span) -> list[Span]:
    rows = [row for row in recorded if row["table_name"] == table]
    if _is_labels_of_users(one, table):
        details = [json.loads(row["detail"]) for row in rows if row["first_date"] is None]
        return gaps(wanted, [Span(*map(date.fromisoformat, d["signups"])) for d in details])
    return gaps(
        wanted,
        [
            Span(row["first_date"], row["last_date"] + ONE_DAY)
            for row in rows
            if row["first_date"] is not None
        ],
    )


def _batch(world: World, one: Pass, table: str, span: Span) -> Batch:
    source = SHOP_PREFIX + world.world_id
    if _is_labels_of_users(one, table):
        # It covers signups, and no day of the log.
        return Batch(
            table_name=table,
            batch_id=batches.batch_id(table, "signups", source, span.first, span.end),
            source=source,
            first_date=None,
            last_date=None,
            detail={"signups": [span.first, span.end]},
        )
    return Batch(
        table_name=table,
        batch_id=batches.batch_id(table, source, span.first, span.end),
        source=source,
        first_date=span.first,
        last_date=span.end - ONE_DAY,
        covers_every_day=True,
        detail=identity_of(world),
    )


def _is_labels_of_users(one: Pass, table: str) -> bool:
    return one is USERS and table == "truth_dirt"


def _refuse_other_sources(run: Run, recorded: list[dict[str, Any]], source: str) -> None:
    others = {row["source"] for row in recorded} - {source}
    if others:
        raise UsageError(
            f"{run.warehouse.root} holds {sorted(others)[0]}, not {source} (another seed, size, "
            "setting or a log of your own): choose another --warehouse"
        )
