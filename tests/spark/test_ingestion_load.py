from __future__ import annotations

import argparse
import hashlib
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.core import batches
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.errors import ContractError
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.ingestion import normalise
from jobs.ingestion.load import ingest
from jobs.ingestion.pseudonyms import KEY_VARIABLE, keyed_id
from jobs.ingestion.request import check_request

KEY = "a key of more than sixteen bytes"
ORDERS = "order_id,user_id,ts,amount\n"
EVENTS = "event_id,user_id,ts,event_type,value\n"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


class Team:
    """A team with a warehouse, whose logs are given as text."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.folder = folder
        self.warehouse = Warehouse(folder / "warehouse", spark, "run-1")
        self.run = Run(
            spark,
            load_config(),
            self.warehouse,
            Progress(stream=io.StringIO()),
            Manifest("run-1", "ingest", []),
        )

    def ingest(self, **texts: str) -> dict[str, str]:
        paths: dict[str, Path | None] = dict.fromkeys(("users", "events", "orders", "mapping"))
        for name, text in texts.items():
            paths[name] = self.folder / f"{name}.csv"
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return dict(ingest(self.run, check_request(argparse.Namespace(**paths))))

    def rows(self, table: str, *columns: str) -> list[tuple]:
        if not self.warehouse.exists(table):
            return []
        return sorted(tuple(row) for row in self.warehouse.read(table).select(*columns).collect())

    def counts(self) -> dict[str, int]:
        tables = ("bronze_users", "bronze_events", "bronze_orders", "quarantine", "bronze_batches")
        return {table: len(self.rows(table, "batch_id")) for table in tables}


@pytest.fixture
def team(spark: SparkSession, tmp_path: Path) -> Team:
    return Team(spark, tmp_path)


def test_orders_alone_give_purchases_and_users_and_load_once(team: Team) -> None:
    bad = "o4,eve,yesterday,7"
    text = f"{ORDERS}o1,ann,2024-01-02,1.50\no2,ann,2024-01-01T10:00:00,0\no3,bob,1980-01-01,2\n"
    said = team.ingest(orders=text + bad)
    assert said["orders"] == ("orders.csv: 4 rows = 3 valid + 1 quarantined (unparseable_ts 1)")
    counts = team.counts()
    assert counts == {
        "bronze_users": 1,
        "bronze_events": 3,
        "bronze_orders": 3,
        "quarantine": 1,
        "bronze_batches": 3,
    }
    ann = keyed_id(KEY.encode(), "user", "ann")[0]
    assert team.rows("bronze_users", "user_id", "signup_date", "country", "source") == [
        (ann, date(2024, 1, 1), None, "ingest orders.csv (derived)")
    ]
    first = keyed_id(KEY.encode(), "order", "o1")[0]
    assert (first, ann, "purchase", 1.5, "ingest orders.csv (derived)") in team.rows(
        "bronze_events", "event_id", "user_id", "event_type", "value", "source"
    )
    assert (first, ann, Decimal("1.50"), "ingest orders.csv") in team.rows(
        "bronze_orders", "order_id", "user_id", "amount", "source"
    )
    # The row of 1980 is in bronze for silver to judge, but makes no calendar and no user.
    assert batches.coverage(team.warehouse) == (date(2024, 1, 1), date(2024, 1, 2))
    ledger = team.rows("bronze_batches", "table_name", "rows_read", "rows_loaded")
    assert ledger == [("bronze_events", 3, 3), ("bronze_orders", 4, 3), ("bronze_users", 1, 1)]

    (turned_away,) = team.rows(
        "quarantine", "stage", "table_name", "rule", "row_id", "payload", "run_id"
    )
    assert turned_away[:4] == (
        "ingest",
        "bronze_orders",
        "unparseable_ts",
        keyed_id(KEY.encode(), "order", "o4")[0],
    )
    assert json.loads(turned_away[4]) == {
        "file": "orders.csv",
        "line": 5,
        "length": len(bad),
        "sha256": hashlib.sha256(bad.encode()).hexdigest(),
    }

    assert team.ingest(orders=text + bad)["orders"] == "orders.csv: already loaded"
    assert team.counts() == counts


def test_users_and_events_give_orders_and_no_raw_id_lands_anywhere(team: Team) -> None:
    said = team.ingest(
        users="user_id,signup_date,country,channel\nraw-ann,2024-01-01,DE,seo\nraw-bob,x,,\n",
        events=f"{EVENTS}raw-e1,raw-ann,2024-01-01,view,\n"
        "raw-e2,raw-ann,2024-01-02,purchase,5.5\nraw-e3,raw-ann,2024-01-02,purchase,\nraw-e4\n",
    )
    assert said["orders"] == "1 derived from users and events"
    event = keyed_id(KEY.encode(), "event", "raw-e2")[0]
    assert team.rows("bronze_orders", "order_id", "amount") == [(event, Decimal("5.50"))]
    assert team.rows("bronze_users", "country") == [("DE",)]
    files = [path for path in team.warehouse.root.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"raw-" in path.read_bytes()] == []
    # Parquet packs its pages, so the columns are read as well.
    for table, count in team.counts().items():
        content = team.rows(table, "*")
        assert len(content) == count > 0
        assert "raw-" not in repr(content)


class PowerCutError(Exception):
    """The end of a process in the middle of things."""


def test_a_run_that_dies_between_rows_and_record_is_mended_by_the_next(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{ORDERS}o1,ann,2024-01-02,1.50\no2,bob,x,1\n"

    def cut_before(patched: pytest.MonkeyPatch, call: str, table: str) -> None:
        real = getattr(Warehouse, call)

        def calling(self: Warehouse, name: str, rows: object) -> object:
            if name == table:
                raise PowerCutError
            return real(self, name, rows)

        patched.setattr(Warehouse, call, calling)

    for call, table in (("append_rows", "bronze_batches"), ("append", "bronze_users")):
        with monkeypatch.context() as patched, pytest.raises(PowerCutError):
            cut_before(patched, call, table)
            team.ingest(orders=text)
    team.ingest(orders=text)
    assert team.counts() == {
        "bronze_users": 1,
        "bronze_events": 1,
        "bronze_orders": 1,
        "quarantine": 1,
        "bronze_batches": 3,
    }


def test_nothing_is_written_if_one_input_is_unusable_or_ids_collide(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = f"{ORDERS}o1,a,2024-01-02,1\n"
    with pytest.raises(ContractError, match=r"events\.csv: .*unparseable_ts 1 \(first: 2\)"):
        team.ingest(orders=orders, events=f"{EVENTS}e1,a,x,view,\n")

    def colliding(column: Column, domain: str, key: bytes) -> Column:
        return F.struct(F.lit(0).cast("bigint").alias("id"), F.xxhash64(column).alias("check"))

    monkeypatch.setattr(normalise, "pseudonymise", colliding)
    with pytest.raises(ContractError, match="stand for two different raw ids"):
        team.ingest(orders=f"{orders}o2,b,2024-01-02,1\n")
    assert not team.warehouse.root.exists()
