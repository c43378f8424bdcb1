"""The table index of sql/README.md, made from the contracts.

Command: .venv/bin/python -m jobs.core.table_index > sql/README.md
"""

from __future__ import annotations

import re

from jobs.core.catalog import LAYERS, Table, all_tables

HEAD = """\
# Tables

Made from the contracts by `.venv/bin/python -m jobs.core.table_index > sql/README.md`; a test
keeps it so. A folder per table: `query.sql` is a plain SELECT that runs as it stands in the Spark
SQL shell, `table.yaml` is its contract, `checks.sql` holds the rules `verify` evaluates. Tables
without a query are written by Python.

Keys of a contract: `key` (unique), `columns` (name, type, nullable, comment), `partition_by`,
`write` (`replace_day`: days are replaced, `date_column` says by which column; `replace_table`;
`append`; `view`: never stored, read by other queries and in the shell), `depends_back` /
`depends_ahead` (a row of day d reads days d - back to d + ahead), `replace_filter` (the only rows a
build may replace), `unhashed` (bookkeeping left out of the content hash), `metric` (what exactly a
metric counts; README.md shows `in_short` and the first sentences of the rest).
"""


def grain(table: Table) -> str:
    """The words after "One row per" in a description."""
    match = re.search(r"One row per (.+?)\.(?:\s|$)", table.contract.description)
    return match.group(1) if match else ""


def render_index() -> str:
    """The whole file, newline at the end."""
    tables = all_tables()
    names = set(tables)
    inputs = {name: table.inputs(names) for name, table in tables.items()}
    readers = {
        name: sorted(other for other, reads in inputs.items() if name in reads) for name in names
    }
    lines = [HEAD]
    for layer in LAYERS:
        members = [table for table in tables.values() if table.layer == layer]
        if not members:
            continue
        lines += [f"## {layer}", "", "| table | one row per | built from | read by |"]
        lines += ["|---|---|---|---|"]
        for table in members:
            view = " (view)" if table.is_view else ""
            cells = (
                f"[{table.name}]({layer}/{table.name}/){view}",
                grain(table),
                ", ".join(inputs[table.name]) or "Python",
                ", ".join(readers[table.name]),
            )
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(render_index(), end="")
