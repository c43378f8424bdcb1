"""A team's log in pieces: duplicates, corrections, late users and broken rows in it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.core.batches import LEDGER
from jobs.core.building.flow import build
from jobs.core.catalog import build_order
from jobs.core.building.changes import LAYERS, Changes
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.proof.content_hash import Fingerprint, fingerprint

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST = dt.date(2024, 2, 20)
Piece = dict[str, list[dict[str, Any]]]


def random_log(seed: int, days: int = 24, users: int = 9, events: int = 150) -> Piece:
    """Bronze rows without source and batch, as {table: rows}.

    Some ids come again with another date, user or payload, some users come twice with another
    segment, some rows are of unknown users, before a signup or of a type unknown.
    """
    draw = random.Random(seed)
    rows: Piece = {"bronze_users": [], "bronze_events": [], "bronze_orders": []}
    for user in range(users):
        for _ in range(draw.choice([1, 1, 2])):
            rows["bronze_users"].append(
                {
                    "user_id": user,
                    "signup_date": FIRST + dt.timedelta(days=draw.choice([-9, -3, -3, 0, draw.randrange(days)])),
                    "country": draw.choice(["DE", "FR"]),
                    "channel": draw.choice(["seo", "ads", None]),
                    "ingest_ts": _moment(draw, 3) + dt.timedelta(days=days),
                }
            )
    for number in range(events):
        kind = draw.choice([*["view"] * 5, "add_to_cart", "add_to_cart", "purchase", "purchase"])
        kind = "scroll" if draw.random() < 0.03 else kind
        row = {"user_id": draw.randrange(users + (number % 20 == 0)), "ts": _moment(draw, days)}
        delay = -30 if draw.random() < 0.03 else draw.choice([0, 0, 0, 1, 30, 200])
        row["ingest_ts"] = row["ts"] + dt.timedelta(hours=delay)
        event_id = draw.randrange(number + 1) if draw.random() < 0.15 else number
        value = -1.0 if draw.random() < 0.03 else draw.choice([None, 1.5])
        rows["bronze_events"].append(
            row | {"event_id": event_id, "event_type": kind, "value": value}
        )
        if kind == "purchase":
            cents = draw.randrange(-300, 9999)
            rows["bronze_orders"].append(
                row | {"order_id": event_id, "amount": Decimal(cents) / 100}
            )
    return rows


def pieces(seed: int, log: Piece, count: int) -> list[Piece]:
    """Deal the rows of a log out at random."""
    draw = random.Random(seed)
    dealt: list[Piece] = [{table: [] for table in log} for _ in range(count)]
    for table, rows in log.items():
        for row in rows:
            draw.choice(dealt)[table].append(row)
    return dealt


class Lakehouse:
    """A warehouse in a folder, loaded and built without a command."""

    def __init__(self, root: Path, spark: SparkSession, engine: str = "sail") -> None:
        self.root = root
        self.spark = spark
        self.engine = engine
        self.runs = 0

    def run(self) -> Run:
        """A run of its own, as each command has one."""
        self.runs += 1
        run_id = f"run-{self.runs}"
        warehouse = Warehouse(self.root, self.spark, run_id, self.engine)
        manifest = Manifest(run_id, "test", [])
        return Run(self.spark, load_config(), warehouse, Progress(), manifest)

    @property
    def warehouse(self) -> Warehouse:
        """Its tables, for reading."""
        return Warehouse(self.root, self.spark, "test", self.engine)

    def load(self, name: str, piece: Piece, is_gapless: bool = False) -> None:
        """Append rows to bronze as one batch of each table, and record it.

        Without gaps as those of a synthetic shop: a day without rows is one on which nobody came.
        """
        for table, rows in piece.items():
            days = [row["ts"].date() for row in rows if "ts" in row]
            marks = {"source": "test", "batch_id": name}
            self.warehouse.layout(table)  # makes it, also where there is no row
            self.warehouse.append_rows(table, [row | marks for row in rows])
            record = {
                "batch_id": name,
                "table_name": table,
                "source": "test",
                "first_date": min(days, default=None),
                "last_date": max(days, default=None),
                "rows_read": len(rows),
                "rows_loaded": len(rows),
                "rows_quarantined": 0,
                "covers_every_day": is_gapless,
                "loaded_at": dt.datetime.now(dt.UTC),
                "detail": "{}",
            }
            self.warehouse.append_rows(LEDGER, [record])

    def build(self, **how: Any) -> Changes:
        """Build what is missing, or as asked."""
        return build(self.run(), **how)

    def content(self) -> dict[str, Fingerprint]:
        """Fingerprint of every silver and gold table."""
        return {
            name: fingerprint(
                self.warehouse.read(name), self.warehouse.table(name).contract.unhashed
            )
            for name in stored()
        }

    def versions(self) -> dict[str, int]:
        """Delta version of every silver and gold table."""
        return {name: self.warehouse.version(name) for name in stored()}


def stored() -> Sequence[str]:
    """Silver and gold tables that are stored."""
    return [table.name for table in build_order(LAYERS) if not table.is_view]


def _moment(draw: random.Random, days: int) -> dt.datetime:
    moment = dt.datetime.combine(FIRST, dt.time(), dt.UTC)
    return moment + dt.timedelta(minutes=20 * draw.randrange(72 * days))
