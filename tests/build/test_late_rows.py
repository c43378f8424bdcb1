"""A row that comes ten days late: what is rewritten, what is logged, and that nothing else moves."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from jobs.core.building.plan import render_plan
from jobs.core.building.changes import find_changes
from jobs.core.building.days import Days
from jobs.core.catalog import build_order
from jobs.core.errors import ContractError, UsageError
from tests.build.logs import FIRST, Lakehouse, Piece

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAYS = 20
GOLD = [table.name for table in build_order(["gold"])]
LATE = FIRST + dt.timedelta(days=9)


def at(day: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


def event(number: int, user: int, day: dt.date, known: dt.date | None = None) -> dict[str, Any]:
    ts, ingest_ts = at(day), at(known or day, 13)
    row = {"event_id": number, "user_id": user, "ts": ts, "event_type": "view", "value": None}
    return row | {"ingest_ts": ingest_ts}


def order(number: int, user: int, day: dt.date, amount: str) -> dict[str, Any]:
    row = {"order_id": number, "user_id": user, "ts": at(day), "amount": Decimal(amount)}
    return row | {"ingest_ts": at(day, 13)}


def user(number: int, signup_date: dt.date = FIRST, country: str = "DE") -> dict[str, Any]:
    row = {"user_id": number, "signup_date": signup_date, "country": country, "channel": "seo"}
    return row | {"ingest_ts": at(signup_date)}


def piece(**rows: list[dict[str, Any]]) -> Piece:
    return {f"bronze_{name}": rows.get(name, []) for name in ("users", "events", "orders")}


def shop(root: Path, sail: SparkSession, is_gapless: bool = False) -> Lakehouse:
    """User 1 is there every day, user 2 on the first alone."""
    days = [FIRST + dt.timedelta(days=n) for n in range(DAYS)]
    events = [event(n, 1, day) for n, day in enumerate(days)] + [event(100, 2, FIRST)]
    made = Lakehouse(root, sail)
    made.load("history", piece(users=[user(1), user(2)], events=events), is_gapless)
    made.build()
    return made


def days_written(lakehouse: Lakehouse, table: str, before: int) -> set[str]:
    """Partitions that versions after `before` added or removed."""
    folder = Path(lakehouse.warehouse.path(table)) / "_delta_log"
    written = set()
    for path in sorted(folder.glob("*.json")):
        if int(path.stem) > before:
            for line in path.read_text(encoding="utf-8").splitlines():
                action = json.loads(line)
                for kind in ("add", "remove"):
                    written |= set((action.get(kind, {}).get("partitionValues") or {}).values())
    return written


def test_only_the_late_day_is_rewritten_and_the_figures_that_moved_are_logged(
    tmp_path: Path, sail: SparkSession
) -> None:
    lakehouse = shop(tmp_path / "piecemeal", sail)
    before = lakehouse.versions()
    last = FIRST + dt.timedelta(days=DAYS - 1)
    lakehouse.load("late", piece(events=[event(101, 2, LATE, known=last)]))
    changes = lakehouse.build()
    assert changes.reasons == {LATE: "late"}
    for table in ("fact_events", "sessions", "user_daily_metrics"):
        partitions = DeltaTable(lakehouse.warehouse.path(table)).metadata().partition_columns
        if partitions:
            assert days_written(lakehouse, table, before[table]) == {str(LATE)}
    moved = {
        (row["metric_date"], row["metric"]): (row["old_value"], row["new_value"])
        for row in lakehouse.warehouse.rows("restatements")
        if row["table_name"] == "active_users_daily"
    }
    assert moved[LATE, "dau"] == ("1", "2")
    # The first day's visit keeps user 2 in the window until seven days are over.
    week = [LATE + dt.timedelta(days=n) for n in range(7)]
    assert {day for day, metric in moved if metric == "wau_7"} == set(week)
    assert {day for day, _ in moved} <= {LATE + dt.timedelta(days=n) for n in range(30)}
    whole = Lakehouse(tmp_path / "whole", sail)
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "bronze").symlink_to(tmp_path / "piecemeal" / "bronze")
    (tmp_path / "whole" / "ops").mkdir()
    ledger = "ops/bronze_batches"
    (tmp_path / "whole" / ledger).symlink_to(tmp_path / "piecemeal" / ledger)
    whole.build()
    assert lakehouse.content() == whole.content()


def test_the_ledger_says_why_each_day_was_built(tmp_path: Path, sail: SparkSession) -> None:
    lakehouse = shop(tmp_path, sail)
    new = FIRST + dt.timedelta(days=DAYS)
    lakehouse.load(
        "more",
        piece(
            users=[user(3, LATE)],
            events=[event(200, 1, new), event(201, 2, LATE), event(100, 2, FIRST, new)],
        ),
    )
    lakehouse.build()
    rows = [r for r in lakehouse.warehouse.rows("interval_ledger") if r["run_id"] == "run-2"]
    assert {row["day"]: row["reason"] for row in rows} == {
        FIRST: "late",
        LATE: "late",
        new: "new",
    }
    first = next(row for row in rows if row["day"] == FIRST)
    assert (first["events"], first["orders"], first["quarantined"]) == (2, 0, 1)


@pytest.mark.parametrize(
    ("more", "touched"),
    [
        # The other copy was there first: it is the one to keep now.
        (piece(events=[event(5, 2, LATE, known=FIRST)]), {LATE: "late", 5: "copy"}),
        (piece(orders=[order(7, 2, LATE, "9.90")]), {LATE: "late"}),
        # A user from another country: all days of the user's rows change their segment.
        (piece(users=[user(2, FIRST, "FR") | {"ingest_ts": at(FIRST, 1)}]), {0: "user"}),
        (piece(users=[user(9, LATE)]), {LATE: "user"}),
    ],
    ids=["copy", "order", "user", "signup"],
)
def test_a_row_touches_the_days_of_its_copies_and_of_its_users(
    tmp_path: Path, sail: SparkSession, more: Piece, touched: dict[Any, str]
) -> None:
    lakehouse = shop(tmp_path, sail)
    lakehouse.load("more", more)
    expected = {
        FIRST + dt.timedelta(days=day) if isinstance(day, int) else day: reason
        for day, reason in touched.items()
    }
    assert lakehouse.build().reasons == expected


def test_a_build_that_died_before_its_record_is_done_again(
    tmp_path: Path, sail: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse = shop(tmp_path, sail)
    lakehouse.load("late", piece(events=[event(101, 2, LATE)]))
    with monkeypatch.context() as patch:
        patch.setattr("jobs.core.building.flow.record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            lakehouse.build()
    assert lakehouse.build().reasons == {LATE: "late"}
    assert lakehouse.build().is_nothing


def test_days_asked_for_leave_what_is_new_to_the_next_build(
    tmp_path: Path, sail: SparkSession
) -> None:
    lakehouse = shop(tmp_path, sail)
    lakehouse.load("late", piece(events=[event(101, 2, LATE), event(102, 2, LATE + dt.timedelta(1))]))
    lakehouse.build(days=Days(LATE, LATE + dt.timedelta(days=1)))
    assert set(lakehouse.build().reasons) == {LATE, LATE + dt.timedelta(days=1)}


def test_days_before_anything_is_built_are_refused(tmp_path: Path, sail: SparkSession) -> None:
    lakehouse = Lakehouse(tmp_path, sail)
    lakehouse.load("history", piece(users=[user(1)], events=[event(1, 1, FIRST)]))
    with pytest.raises(ContractError, match="nothing is built yet"):
        lakehouse.build(days=Days(FIRST, FIRST + dt.timedelta(days=1)))
    with pytest.raises(UsageError, match="not all in it"):
        lakehouse.build(days=Days(FIRST, FIRST + dt.timedelta(days=2)))


def test_a_batch_without_rows_is_taken_note_of(tmp_path: Path, sail: SparkSession) -> None:
    lakehouse = shop(tmp_path, sail)
    before = lakehouse.content()
    lakehouse.load("empty", piece())
    changes = lakehouse.build()
    assert (changes.reasons, changes.is_nothing) == ({}, False)
    assert lakehouse.build().is_nothing
    assert lakehouse.content() == before


def test_days_after_the_last_one_built_are_not_built_alone(
    tmp_path: Path, sail: SparkSession
) -> None:
    lakehouse = shop(tmp_path, sail)
    days = [FIRST + dt.timedelta(days=DAYS + n) for n in range(3)]
    lakehouse.load("more", piece(events=[event(200 + n, 1, day) for n, day in enumerate(days)]))
    with pytest.raises(UsageError, match="built through 2024-03-10: build without days"):
        lakehouse.build(days=Days(days[1], days[2]))
    assert set(lakehouse.build().reasons.values()) == {"new"}
    assert lakehouse.warehouse.rows("restatements") == []


@pytest.mark.parametrize("is_gapless", [True, False], ids=["synthetic", "own"])
def test_days_asked_for_bring_no_rows_of_days_that_are_not_built_yet(
    tmp_path: Path, sail: SparkSession, is_gapless: bool
) -> None:
    lakehouse = shop(tmp_path, sail, is_gapless)
    before = lakehouse.content()
    around = [FIRST - dt.timedelta(days=2), FIRST + dt.timedelta(days=DAYS + 2)]
    more = piece(events=[event(200 + n, 1, day) for n, day in enumerate(around)])
    lakehouse.load("more", more, is_gapless)
    lakehouse.build(days=Days(LATE, LATE + dt.timedelta(days=1)))
    built = {name: hashed for name, hashed in lakehouse.content().items() if name in GOLD}
    assert built == {name: before[name] for name in built}
    with pytest.raises(UsageError, match=f"begin on {FIRST}: build without days"):
        lakehouse.build(days=Days(around[0], around[0] + dt.timedelta(days=1)))
    lakehouse.build()
    # No figure of a day that was not over was ever told, so none is corrected afterwards.
    corrected = {row["metric_date"] for row in lakehouse.warehouse.rows("restatements")}
    assert all(day <= FIRST + dt.timedelta(days=DAYS - 1) for day in corrected if day is not None)


def test_the_plan_is_what_the_build_then_does(tmp_path: Path, sail: SparkSession) -> None:
    lakehouse = shop(tmp_path, sail)
    lakehouse.load("late", piece(events=[event(101, 2, LATE)]))
    run = lakehouse.run()
    run.warehouse.register()
    text = render_plan(run, find_changes(run))
    assert f"{LATE}  late" in text
    assert f"fact_events              {LATE}\n" in text
    after = render_plan(run, find_changes(run), dt.date(2030, 1, 1))
    assert f"no day from 2030-01-01 on is to be built; those that are lie in {LATE} to {LATE}" in after
    assert "day         why" not in after
    before = lakehouse.versions()
    assert find_changes(run).reasons == lakehouse.build().reasons
    run.warehouse.register()
    assert "nothing, the tables hold all" in render_plan(run, find_changes(run))
    assert lakehouse.versions() != before
