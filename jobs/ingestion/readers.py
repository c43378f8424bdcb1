"""Input files -> rows with our column names, each with its file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.core.errors import UsageError
from jobs.ingestion.contract import expect_columns
from jobs.ingestion.fields import take_apart
from jobs.ingestion.inputs import InputFile, InputFiles, parquet_schema
from jobs.ingestion.mapping import Source, columns_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Where a row comes from; `fault` is NULL, or why the line could not be taken apart.
PLACE = ("file_name", "file_sha256", "line_number", "line_length", "line_sha256", "fault")
BLANK = r"^\s*$"
MICROSECOND = 1_000  # in nanoseconds


@dataclass(frozen=True)
class Rows:
    """Rows of one input.

    Parameters
    ----------
    frame
        The columns of PLACE and our mapped columns; as text, from Parquet as stored.
    rows_read
        Rows in the files: all lines but headers and blank ones.
    blank_lines
        Lines of nothing but white space, which are no rows.
    """

    frame: DataFrame
    rows_read: int
    blank_lines: int


def read_text(
    spark: SparkSession, inputs: InputFiles, name: str, source: Source, layout: list[str]
) -> Rows:
    """Rows of csv, jsonl or whitespace files.

    Raises
    ------
    ContractError
        No line of a JSON lines input has a mapped key.
    UsageError
        A file changed while it was read.
    """
    wanted = columns_of(name, source)
    lines = _numbered_lines(spark, inputs)
    blocks = _blocks(lines, layout if source.format == "jsonl" else [])
    if source.format == "jsonl":
        seen = [key for i, key in enumerate(layout) if any(block[f"has_{i}"] for block in blocks)]
        expect_columns(inputs.files[0].path, wanted, seen)
    places = _places(spark, inputs, blocks)
    line_number = F.col("lines_before") + F.col("line_id") - F.col("first_id") + 1
    placed = lines.join(F.broadcast(places), on=["file_path", "block_start"], how="inner")
    placed = placed.withColumn("line_number", line_number).where(~F.col("line").rlike(BLANK))
    if source.has_header:
        placed = placed.where("line_number > 1")
    fields = {ours: F.get("fields", F.lit(layout.index(theirs))) for ours, theirs in wanted.items()}
    frame = take_apart(placed, source, layout).select(
        "file_name",
        "file_sha256",
        "line_number",
        F.octet_length("line").alias("line_length"),
        F.sha2("line", 256).alias("line_sha256"),
        "fault",
        *[field.alias(ours) for ours, field in fields.items()],
    )
    headers = len(inputs.files) if source.has_header else 0
    blank_lines = sum(block["blank"] for block in blocks)
    lines_read = sum(file.rows for file in inputs.files)
    return Rows(frame, lines_read - headers - blank_lines, blank_lines)


def read_parquet(spark: SparkSession, inputs: InputFiles, name: str, source: Source) -> Rows:
    """Rows of Parquet files; line_number is the row's place in its file, from 1.

    Nanosecond timestamps, which pandas writes and Spark refuses, need the session setting
    spark.sql.legacy.parquet.nanosAsLong and come out as microseconds.
    """
    wanted = columns_of(name, source)
    stored = spark.read.parquet(*[glob_literal(file.path) for file in inputs.files])
    types = parquet_schema(inputs.files[0].path)
    mapped = {}
    for ours, theirs in wanted.items():
        column = F.col(f"`{theirs.replace('`', '``')}`")
        kind = str(types.field(theirs).type)
        if kind.startswith("timestamp[ns") and stored.schema[theirs].dataType == T.LongType():
            moment = F.timestamp_micros(F.floor(column / MICROSECOND))
            column = moment if "tz=" in kind else moment.cast("timestamp_ntz")
        mapped[ours] = column
    rows = stored.select(
        F.col("_metadata.file_path").alias("file_path"),
        (F.col("_metadata.row_index") + 1).alias("line_number"),
        *[column.alias(ours) for ours, column in mapped.items()],
    )
    is_text = [f.name for f in rows.schema if f.dataType == T.StringType() and f.name in mapped]
    is_utf8 = [F.coalesce(F.is_valid_utf8(ours), F.lit(True)) for ours in is_text]
    text = F.to_json(F.struct(*mapped))
    paths = [row["file_path"] for row in rows.select("file_path").distinct().collect()]
    files = [(path, _file_of(inputs, path)) for path in paths]
    places = spark.createDataFrame(
        [(path, file.name, file.sha256) for path, file in files],
        "file_path STRING, file_name STRING, file_sha256 STRING",
    )
    frame = rows.join(F.broadcast(places), on="file_path", how="inner").select(
        "file_name",
        "file_sha256",
        "line_number",
        F.octet_length(text).alias("line_length"),
        F.sha2(text, 256).alias("line_sha256"),
        F.when(~reduce(lambda a, b: a & b, is_utf8, F.lit(True)), "not UTF-8").alias("fault"),
        *mapped,
    )
    return Rows(frame, sum(file.rows for file in inputs.files), 0)


def glob_literal(path: Path) -> str:
    """Path in which Spark finds no wildcard."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", str(path))


def _numbered_lines(spark: SparkSession, inputs: InputFiles) -> DataFrame:
    # The id only has to count up within a block of a file, which one task reads from end to end.
    text = spark.read.option("lineSep", "\n").text([glob_literal(f.path) for f in inputs.files])
    # Cut as bytes: text functions mend what is not UTF-8, and it would pass unseen.
    cut = F.substring(F.col("value").cast("binary"), F.lit(1), F.octet_length("value") - 1)
    is_dos = F.endswith("value", F.lit("\r"))
    return text.select(
        F.when(is_dos, cut.cast("string")).otherwise(F.col("value")).alias("line"),
        F.col("_metadata.file_path").alias("file_path"),
        F.col("_metadata.file_block_start").alias("block_start"),
        F.monotonically_increasing_id().alias("line_id"),
    )


def _blocks(lines: DataFrame, keys: list[str]) -> list[dict[str, Any]]:
    """Count each block of each file, and see which JSON keys come up in it at all."""
    counts = lines.groupBy("file_path", "block_start").agg(
        F.count("*").alias("lines"),
        F.min("line_id").alias("first_id"),
        F.count_if(F.col("line").rlike(BLANK)).alias("blank"),
        *[
            F.bool_or(F.contains("line", F.lit(f'"{key}"'))).alias(f"has_{place}")
            for place, key in enumerate(keys)
        ],
    )
    return [row.asDict() for row in counts.orderBy("file_path", "block_start").collect()]


def _places(spark: SparkSession, inputs: InputFiles, blocks: list[dict[str, Any]]) -> DataFrame:
    """Say for each block its file and how many lines of that come before it."""
    lines_before = dict.fromkeys((file.name for file in inputs.files), 0)
    places = []
    for block in blocks:
        file = _file_of(inputs, block["file_path"])
        block_key = (block["file_path"], block["block_start"], block["first_id"])
        places.append((*block_key, lines_before[file.name], file.name, file.sha256))
        lines_before[file.name] += block["lines"]
    for file in inputs.files:
        if lines_before[file.name] != file.rows:
            raise UsageError(f"{file.path}: changed while it was read; nothing was loaded")
    return spark.createDataFrame(
        places,
        "file_path STRING, block_start BIGINT, first_id BIGINT, lines_before BIGINT, "
        "file_name STRING, file_sha256 STRING",
    )


def _file_of(inputs: InputFiles, uri: str) -> InputFile:
    path = "/" + unquote(uri.removeprefix("file:")).lstrip("/")
    return next(file for file in inputs.files if str(file.path) == path)
