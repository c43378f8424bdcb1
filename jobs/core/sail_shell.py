"""The SQL shell on Sail: every table of a warehouse under its bare name, without a JVM.

Takes what spark-sql takes of -e, -f and -d, prints what it prints (a header, then one line per row
with tabs between), and stops at the first statement that fails. A `${name}` without a value is
refused, where spark-sql would put nothing in its place.
Reads: the folders of a warehouse, sql/, conf/base.yaml and --conf-file. Writes: nothing.
Run: ./spark-submit.sh sql --engine sail -e "SHOW TABLES"
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pyspark.errors import PySparkException

from jobs.core.ending import leave
from jobs.core.entry import OneLineParser
from jobs.core.errors import GlasshouseError, UsageError
from jobs.core.queries import PARAMETER
from jobs.core.sail import start_sail
from jobs.core.shell import shell_params, stored_tables, views
from jobs.core.spark_errors import first_line
from jobs.core.tables import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.queries import Value

PROMPT, CONTINUED = "sail-sql> ", "        > "
LEAVE = ("quit", "exit")
# Text in quotes or in a comment, or a semicolon: what comes first from the left counts.
TOKEN = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|--[^\n]*|/\*.*?\*/|;", re.DOTALL)


def statements(text: str) -> tuple[list[str], str]:
    """Cut SQL at its semicolons; returns the whole statements, and what is left after the last."""
    whole, start = [], 0
    for token in TOKEN.finditer(text):
        if token.group() == ";":
            whole.append(text[start : token.start()])
            start = token.end()
    return [each for each in whole if _says_something(each)], text[start:]


def substituted(statement: str, values: dict[str, str]) -> str:
    """Put the values of -d in the places of their `${name}`.

    Raises
    ------
    UsageError
        A name has no value.
    """
    missing = sorted(set(PARAMETER.findall(_without_comments(statement))) - set(values))
    if missing:
        raise UsageError(f"parameter {missing[0]} of the query has no value: -d {missing[0]}=...")
    return PARAMETER.sub(lambda match: values.get(match.group(1), ""), statement)


def printed(value: Any) -> str:
    """A cell as spark-sql prints it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f")
        return text.rstrip("0").rstrip(".")
    return value.hex() if isinstance(value, bytes) else str(value)


def show(frame: DataFrame, out: TextIO) -> None:
    """Print a result; a statement without one prints nothing."""
    result = frame.toArrow()
    if result.num_columns:
        print("\t".join(result.column_names), file=out)
        for row in zip(*(column.to_pylist() for column in result.columns), strict=True):
            print("\t".join(map(printed, row)), file=out)


def register(
    spark: SparkSession, root: Path, stored: Iterable[str], params: dict[str, Value]
) -> int:
    """Name the stored tables, and the views over them; returns how many there are."""
    warehouse = Warehouse(root, spark, "sql", "sail")
    known = warehouse.register(stored)
    for name, query in views(set(known), params):
        spark.sql(query).createOrReplaceTempView(name)
        known.append(name)
    return len(known)


def run(spark: SparkSession, text: str, values: dict[str, str], out: TextIO) -> None:
    """Run statements one after the other.

    Raises
    ------
    GlasshouseError
        Sail refuses one; the message is its own.
    """
    whole, rest = statements(text)
    for statement in [*whole, rest] if _says_something(rest) else whole:
        try:
            show(spark.sql(substituted(statement, values)), out)
        except PySparkException as error:
            raise GlasshouseError(first_line(error)) from error


def converse(spark: SparkSession, values: dict[str, str]) -> None:
    """Read statements from the terminal until it ends or says so; an error is shown, and no end."""
    for statement in _typed():
        if statement.strip().lower() in LEAVE:
            return
        try:
            run(spark, statement, values, sys.stdout)
        except GlasshouseError as error:
            print(f"sql: {error}", file=sys.stderr)


def main(arguments: Sequence[str]) -> int:
    """Answer what the options ask; returns the exit code.

    Parameters
    ----------
    arguments
        The warehouse, and then the options of the shell.
    """
    parser = OneLineParser(prog="sql", allow_abbrev=False)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--conf-file", type=Path)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("-e", dest="query", metavar="QUERY")
    asked.add_argument("-f", dest="file", type=Path, metavar="FILE")
    parser.add_argument("-d", "--define", "--hivevar", dest="values", action="append", default=[])
    args = parser.parse_args(arguments)
    values = dict(_pair(parser, text) for text in args.values)
    text = args.query if args.file is None else _text_of(args.file)
    root = args.warehouse.expanduser().resolve()
    stored = stored_tables(root)  # refuses an empty folder before anything is started
    params = shell_params(root, args.conf_file, arguments[1:])
    spark = start_sail()
    known = register(spark, root, stored, params)
    if text is not None:
        run(spark, text, values, sys.stdout)
        return 0
    print(f"{known} tables and views: SHOW TABLES; DESCRIBE TABLE <table>; quit;", file=sys.stderr)
    converse(spark, values)
    return 0


def _typed() -> Iterator[str]:
    if sys.stdin.isatty():
        import readline  # noqa: F401  # gives input() its line editing and history
    text = ""
    while True:
        try:
            text += input(CONTINUED if text.strip() else PROMPT) + "\n"
        except EOFError:
            print()
            return
        whole, text = statements(text)
        yield from whole
        if text.strip().lower() in LEAVE:
            return


def _pair(parser: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        parser.error(f"-d {text}: say NAME=VALUE")
    return name, value


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"-f {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"-f {path} is not UTF-8 text: {error}") from error


def _without_comments(text: str) -> str:
    return TOKEN.sub(lambda token: "" if token.group()[:2] in ("--", "/*") else token.group(), text)


def _says_something(text: str) -> bool:
    return bool(_without_comments(text).strip())


if __name__ == "__main__":
    leave("sql", False, lambda: main(sys.argv[1:]))
