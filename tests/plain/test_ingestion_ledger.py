from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from jobs.core.errors import UsageError
from jobs.ingestion.inputs import InputFiles
from jobs.ingestion.ledger import Ledger
from jobs.ingestion.load import derivations
from jobs.ingestion.mapping import Source
from jobs.ingestion.request import Input, Request

KEY = b"a key of more than sixteen bytes"


def batch(table: str, source: str = "ingest a.csv", rows: int = 5, **detail: Any) -> dict[str, Any]:
    return {
        "table_name": table,
        "batch_id": "ab",
        "source": source,
        "first_date": date(2024, 1, 10),
        "last_date": date(2024, 1, 20),
        "rows_loaded": rows,
        "detail": json.dumps(detail),
    }


def derived(table: str, rows: int = 5) -> dict[str, Any]:
    return batch(table, rows=rows, derived_from=["orders"])


def request_of(*names: str) -> Request:
    files = InputFiles("a.csv", ())
    return Request(tuple(Input(name, Source(), files, (), f"id {name}") for name in names), KEY)


@pytest.mark.parametrize(
    ("given", "known", "made"),
    [
        (["orders"], [], {"bronze_events", "bronze_users"}),
        (["events"], [], {"bronze_orders", "bronze_users"}),
        (["events", "orders"], [], {"bronze_users"}),
        (["users"], [], set()),
        (["users", "events", "orders"], [], set()),
        (["users", "orders"], [derived("bronze_events")], {"bronze_events"}),
        # Orders that come alone to a log that has events were bought in one of these.
        (["users", "orders"], [batch("bronze_events")], set()),
        (["users", "events"], [batch("bronze_orders")], set()),
    ],
)
def test_what_is_not_given_is_made_unless_it_was_ever_given(
    given: list[str], known: list[dict[str, Any]], made: set[str]
) -> None:
    assert set(derivations(request_of(*given), Ledger(known))) == made


def test_a_derived_batch_is_another_for_other_parents() -> None:
    first = derivations(request_of("orders"), Ledger([]))["bronze_users"]
    second = derivations(request_of("orders", "events"), Ledger([]))["bronze_users"]
    assert first != second


@pytest.mark.parametrize(
    ("first", "last", "counts_twice"),
    [
        (date(2024, 1, 1), date(2024, 1, 9), False),
        (date(2024, 1, 1), date(2024, 1, 10), True),
        (date(2024, 1, 20), date(2024, 1, 30), True),
        (date(2024, 1, 21), date(2024, 1, 30), False),
        (None, None, False),
    ],
)
def test_given_rows_are_not_counted_beside_derived_ones(
    first: date | None, last: date | None, counts_twice: bool
) -> None:
    ledger = Ledger([derived("bronze_events")])
    if counts_twice:
        with pytest.raises(UsageError, match="2024-01-10 to 2024-01-20.*count twice"):
            ledger.refuse_doubles("bronze_events", first, last)
    else:
        ledger.refuse_doubles("bronze_events", first, last)


def test_only_derived_rows_of_the_same_table_are_doubles() -> None:
    day = date(2024, 1, 15)
    ledger = Ledger([derived("bronze_orders"), derived("bronze_events", rows=0)])
    ledger.refuse_doubles("bronze_events", day, day)
    Ledger([batch("bronze_events", "ingest x (derived)")]).refuse_doubles("bronze_events", day, day)


def test_a_synthetic_shop_or_another_key_is_refused() -> None:
    Ledger([batch("bronze_events", key_fingerprint="f1")]).refuse_other_world("f1")
    # A file may well be named like a shop.
    Ledger([batch("bronze_events", "ingest shop 1.csv")]).refuse_other_world("f1")
    with pytest.raises(UsageError, match="another key"):
        Ledger([batch("bronze_events", key_fingerprint="f1")]).refuse_other_world("f2")
    with pytest.raises(UsageError, match="synthetic shop"):
        Ledger([batch("bronze_events", "shop 1234")]).refuse_other_world("f1")
