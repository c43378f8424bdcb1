"""The Spark SQL shell's first statements: every table of a warehouse under its bare name.

Reads: the folders of a warehouse, sql/, conf/base.yaml, --conf-file.
Writes: one file of statements.
Run: ./spark-submit.sh sql -e "SHOW TABLES"
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from jobs.core.building.changes import LOG as BUILDS
from jobs.core.building.changes import require_settings
from jobs.core.catalog import LAYERS, all_tables, build_order
from jobs.core.config import load_config
from jobs.core.errors import GlasshouseError, StorageError, UsageError
from jobs.core.queries import Value, parameters, parse_date, render
from jobs.core.table_log import bounds, is_table, read_rows

# How spark-sql may be told the value of a `${name}`.
DEFINE = ("-d", "--define", "--hivevar")
# The table whose dates are those of the log.
DAYS_OF_LOG = "active_users_daily"
EVERY_DAY: dict[str, Value] = {"from_date": date(1, 1, 1), "to_date": date(9999, 12, 31)}


def stored_tables(root: Path) -> dict[str, Path]:
    """Folder of each known table that the warehouse holds, by table name.

    Raises
    ------
    StorageError
        It is a file.
    UsageError
        It holds none.
    """
    if root.is_file():
        raise StorageError(f"--warehouse {root} is a file, not a folder")
    stored = {
        table.name: root / table.layer / table.name
        for table in all_tables().values()
        if any((root / table.layer / table.name / "_delta_log").glob("*.json"))
    }
    if not stored:
        raise UsageError(f"no tables in {root}: make some with ./spark-submit.sh pipeline")
    return stored


def registrations(stored: dict[str, Path], params: dict[str, Value]) -> list[str]:
    """Name the tables, then the views whose inputs and parameters are all there.

    Parameters
    ----------
    stored
        Folder of each table by name.
    params
        Settings that the queries of views refer to as `${name}`.
    """
    result = [
        f"CREATE TABLE {name} USING DELTA LOCATION {quoted(str(folder))}"
        for name, folder in stored.items()
    ]
    result += [
        f"CREATE TEMPORARY VIEW {name} AS\n{query}" for name, query in views(set(stored), params)
    ]
    return result


def views(known: set[str], params: dict[str, Value]) -> list[tuple[str, str]]:
    """Name and query of each view whose inputs and parameters are all there, in order."""
    found = []
    seen, tables = set(known), set(all_tables())
    for table in build_order(LAYERS):
        query = table.query or ""
        if (
            table.is_view
            and set(table.inputs(tables)) <= seen
            and set(parameters(query)) <= set(params)
        ):
            found.append((table.name, render(query, params)))
            seen.add(table.name)
    return found


def shell_params(root: Path, conf_file: Path | None, options: Sequence[str]) -> dict[str, Value]:
    """Parameters of the views: the settings, the days asked for, and those of the log.

    Parameters
    ----------
    root
        Folder of the warehouse.
    conf_file
        Settings laid over conf/base.yaml.
    options
        The shell's own, of which those that name days count.

    Raises
    ------
    UsageError
        The tables were built with other settings: views over them would tell something else.
    """
    config = load_config(conf_file)
    log = str(root / all_tables()[BUILDS].layer / BUILDS)
    require_settings(read_rows(log) if is_table(log) else [], root, config)
    params = config.metrics.parameters()
    folder = root / "gold" / DAYS_OF_LOG
    # Built once for every day of the log; before that no view that asks for them has a table.
    days = bounds(str(folder), "metric_date") if is_table(str(folder)) else None
    if days is not None:
        params |= {"first_date": days[0], "as_of": days[1]}
    return params | chosen_days(options)


def chosen_days(options: Sequence[str]) -> dict[str, Value]:
    """Find from_date and to_date among the shell's own options, so that views show these days.

    Raises
    ------
    UsageError
        One of them is not a day.
    """
    days = dict(EVERY_DAY)
    for option, following in itertools.pairwise([*options, ""]):
        flag, _, pair = option.partition("=") if option.startswith("--") else (option, "", "")
        name, _, value = (pair or following).partition("=")
        if flag in DEFINE and name in days:
            days[name] = parse_date(value, name)
    return days


def script(statements: list[str]) -> str:
    r"""Make one statement of many, which prints one line, the greeting, instead of one for each.

    The shell cuts its input at each semicolon, whatever the SQL; after a `\\` it does not.
    """
    greeting = f"{len(statements)} tables and views: SHOW TABLES, DESCRIBE <table>"
    body = "".join(
        f"{each}\\;\n" for each in [*statements, f"SELECT 1 AS `{greeting}` WHERE FALSE"]
    )
    return f"BEGIN\n{body}END;\n"


def quoted(text: str) -> str:
    r"""Quote as a SQL string.

    A `$` is written as its code, since the shell would take `${...}` for a parameter.
    """
    for character, code in (("\\", r"\\"), ("'", r"\'"), (";", r"\u003B"), ("$", r"\u0024")):
        text = text.replace(character, code)
    return f"'{text}'"


def write_statements(
    root: Path, target: Path, options: Sequence[str], conf_file: Path | None = None
) -> None:
    """Write the statements for one warehouse; a shell that reads the file sees all or nothing."""
    text = script(registrations(stored_tables(root), shell_params(root, conf_file, options)))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)


def main(arguments: Sequence[str]) -> int:
    """Write the statements; returns the exit code.

    Parameters
    ----------
    arguments
        The warehouse, the file to write, a file of settings or nothing, and then the options that
        the shell will be given.
    """
    warehouse, target, conf_file, *options = arguments
    root, settings = Path(warehouse).expanduser().resolve(), Path(conf_file) if conf_file else None
    try:
        write_statements(root, Path(target), options, settings)
    except GlasshouseError as error:
        print(f"sql: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
