"""The tables of the project, read from sql/<layer>/<table>/table.yaml."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import pydantic
import yaml
from pydantic.dataclasses import dataclass as validated
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.core.config import PROJECT_ROOT
from jobs.core.errors import ContractError
from jobs.core.validation import first_problem

SQL_ROOT = PROJECT_ROOT / "sql"
LAYERS = ("bronze", "silver", "gold", "features", "ml", "ops", "truth")

# The types a contract may use. Spark's own DDL parser would need a running session to read them.
TYPES: dict[str, DataType] = {
    "BIGINT": LongType(),
    "INT": IntegerType(),
    "DOUBLE": DoubleType(),
    "DECIMAL(18,2)": DecimalType(18, 2),
    "STRING": StringType(),
    "BOOLEAN": BooleanType(),
    "DATE": DateType(),
    "TIMESTAMP": TimestampType(),
    "BINARY": BinaryType(),
    "ARRAY<STRUCT<feature STRING, effect DOUBLE>>": ArrayType(
        StructType([StructField("feature", StringType()), StructField("effect", DoubleType())])
    ),
}

_STRICT = pydantic.ConfigDict(extra="forbid")


@validated(frozen=True, config=_STRICT)
class Column:
    """One column of a contract."""

    name: str
    type: str
    comment: str
    nullable: bool = True


@validated(frozen=True, config=_STRICT)
class Contract:
    """What a table.yaml says; see sql/README.md for the meaning of each key."""

    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    write: Literal["replace_day", "replace_table", "append", "view"]
    partition_by: tuple[str, ...] = ()
    date_column: str | None = None
    depends_back: int | Literal["all"] = 0
    depends_ahead: int = 0
    replace_filter: str | None = None
    unhashed: tuple[str, ...] = ()
    metric: dict[str, str | list[str]] | None = None


class Table:
    """A table or view: its contract, its query and its place.

    Parameters
    ----------
    folder
        sql/<layer>/<table>, holding table.yaml and, unless Python writes the table, query.sql.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.layer = folder.parent.name
        try:
            raw = yaml.safe_load((folder / "table.yaml").read_text(encoding="utf-8"))
            self.contract = Contract(**raw)
        except pydantic.ValidationError as error:
            problem = first_problem(error)
            raise ContractError(f"{folder}/table.yaml: {problem}") from error
        unknown = [c.type for c in self.contract.columns if c.type not in TYPES]
        if unknown:
            raise ContractError(f"{folder}/table.yaml: unknown column types {unknown}")

    @property
    def is_view(self) -> bool:
        """True for a query that only feeds others and is never stored."""
        return self.contract.write == "view"

    @property
    def is_aggregate(self) -> bool:
        """True for figures by segment, whose rows do not grow with the number of users."""
        names = {column.name for column in self.contract.columns}
        return self.layer == "gold" and {"country", "channel"} <= names

    @property
    def query(self) -> str | None:
        """Text of query.sql, or None where Python makes the rows."""
        path = self.folder / "query.sql"
        return path.read_text(encoding="utf-8") if path.exists() else None

    @property
    def checks(self) -> str:
        """Text of checks.sql."""
        path = self.folder / "checks.sql"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def schema(self) -> StructType:
        """The columns as Spark types."""
        return StructType(
            [
                StructField(column.name, TYPES[column.type], column.nullable)
                for column in self.contract.columns
            ]
        )

    def inputs(self, names: set[str]) -> list[str]:
        """Those of `names` that the query reads."""
        words = set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_0-9]+)", self.statement))
        return sorted((words & names) - {self.name})

    @property
    def statement(self) -> str:
        """Text of query.sql without its comments."""
        lines = (self.query or "").splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


@functools.cache
def all_tables(root: Path = SQL_ROOT) -> dict[str, Table]:
    """Every table by name, in the order of the layers."""
    tables: dict[str, Table] = {}
    for layer in LAYERS:
        for path in sorted((root / layer).glob("*/table.yaml")):
            table = Table(path.parent)
            if table.name in tables:
                raise ContractError(f"two tables are named {table.name}")
            tables[table.name] = table
    return tables


def build_order(layers: tuple[str, ...]) -> list[Table]:
    """Tables with a query of the given layers, each after those it reads."""
    tables = {
        name: table
        for name, table in all_tables().items()
        if table.layer in layers and table.query is not None
    }
    ordered: list[Table] = []
    waiting = dict(tables)
    while waiting:
        ready = [t for t in waiting.values() if not t.inputs(set(waiting))]
        if not ready:
            raise ContractError(f"queries read each other in a circle: {sorted(waiting)}")
        for table in ready:
            ordered.append(waiting.pop(table.name))
    return ordered


def tables_up_to(names: Collection[str]) -> list[Table]:
    """Tables and views of silver and gold with these names, each after all that leads to it."""
    wanted = set(names)
    steps = []
    for table in reversed(build_order(("silver", "gold"))):
        if table.name in wanted:
            wanted |= set(table.inputs(set(all_tables())))
            steps.append(table)
    return steps[::-1]


def views_read(table: Table) -> list[Table]:
    """Views that a query reads, directly or through other views, each after those it reads."""
    views = {name: view for name, view in all_tables().items() if view.is_view}
    found: dict[str, Table] = {}
    for name in table.inputs(set(views)):
        for view in [*views_read(views[name]), views[name]]:
            found[view.name] = view
    return list(found.values())
