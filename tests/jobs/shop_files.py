"""A shop that is loaded as files, and what is looked at and broken in its loading."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.config import GenerateSettings
from jobs.core.entry import Run
from jobs.core.tables import Warehouse
from jobs.shop.parts import plan
from jobs.shop.rectangles import write_part
from jobs.shop.workers import Target, write_parts
from jobs.shop.world import World
from tests.jobs.commands import run_in
from tests.shop_worlds import small_world

EVENTS = "bronze_events"


def shop_of_files() -> World:
    return small_world(users=12_000, days=40)


def make(spark: SparkSession, folder: Path, writer: str = "files") -> Run:
    """A run whose files are small, so that a small shop has several."""
    run = run_in(spark, folder)
    settings = GenerateSettings(writer=writer, rows_per_file=25_000)
    return dataclasses.replace(run, config=dataclasses.replace(run.config, generate=settings))


def digest(warehouse: Warehouse) -> list[Any]:
    """Rows of events and orders and a sum of their hashes, load bookkeeping aside."""
    frames = [warehouse.read(name).drop("source", "batch_id") for name in (EVENTS, "bronze_orders")]
    hashed = [F.xxhash64(*frame.columns).cast("decimal(38,0)") for frame in frames]
    return [
        frame.agg(F.count("*"), F.sum(value)).first()
        for frame, value in zip(frames, hashed, strict=True)
    ]


def commits(warehouse: Warehouse, name: str) -> list[Any]:
    return DeltaTable.forPath(warehouse.spark, warehouse.path(name)).history().collect()


def left_files(warehouse: Warehouse, name: str) -> list[Any]:
    """Files of a few days more, as a run leaves them that dies before its commit."""
    world = shop_of_files()
    parts = plan(world, world.first_date, world.first_date + timedelta(days=3), 2, 1, 1)
    target = Target(warehouse.layout(name), {"source": "shop", "batch_id": "late"})
    written = warehouse.spark.sparkContext.accumulator(0)
    write = partial(write_part, world, targets=[target])
    files = write_parts(warehouse.spark, parts, write, written)
    assert written.value == sum(file.rows for file in files) > 0
    return files


def die_at(
    patched: pytest.MonkeyPatch, owner: Any, name: str, is_place: Callable[..., bool]
) -> None:
    """Make the process die, as it were, in a call that `is_place` recognises."""
    real = getattr(owner, name)

    def call(*arguments: Any) -> Any:
        if is_place(*arguments):
            raise KeyboardInterrupt
        return real(*arguments)

    patched.setattr(owner, name, call)
