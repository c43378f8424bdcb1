"""Rendering of query parameters: strict about what is missing and what is allowed in."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.core.errors import UsageError
from jobs.core.queries import parameters, parse_date, render


def test_each_kind_of_value_is_written_as_sql_expects_it() -> None:
    sql = (
        "SELECT DATE '${day}', ${n}, '${tz}' WHERE step = '${step}' AND type IN (${types}), ${days}"
    )
    values = {
        "day": date(2024, 2, 29),
        "n": 7,
        "tz": "America/Argentina/Buenos_Aires",
        "step": "view",
        "types": ("view", "purchase"),
        "days": (7, 30),
    }
    assert render(sql, values) == (
        "SELECT DATE '2024-02-29', 7, 'America/Argentina/Buenos_Aires' "
        "WHERE step = 'view' AND type IN ('view', 'purchase'), 7, 30"
    )


def test_missing_parameter_is_refused_not_emptied() -> None:
    with pytest.raises(UsageError, match="parameter as_of of the query has no value"):
        render("SELECT '${as_of}'", {})


@pytest.mark.parametrize(
    "value",
    [
        "x' OR 1=1 --",
        "2024-01-01'",
        "2024-13-01",
        "2024-02-30",
        "a;b",
        "a--b",
        "",
        "a b",
        ("view", "x' --"),
        (),
        (7, True),
        (7, "x"),
        True,
    ],
)
def test_values_that_could_break_out_of_their_place_are_refused(value: object) -> None:
    with pytest.raises(UsageError):
        render("SELECT '${x}'", {"x": value})  # type: ignore[dict-item]


def test_parameters_shown_in_comments_are_not_parameters() -> None:
    sql = "-- Params: ${example}\nSELECT ${b}, ${a}, ${b}"
    assert parameters(sql) == ["b", "a"]
    assert "example" not in render(sql, {"a": 1, "b": 2})


@pytest.mark.parametrize("text", ["2024-1-1", "20240101", "2023-02-29", "2024-01-01/../x", "today"])
def test_only_days_of_the_calendar_are_dates(text: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        parse_date(text)
