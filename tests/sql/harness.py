"""SQL cases: a folder of small tables, run through one query and compared with what must come out.

A case is `tests/sql/<layer>/<table>/test_<behaviour>/` with

<input>.yaml    rows of a table the query reads: a list of maps. Types come from that table's
                contract, a column that is left out is NULL, an input without a file is empty;
                a view without a file is made by its own query, and so is a table of `WORKING`.
params.yaml     optional: parameters of the query, or of a view it reads, that differ from
                `default_params`.
expect.yaml     rows that must come out, in any order, as a list of maps that all name the same
                columns; only these are compared. Or a map of `where`, a filter on the outcome, and
                `rows`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pyspark.sql import types as T

from jobs.core.building.days import EVERY_DAY
from jobs.core.catalog import Table, all_tables, build_order
from jobs.core.config import load_config
from jobs.core.queries import Value, parameters, render
from tests.sql.frames import Rows, frame, typed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CASES = Path(__file__).parent
# Stored only to be worked out once: a case says what it has to say by what these are made of.
WORKING = ("known_users", "repeated_events", "bot_dates")


class CaseError(Exception):
    """A case folder that does not say what it means to."""


@dataclass(frozen=True)
class Case:
    """One case; those in `made` are made by their queries, `columns` are those compared."""

    table: Table
    inputs: Mapping[str, Rows]
    made: frozenset[str]
    params: Mapping[str, Value]
    where: str
    columns: tuple[str, ...]
    expected: Rows


def case_folders(root: Path = CASES) -> list[Path]:
    """Every folder `<layer>/<table>/test_*` below `root`."""
    return sorted(path for path in root.glob("*/*/test_*") if path.is_dir())


def query_tables() -> list[Table]:
    """Every table with a query."""
    return [table for table in all_tables().values() if table.query is not None]


@functools.cache
def default_params() -> dict[str, Value]:
    """Parameters of a case that says nothing else: the settings, and a log of January 2024."""
    days: dict[str, Value] = {
        "from_date": date(2024, 1, 1),
        "to_date": date(2024, 2, 1),
        "first_date": date(2024, 1, 1),
        "as_of": date(2024, 1, 31),
        "snapshot_from": date(2024, 1, 31),
        "snapshot_to": date(2024, 2, 1),
        "snapshot_stride_days": 1,
        "population": "active",
        "population_days": 30,
        "horizon_days": 7,
    }
    return load_config().metrics.parameters() | days


def load_case(folder: Path) -> Case:
    """Read a case.

    Raises
    ------
    CaseError
        A file belongs to no input of the query, a row names an unknown column, a parameter is not
        one of the query, or nothing is expected.
    """
    table = _table_of(folder)
    inputs = _inputs(folder, table)
    allowed = {f"{name}.yaml" for name in inputs} | {"params.yaml", "expect.yaml"}
    strangers = sorted({path.name for path in folder.iterdir()} - allowed)
    if strangers:
        raise CaseError(f"{folder}: {strangers} are no inputs of {table.name}: {sorted(inputs)}")
    made = frozenset(name for name in inputs if _is_made(folder, name))
    rows = {name: _rows(folder / f"{name}.yaml") for name in sorted(inputs - made)}
    for name, given in rows.items():
        _require_columns(folder / f"{name}.yaml", given, all_tables()[name].schema.names)
    expected, where = _expectation(folder / "expect.yaml")
    columns = tuple(expected[0]) if expected else ()
    _require_columns(folder / "expect.yaml", expected, table.schema.names)
    if any(set(row) != set(columns) for row in expected):
        raise CaseError(f"{folder}/expect.yaml: every row must name the same columns")
    params = _params(folder, [table, *(all_tables()[name] for name in made)])
    return Case(table, rows, made, params, where, columns, expected)


def outcome(spark: SparkSession, case: Case) -> list[tuple[Any, ...]]:
    """Run the query of a case; returns the compared columns of its rows, sorted."""
    for name, rows in case.inputs.items():
        frame(spark, all_tables()[name].schema, rows).createOrReplaceTempView(name)
    # What is stored holds every day, whatever the query is asked for.
    every_day = case.params | {"from_date": EVERY_DAY.first, "to_date": EVERY_DAY.end}
    made = [
        table for table in build_order(("silver", "gold", "features")) if table.name in case.made
    ]
    for table in made:
        _register(spark, table, every_day)
    for table in made:
        if table.is_view:
            _register(spark, table, case.params)
    assert case.table.query is not None
    result = spark.sql(render(case.table.query, case.params)).where(case.where)
    # As text: collected as datetime a timestamp would be in the time zone of the machine.
    kinds = dict(result.dtypes)
    columns = [
        f"CAST({name} AS STRING) AS {name}" if kinds[name] == "timestamp" else name
        for name in case.columns
    ]
    return _sorted([_comparable(row, case) for row in result.selectExpr(*columns).collect()])


def _register(spark: SparkSession, table: Table, params: Mapping[str, Value]) -> None:
    spark.sql(render(table.query or "", params)).createOrReplaceTempView(table.name)


def expectation(case: Case) -> list[tuple[Any, ...]]:
    """What `outcome` must give."""
    rows = [[row[name] for name in case.columns] for row in case.expected]
    return _sorted([_comparable(row, case) for row in rows])


def _inputs(folder: Path, table: Table) -> set[str]:
    """Tables and views that the query reads, and those that views without a file read."""
    inputs = set(table.inputs(set(all_tables())))
    for name in list(inputs):
        if _is_made(folder, name):
            inputs |= _inputs(folder, all_tables()[name])
    return inputs


def _is_made(folder: Path, name: str) -> bool:
    return (all_tables()[name].is_view or name in WORKING) and not (
        folder / f"{name}.yaml"
    ).exists()


def _table_of(folder: Path) -> Table:
    layer, name = folder.parts[-3:-1]
    table = all_tables().get(name)
    if table is None or table.layer != layer or table.query is None:
        raise CaseError(f"{folder}: there is no query sql/{layer}/{name}/query.sql")
    return table


def _rows(path: Path) -> Rows:
    if not path.exists():
        return []
    rows = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CaseError(f"{path}: expected a list of maps")
    return rows


def _expectation(path: Path) -> tuple[Rows, str]:
    if not path.exists():
        raise CaseError(f"{path} is missing: a case without it cannot fail")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        if set(content) != {"where", "rows"}:
            raise CaseError(f"{path}: expected a list of rows, or a map of where and rows")
        return content["rows"], content["where"]
    if not isinstance(content, list):
        raise CaseError(f"{path}: expected a list of rows; [] if none may come out")
    return content, "TRUE"


def _require_columns(path: Path, rows: Rows, known: list[str]) -> None:
    unknown = sorted({name for row in rows for name in row} - set(known))
    if unknown:
        raise CaseError(f"{path}: no such columns: {unknown}")


def _params(folder: Path, tables: list[Table]) -> dict[str, Value]:
    path = folder / "params.yaml"
    changes = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {name for table in tables for name in parameters(table.query or "")}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise CaseError(f"{path}: {tables[0].name} has no parameters {unknown}")
    return default_params() | {
        name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
    }


def _comparable(row: Iterable[Any], case: Case) -> tuple[Any, ...]:
    kinds = [case.table.schema[name].dataType for name in case.columns]
    return tuple(_settled(value, kind) for value, kind in zip(row, kinds, strict=True))


def _settled(value: Any, kind: T.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, T.DoubleType):
        return f"{float(value):.6g}"  # cases write 0.333333 for a third
    if isinstance(kind, T.TimestampType):
        moment = typed(value, kind)
        return moment.astimezone(UTC).replace(tzinfo=None)
    return typed(value, kind)


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row])
