"""Every case folder below this one, each as a test of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sql.harness import (
    CASES,
    CaseError,
    case_folders,
    expectation,
    load_case,
    outcome,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDERS = case_folders()


@pytest.mark.parametrize("engine", ["spark", "sail"])
@pytest.mark.parametrize("folder", FOLDERS, ids=[str(f.relative_to(CASES)) for f in FOLDERS])
def test_case(request: pytest.FixtureRequest, engine: str, folder: Path) -> None:
    case = load_case(folder)
    assert outcome(request.getfixturevalue(engine), case) == expectation(case)


def case_folder(root: Path, **files: str) -> Path:
    folder = root / "silver" / "fact_orders" / "test_something"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"expect": "[]", "orders_cheked": "[]"}, "are no inputs of fact_orders"),
        ({"expect": "[]", "orders_checked": "[{amuont: 1}]"}, "no such columns: \\['amuont'\\]"),
        ({"expect": "[]", "params": "{frm_date: 2024-01-01}"}, "has no parameters"),
        ({"expect": "[{ordr_id: 1}]"}, "no such columns"),
        ({"expect": "[{order_id: 1}, {user_id: 1}]"}, "must name the same columns"),
        ({"expect": "{rows: []}"}, "a map of where and rows"),
        ({"orders_checked": "[]"}, "is missing"),
    ],
)
def test_case_that_could_not_fail_is_refused(
    tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    with pytest.raises(CaseError, match=complaint):
        load_case(case_folder(tmp_path, **files))


def test_case_of_no_query_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "silver" / "fact_ordres" / "test_something"
    folder.mkdir(parents=True)
    with pytest.raises(CaseError, match="there is no query"):
        load_case(folder)


def test_wrong_row_is_seen(spark: SparkSession, tmp_path: Path) -> None:
    given = "[{order_id: 1, order_date: 2024-01-05, amount: 1.10}]"
    folder = case_folder(tmp_path, orders_checked=given, expect="[{order_id: 1, amount: 1.11}]")
    case = load_case(folder)
    assert outcome(spark, case) != expectation(case)
