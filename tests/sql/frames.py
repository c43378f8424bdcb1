"""Rows written as YAML, as a DataFrame."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import types as T

from jobs.core.catalog import TYPES
from jobs.core.data_files import ARROW_TYPES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ARROW: dict[T.DataType, pa.DataType] = {TYPES[name]: kind for name, kind in ARROW_TYPES.items()}
Rows = list[dict[str, Any]]


def frame(spark: SparkSession, schema: T.StructType, rows: Rows) -> DataFrame:
    """Rows as a DataFrame; all columns nullable, since a case leaves out what does not matter."""
    if not rows:  # a session on Sail asks createDataFrame for at least one
        nothing = [f"CAST(NULL AS {f.dataType.simpleString()}) AS {f.name}" for f in schema]
        return spark.sql(f"SELECT {', '.join(nothing)} WHERE FALSE")
    fields = [pa.field(field.name, ARROW[field.dataType]) for field in schema]
    columns = [
        pa.array([typed(row.get(name), kind) for row in rows], ARROW[kind])
        for name, kind in ((field.name, field.dataType) for field in schema)
    ]
    return spark.createDataFrame(pa.table(columns, schema=pa.schema(fields)))


def typed(value: Any, kind: T.DataType) -> Any:
    """The value a YAML scalar stands for in a column."""
    if value is None:
        return None
    if isinstance(kind, T.TimestampType):
        text = value.isoformat() if isinstance(value, date) else str(value)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(kind, T.DateType):
        return value if isinstance(value, date) else date.fromisoformat(value)
    if isinstance(kind, T.DecimalType):
        return Decimal(str(value))
    if isinstance(kind, T.DoubleType):
        return float(value)
    return value
