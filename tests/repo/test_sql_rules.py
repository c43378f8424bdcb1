"""What every query.sql must keep to: a true header, no hidden clock, named columns, a case."""

from __future__ import annotations

import re
import shlex

import pytest

from jobs.core.catalog import SQL_ROOT, Table, all_tables
from jobs.core.checks import parse_checks
from jobs.core.config import load_config
from jobs.core.queries import parameters
from jobs.core.table_index import grain
from tests.sql.harness import case_folders, query_tables

QUERIES = query_tables()
STORED = [table for table in all_tables().values() if not table.is_view]
# Each of these makes two runs over the same rows differ.
UNREPEATABLE = re.compile(
    r"\b(now|current_date|current_timestamp|curdate|localtimestamp|unix_timestamp\(\)|rand|randn"
    r"|random|uuid|shuffle|monotonically_increasing_id|spark_partition_id|input_file_name)\b",
    re.IGNORECASE,
)


def named(table: Table) -> str:
    return table.name


def header(query: str) -> str:
    """The comment lines above the first statement, as one text."""
    lines = []
    for line in query.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def statement(query: str) -> str:
    return "\n".join(line for line in query.splitlines() if not line.lstrip().startswith("--"))


def named_after(word: str, text: str) -> list[str]:
    """The comma-separated names after `word:`, up to the full stop."""
    found = re.search(rf"{word}: ([a-z0-9_, ]+)\.", text)
    return [] if found is None else re.findall(r"[a-z0-9_]+", found.group(1))


def read_tables(query: str) -> set[str]:
    """Every table after FROM and JOIN that is no CTE, or a CTE of its own name."""
    text = statement(query)
    ctes = set(re.findall(r"\b([a-z0-9_]+) AS \(\s*(?:SELECT|WITH)\b", text))
    sources = set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z0-9_]+)\b(?!\s*\()", text))
    return (sources - ctes) | (sources & set(all_tables()))


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_header_names_the_table_and_its_grain(table: Table) -> None:
    first = header(table.query or "")
    assert first.startswith(f"{table.name}: one row per {grain(table)}"), (
        "begin with `-- <table>: one row per ...` as the description in the contract ends"
    )


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_header_names_every_table_read(table: Table) -> None:
    query = table.query or ""
    stated = named_after("Reads", header(query))
    assert sorted(stated) == sorted(read_tables(query))
    assert set(stated) <= set(all_tables()), "a table that no contract describes"


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_header_names_every_parameter(table: Table) -> None:
    query = table.query or ""
    assert sorted(named_after("Params", header(query))) == sorted(parameters(query))


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_shell_line_runs_this_file_with_all_its_parameters(table: Table) -> None:
    query = table.query or ""
    found = re.search(r"Shell: (\./spark-submit\.sh sql .*?-f \S+\.sql)", header(query))
    assert found, "the header needs a line `-- Shell: ./spark-submit.sh sql -d ... -f <this file>`"
    words = shlex.split(found.group(1))
    assert words[-1] == f"sql/{table.layer}/{table.name}/query.sql"
    given = [word.partition("=") for place, word in enumerate(words) if words[place - 1] == "-d"]
    assert sorted(name for name, _, _ in given) == sorted(parameters(query))
    assert all(value for _, _, value in given)


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_same_rows_give_the_same_result(table: Table) -> None:
    assert UNREPEATABLE.findall(statement(table.query or "")) == []


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_final_select_names_its_columns(table: Table) -> None:
    final = re.split(r"^SELECT\b", statement(table.query or ""), flags=re.MULTILINE)[-1]
    columns = re.split(r"^FROM\b", final, flags=re.MULTILINE)[0]
    assert not re.search(r"(?:^|[\s,.])\*\s*(?:,|$)", columns), "name the columns instead of *"


@pytest.mark.parametrize("table", QUERIES, ids=named)
def test_query_has_a_case(table: Table) -> None:
    folders = [
        folder for folder in case_folders() if folder.parts[-3:-1] == (table.layer, table.name)
    ]
    assert folders, f"add tests/sql/{table.layer}/{table.name}/test_<behaviour>/"


@pytest.mark.parametrize("table", STORED, ids=named)
def test_checks_have_headers_and_names_of_their_own(table: Table) -> None:
    names = [check.name for check in parse_checks(table)]
    assert len(names) == len(set(names))
    if table.query is not None:
        assert names, f"add sql/{table.layer}/{table.name}/checks.sql"


@pytest.mark.parametrize("table", all_tables().values(), ids=named)
def test_contract_states_its_grain_and_describes_its_columns(table: Table) -> None:
    assert re.search(r"One row per [^.]+\.$", table.contract.description.strip()), (
        "end the description with 'One row per ….'"
    )
    assert [column.name for column in table.contract.columns if not column.comment.strip()] == []
    known = set(table.schema.names)
    assert {*table.contract.key, *table.contract.partition_by, *table.contract.unhashed} <= known
    if table.contract.write == "replace_day":
        assert table.contract.date_column in known


def test_sql_folder_holds_nothing_else() -> None:
    known = {"query.sql", "table.yaml", "checks.sql"}
    files = {path for path in SQL_ROOT.glob("*/*/*") if path.is_file()}
    strangers = {path for path in files if path.name not in known}
    assert strangers == set()
    assert {path.parent for path in files} == {table.folder for table in all_tables().values()}


def test_funnel_reaches_as_far_ahead_as_its_window() -> None:
    ahead = load_config().metrics.funnel_days_ahead
    assert all_tables()["funnel_daily"].contract.depends_ahead == ahead
