"""One input, read and judged: what goes to bronze, what to quarantine, and the counts of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jobs.core.batches import Batch
from jobs.core.errors import ContractError, UsageError
from jobs.ingestion.contract import check_types
from jobs.ingestion.moments import check_pattern
from jobs.ingestion.normalise import Clock, normalise
from jobs.ingestion.readers import PLACE, read_parquet, read_text
from jobs.ingestion.request import Input

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What Spark says of columns it cannot take, mapped or not.
UNFIT_COLUMNS = ("PARQUET_TYPE_", "COLUMN_ALREADY_EXISTS", "AMBIGUOUS_REFERENCE")
# What Spark says when a file cannot be decoded, with the file's address.
UNREADABLE = re.compile(r"FAILED_READ_FILE.*?file:/*([^\s]+?)\.?\s", re.DOTALL)


@dataclass(frozen=True)
class Intake:
    """The rows of one input, typed and judged, held in memory or on disk until released.

    Parameters
    ----------
    frame
        See `normalise`.
    rules
        Rows turned away by each rule.
    first_date, last_date
        Days of the rows for bronze; days before the earliest date are left out, as these rows
        will not pass the checks of silver.
    """

    part: Input
    frame: DataFrame
    rows_read: int
    blank_lines: int
    rules: dict[str, int]
    first_date: date | None
    last_date: date | None

    @property
    def rows_quarantined(self) -> int:
        """Rows that broke a rule."""
        return sum(self.rules.values())

    @property
    def valid(self) -> DataFrame:
        """Rows for bronze, with row_date and more beside."""
        return self.frame.where(F.col("rule").isNull())

    def bronze_rows(self, columns: list[str]) -> DataFrame:
        """Rows for bronze: those of its columns that an input fills."""
        return self.valid.select([name for name in columns if name in self.frame.columns])

    def quarantine_rows(self) -> DataFrame:
        """Rows turned away, in the columns of quarantine but run_id.

        The payload points to the line and never repeats it: a line that cannot be read may hold
        anything, a raw id too.
        """
        own_id = self.frame.columns[0]
        return self.frame.where(F.col("rule").isNotNull()).select(
            F.lit("ingest").alias("stage"),
            F.lit(self.part.table).alias("table_name"),
            "row_date",
            F.col(own_id).alias("row_id"),
            "rule",
            "message",
            F.to_json(
                F.struct(
                    F.col("file_name").alias("file"),
                    F.col("line_number").alias("line"),
                    F.col("line_length").alias("length"),
                    F.col("line_sha256").alias("sha256"),
                )
            ).alias("payload"),
            F.lit(self.part.batch_id).alias("batch_id"),
        )

    def batch(self, fingerprint: str) -> Batch:
        """Record of this input for bronze_batches."""
        detail: dict[str, Any] = {
            "key_fingerprint": fingerprint,
            "content_sha256": self.part.files.content_hash,
            "files": len(self.part.files.files),
            "blank_lines": self.blank_lines,
            "rules": self.rules,
        }
        return Batch(
            self.part.table,
            self.part.batch_id,
            f"ingest {self.part.files.label}",
            self.first_date,
            self.last_date,
            self.rows_quarantined,
            detail=detail,
        )

    def summary(self) -> str:
        """Counts in one line."""
        loaded = self.rows_read - self.rows_quarantined
        text = f"{self.rows_read:,} rows = {loaded:,} valid + {self.rows_quarantined:,} quarantined"
        rules = ", ".join(f"{rule} {count:,}" for rule, count in self.rules.items())
        blank = f"; {self.blank_lines:,} blank lines" if self.blank_lines else ""
        return f"{self.part.files.label}: {text}{f' ({rules})' if rules else ''}{blank}"


def take_in(spark: SparkSession, part: Input, clock: Clock, earliest: date, key: bytes) -> Intake:
    """Read and judge one input from end to end.

    Raises
    ------
    UsageError
        A file is damaged or changed meanwhile, or ts_format is no pattern.
    ContractError
        A column has a wrong type, or no row at all is usable.
    """
    check_pattern(spark, part.source, part.name)
    with reading_errors(part):
        if part.source.is_text:
            rows = read_text(spark, part.files, part.name, part.source, list(part.layout))
        else:
            rows = read_parquet(spark, part.files, part.name, part.source)
        check_types(rows.frame.drop(*PLACE).schema, part.files.label, part.source)
        frame = normalise(rows.frame, part.name, part.source, clock, key).persist()
        counts = frame.groupBy("rule").agg(
            F.count("*").alias("rows"),
            F.min("line_number").alias("first_line"),
            *[
                extreme(F.when(F.col("row_date") >= F.lit(earliest), F.col("row_date"))).alias(name)
                for extreme, name in ((F.min, "first_date"), (F.max, "last_date"))
            ],
        )
        found = {row["rule"]: row for row in counts.collect()}
    valid = found.pop(None, None)
    rules = {rule: found[rule]["rows"] for rule in sorted(found)}
    total = sum(rules.values()) + (valid["rows"] if valid else 0)
    if total != rows.rows_read:
        frame.unpersist()
        raise UsageError(
            f"{part.files.label}: {rows.rows_read:,} rows expected, {total:,} read; it changed "
            "while it was read, nothing was loaded"
        )
    if valid is None:
        frame.unpersist()
        listed = [f"{rule} {n:,} (first: {found[rule]['first_line']})" for rule, n in rules.items()]
        raise ContractError(
            f"{part.files.label}: expected rows of {part.name}; got no usable one: "
            f"{', '.join(listed) or 'only blank lines'}; check the mapping"
        )
    dates = (valid["first_date"], valid["last_date"])
    return Intake(part, frame, rows.rows_read, rows.blank_lines, rules, *dates)


@contextmanager
def reading_errors(part: Input) -> Iterator[None]:
    """Turn what Spark says of a file it cannot decode into one line with its name."""
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if any(sign in str(error) for sign in UNFIT_COLUMNS):
            reason = str(error).strip().splitlines()[0]
            raise UsageError(f"{part.files.label}: Spark cannot read it: {reason}") from error
        match = UNREADABLE.search(str(error))
        if match is None:
            raise
        raise UsageError(
            f"{part.files.label}: /{match[1]} is damaged or changed while it was read; nothing "
            "was loaded"
        ) from error
