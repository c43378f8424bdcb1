"""Quality rules as data: the statements of a table's checks.sql, each returning the bad rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.core.errors import ContractError
from jobs.core.queries import Value, render

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from jobs.core.catalog import Table

HEADER = re.compile(
    r"^-- check: (?P<name>[a-z0-9_]+) \| (?P<severity>fail|warn) \| (?P<meaning>.+)$"
)


@dataclass(frozen=True)
class Check:
    """One rule: the query returns the rows that break it."""

    table: str
    name: str
    severity: str
    meaning: str
    query: str


@dataclass(frozen=True)
class CheckResult:
    """How many rows break a rule."""

    check: Check
    bad_rows: int

    @property
    def failed(self) -> bool:
        """True if the rule is broken and its severity stops the work."""
        return self.bad_rows > 0 and self.check.severity == "fail"


def parse_checks(table: Table) -> list[Check]:
    """The rules in a table's checks.sql.

    Raises
    ------
    ContractError
        A statement has no header line, or the header is not of the form
        ``-- check: <name> | fail|warn | <meaning>``.
    """
    checks = []
    for block in filter(None, (part.strip() for part in table.checks.split(";"))):
        first, _, query = block.partition("\n")
        match = HEADER.match(first)
        if match is None or not query.strip():
            raise ContractError(f"{table.folder}/checks.sql: no check header above: {first[:60]}")
        checks.append(Check(table.name, query=query, **match.groupdict()))
    return checks


def run_checks(
    spark: SparkSession, tables: Iterable[Table], params: Mapping[str, Value]
) -> list[CheckResult]:
    """Evaluate the rules of the given tables; inputs must be registered under their names.

    The rules of a table are counted in one statement: one Spark job instead of one per rule.
    """
    results: list[CheckResult] = []
    for table in tables:
        checks = parse_checks(table)
        if not checks:
            continue
        counts = " UNION ALL ".join(
            f"SELECT {place} AS place, COUNT(*) AS bad_rows FROM ({render(check.query, params)})"
            for place, check in enumerate(checks)
        )
        found = {row["place"]: row["bad_rows"] for row in spark.sql(counts).collect()}
        results += [CheckResult(check, found[place]) for place, check in enumerate(checks)]
    return results
