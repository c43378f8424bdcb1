"""Small logs given as text, read and normalised as ingest does it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.ingestion.contract import check_columns, check_types
from jobs.ingestion.inputs import fingerprint
from jobs.ingestion.mapping import Source
from jobs.ingestion.normalise import Clock, normalise
from jobs.ingestion.pseudonyms import keyed_id
from jobs.ingestion.readers import PLACE, read_parquet, read_text

KEY = b"a key of more than sixteen bytes"
CLOCK = Clock("UTC", datetime(2024, 6, 1, tzinfo=UTC))
ISO = "yyyy-MM-dd HH:mm:ss.SSSSSS"


def user(raw: str) -> int:
    return keyed_id(KEY, "user", raw)[0]


def normalised(
    spark: SparkSession, path: Path, name: str, source: Source, clock: Clock = CLOCK
) -> DataFrame:
    inputs = fingerprint(path, source)
    layout = check_columns(inputs, name, source)
    read = read_text(spark, inputs, name, source, layout) if source.is_text else None
    rows = read or read_parquet(spark, inputs, name, source)
    check_types(rows.frame.drop(*PLACE).schema, path.name, source)
    return normalise(rows.frame, name, source, clock, KEY)


def rows_of(frame: DataFrame) -> list[Any]:
    moments = [field.name for field in frame.schema if field.dataType.typeName() == "timestamp"]
    # As text in UTC: collected timestamps would come in the time zone of the machine.
    texts = {name: F.date_format(name, ISO) for name in moments}
    return frame.orderBy("line_number").withColumns(texts).collect()


def csv_of(path: Path, header: str, *lines: str) -> Path:
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return path
