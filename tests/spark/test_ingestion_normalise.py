from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.core.errors import ContractError
from jobs.ingestion.derive import orders_of_purchases, purchases_of_orders, users_of_activity
from jobs.ingestion.mapping import EventsSource, OrdersSource, UsersSource
from jobs.ingestion.normalise import Clock
from jobs.ingestion.pseudonyms import keyed_id, refuse_collisions
from tests.ingestion_rows import CLOCK, KEY, csv_of, normalised, rows_of, user


def test_a_row_breaks_the_first_rule_and_points_to_its_line(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_of(
        tmp_path / "e.csv",
        "event_id,user_id,ts,event_type,value",
        "e1,u1,2024-01-01 10:00:00,kauf,9.5",
        ",u1,never,kauf,",
        "e3, ,2024-01-01,kauf,",
        "e4,u1,never,kauf,x",
        "e5,u1,2024-06-01 00:00:01,view,",
        "e6,u1,2024-01-01,,",
        "e7,u1,2024-01-01,view,NaN",
        "e8,u1,2024-01-01,view,1e308",
        f"e9,u1,2024-01-01,{'x' * 201},",
        "e10,u1,2024-01-01",
        "e11,u1,2024-01-01,other,-1",
    )
    source = EventsSource(event_types={"kauf": "purchase"})
    rows = rows_of(normalised(spark, path, "events", source))
    assert [row.rule for row in rows] == [
        None,
        "missing_key",
        "missing_key",
        "unparseable_ts",
        "ts_in_future",
        "missing_event_type",
        "unparseable_value",
        "unparseable_value",
        "unusable_text",
        "unparseable_line",
        None,
    ]
    good, last = rows[0], rows[-1]
    assert (good.event_id, good.user_id) == (keyed_id(KEY, "event", "e1")[0], user("u1"))
    assert (good.event_type, good.value) == ("purchase", 9.5)
    assert good.ts == good.ingest_ts == "2024-01-01 10:00:00.000000"
    assert (last.event_type, last.value) == ("other", -1.0)
    assert rows[6].message == "value is no number of up to 16 digits"
    assert (rows[9].file_name, rows[9].line_number, rows[9].line_length) == ("e.csv", 11, 17)


def test_lines_without_ids_are_separate_orders_and_the_same_in_another_file(
    spark: SparkSession, tmp_path: Path
) -> None:
    source = OrdersSource(
        format="whitespace", columns={"user_id": 1, "ts": 2, "amount": 3}, ts_format="yyyyMMdd"
    )
    ids = []
    for name in ("a.txt", "b.txt"):
        path = csv_of(tmp_path / name, "1 19970101 5.00", "1 19970101 5.00", " 2  19970102\t0.00")
        frame = normalised(spark, path, "orders", source)
        ids.append([row.order_id for row in rows_of(frame)])
    assert len(set(ids[0])) == 3
    assert ids[0] == ids[1]


def test_users_keep_a_bare_date_and_date_a_moment_in_the_business_time_zone(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_of(
        tmp_path / "u.csv",
        "user_id,signup_date,country",
        "a,2024-01-05,DE",
        "b,2024-01-05T23:30:00Z,",
        "c,2024-01-06T00:30:00,FR",
        "d,2024-02-30,FR",
        "e,2024-06-02,FR",
    )
    columns = {"user_id": "user_id", "signup_date": "signup_date", "country": "country"}
    source = UsersSource(columns=columns, constants={"channel": "seo"}, timezone="America/New_York")
    clock = Clock("Europe/Berlin", CLOCK.latest)
    rows = rows_of(normalised(spark, path, "users", source, clock))
    assert [(row.signup_date, row.country, row.channel, row.rule) for row in rows] == [
        (date(2024, 1, 5), "DE", "seo", None),
        (date(2024, 1, 6), None, "seo", None),
        (date(2024, 1, 6), "FR", "seo", None),
        (None, "FR", "seo", "unparseable_date"),
        (date(2024, 6, 2), "FR", "seo", "date_in_future"),
    ]
    assert rows[0].ingest_ts == "2024-01-05 00:00:00.000000"


def test_an_id_of_a_type_that_does_not_keep_its_text_is_refused(
    spark: SparkSession, tmp_path: Path
) -> None:
    # pandas makes doubles of whole numbers as soon as one is missing.
    frame = pd.DataFrame({"user_id": [1, None], "signup_date": ["2024-01-01"] * 2})
    path = tmp_path / "u.parquet"
    frame.to_parquet(path)
    source = UsersSource(
        format="parquet", columns={"user_id": "user_id", "signup_date": "signup_date"}
    )
    with pytest.raises(ContractError, match=r"user_id: expected one of STRING.*got DOUBLE"):
        normalised(spark, path, "users", source)


def test_a_user_has_one_id_in_every_format(spark: SparkSession, tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": [17], "signup_date": [date(2024, 1, 1)]})
    columns = {"user_id": "user_id", "signup_date": "signup_date"}
    frame.to_parquet(tmp_path / "u.parquet")
    frame.to_csv(tmp_path / "u.csv", index=False)
    (tmp_path / "u.jsonl").write_text('{"user_id": 17, "signup_date": "2024-01-01"}\n')
    for format_ in ("parquet", "csv", "jsonl"):
        source = UsersSource(format=format_, columns=columns)
        row = rows_of(normalised(spark, tmp_path / f"u.{format_}", "users", source))[0]
        assert (row.user_id, row.signup_date) == (user("17"), date(2024, 1, 1))


def test_two_raw_ids_of_one_pseudonym_stop_the_ingest(spark: SparkSession) -> None:
    schema = "id BIGINT, check BIGINT"
    first = spark.createDataFrame([(1, 5), (1, 5), (2, 5), (None, None)], schema)
    refuse_collisions("user", [first, first])
    second = spark.createDataFrame([(1, 6)], schema)
    with pytest.raises(ContractError, match="1 user ids stand for two different raw ids"):
        refuse_collisions("user", [first, second])


def test_neither_key_nor_raw_id_is_in_the_plan(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "o.csv", "order_id,user_id,ts,amount", "1,alice,2024-01-01,1")
    frame = normalised(spark, path, "orders", OrdersSource())
    assert len(rows_of(frame)) == 1
    plan = frame._jdf.queryExecution().toString()  # the text that an event log would hold
    assert "pseudonym" in plan
    assert KEY.decode() not in plan
    assert "alice" not in plan


def test_what_is_missing_is_made_from_the_rest(spark: SparkSession) -> None:
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    day = date(2024, 1, 2)
    orders = spark.createDataFrame(
        [(1, 10, moment, Decimal("1.10"), moment, day)],
        "order_id BIGINT, user_id BIGINT, ts TIMESTAMP, amount DECIMAL(18,2), "
        "ingest_ts TIMESTAMP, row_date DATE",
    )
    events = spark.createDataFrame(
        [
            (7, 10, moment, "purchase", 1.005, moment, date(2024, 1, 1)),
            (8, 11, moment, "purchase", None, moment, day),
            (9, 11, moment, "view", 3.0, moment, date(1970, 1, 1)),
            (9, 12, moment, "view", 3.0, moment, date(1970, 1, 1)),
        ],
        "event_id BIGINT, user_id BIGINT, ts TIMESTAMP, event_type STRING, value DOUBLE, "
        "ingest_ts TIMESTAMP, row_date DATE",
    )
    purchase = purchases_of_orders(orders).collect()
    assert [(e.event_id, e.event_type, e.value) for e in purchase] == [(1, "purchase", 1.1)]
    assert [(o.order_id, o.amount) for o in orders_of_purchases(events).collect()] == [
        (7, Decimal("1.01"))
    ]

    def signups(known: DataFrame | None) -> dict[int, date]:
        users = users_of_activity([orders, events], known, CLOCK, date(1990, 1, 1)).collect()
        return {row.user_id: row.signup_date for row in users}

    assert signups(None) == {10: date(2024, 1, 1), 11: day}
    known = spark.createDataFrame(
        [(10, date(2024, 1, 2)), (11, date(2024, 1, 5)), (11, day)],
        "user_id BIGINT, signup_date DATE",
    )
    assert signups(known) == {10: date(2024, 1, 1)}
