"""What README.md says of tables and metrics is what the contracts say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.core.catalog import SQL_ROOT, Table, all_tables
from jobs.core.errors import ContractError
from jobs.core.metric_index import (
    COMMAND,
    README,
    metrics,
    question_of,
    said,
    tables_of,
    with_blocks,
)
from jobs.core.table_index import grain

TEXT = README.read_text(encoding="utf-8")
PARTS = ("population", "unit", "window", "tz", "dedupe", "unfinished", "nulls")
QUESTIONS = sorted((SQL_ROOT / "shell").glob("*.sql"))


def described() -> Iterator[tuple[str, str, str]]:
    """Table, grain and columns of every row below a heading `table | one row per`."""
    inside = False
    for line in TEXT.splitlines():
        inside = line.startswith("|") and (inside or line.startswith("| table | one row per |"))
        found = re.match(r"\| `(\w+)` \| ([^|]+) \| (.+) \|$", line)
        if inside and found:
            yield found.group(1), found.group(2), found.group(3)


def test_what_is_made_from_the_contracts_is_current() -> None:
    assert with_blocks(TEXT) == TEXT, f"run: {COMMAND}"


def test_a_lost_marker_is_said() -> None:
    with pytest.raises(ContractError, match="end of definitions"):
        with_blocks(TEXT.replace("<!-- end of definitions -->", ""))


@pytest.mark.parametrize("table", metrics(), ids=lambda table: table.name)
def test_a_metric_is_defined_in_full(table: Table) -> None:
    assert [part for part in PARTS if not said(table, part)] == []


@pytest.mark.parametrize("table", metrics(), ids=lambda table: table.name)
def test_the_short_definition_has_the_numbers_of_the_long_one(table: Table) -> None:
    contract = table.contract
    full = " ".join([contract.description, *(column.comment for column in contract.columns)])
    full += " ".join(said(table, part) for part in (*PARTS, "error"))
    numbers = set(re.findall(r"\d+(?:\.\d+)?", said(table, "in_short")))
    assert numbers <= set(re.findall(r"\d+(?:\.\d+)?", full))


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_each_question_is_answered_by_a_metric_defined_in_short(path: Path) -> None:
    assert question_of(path) in TEXT
    first = tables_of(path)[0]
    assert said(all_tables()[first], "in_short"), f"add metric.in_short to the contract of {first}"


def test_tables_have_the_grain_and_the_columns_of_their_contracts() -> None:
    rows = list(described())
    assert len(rows) > 15
    for name, one_row_per, columns in rows:
        table = all_tables()[name]
        assert one_row_per == grain(table), name
        unknown = set(re.findall(r"`([a-z_0-9]+)`", columns)) - set(table.schema.names)
        assert not unknown, f"{name} has no column {unknown}"
