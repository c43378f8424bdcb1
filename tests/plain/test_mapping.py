from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jobs.core.config import PROJECT_ROOT
from jobs.core.errors import UsageError
from jobs.ingestion.mapping import SHAPES, Mapping, Source, columns_of, load_mapping


def mapping_of(folder: Path, text: str) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def test_without_a_mapping_a_csv_file_has_our_columns() -> None:
    orders = load_mapping(None).orders
    assert (orders.format, orders.has_header) == ("csv", True)
    assert columns_of("orders", orders) == {
        name: name for name in ("order_id", "user_id", "ts", "amount")
    }


def test_shipped_mappings_are_valid() -> None:
    shipped = sorted((PROJECT_ROOT / "conf" / "mappings").glob("*.yaml"))
    assert shipped
    for path in shipped:
        load_mapping(path)


def test_the_example_shows_every_key() -> None:
    text = (PROJECT_ROOT / "conf" / "mappings" / "example.yaml").read_text(encoding="utf-8")
    for section in dataclasses.fields(Mapping):
        shown = text.split(f"\n{section.name}:")[1].split("\n\n")[0]
        own = {key.name for key in dataclasses.fields(type(getattr(Mapping(), section.name)))}
        special = own - {key.name for key in dataclasses.fields(Source)}
        assert all(f"\n  {key}:" in shown for key in special), section.name
    for key in dataclasses.fields(Source):
        assert f"\n  {key.name}:" in text, key.name


def test_columns_count_from_one_where_nothing_else_is_said(tmp_path: Path) -> None:
    users = mapping_of(tmp_path, "users: {format: whitespace, constants: {country: DE}}").users
    assert columns_of("users", users) == {"user_id": "1", "signup_date": "2", "channel": "3"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("buyers: {}", "buyers"),
        ("orders: {colums: {}}", "orders.colums"),
        ("orders: {event_types: {a: b}}", "orders.event_types"),
        ("events: {round_amounts: true}", "events.round_amounts"),
        ("orders: {format: xlsx}", "orders.format"),
        ("orders: {columns: {user: u}}", "orders.columns.user"),
        ("orders: {columns: {user_id: u, ts: t}}", "orders.columns.amount"),
        ("orders: {columns: {user_id: 1, ts: t, amount: a}}", "orders.columns.user_id"),
        ("orders: {header: false, columns: {user_id: u}}", "orders.columns.user_id"),
        ("orders: {header: false, columns: {user_id: 0}}", "orders.columns.user_id"),
        ("orders: {columns: {user_id: on}}", "orders.columns.user_id"),
        ("orders: {format: parquet, header: true}", "orders.header"),
        ("orders: {format: jsonl, delimiter: ';'}", "orders.delimiter"),
        ("orders: {delimiter: ''}", "orders.delimiter"),
        ("orders: {timezone: Europe/Atlantis}", "orders.timezone"),
        ("orders: {timezone: ../../etc/passwd}", "orders.timezone"),
        ("orders: {constants: {amount: '1'}}", "orders.constants.amount"),
        (
            "users: {columns: {user_id: u, signup_date: s, country: c}, constants: {country: DE}}",
            "users.constants.country",
        ),
        ("orders: {columns: {}}", "orders.columns"),
        ("- orders", "sections"),
        ("orders: {", "not YAML"),
    ],
)
def test_a_bad_mapping_is_refused_in_one_line_that_names_the_key(
    tmp_path: Path, text: str, named: str
) -> None:
    with pytest.raises(UsageError) as refused:
        mapping_of(tmp_path, text)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml"):
        load_mapping(tmp_path / "none.yaml")


def test_required_columns_are_columns_of_the_model() -> None:
    for shape in SHAPES.values():
        assert {*shape.required, *shape.constants} <= set(shape.model)
        assert shape.own_id in (*shape.model, None)
