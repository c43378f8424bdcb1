"""The tables of README.md that say what is counted, made from the contracts and the questions.

Command: .venv/bin/python -m jobs.core.metric_index
"""

from __future__ import annotations

import re
from pathlib import Path

from jobs.core.catalog import SQL_ROOT, Table, all_tables
from jobs.core.config import PROJECT_ROOT
from jobs.core.errors import ContractError

README = PROJECT_ROOT / "README.md"
LAYERS = ("gold", "ml")
COMMAND = ".venv/bin/python -m jobs.core.metric_index"
# Heading of a column, and the keys of `metric` in a contract whose first sentences it shows.
COLUMNS = {
    "what is counted · of whom": ("unit", "population"),
    "over which dates": ("window",),
    "what is not over yet": ("unfinished",),
    "what is zero or NULL": ("nulls",),
}


def metrics() -> list[Table]:
    """Tables and views that a contract gives as metrics, in the order of the layers."""
    tables = all_tables().values()
    return [table for table in tables if table.layer in LAYERS and table.contract.metric]


def said(table: Table, key: str) -> str:
    """Text under a key of the contract's `metric`; '' where there is none."""
    value = (table.contract.metric or {}).get(key, "")
    return value if isinstance(value, str) else " ".join(value)


def first_sentence(text: str) -> str:
    """Text up to its first full stop, without it."""
    return re.split(r"\.(?:\s|$)", text.strip(), maxsplit=1)[0]


def question_of(path: Path) -> str:
    """The question that a file of sql/shell answers, from its first line.

    Raises
    ------
    ContractError
        The file does not begin with one.
    """
    found = re.match(r"-- ([^?]+\?)", path.read_text(encoding="utf-8"))
    if found is None:
        raise ContractError(f"{path}: begin with a question, such as `-- Do users come back? ...`")
    return found.group(1)


def tables_of(path: Path) -> list[str]:
    """The tables that a file of sql/shell says it reads."""
    found = re.search(r"^-- Reads: (.+)\.$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1).split(", ") if found else []


def questions(folder: Path = SQL_ROOT / "shell") -> list[str]:
    """Rows of the first table: each question, the metrics that answer it, and the query."""
    rows = ["| question | table | definition in one line | query |", "|---|---|---|---|"]
    places = {table.name: place for place, table in enumerate(metrics())}
    asked = {
        path: [name for name in tables_of(path) if name in places] for path in folder.iterdir()
    }
    for path, read in sorted(asked.items(), key=lambda each: [places[n] for n in each[1][:1]]):
        query = f"[{path.name}](sql/shell/{path.name})"
        for place, name in enumerate(read):
            table = all_tables()[name]
            short = said(table, "in_short") or first_sentence(table.contract.description)
            cells = ("", "") if place else (question_of(path), query)
            rows.append(_row(cells[0], f"`{name}`", short, cells[1]))
    return rows


def definitions() -> list[str]:
    """Rows of the second table: what exactly each metric counts, in short."""
    rows = [_row("table", *COLUMNS), "|---" * (1 + len(COLUMNS)) + "|"]
    for table in metrics():
        link = f"[{table.name}](sql/{table.layer}/{table.name}/table.yaml)"
        short = {key: first_sentence(said(table, key)) for key in sum(COLUMNS.values(), ())}
        cells = [" · ".join(short[key] for key in keys) for keys in COLUMNS.values()]
        rows.append(_row(link, *cells))
    return rows


def with_blocks(text: str) -> str:
    """A text with the rows between its markers made anew.

    Raises
    ------
    ContractError
        A marker is missing.
    """
    for name, rows in (("questions", questions()), ("definitions", definitions())):
        begin, end = f"<!-- {name}: made by {COMMAND} -->", f"<!-- end of {name} -->"
        head, found_begin, rest = text.partition(begin)
        _, found_end, tail = rest.partition(end)
        if not (found_begin and found_end):
            raise ContractError(f"{README}: the lines {begin} and {end} are missing")
        text = "\n".join([f"{head}{begin}", "", *rows, "", f"{end}{tail}"])
    return text


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    README.write_text(with_blocks(README.read_text(encoding="utf-8")), encoding="utf-8")
